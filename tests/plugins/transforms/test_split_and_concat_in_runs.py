"""split and concat in runs: names of pieces, failures in part, and what a second run does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from regroup_helpers import RATE
from transform_helpers import SAMPLES

import tonearm

READER = {"kind": "waveform", "sample_rate": RATE}


def pipeline_of(files: Any, *steps: Any, name: str = "{stem}-{key}-{index}.wav", **reader: Any) -> tonearm.Pipeline:
    return tonearm.load_pipeline({
        "tonearm": 1,
        "input": {"use": "npz-reader", "files": str(files), "with": READER | reader},
        "steps": list(steps),
        "outputs": [{"use": "wav-writer", "file": name, "with": {"subtype": "DOUBLE"}}],
    })  # fmt: skip


def test_pieces_are_files_and_come_together_again(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {key: rng.uniform(-1, 1, length) for key, length in (("a", 2500), ("b", 900), ("c", 1000))}
    np.savez(tmp_path / "s.npz", **arrays)
    split = {"use": "split", "with": {"by": "length", "max_seconds": 1, "overlap_ms": 100}}
    options = {"key": "*", "precision": "double"}
    report = pipeline_of(tmp_path / "s.npz", split, **options).run(out=tmp_path / "out")
    names = sorted(path.name for path in report.outputs)
    assert names == ["s-a-0.wav", "s-a-1.wav", "s-a-2.wav", "s-b-0.wav", "s-c-0.wav"]
    np.testing.assert_array_equal(soundfile.read(tmp_path / "out/s-a-1.wav")[0], arrays["a"][900:1900])
    concat = {"use": "concat", "with": {"by": "key", "crossfade_ms": 100}}
    both = pipeline_of(tmp_path / "s.npz", split, concat, name="{key}.wav", **options).run(out=tmp_path / "both")
    assert sorted(path.name for path in both.outputs) == ["a.wav", "b.wav", "c.wav"]
    for key, samples in arrays.items():
        np.testing.assert_allclose(soundfile.read(tmp_path / f"both/{key}.wav")[0], samples, atol=1e-12)


def test_an_unreadable_item_leaves_the_others(tmp_path: Path) -> None:
    good = np.ones(1500)
    np.savez(tmp_path / "s.npz", a=good, b=np.full(1500, np.nan), c=good)
    split = {"use": "split", "with": {"by": "length", "max_seconds": 1}}
    for name, wanted in (("{key}-{index}.wav", ["a-0.wav", "a-1.wav", "c-0.wav", "c-1.wav"]), ("{key}.wav", [])):
        steps = [split, {"use": "concat", "with": {"by": "key"}}] if not wanted else [split]
        out = tmp_path / f"out{len(wanted)}"
        report = pipeline_of(tmp_path / "s.npz", *steps, name=name, key="*").run(out=out)
        assert [error.code for error in report.errors] == ["not-finite"]
        assert sorted(path.name for path in report.outputs) == (wanted or ["a.wav", "c.wav"])


def test_a_source_that_failed_in_part_is_converted_again(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", a=np.ones(1500), b=np.full(1500, np.nan))
    np.savez(tmp_path / "t.npz", a=np.ones(1500))
    split = {"use": "split", "with": {"by": "length", "max_seconds": 1}}
    pipeline = pipeline_of(tmp_path / "*.npz", split, key="*")
    first, second = pipeline.run(out=tmp_path / "out"), pipeline.run(out=tmp_path / "out")
    assert sorted(path.name for path in first.outputs) == ["s-a-0.wav", "s-a-1.wav", "t-a-0.wav", "t-a-1.wav"]
    assert sorted(path.name for path in second.outputs) == ["s-a-0.wav", "s-a-1.wav"]
    assert second.skipped == 1


def test_check_requires_names_that_tell_pieces_apart() -> None:
    with pytest.raises(tonearm.PipelineError, match="a source becomes several items here, but"):
        pipeline_of("*.npz", {"use": "split"}, name="x.wav")
    assert pipeline_of("*.npz", {"use": "split"}, {"use": "concat"}, name="x.wav")


def test_speech_is_the_same_after_split_and_concat(tmp_path: Path) -> None:
    pipeline = tonearm.load_pipeline({
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 22050}},
        "steps": [{"use": "split", "with": {"min_silence_ms": 50, "min_seconds": 0.3}}, {"use": "concat"}],
        "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
    })  # fmt: skip
    (signal,) = pipeline.convert(SAMPLES / "utt00.npy")
    np.testing.assert_array_equal(signal.samples, np.load(SAMPLES / "utt00.npy").reshape(1, -1))
