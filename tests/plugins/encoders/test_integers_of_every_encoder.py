"""Integers: every writer of them rounds and dithers alike, and refuses dither where nothing is rounded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from encoder_helpers import encoded, mapping, noise, tone
from other_decoders import by_ffmpeg, heard, whole_numbers

import tonearm

WRITERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "wav": ("wav-writer", ".wav", {}),
    "w64": ("wav-writer", ".w64", {}),
    "flac": ("flac-writer", ".flac", {}),
    "aiff": ("aiff-writer", ".aiff", {}),
    "alac": ("m4a-writer", ".m4a", {"codec": "alac"}),
    "ffmpeg": ("ffmpeg-writer", ".wav", {"format": "wav"}),
    "npy": ("npy-writer", ".npy", {"dtype": "int16"}),
    "safetensors": ("safetensors-writer", ".safetensors", {"dtype": "int16"}),
    "raw": ("raw-writer", ".raw", {"encoding": "pcm_s16be"}),
}


def plugin_of(name: str, **options: Any) -> tuple[Any, str]:
    use, suffix, more = WRITERS[name]
    pipeline = tonearm.load_pipeline(mapping(use, suffix, 44100, **more, **options))
    return pipeline.outputs[0].encoder.plugin, suffix


def integers(folder: Path, name: str, samples: Any, **options: Any) -> Any:
    """What is in the file: int16 (channels, samples)."""
    plugin, suffix = plugin_of(name, **options)
    path, _ = encoded(plugin, folder, samples, 44100, suffix=suffix)
    path = Path(path.rename(folder / f"{name}{suffix}"))
    if name == "npy":
        return np.load(path)
    if name == "safetensors":
        from safetensors.numpy import load_file

        return load_file(path)["waveform"]
    if name == "raw":
        return np.fromfile(path, ">i2").reshape(-1, samples.shape[0]).T
    if name == "alac":
        return heard(path, by_ffmpeg, "int16")[1]
    return soundfile.read(path, dtype="int16", always_2d=True)[0].T


@pytest.mark.parametrize("name", WRITERS)
def test_all_round_alike(tmp_path: Path, name: str) -> None:
    samples = noise(2, 3000, 0.5)
    np.testing.assert_array_equal(integers(tmp_path, name, samples), whole_numbers(samples, 16) >> 16)


@pytest.mark.parametrize("name", WRITERS)
def test_all_dither_alike_block_by_block(tmp_path: Path, name: str) -> None:
    samples = tone(44100, 100_000, 2) * 1e-4  # three steps: without dither most of the sound would be rounding
    got = integers(tmp_path, name, samples, dither=True, seed=7)
    if name != "wav":
        np.testing.assert_array_equal(got, integers(tmp_path, "wav", samples, dither=True, seed=7))
    assert (got != integers(tmp_path, name, samples, dither=True, seed=8)).any()
    # The tone's harmonics, which rounding makes, are gone in the noise.
    rounded = integers(tmp_path, name, samples)
    levels = [np.abs(np.fft.rfft(one[0, :44100]))[440 * 3] for one in (got, rounded)]
    assert levels[0] < levels[1] / 3


@pytest.mark.parametrize(
    ("use", "suffix", "options"),
    [
        ("wav-writer", ".wav", {"subtype": "FLOAT"}),
        ("aiff-writer", ".aiff", {"subtype": "DOUBLE"}),
        ("raw-writer", ".raw", {"encoding": "pcm_f32le"}),
        ("npy-writer", ".npy", {}),
        ("npy-writer", ".npy", {"dtype": "float32"}),
        ("safetensors-writer", ".safetensors", {}),
        ("m4a-writer", ".m4a", {}),
    ],
)
def test_dither_without_rounding_is_refused(use: str, suffix: str, options: dict[str, Any]) -> None:
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load_pipeline(mapping(use, suffix, 44100, dither=True, **options))
    (problem,) = caught.value.problems
    assert "dither is only for integers" in problem.message
    assert problem.hint


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_clipped_is_counted(tmp_path: Path, name: str) -> None:
    samples = np.array([[0.5, 1.0, 1.25, -1.0, -1.5, 0.0]], "f4")
    plugin, suffix = plugin_of(name)
    _, context = encoded(plugin, tmp_path, samples, 44100, suffix=suffix)
    assert context.measurements["clipped"] == 2
    assert context.warnings == ["2 samples were beyond full scale and clipped"]
