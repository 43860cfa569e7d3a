"""Arrays that a call gives by name: as those in a file, and each converted once, when it is asked for."""

from __future__ import annotations

import pickle
import weakref
from typing import Any

import numpy as np
import pytest

from tonearm.errors import ItemError
from tonearm.given_arrays import GivenArrays, GivenRows, arrays_of_pair, arrays_within, coded_segments, rows_of
from tonearm.signals import MagnitudeSpectrogram, StftGrid, Waveform

AUDIO = np.array([0.0, 0.5, -0.5], np.float32)
WAVEFORM = Waveform(samples=AUDIO[None], sample_rate=8000)


class Tensor:
    """A tensor on a device, which counts how often it is moved."""

    moves = 0

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        self.moves += 1
        return AUDIO


def refused(given: GivenArrays, name: str) -> ItemError:
    with pytest.raises(ItemError) as caught:
        given[name]
    return caught.value


def test_numbers_and_text_are_arrays_as_savez_makes_them(tmp_path: Any) -> None:
    given = {"audio": AUDIO, "sampling_rate": 8000, "gain": 0.5, "text": "hello", "ok": True, "list": [1, 2]}
    found = GivenArrays(given)
    np.savez(tmp_path / "a.npz", **given)  # type: ignore[arg-type]
    with np.load(tmp_path / "a.npz") as saved:
        assert list(found) == list(saved)
        for name in saved:
            assert (found[name].dtype, found[name].shape) == (saved[name].dtype, saved[name].shape)
            assert np.array_equal(found[name], saved[name])
    assert found["audio"] is AUDIO
    assert len(found) == 6
    assert "audio" in found
    assert "mel" not in found


def test_mappings_within_are_groups() -> None:
    found = GivenArrays({"audio": {"array": AUDIO, "meta": {"sr": 8000}}, 3: [0.5]})
    assert list(found) == ["audio/array", "audio/meta/sr", "3"]
    assert int(found["audio/meta/sr"]) == 8000


def test_a_tensor_is_moved_when_it_is_asked_for_and_once() -> None:
    used, unused = Tensor(), Tensor()
    found = GivenArrays({"audio": used, "hidden": unused})
    assert all(found["audio"] is AUDIO for _ in range(3))
    assert (used.moves, unused.moves) == (1, 0)


def test_a_tensor_is_let_go_of_once_it_is_converted() -> None:
    tensor = Tensor()
    known = weakref.ref(tensor)
    found = GivenArrays({"audio": tensor})
    del tensor
    assert found["audio"] is AUDIO
    assert known() is None
    assert found["audio"] is AUDIO


def test_what_is_no_array_is_an_error_where_it_is_asked_for() -> None:
    grid = StftGrid(sample_rate=8000, n_fft=4, hop_length=1, win_length=4)
    spectrogram = MagnitudeSpectrogram(values=np.ones((1, 3, 5), "f4"), grid=grid)
    rows = [AUDIO, AUDIO[:1]]
    found = GivenArrays(
        {"audio": AUDIO, "model": object(), "none": None, "s": spectrogram, "rows": rows, "w": WAVEFORM}
    )
    assert found["audio"] is AUDIO
    assert found["w"] is WAVEFORM
    assert refused(found, "model").message.startswith("'model' holds a Python object: object is not an array")
    assert refused(found, "none").message.startswith("'none' holds a Python object: None is not an array")
    assert refused(found, "s").message == "'s' holds a magnitude signal, not an array"
    error = refused(found, "rows")
    assert error.code == "ragged"
    assert error.message == "'rows': the arrays of the list have different shapes: (3,), (1,)"
    with pytest.raises(KeyError):
        found["mel"]


def test_arrays_travel_to_workers_and_tensors_do_not() -> None:
    tensor = Tensor()
    found = pickle.loads(pickle.dumps(GivenArrays({"audio": tensor, "model": lambda: None, "wave": WAVEFORM}), 5))
    assert tensor.moves == 1
    assert np.array_equal(found["audio"], AUDIO)
    assert found["wave"].sample_rate == 8000
    assert refused(found, "model").message.startswith("'model' holds a Python object")
    assert list(pickle.loads(pickle.dumps(found, 5))) == ["audio", "model", "wave"]


class TestPairs:
    @pytest.mark.parametrize("rate", [8000, 8000.0, np.int64(8000), np.array(8000)])
    @pytest.mark.parametrize("audio", [AUDIO, AUDIO.tolist(), [[0.5], [0.25]]])
    def test_sound_and_rate_in_either_order(self, rate: Any, audio: Any) -> None:
        for pair in ((rate, audio), (audio, rate)):
            found = arrays_of_pair(pair)
            assert found is not None
            assert np.array_equal(found["audio"], audio)
            assert found["sample_rate"] == 8000

    @pytest.mark.parametrize(
        "given",
        [
            [8000, AUDIO],
            (8000, AUDIO, None),
            (8000, 16000),
            (0.5, 0.25),
            (AUDIO, AUDIO),
            (999, AUDIO),
            (8000.5, AUDIO),
            ("8000", AUDIO),
            (True, AUDIO),
            AUDIO,
        ],
    )
    def test_nothing_else_is_one(self, given: Any) -> None:
        assert arrays_of_pair(given) is None


class TestRows:
    def test_rows_of_different_lengths_have_numbers(self):
        found = rows_of([np.zeros(n) for n in range(1, 13)])
        assert list(found)[:3] == ["00", "01", "02"]
        assert found["11"].shape == (12,)

    @pytest.mark.parametrize(
        "given",
        [[[1, 2], [3, 4]], [1, 2, 3], [[1, 2]], [["a"], ["b", "c"]], (24000, [0.0, 0.5]), np.zeros((2, 3)), "text", []],
    )
    def test_anything_else_has_none(self, given):
        assert rows_of(given) is None

    def test_they_are_taken_only_where_they_are_asked_for(self):
        ragged = [[1, 2], [3]]
        assert arrays_within(ragged) is None
        found = arrays_within(ragged, takes_rows=True)
        assert isinstance(found, GivenRows)
        assert arrays_within(found) is found
        assert list(arrays_within({"a": [1]})) == ["a"]
        assert isinstance(pickle.loads(pickle.dumps(found)), GivenRows)


CODES = np.zeros((1, 4, 6), np.int64)
FACTOR = np.ones((1, 1), np.float32)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ([(CODES, None)], ["codes.0"]),
        ((CODES, None), ["codes.0"]),
        ([[CODES, FACTOR], (CODES[..., :2], FACTOR)], ["codes.0", "scale.0", "codes.1", "scale.1"]),
        ([(CODES[0], 0.5), (CODES[0], np.float32(0.25))], ["codes.0", "scale.0", "codes.1", "scale.1"]),
    ],
)
def test_pairs_of_codes_and_factors_are_segments(given: Any, names: list[str]) -> None:
    found = coded_segments(given)
    assert found is not None
    assert list(found) == names
    assert all(found[name].ndim for name in names)  # a number alone would be a statement
    assert list(arrays_within(given, takes_rows=True) or ()) == names


@pytest.mark.parametrize(
    "given",
    [
        [],
        CODES,
        [CODES, CODES],
        [(CODES, CODES)],
        [(CODES, FACTOR.astype(int))],
        [(CODES, np.ones((2, 1), np.float32))],
        [(CODES[0, 0], None)],
        [(CODES, 24000)],
        [(CODES, None), CODES],
        (CODES, 24000),
    ],
)
def test_other_pairs_are_no_segments(given: Any) -> None:
    assert coded_segments(given) is None


def test_only_tokens_have_segments() -> None:
    assert arrays_within([(CODES, None)]) is None
