"""Doubts about kinds, layouts and grids: wrong readings of real sounds are doubted, and right ones are not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tonearm
from tonearm.arrays.extent import traits_of
from tonearm.kinds.doubts import doubt_decibels, doubt_samples
from tonearm.plugins.context import Context
from tonearm.plugins.kind import ArrayTraits

sys.path.insert(0, str(Path(__file__).parents[1] / "inspect"))
from real_sounds import RATE, SOUNDS, SPEECH, stft

GRID = {"sample_rate": RATE, "n_fft": 1024, "hop_length": 256}
VALUES = stft(SPEECH).astype(np.complex64)
MAGNITUDES = np.abs(VALUES)
DECIBELS = 20 * np.log10(np.maximum(MAGNITUDES, 1e-5))
SMALL = {"n_fft": 400, "hop_length": 100}
PARTS = {"axes": ["complex", "bin", "frame"]}


def said(array: Any, folder: Path, **options: Any) -> list[str]:
    """Return the doubts about an array as the error of a strict run, then as the warnings of a usual one."""
    steps: list[Any] = [] if options["kind"] == "waveform" else [{"use": "griffin-lim", "with": {"iterations": 0}}]
    if options["kind"] == "complex" or "polar" in options.get("axes", ()):
        steps = [{"use": "istft"}]
    found: list[str] = []
    for strict in (True, False):
        pipeline = tonearm.load_pipeline(
            {
                "tonearm": 1,
                "input": {"use": "npy-reader", "with": options},
                "steps": steps,
                "outputs": [{"use": "wav-writer", "file": "a.wav"}],
                "limits": {"strict": strict, "beyond": 1e9, "clipped": 1},
            }
        )
        results: list[Any] = []
        pipeline.run([np.asarray(array)], out=folder, force=True, observe=results.append)
        (result,) = results
        errors = [f"{one.code}: {one.message}; {one.hint}" for one in result.failures]
        found += [one for one in (errors if strict else result.warnings) if one.split(":")[0] in CODES]
    return found


CODES = (
    "axes-doubtful",
    "rate-doubtful",
    "kind-doubtful",
    "dialect-doubtful",
    "grid-doubtful",
    "dc-offset",
    "too-quiet",
)
MAGNITUDE, COMPLEX = {"kind": "magnitude", **GRID}, {"kind": "complex", **GRID}
WAVE = {"kind": "waveform", "sample_rate": RATE}
SCALED = np.clip((DECIBELS + 80) / 100, 0, 1)

RIGHT = {
    "magnitudes": (MAGNITUDES, MAGNITUDE),
    "powers": (MAGNITUDES**2, MAGNITUDE | {"kind": "power"}),
    "decibels": (DECIBELS, MAGNITUDE | {"kind": "db"}),
    "decibels below the largest": (DECIBELS - DECIBELS.max(), MAGNITUDE | {"kind": "db"}),
    "log1p by its recipe": (
        np.log1p(MAGNITUDES),
        MAGNITUDE | {"recipe": {"log": "ln", "floor": 1.0, "floor_mode": "add"}},
    ),
    "ln by its recipe": (np.log(np.maximum(MAGNITUDES, 1e-5)), MAGNITUDE | {"recipe": {"log": "ln"}}),
    "complex values": (VALUES, COMPLEX),
    "real and imaginary parts": (np.stack([VALUES.real, VALUES.imag]), COMPLEX | PARTS),
    "magnitudes and phases": (
        np.stack([MAGNITUDES, np.angle(VALUES)]),
        MAGNITUDE | {"axes": ["polar", "bin", "frame"]},
    ),
    "samples": (SPEECH, WAVE),
    "a pulse": (np.where(np.arange(RATE) % 9000 == 400, 1.0, 0.0), WAVE),
    "16 bits": (np.round(SPEECH * 32767).astype(np.int16), WAVE),
}


@pytest.mark.parametrize(("array", "options"), RIGHT.values(), ids=RIGHT)
def test_nothing_is_said_of_right_readings(array: Any, options: dict[str, Any], tmp_path: Path) -> None:
    assert said(array, tmp_path, **options) == []


@pytest.mark.parametrize("name", [name for name in SOUNDS if name not in ("silence", "room")])
def test_nothing_is_said_of_usual_sounds(name: str, tmp_path: Path) -> None:
    samples = SOUNDS[name]
    assert said(samples, tmp_path, **WAVE) == []
    assert said(stft(samples), tmp_path, **COMPLEX) == []
    assert said(np.abs(stft(samples)), tmp_path, **MAGNITUDE) == []


WRONG = {
    "log1p as magnitudes": (np.log1p(MAGNITUDES), MAGNITUDE, "kind-doubtful", '"recipe": {"log": "ln", "floor": 1.0,'),
    "a root as magnitudes": (MAGNITUDES**0.3, MAGNITUDE, "kind-doubtful", '{"exponent": 0.3, "log": "none"}'),
    "scaled decibels as magnitudes": (SCALED, MAGNITUDE, "kind-doubtful", '"recipe": {"base": "tacotron-keithito",'),
    "scaled decibels as decibels": (SCALED, MAGNITUDE | {"kind": "db"}, "kind-doubtful", ""),
    "ln as decibels": (
        np.log(np.maximum(MAGNITUDES, 1e-5)),
        MAGNITUDE | {"kind": "db"},
        "kind-doubtful",
        '"kind": "magnitude", "recipe": {"log": "ln"}',
    ),
    "a picture as powers": (
        np.round(255 * (DECIBELS + 100) / 140).astype(np.uint8),
        MAGNITUDE | {"kind": "power"},
        "kind-doubtful",
        "",
    ),
    "log1p by another recipe": (
        np.log1p(MAGNITUDES) / 8,
        MAGNITUDE | {"recipe": {"log": "log10"}},
        "dialect-doubtful",
        "",
    ),
    "magnitudes and phases as parts": (
        np.stack([MAGNITUDES, np.angle(VALUES)]),
        COMPLEX | PARTS,
        "kind-doubtful",
        "kind magnitude, with polar in place of complex",
    ),
    "phases and magnitudes as parts": (
        np.stack([np.angle(VALUES), MAGNITUDES]),
        COMPLEX | PARTS,
        "kind-doubtful",
        "save the magnitudes first",
    ),
    "magnitudes of a complex type": (MAGNITUDES + 0j, COMPLEX, "kind-doubtful", '"kind": "magnitude"'),
    "another hop": (VALUES, COMPLEX | {"hop_length": 128}, "grid-doubtful", '"hop_length": 256'),
    "another hop of magnitudes and phases": (
        np.stack([MAGNITUDES, np.angle(VALUES)]),
        MAGNITUDE | {"axes": ["polar", "bin", "frame"], "hop_length": 128},
        "grid-doubtful",
        '"hop_length": 256',
    ),
    "another window": (VALUES, COMPLEX | {"window": "boxcar"}, "grid-doubtful", '"window": "hann"'),
    "conjugate values": (VALUES.conj(), COMPLEX, "grid-doubtful", "save np.conj(array)"),
    "exchanged parts": (
        np.stack([VALUES.imag, VALUES.real]),
        COMPLEX | PARTS,
        "grid-doubtful",
        "save the real parts first",
    ),
    "two channels in turns": (
        np.stack([SPEECH, np.roll(SPEECH, 200)], axis=1).reshape(-1),
        WAVE,
        "kind-doubtful",
        "save array.reshape(-1, 2)",
    ),
    "samples from 0 to 1": ((SPEECH + 1) / 2, WAVE, "kind-doubtful", "save 2 * array - 1"),
    "sizes of samples": (np.abs(SPEECH), WAVE, "kind-doubtful", ""),
    "samples before channels": (
        SPEECH[:2000].reshape(1000, 2),
        WAVE | {"axes": ["channel", "time"]},
        "axes-doubtful",
        '"axes": ["time", "channel"]',
    ),
    "a rate in kHz": (SPEECH, WAVE | {"sample_rate": 24}, "rate-doubtful", '"sample_rate": 24000'),
    "a large mean": (SPEECH + 0.4, WAVE, "dc-offset", "dc-remove"),
    "the scaling of scipy": (stft(SPEECH, 400, 100) / 200, COMPLEX | SMALL, "too-quiet", '"convention": "scipy"'),
}


@pytest.mark.parametrize(("array", "options", "code", "hint"), WRONG.values(), ids=WRONG)
def test_wrong_readings_are_doubted(array: Any, options: Any, code: str, hint: str, tmp_path: Path) -> None:
    error, warning = said(array, tmp_path, **options)
    assert (error.split(":")[0], warning.split(":")[0]) == (code, code)
    assert hint in error


def test_complex_values_without_an_imaginary_part_are_read_as_magnitudes(tmp_path: Path) -> None:
    assert said(MAGNITUDES + 0j, tmp_path, **MAGNITUDE) == []


@pytest.mark.parametrize(
    ("values", "doubted"),
    [
        ([0, 9, 9, 9, 50], False),
        ([0, *[0.1] * 20, 50], True),
        ([0.001, *[2] * 20, 50], True),
        ([0.6, *[2] * 20, 50], False),
        ([28, 40, 108], False),
        ([0, 40, 80], False),
        ([-0.001, *[0.1] * 20, 50], False),
        ([0, 0], False),
    ],
)
def test_decibels_that_look_linear_are_doubted(values: list[float], doubted: bool) -> None:
    context, array = Context(), np.array(values, np.float32)
    doubt_decibels(array, traits_of(array), context)
    found = [(doubt.code, doubt.hint) for doubt in context.doubts]
    assert found == [("kind-doubtful", "kind: magnitude or power")] * doubted


@pytest.mark.parametrize(
    ("log", "hints"),
    [(np.log, ["ln"]), (np.log10, ["log10"]), (lambda x: 20 * np.log10(x), []), (lambda x: 10 * np.log10(x), [])],
)
def test_logarithms_are_no_decibels(log: Any, hints: list[str]) -> None:
    noise = np.random.default_rng(0).standard_normal((2, 40, 40))
    values = log(np.maximum(np.abs(noise[0] + 1j * noise[1]), 1e-5))
    values[0, 0] = log(1e-5)
    context = Context()
    doubt_decibels(values[None], traits_of(values), context)
    assert [remedy.also["recipe"]["log"] for doubt in context.doubts for remedy in doubt.remedies] == hints
    few = Context()
    doubt_decibels(values[None, :5, :5], traits_of(values[:5, :5]), few)
    assert few.doubts == []


@pytest.mark.parametrize(
    ("dtype", "low", "high", "doubted"),
    [("int16", 0, 4095, True), ("int32", 3, 99, True), ("int16", -1, 4095, False), ("int16", 0, 1, False),
     ("int16", 5, 5, False), ("float32", 0, 3, False), ("uint8", 0, 255, False)],
)  # fmt: skip
def test_token_numbers_are_doubted_as_samples(dtype: str, low: int, high: int, doubted: bool) -> None:
    for size, found in ((256, doubted), (255, False)):
        context = Context()
        doubt_samples(np.zeros(size, dtype), ArrayTraits(low, high), context)
        assert [doubt.code for doubt in context.doubts] == ["kind-doubtful"] * found


def test_constant_decibels_of_silence_are_not_called_compressed(tmp_path: Path) -> None:
    messages = said(np.full((513, 60), -100.0, "f4"), tmp_path, **MAGNITUDE | {"kind": "db"})
    assert not any(message.startswith("kind-doubtful") for message in messages)
