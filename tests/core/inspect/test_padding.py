"""The padding of batches: which axis is a batch, and which array holds the lengths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tonearm
from tonearm.inspect import Inspection, inspect_file
from tonearm.plugins.registry import default

SAMPLES = Path(__file__).parents[3] / "configs" / "samples"
WAVE = np.load(SAMPLES / "utt08.npy").reshape(-1)[2000:14000]
MEL = np.load(SAMPLES / "mel" / "melgan.npy")


def padded(whole: Any, lengths: list[int]) -> Any:
    """Return a batch of beginnings of an array along its last axis, filled up with zeros."""
    batch = np.zeros((len(lengths), *whole.shape[:-1], max(lengths)), whole.dtype)
    for row, length in zip(batch, lengths, strict=True):
        row[..., :length] = whole[..., :length]
    return batch


def inspected(path: Path, **arrays: Any) -> dict[str, Inspection]:
    np.savez(path, **arrays)
    return {one.key: one for one in inspect_file(str(path), default())}


@pytest.mark.parametrize("name", ["lengths", "wav_lens", "audio_length", "n_samples", "output_sizes"])
def test_lengths_beside_waveforms_are_used(name: str, tmp_path: Path) -> None:
    lengths = [12000, 9000, 5000]
    found = inspected(tmp_path / "a.npz", **{"wav": padded(WAVE, lengths), name: np.array(lengths)})
    assert found[name].note == "lengths from 5000 to 12000"
    assert found["wav"].guess is not None
    assert found["wav"].guess.value("lengths") == name
    pipeline = found["wav"].pipeline(default())
    options = pipeline["input"]["with"]
    assert options == {"kind": "waveform", "axes": ["batch", "time"], "sample_rate": "?", "lengths": name, "key": "wav"}
    assert pipeline["outputs"][0]["file"] == "{stem}-{index}.wav"
    options["sample_rate"] = 22050
    signals = list(tonearm.load_pipeline(pipeline).convert(tmp_path / "a.npz"))
    assert [signal.length for signal in signals] == lengths
    assert all(np.array_equal(signal.samples[0], WAVE[: signal.length]) for signal in signals)


@pytest.mark.parametrize("turned", [False, True])
def test_lengths_beside_mels_are_used(turned: bool, tmp_path: Path) -> None:
    lengths = [72, 50, 31]
    batch = padded(MEL, lengths)
    arrays = {"mel": batch.transpose(0, 2, 1) if turned else batch, "mel_lengths": np.array([[n] for n in lengths])}
    found = inspected(tmp_path / "a.npz", **arrays)["mel"].pipeline(default())
    options = found["input"]["with"]
    assert options["lengths"] == "mel_lengths"
    assert options["axes"] == (["batch", "frame", "mel"] if turned else ["batch", "mel", "frame"])
    options["dialect"] = "melgan"
    found |= {"steps": [], "outputs": [{"use": "npy-writer", "file": "{index}.npy"}]}
    signals = list(tonearm.load_pipeline(found).convert(tmp_path / "a.npz"))
    assert [signal.frames for signal in signals] == lengths


def test_lengths_that_do_not_fit_are_no_lengths(tmp_path: Path) -> None:
    wave = padded(WAVE, [12000, 11999, 11998])
    for other in ([12001, 5, 5], [3, 5], [5.5, 3.0, 2.0], [0, 12000, 3]):
        found = inspected(tmp_path / "a.npz", wav=wave, lengths=np.array(other))["wav"]
        assert "lengths" not in found.pipeline(default())["input"]["with"]
    found = inspected(tmp_path / "a.npz", wav=wave, ids=np.array([12000, 9000, 5000]))["wav"]
    assert "lengths" not in found.pipeline(default())["input"]["with"]


def test_the_better_one_of_two_is_used(tmp_path: Path) -> None:
    lengths = [72, 50, 31]
    arrays = {"text_lengths": np.array([9, 8, 7]), "frame_lengths": np.array(lengths)}
    found = inspected(tmp_path / "a.npz", mel=padded(MEL, lengths), **arrays)
    assert found["mel"].pipeline(default())["input"]["with"]["lengths"] == "frame_lengths"


@pytest.mark.parametrize("array", [padded(WAVE, [12000, 9000, 5000]), padded(MEL, [72, 50, 31])])
def test_exact_zeros_tell_a_batch(array: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", array)
    (found,) = inspect_file(str(tmp_path / "a.npy"), default())
    assert found.guess is not None
    assert found.guess.options["axes"][0] == "batch"
    assert "exact zeros" in next(one.reason for one in found.guess.findings if one.what == "padding")
    assert found.pipeline(default())["outputs"][0]["file"] == "{stem}-{index}.wav"


@pytest.mark.parametrize("lengths", [[12000, 12000], [12000, 11900], [5000, 5000]])
def test_channels_may_end_in_silence(lengths: list[int], tmp_path: Path) -> None:
    array = np.zeros((2, 12000), np.float32)
    array[:, : max(lengths)] = padded(WAVE, lengths)
    np.save(tmp_path / "a.npy", array)
    (found,) = inspect_file(str(tmp_path / "a.npy"), default())
    assert found.guess is not None
    assert found.guess.options["axes"] == ["?", "time"]
    assert found.guess.value("padding") == "?"
