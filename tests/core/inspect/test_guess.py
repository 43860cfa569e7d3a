"""What arrays seem to be: right on real ones, and never certain or sure of what could be otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest

from tonearm.errors import ItemError
from tonearm.inspect import compute_statistics, guess
from tonearm.plugins.registry import default

RNG = np.random.default_rng(9)
SAMPLES = Path(__file__).parents[3] / "configs" / "samples"
DIALECTS = default().dialects
WAVE = np.load(SAMPLES / "utt00.npy").reshape(-1)
STFT = librosa.stft(WAVE, n_fft=1024, hop_length=256)
DB = librosa.amplitude_to_db(np.abs(STFT))
HIFIGAN = np.load(SAMPLES / "mel/hifigan.npy").astype("f4")
LONG_MEL = (
    DIALECTS.find("hifigan")
    .to_native(  # as many frames as an array needs
        (DIALECTS.find("hifigan").mel_basis() @ np.abs(librosa.stft(np.tile(WAVE, 3), n_fft=1024, hop_length=256)))[
            None
        ]
    )[0]
    .astype("f4")
)


def guessed(array: Any, **more: Any) -> Any:
    return guess(compute_statistics(np.asarray(array)), DIALECTS, **more)


def certain(found: Any) -> dict[str, str]:
    return {one.what: one.value for one in found.findings if one.confidence == "certain"}


def confidence(found: Any, what: str = "kind") -> str:
    return str(next(one.confidence for one in found.findings if one.what == what))


@pytest.mark.parametrize("shape", [(5000,), (1, 1, 1, 5000), (1, 5000), (5000, 1)])
@pytest.mark.parametrize("dtype", ["f4", ">f4", "f2", "f8", "i2"])
def test_a_single_axis_is_sound(shape: tuple[int, ...], dtype: str) -> None:
    array = (WAVE[:5000].reshape(shape) * (32767 if dtype == "i2" else 1)).astype(dtype)
    found = guessed(array)
    assert (found.value("kind"), found.value("axes"), found.value("sample_rate")) == ("waveform", "[time]", "?")
    assert confidence(found) == confidence(found, "axes") == "likely"
    assert found.options["sample_rate"] == "?"
    assert "axes" not in found.options


@pytest.mark.parametrize(
    "array",
    [
        np.abs(RNG.normal(size=800)) * 200,  # a pitch
        RNG.integers(0, 1024, 700),  # tokens
        RNG.integers(0, 255, 700).astype("u1"),
        RNG.normal(size=192),  # embeddings
        RNG.normal(size=768),
        WAVE[:100],
        np.array([0.5]),
    ],
)
def test_a_single_axis_may_be_something_else(array: Any) -> None:
    found = guessed(array)
    assert (found.value("kind"), confidence(found), confidence(found, "axes")) == ("waveform", "possible", "possible")


@pytest.mark.parametrize(
    ("array", "axes", "sure"),
    [
        (np.stack([WAVE, WAVE / 2]), "[?, time]", "likely"),
        (np.stack([WAVE, -WAVE], 1), "[time, ?]", "likely"),
        (np.tile(WAVE, 8).reshape(4, 2, -1), "[batch, channel, time]", "likely"),
        (np.stack([WAVE, WAVE])[:, :, None], "[?, time]", "likely"),
        (WAVE[:60000].reshape(20, 3000), "[?, time]", "possible"),
        (np.tile(WAVE, 10)[: 80 * 7000].reshape(80, 7000), "[?, time]", "possible"),  # 80 is no sign of mels here
        (np.tile(WAVE, 40)[: 257 * 9000].reshape(257, 9000), "[?, time]", "possible"),
        (RNG.uniform(-0.5, 0.5, (32, 50_000)), "[?, time]", "possible"),
        (np.zeros((2, 50_000)), "[?, time]", "likely"),
    ],
)
def test_several_waveforms(array: Any, axes: str, sure: str) -> None:
    found = guessed(array.astype("f4"))
    assert (found.value("kind"), found.value("axes"), confidence(found)) == ("waveform", axes, sure)
    assert confidence(found, "axes") == "possible"


@pytest.mark.parametrize(
    ("array", "scale", "option"),
    [
        (np.array([0.5, -0.25]), "±1", None),
        (np.array([5, -7], "i2"), "±32768", None),
        (np.array([5, 7], "u1"), "?", "?"),
        (np.array([5, -7], "i8"), "?", "?"),
        (np.array([5000.0, -7000.0]), "±32768", 32768.0),
        (np.array([5000.0, -70000.0]), "?", "?"),
        (np.array([5.0, -7.0]), "?", "?"),
        (np.array([5000.5, -7000.0]), "?", "?"),
    ],
)
def test_the_scale_of_samples(array: Any, scale: str, option: Any) -> None:
    found = guessed(array)
    assert found.value("scale") == scale
    assert found.options.get("full_scale") == option


PAIRS = np.stack([STFT.real, STFT.imag])


@pytest.mark.parametrize(
    ("array", "kind", "axes", "n_fft"),
    [
        (STFT, "complex", "[bin, frame]", 1024),
        (STFT.T.astype(">c8"), "complex", "[frame, bin]", 1024),
        (STFT[:, :129], "complex", "[bin, frame]", 1024),  # 129 are bins of a usual n_fft, too
        (librosa.stft(WAVE, n_fft=1022, hop_length=200), "complex", "[bin, frame]", 1022),  # not usual, but it shows
        (librosa.stft(WAVE, n_fft=1023, hop_length=256), "complex", "[bin, frame]", 1023),
        (np.stack([STFT] * 4), "complex", "[?, bin, frame]", 1024),
        (np.stack([np.stack([STFT] * 2)] * 3), "complex", "[batch, channel, bin, frame]", 1024),
        (np.moveaxis(PAIRS, 0, -1), "complex", "[bin, frame, complex]", 1024),
        (PAIRS, "complex", "[complex, bin, frame]", 1024),
        (np.stack([PAIRS] * 3), "complex", "[?, complex, bin, frame]", 1024),
        (np.abs(STFT), "magnitude or power", "[bin, frame]", 1024),
        (np.abs(STFT).T ** 2, "magnitude or power", "[frame, bin]", 1024),
        (np.stack([np.abs(STFT)] * 2), "magnitude or power", "[?, bin, frame]", 1024),
        (np.abs(STFT)[:, :80], "magnitude or power", "[bin, frame]", 1024),  # 80 frames are no mels
        (DB.T, "db", "[frame, bin]", 1024),
        (DB[:, :80], "db", "[bin, frame]", 1024),
        (np.stack([DB] * 2), "db", "[?, bin, frame]", 1024),  # of two channels, not parts
    ],
)
def test_spectrograms_by_their_bins(array: Any, kind: str, axes: str, n_fft: int) -> None:
    found = guessed(array)
    assert (found.value("kind"), found.value("axes"), found.options["n_fft"]) == (kind, axes, n_fft)
    assert found.options["hop_length"] == "?"
    assert set(certain(found)) == {"values"}


@pytest.mark.parametrize(
    "array", [np.exp(1j * np.arange(50_000)), STFT[:, 50], np.exp(1j * np.arange(100_000)).reshape(2, -1)]
)
def test_complex_values_that_are_no_spectrogram(array: Any) -> None:
    """Analytic signals are complex, too."""
    found = guessed(array)
    assert confidence(found) in ("possible", "unknown")
    assert certain(found)["values"] in (
        "complex",
        f"{compute_statistics(array).low:.6g} to {compute_statistics(array).high:.6g}",
    )


def test_a_highest_bin_that_was_left_out_shows_as_a_doubt() -> None:
    found = guessed(STFT[:-1])
    assert (found.value("axes"), confidence(found, "n_fft")) == ("[bin, frame]", "possible")
    assert "the highest was left out" in next(one.reason for one in found.findings if one.what == "n_fft")


def test_squares_go_by_smoothness_and_are_not_sure() -> None:
    square = np.abs(librosa.stft(np.tile(WAVE, 4), n_fft=512, hop_length=256))[:, :257]
    for array, axes in ((square, "[bin, frame]"), (square.T, "[frame, bin]")):
        found = guessed(array)
        assert (found.value("axes"), confidence(found, "axes")) == (axes, "possible")


@pytest.mark.parametrize(
    ("array", "axes"),
    [
        (LONG_MEL, "[mel, frame]"),
        (np.stack([LONG_MEL.T] * 3), "[?, frame, mel]"),
        (np.stack([LONG_MEL.T] * 2, -1), "[frame, mel, ?]"),
        (LONG_MEL[:, 60:140], "[mel, frame]"),  # as many frames as bands
        (LONG_MEL[:, 60:140].T, "[frame, mel]"),
        (LONG_MEL[:, 60:188], "[mel, frame]"),  # as many frames as others have bands
        (LONG_MEL[:, 60:160].T, "[frame, mel]"),
        (LONG_MEL[:, :513], "[mel, frame]"),  # as many frames as bins
        (np.tile((LONG_MEL - LONG_MEL.mean()) / 2.1, (1, 12)), "[mel, frame]"),  # around 0, and long as a sound
    ],
)
def test_mels(array: Any, axes: str) -> None:
    found = guessed(array)
    assert (found.value("kind"), found.value("axes"), found.options["dialect"]) == ("mel", axes, "?")
    if "?" in axes or len(set(array.shape) & {80, 100, 128}) > 1 or array.shape[0] == array.shape[1]:
        assert confidence(found, "axes") == "possible"


def test_latents_and_embeddings_have_the_shape_of_a_mel_but_not_its_smoothness() -> None:
    for shape in ((80, 150), (128, 150), (64, 1000), (8, 512)):
        found = guessed(RNG.normal(size=shape))
        assert confidence(found) == "possible"
        assert confidence(found, "dialect") == "possible"


@pytest.mark.parametrize("seed", range(60))
def test_nothing_is_certain_but_what_was_counted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (*rng.choice([1, 2, 4], rng.integers(0, 3)), *rng.choice([1, 2, 80, 100, 128, 257, 513, 3000], 2))
    array = (rng.normal(size=shape) * 10 ** rng.uniform(-2, 4)).astype(rng.choice(["f4", "i2", "u1", "i8", "c8"]))
    found = guessed(array)
    parts = np.stack([array.real, array.imag]) if array.dtype.kind == "c" else array
    allowed = {f"{parts.min():.6g} to {parts.max():.6g}", "complex", "constant"}
    assert {one.what for one in found.findings if one.confidence == "certain"} == {"values"}
    assert {one.value for one in found.findings if one.confidence == "certain"} <= allowed


def test_what_gives_nothing_away() -> None:
    found = guessed(RNG.uniform(0, 1, (77, 55)))
    assert (found.value("kind"), confidence(found)) == ("?", "unknown")
    assert found.options == {"kind": "?", "sample_rate": "?", "n_fft": "?", "hop_length": "?"}
    found = guessed(RNG.integers(0, 1024, (8, 500)))
    assert "tokens" in next(one.reason for one in found.findings if one.what == "kind")


def test_nan_and_constants_are_said_as_they_are() -> None:
    found = guessed(np.array([0.5, np.nan, np.inf, -0.5]))
    assert "2 NaN or infinite" in [one.value for one in found.findings]
    assert certain(guessed(np.full(3, np.nan))) == {"values": "none"}
    reasons = {
        one.value: one.reason for array in ([0.5, np.nan], [0.5, 0.5]) for one in guessed(np.array(array)).findings
    }
    assert reasons["constant"] == "every value is the same"
    (reason,) = (one.reason for one in guessed(np.array([0.5, np.nan])).findings if one.value == "constant")
    assert reason == "every value that is finite is the same"
    assert "constant" not in [one.value for one in guessed(np.array([1 + 2j, 1 + 2j])).findings]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [1e300, np.inf, np.nan, 1e-320])
@pytest.mark.parametrize("shape", [(9, 9), (500,), (80, 30), (513, 4), (2, 3, 4, 5, 6), (1, 1)])
def test_values_of_every_size_are_counted_without_a_word(value: float, shape: tuple[int, ...]) -> None:
    for dtype in ("f8", "c16"):
        array = np.full(shape, value, dtype)
        assert guessed(array).findings
        array.flat[0] = -value
        assert guessed(array).findings


@pytest.mark.parametrize("array", [np.array(["a"]), np.zeros((0, 3)), np.array([True])])
def test_what_holds_no_numbers(array: Any) -> None:
    with pytest.raises(ItemError):
        compute_statistics(array)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i2", "u1", "c8"])
def test_what_is_counted_equals_numpys(dtype: str) -> None:
    array = (RNG.normal(size=(30, 40)) * 50).astype(dtype)
    seen = compute_statistics(array)
    parts = np.stack([array.real, array.imag]) if dtype == "c8" else array
    assert (seen.low, seen.high) == (parts.min(), parts.max())
    assert seen.mean == pytest.approx(parts.mean(dtype="f8"), rel=1e-5, abs=1e-9)
    assert seen.negative == (parts < 0).sum()
    assert seen.low_count == (parts == parts.min()).sum()
    assert seen.whole == (np.dtype(dtype).kind in "iu")
    if dtype[0] == "f":
        signed = array.astype("f8")
        for axis in (0, 1):
            rows = np.moveaxis(signed, axis, 0)
            assert seen.correlation[axis] == pytest.approx(
                np.corrcoef(rows[:-1].ravel(), rows[1:].ravel())[0, 1], abs=1e-4
            )
    assert compute_statistics(np.array([[1.0, 0, 0], [2, 0, 0]])).trailing_zeros == (0, 2)


def test_a_dialect_gives_itself_away_by_its_floor() -> None:
    values = np.maximum(LONG_MEL / 2.302585, -5).astype("f4")
    values[:, -3:] = -5.0
    found = guessed(values)
    assert found.dialects[0] == "melgan"
    assert confidence(found, "dialect") == "likely"


def test_a_sample_rate_that_is_known_leaves_the_dialects_of_that_rate() -> None:
    found = guessed(LONG_MEL, rate=(24000, "the file has sr = 24000"))
    assert found.value("sample_rate") == "24000"
    assert found.dialects
    assert {DIALECTS.find(name).sample_rate for name in found.dialects} == {24000}
    found = guessed(WAVE, rate=(22050, "the file has sr = 22050"))
    assert found.options == {"sample_rate": 22050}
