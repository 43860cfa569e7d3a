"""split and concat: what one takes apart the other puts together, and what becomes of names, tags and failures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from finishing import SAMPLES, made, problems, speech
from hypothesis import given
from hypothesis import strategies as st

import tonearm
from tonearm.api import Context, Item, ItemError, Waveform
from tonearm_plugins.dsp.concatenation import joined
from tonearm_plugins.dsp.silence import middles_of_pauses, none_longer, well_apart
from tonearm_plugins.transforms.concat import Concat
from tonearm_plugins.transforms.split import Split

RATE = 1000
READER = {"kind": "waveform", "sample_rate": RATE}


def regrouped(plugin: type[Any], *arrays: Any, rate: int = RATE, keys: Any = None, **options: Any) -> list[Item[Any]]:
    def items() -> Iterator[Item[Waveform]]:
        for index, samples in enumerate(arrays):
            signal = Waveform(samples=samples, sample_rate=rate)
            yield Item(
                signal=signal, key=keys[index] if keys else "", index=index, tags={"title": f"t{index}", "a": "b"}
            )

    return list(made(plugin, **options).regroup(items(), Context()))


def pieces(*arrays: Any, rate: int = RATE, **options: Any) -> list[Any]:
    return [item.signal.samples for item in regrouped(Split, *arrays, rate=rate, **options)]


def whole(*arrays: Any, **options: Any) -> Any:
    (item,) = regrouped(Concat, *arrays, **options)
    return item.signal.samples


def sounds(*lengths: int, channels: int = 1) -> Any:
    """Return noise and silence in turn, in samples."""
    rng = np.random.default_rng(len(lengths))
    parts = [rng.uniform(0.5, 1, (channels, length)) * (1 - number % 2) for number, length in enumerate(lengths)]
    return np.concatenate(parts, axis=1)


class TestSplit:
    def test_it_cuts_in_the_middle_of_pauses(self) -> None:
        samples = sounds(2000, 400, 1500, 100, 1500, 600, 3000)
        found = pieces(samples)
        assert [piece.shape[1] for piece in found] == [2200, 200 + 3100 + 300, 3300]
        np.testing.assert_array_equal(np.concatenate(found, axis=1), samples)

    def test_silence_at_the_edges_is_no_pause(self) -> None:
        assert len(pieces(np.pad(sounds(2000), ((0, 0), (5000, 5000))))) == 1

    def test_short_pieces_stay_with_their_neighbours(self) -> None:
        samples = sounds(2000, 400, 500, 400, 2000, 400, 200)
        assert [piece.shape[1] for piece in pieces(samples)] == [2200, 200 + 500 + 400 + 2000 + 600]
        assert len(pieces(samples, min_seconds=0.0)) == 4

    def test_long_pieces_are_cut_where_it_is_quietest(self) -> None:
        samples = sounds(10_000)
        samples[:, 3000:3100] *= 0.3
        samples[:, 7205:7225] *= 0.5
        lengths = [piece.shape[1] for piece in pieces(samples, max_seconds=5.0, min_seconds=0.5)]
        assert 3000 <= lengths[0] < 3100
        assert 7205 <= lengths[0] + lengths[1] <= 7225
        assert max(lengths) <= 5000

    @given(
        lengths=st.lists(st.integers(1, 900), min_size=1, max_size=8),
        least=st.floats(0, 1),
        most=st.one_of(st.none(), st.floats(2, 4)),
    )
    def test_nothing_is_lost_and_limits_hold(self, lengths: list[int], least: float, most: float | None) -> None:
        samples = sounds(*lengths, channels=2)
        found = pieces(samples, min_seconds=least, max_seconds=most, min_silence_ms=50.0)
        np.testing.assert_array_equal(np.concatenate(found, axis=1), samples)
        if most is not None:
            assert max(piece.shape[1] for piece in found) <= round(most * RATE)
        elif len(found) > 1:
            assert min(piece.shape[1] for piece in found) >= round(least * RATE)

    @given(length=st.integers(1, 3000), size=st.integers(10, 1000), overlap=st.floats(0, 0.5))
    def test_pieces_of_a_length(self, length: int, size: int, overlap: float) -> None:
        samples = np.arange(float(length))[None]
        found = pieces(samples, by="length", max_seconds=size / RATE, overlap_ms=overlap * size)
        assert all(piece.shape[1] == size for piece in found[:-1])
        assert found[-1].shape[1] <= size
        over = round(overlap * size)
        for one, other in pairwise(found):
            np.testing.assert_array_equal(one[:, size - over :], other[:, :over])
        covered = np.concatenate([found[0], *(piece[:, over:] for piece in found[1:])], axis=1)
        np.testing.assert_array_equal(covered, samples)

    def test_real_speech_falls_apart_where_it_pauses(self) -> None:
        three = np.concatenate([np.pad(speech(), ((0, 0), (6000, 6000)))] * 3, axis=1)
        found = pieces(three, rate=22050)
        assert len(found) == 3
        np.testing.assert_array_equal(np.concatenate(found, axis=1), three)

    def test_silence_one_sample_and_nan_are_one_piece(self) -> None:
        for samples in (np.zeros((2, 5000)), np.ones((1, 1)), np.full((1, 3000), np.nan)):
            (found,) = pieces(samples)
            np.testing.assert_array_equal(found, samples)

    def test_names_and_tags(self) -> None:
        three = sounds(2000, 400, 2000)
        found = regrouped(Split, three, three, keys=["a", ""])
        assert [(item.key, item.tags["title"]) for item in found] == [
            ("a", "t0"),
            ("a", "t0"),
            ("1", "t1"),
            ("1", "t1"),
        ]

    def test_options_that_do_not_fit(self) -> None:
        for options, said in (
            ({"by": "length"}, "split: by length wants max_seconds"),
            ({"overlap_ms": 5}, "split: pieces overlap by length only"),
            ({"by": "length", "max_seconds": 1, "overlap_ms": 501}, "split: pieces overlap by more than half of one"),
            ({"max_seconds": 1.5}, "split: pieces of 1 to 1.5 s leave too little to choose from"),
        ):
            assert said in problems({"use": "split", "with": options})
        assert problems({"use": "split", "with": {"by": "length", "max_seconds": 1, "overlap_ms": 500}}) == ""


class TestConcat:
    def test_one_after_another(self) -> None:
        one, other = sounds(100, channels=2), sounds(30, channels=2)
        np.testing.assert_array_equal(whole(one, other, one), np.concatenate([one, other, one], axis=1))
        np.testing.assert_array_equal(whole(one), one)

    def test_with_a_gap(self) -> None:
        one, other = sounds(100), sounds(30)
        np.testing.assert_array_equal(whole(one, other, gap_ms=7.0), np.concatenate([one, np.zeros((1, 7)), other], 1))

    @pytest.mark.parametrize(("shape", "power"), [("linear", 1), ("cosine", 1), ("equal-power", 2)])
    def test_with_a_crossfade(self, shape: str, power: int) -> None:
        found = whole(np.ones((1, 100)), np.zeros((1, 100)), crossfade_ms=40.0, shape=shape)
        again = whole(np.zeros((1, 100)), np.ones((1, 100)), crossfade_ms=40.0, shape=shape)
        assert found.shape == (1, 160)
        np.testing.assert_allclose(found**power + again**power, 1, atol=1e-12)
        assert (np.diff(found[0, 60:101]) < 0).all()
        assert (found[0, :60] == 1).all()
        assert (found[0, 100:] == 0).all()

    @given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(0, 60))
    def test_its_length_with_whatever_is_short(self, lengths: list[int], crossfade: int) -> None:
        found = joined([np.ones((2, length)) for length in lengths], crossfade=crossfade)
        wanted = lengths[0]
        for length in lengths[1:]:
            wanted += length - min(crossfade, wanted, length)
        assert found.shape == (2, wanted)
        np.testing.assert_allclose(found, 1, atol=1e-12)

    @given(length=st.integers(1, 3000), size=st.integers(10, 1000), overlap=st.floats(0, 0.5))
    def test_it_puts_overlapping_pieces_together_again(self, length: int, size: int, overlap: float) -> None:
        samples = np.random.default_rng(length).standard_normal((1, length))
        over = round(overlap * size)
        found = pieces(samples, by="length", max_seconds=size / RATE, overlap_ms=float(over))
        np.testing.assert_allclose(whole(*found, crossfade_ms=float(over)), samples, rtol=0, atol=1e-12)

    @pytest.mark.parametrize("channels", [1, 8])
    def test_it_puts_pieces_by_silence_together_again_bit_by_bit(self, channels: int) -> None:
        samples = sounds(2000, 400, 2000, 800, 1200, channels=channels)
        found = pieces(samples)
        assert len(found) == 3
        np.testing.assert_array_equal(whole(*found), samples)

    def test_keys_and_tags_that_all_agree_on_stay(self) -> None:
        one = sounds(10)
        (item,) = regrouped(Concat, one, one, keys=["a", "a"])
        assert (item.key, item.tags) == ("a", {"a": "b"})
        (item,) = regrouped(Concat, one, one, keys=["a", "b"])
        assert item.key == ""

    def test_parts_that_differ_are_an_error(self) -> None:
        with pytest.raises(
            ItemError, match="the first part has 2 channels at 1000 Hz, but part 1 1 channel at"
        ) as caught:
            whole(sounds(10, channels=2), sounds(10))
        assert (caught.value.code, caught.value.hint) == ("parts-differ", "put resample and mix before it")

    def test_options_that_do_not_fit(self) -> None:
        assert "a crossfade leaves no gap" in problems({"use": "concat", "with": {"crossfade_ms": 1, "gap_ms": 1}})


def test_cuts() -> None:
    loud = np.array([0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0], bool)
    assert list(middles_of_pauses(loud, 1)) == [4, 6, 10]
    assert list(middles_of_pauses(loud, 2)) == [4, 10]
    assert list(middles_of_pauses(np.zeros(5, bool), 1)) == []
    assert well_apart(np.array([1, 10, 12, 19]), 20, 5) == [10]
    assert well_apart(np.array([1, 10, 12, 19]), 20, 0) == [1, 10, 12, 19]
    powers = np.array([9, 9, 9, 1, 9, 9, 9, 2.0, 9, 9])
    assert none_longer([], 100, 50, powers, 10) == [35, 75]
    assert none_longer([60], 100, 100, powers, 10) == [60]


class TestInPipelines:
    @staticmethod
    def pipeline(files: Any, *steps: Any, name: str = "{stem}-{key}-{index}.wav", **reader: Any) -> tonearm.Pipeline:
        return tonearm.load({
            "tonearm": 1,
            "input": {"use": "npz-reader", "files": str(files), "with": READER | reader},
            "steps": list(steps),
            "outputs": [{"use": "wav-writer", "file": name, "with": {"subtype": "DOUBLE"}}],
        })  # fmt: skip

    def test_pieces_are_files_and_come_together_again(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(0)
        arrays = {key: rng.uniform(-1, 1, length) for key, length in (("a", 2500), ("b", 900), ("c", 1000))}
        np.savez(tmp_path / "s.npz", **arrays)
        split = {"use": "split", "with": {"by": "length", "max_seconds": 1, "overlap_ms": 100}}
        options = {"key": "*", "precision": "double"}
        report = self.pipeline(tmp_path / "s.npz", split, **options).run(out=tmp_path / "out")
        names = sorted(path.name for path in report.outputs)
        assert names == ["s-a-0.wav", "s-a-1.wav", "s-a-2.wav", "s-b-0.wav", "s-c-0.wav"]
        np.testing.assert_array_equal(soundfile.read(tmp_path / "out/s-a-1.wav")[0], arrays["a"][900:1900])
        concat = {"use": "concat", "with": {"by": "key", "crossfade_ms": 100}}
        both = self.pipeline(tmp_path / "s.npz", split, concat, name="{key}.wav", **options).run(out=tmp_path / "both")
        assert sorted(path.name for path in both.outputs) == ["a.wav", "b.wav", "c.wav"]
        for key, samples in arrays.items():
            np.testing.assert_allclose(soundfile.read(tmp_path / f"both/{key}.wav")[0], samples, atol=1e-12)

    def test_one_that_cannot_be_read_leaves_the_others(self, tmp_path: Path) -> None:
        good = np.ones(1500)
        np.savez(tmp_path / "s.npz", a=good, b=np.full(1500, np.nan), c=good)
        split = {"use": "split", "with": {"by": "length", "max_seconds": 1}}
        for name, wanted in (("{key}-{index}.wav", ["a-0.wav", "a-1.wav", "c-0.wav", "c-1.wav"]), ("{key}.wav", [])):
            steps = [split, {"use": "concat", "with": {"by": "key"}}] if not wanted else [split]
            out = tmp_path / f"out{len(wanted)}"
            report = self.pipeline(tmp_path / "s.npz", *steps, name=name, key="*").run(out=out)
            assert [error.code for error in report.errors] == ["not-finite"]
            assert sorted(path.name for path in report.outputs) == (wanted or ["a.wav", "c.wav"])

    def test_a_source_that_failed_in_part_is_done_anew_and_one_that_is_done_is_not(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "s.npz", a=np.ones(1500), b=np.full(1500, np.nan))
        np.savez(tmp_path / "t.npz", a=np.ones(1500))
        split = {"use": "split", "with": {"by": "length", "max_seconds": 1}}
        pipeline = self.pipeline(tmp_path / "*.npz", split, key="*")
        first, second = pipeline.run(out=tmp_path / "out"), pipeline.run(out=tmp_path / "out")
        assert sorted(path.name for path in first.outputs) == ["s-a-0.wav", "s-a-1.wav", "t-a-0.wav", "t-a-1.wav"]
        assert sorted(path.name for path in second.outputs) == ["s-a-0.wav", "s-a-1.wav"]
        assert second.skipped == 1

    def test_check_wants_names_that_tell_pieces_apart(self) -> None:
        with pytest.raises(tonearm.PipelineError, match="a source becomes several items here, but"):
            self.pipeline("*.npz", {"use": "split"}, name="x.wav")
        assert self.pipeline("*.npz", {"use": "split"}, {"use": "concat"}, name="x.wav")

    def test_speech_is_the_same_after_split_and_concat(self, tmp_path: Path) -> None:
        pipeline = tonearm.load({
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 22050}},
            "steps": [{"use": "split", "with": {"min_silence_ms": 50, "min_seconds": 0.3}}, {"use": "concat"}],
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
        })  # fmt: skip
        (signal,) = pipeline.convert(SAMPLES / "utt00.npy")
        np.testing.assert_array_equal(signal.samples, np.load(SAMPLES / "utt00.npy").reshape(1, -1))
