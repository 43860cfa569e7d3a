"""Decoders of arrays: keys, lengths, companions, and what is known beforehand."""

import contextlib
from collections.abc import Iterator

import numpy as np
import pytest

from array_options import array_options
from tonearm.api import (
    ArrayDecoder,
    ArrayOptions,
    ComplexSpectrogram,
    Context,
    ItemError,
    KeyedArrayDecoder,
    KeyedArrayOptions,
    MagnitudeSpectrogram,
    Source,
    Spec,
    StftGrid,
    Waveform,
)


class Box(KeyedArrayDecoder[KeyedArrayOptions]):
    """Several arrays by name, given by the test."""

    held: dict[str, np.ndarray]
    opened = 0

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[dict[str, np.ndarray]]:
        type(self).opened += 1
        yield self.held
        type(self).opened -= 1


def read(held, source=None, **options):
    Box.held = held
    decoder = Box(array_options(KeyedArrayOptions, **{"kind": "waveform", "sample_rate": 8000} | options))
    return [
        (item.key, item.index, item.signal.length) for item in decoder.decode(source or Source(name="box"), Context())
    ]


KEYS = 'key: … (its name); key: "*", for all'


def wave(length):
    return np.zeros(length, np.float32)


class TestKeyedArrayDecoder:
    def test_the_only_one_needs_no_key(self):
        assert read({"a": wave(3)}) == [("a", 0, 3)]
        assert Box.opened == 0

    def test_one_by_name(self):
        assert read({"a": wave(3), "b": wave(4)}, key="b") == [("b", 0, 4)]

    def test_several_by_pattern_in_the_order_of_the_file(self):
        held = {"mel/2": wave(2), "other": wave(9), "mel/1": wave(1)}
        assert read(held, key="mel/*") == [("mel/2", 0, 2), ("mel/1", 1, 1)]
        assert read(held, key="*") == [("mel/2", 0, 2), ("other", 1, 9), ("mel/1", 2, 1)]
        assert read(held, key="mel/?") == [("mel/2", 0, 2), ("mel/1", 1, 1)]

    def test_a_name_that_looks_like_a_pattern_is_a_name_first(self):
        assert read({"a[0]": wave(1), "a0": wave(2)}, key="a[0]") == [("a[0]", 0, 1)]
        assert read({"*": wave(1), "a": wave(2)}, key="*") == [("*", 0, 1)]

    def test_case_matters(self):
        assert read({"A": wave(1), "a": wave(2)}, key="[A]") == [("A", 0, 1)]

    @pytest.mark.parametrize(
        ("held", "options", "code", "message", "hint"),
        [
            ({}, {}, "empty", "there is no array", ""),
            ({"a": 1, "b": 2}, {}, "several-arrays", "there are 2 arrays: a, b", KEYS),
            ({"a": 1, "b\n": 2}, {"key": "c"}, "no-such-key", "there is no array 'c'", r"there are a, b\n"),
            ({"a": 1}, {"key": "c*"}, "no-such-key", "there is no array 'c*'", "there are a"),
            ({}, {"key": "*"}, "no-such-key", "there is no array '*'", "there are no arrays at all"),
            ({"a": 1}, {"lengths": "n"}, "no-such-key", "there is no array 'n'", "there are a"),
            ({"n": 1}, {"lengths": "n"}, "empty", "there is no array", ""),
        ],
    )  # fmt: skip
    def test_what_is_not_there(self, held, options, code, message, hint):
        with pytest.raises(ItemError) as caught:
            read({key: wave(1) for key in held}, **options)
        assert (caught.value.code, caught.value.message, caught.value.hint) == (code, message, hint)

    def test_many_names_are_cut(self):
        with pytest.raises(ItemError) as caught:
            read({f"key{index}": wave(1) for index in range(30)})
        assert caught.value.message.endswith("key8, key9 and 20 more")

    def test_lengths_crop_each_element_and_are_no_signal_themselves(self):
        held = {"n": np.array([3, 1]), "a": np.zeros((2, 5), np.float32)}
        axes = {"axes": ["batch", "time"], "lengths": "n"}
        assert read(held, **axes) == [("a", 0, 3), ("a", 1, 1)]
        assert read(held, key="*", **axes) == [("a", 0, 3), ("a", 1, 1)]

    def test_index_counts_over_all_arrays_and_batches(self):
        held = {"a": np.zeros((2, 5), np.float32), "b": np.zeros((2, 4), np.float32)}
        found = read(held, key="*", axes=["batch", "time"])
        assert found == [("a", 0, 5), ("a", 1, 5), ("b", 2, 4), ("b", 3, 4)]

    @pytest.mark.parametrize("options", [{}, {"key": "b"}])
    def test_an_array_in_memory_is_taken_as_it_is(self, options):
        assert read({}, Source(name="<array>", array=wave(7)), **options) == [("", 0, 7)]


class One(ArrayDecoder[ArrayOptions]):
    def arrays(self, source, context):
        yield "", wave(3)


class TestProduces:
    @pytest.mark.parametrize(
        ("options", "signals"),
        [
            ({}, (Waveform, ComplexSpectrogram)),
            ({"kind": "waveform"}, (Waveform,)),
            ({"kind": "db", "n_fft": 16, "hop_length": 4, "length": 9}, (MagnitudeSpectrogram,)),
        ],
    )
    def test_an_array_decoder_says_what_its_options_say(self, options, signals):
        spec = One(array_options(sample_rate=8000, **options)).produces()
        grid = StftGrid(sample_rate=8000, n_fft=16, hop_length=4, win_length=16)
        known = Spec(signals=signals, sample_rate=8000, length=options.get("length"), precision="single")
        assert spec == (known.carrying(grid) if "n_fft" in options else known)

    @pytest.mark.parametrize("precision", ["single", "double"])
    def test_precision_is_what_the_options_ask_for(self, precision):
        made = One(array_options(sample_rate=8000, precision=precision))
        assert made.produces().precision == precision


class TestArchives:
    """Files that hold many arrays by their nature."""

    @pytest.fixture(autouse=True)
    def archive(self, monkeypatch):
        monkeypatch.setattr(Box, "holds_many", True)

    def test_all_arrays_are_read_without_a_key(self):
        assert read({"a": wave(3), "b": wave(4)}) == [("a", 0, 3), ("b", 1, 4)]
        assert read({"a": wave(3), "b": wave(4)}, key="b") == [("b", 0, 4)]

    def test_companions_are_not_read(self):
        held = {"a": np.zeros((2, 5), np.float32), "n": np.array([5, 3])}
        assert read(held, lengths="n") == [("a", 0, 5), ("a", 1, 3)]

    def test_an_empty_one_is_an_error(self):
        with pytest.raises(ItemError) as caught:
            read({})
        assert caught.value.code == "empty"


@pytest.mark.parametrize(
    ("options", "several"),
    [
        ({}, None),
        ({"axes": ["channel", "time"]}, None),
        ({"axes": ["batch", "time"]}, True),
        ({"lengths": "n"}, True),
        ({"key": "a"}, None),
        ({"key": "*"}, None),
    ],
)
def test_what_becomes_several_items(options, several, monkeypatch):
    def found():
        return Box(array_options(KeyedArrayOptions, kind="waveform", sample_rate=8000, **options)).produces().several

    assert found() is several
    monkeypatch.setattr(Box, "holds_many", True)
    assert found() is (several if "key" in options else True)
