"""What a file says about its arrays: found by name, used where nothing is given, and compared where something is."""

from __future__ import annotations

from collections import ChainMap
from typing import Any

import numpy as np
import pytest

from array_options import array_options
from tonearm.api import (
    Context,
    ItemError,
    KeyedArrayDecoder,
    KeyedArrayOptions,
    LazyArrays,
    MelDialect,
    Source,
)
from tonearm.arrays.stated import (
    RATE_NAMES,
    StatedRate,
    Statements,
    check_rate,
    plausible_rate,
    rate_among,
    with_stated,
)
from tonearm.plugins.registry import default

HIFIGAN = default().catalogue(MelDialect).find("hifigan")
WAVE = np.linspace(-0.5, 0.5, 100, dtype="f4")


def options(**given: Any) -> KeyedArrayOptions:
    made: KeyedArrayOptions = array_options(KeyedArrayOptions, **given)
    return made


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        (22050, 22050),
        (44100.0, 44100),
        ("16000", 16000),
        ("16000.0", 16000),
        (np.float64(8000), 8000),
        (np.array([[48000]]), 48000),
        (np.array(24000, "<u4"), 24000),
        (True, None),
        (1.5, None),
        (999, None),
        (1e12, None),
        (float("nan"), None),
        ("high", None),
        (None, None),
        (np.arange(3) + 8000, None),
        (np.array("8 kHz"), None),
    ],
)
def test_a_rate_is_one_plausible_number(value: Any, rate: int | None) -> None:
    assert plausible_rate(value) == rate


@pytest.mark.parametrize(
    "name", ["sr", "SR", "fs", "Fs", "rate", "sample_rate", "sampleRate", "sampling_rate", "sample-rate-hz", "a/b.sr"]
)
def test_names_of_a_rate(name: str) -> None:
    found = rate_among({"text": "16000", name: 16000})
    assert found == StatedRate(16000, f"{name} = 16000")


def test_other_names_are_no_rate() -> None:
    assert rate_among({"bitrate": 16000, "srt": 16000, "learning_rate": 16000, "n_fft": 1024}) is None
    assert all(name == name.lower() and name.isalpha() for name in RATE_NAMES)


@pytest.mark.parametrize(
    ("numbers", "key", "rate"),
    [
        ({"sr": 8000}, "wav", 8000),
        ({"sr": 8000}, "a/wav", 8000),
        ({"sr": 8000, "a/sr": 16000}, "a/wav", 16000),
        ({"sr": 8000, "a/sr": 16000}, "b/wav", 8000),
        ({"a.sr": 16000}, "b.wav", None),
        ({"0.npz/sr": 24000, "1.npz/sr": 48000}, "1.npz/wav", 48000),
        ({"sr": 8000, "fs": 8000}, "wav", 8000),
        ({"config/sr": 8000}, "wav", 8000),
        ({"config/sr": 8000, "sr": 16000}, "wav", 16000),
        ({"a/meta/sr": 8000}, "a/b/wav", 8000),
        ({"other/sr": 8000}, "wav", None),
        ({"sr": 1}, "wav", None),
    ],
)
def test_the_nearest_number_counts(numbers: dict[str, int], key: str, rate: int | None) -> None:
    found = rate_among(Statements({key: WAVE, **{name: np.array(one) for name, one in numbers.items()}}).about(key))
    assert (found and found.rate) == rate


def test_two_rates_as_near_contradict_each_other() -> None:
    arrays = {"wav": WAVE, "sr": np.array(8000), "fs": np.array(16000)}
    stated = rate_among(Statements(arrays).about("wav"))
    assert stated == StatedRate(8000, "sr = 8000", (16000, "fs = 16000"))
    with pytest.raises(ItemError) as caught:
        with_stated(options(kind="waveform"), stated, "wav")
    assert (caught.value.code, caught.value.message) == (
        "rate-mismatch",
        "'wav': the source says sr = 8000, and fs = 16000",
    )
    assert caught.value.hint == "sample_rate: 8000 or 16000, the right one"
    for rate in (8000, 16000):
        chosen = options(kind="waveform", sample_rate=rate)
        assert with_stated(chosen, stated) is chosen
    with pytest.raises(ItemError, match="but sample_rate is 44100"):
        with_stated(options(kind="waveform", sample_rate=44100), stated)


def test_rates_that_are_not_as_near_do_not() -> None:
    says = ChainMap({"sr": 8000}, {"sample_rate": 16000, "fs": 44100})
    assert rate_among(says) == StatedRate(8000, "sr = 8000")
    assert rate_among({"sr": 8000, "fs": 8000.0}) == StatedRate(8000, "sr = 8000")


def test_a_file_that_is_wrong_can_be_ignored() -> None:
    stated = StatedRate(16000, "sr = 16000")
    given = options(kind="waveform", sample_rate=44100, stated="ignore")
    assert with_stated(given, stated) is given
    with pytest.raises(ItemError, match="is missing"):
        with_stated(options(kind="waveform", stated="ignore"), stated)
    with pytest.raises(ItemError) as caught:
        with_stated(options(kind="waveform", sample_rate=44100), stated)
    assert "stated: ignore, if the source is wrong" in caught.value.hint


NUMBER = {"hop_length": np.array(256), "epoch": np.array([3]), "fs": np.array([[8000]]), "target_sr": np.array(16000)}


def chosen(arrays: dict[str, Any], key: str | None = None, **given: Any) -> list[Any]:
    found = Dict(options(key=key, **given))
    found.arrays_of_file = arrays  # type: ignore[attr-defined]
    return list(found.decode(Source(name="a", path="a"), Context()))


@pytest.mark.parametrize("key", [None, "*"])
def test_numbers_beside_an_array_are_no_arrays(key: str | None) -> None:
    text = {"name": np.array("hello"), "labels": np.array(["a", "b"]), "mask": np.ones(100, bool)}
    (item,) = chosen({**NUMBER, "wav": WAVE, **text}, key, kind="waveform")
    assert (item.key, item.signal.sample_rate, item.signal.length) == ("wav", 8000, 100)


def test_numbers_alone_are_arrays() -> None:
    with pytest.raises(ItemError, match="there are 2 arrays: a, b"):
        chosen({"a": np.array(1.0), "b": np.array(2.0)})
    assert [item.key for item in chosen({"a": WAVE[:1], "b": WAVE[:1]}, "*", sample_rate=8000)] == ["a", "b"]


def test_several_arrays_are_the_only_ones_named() -> None:
    with pytest.raises(ItemError) as caught:
        chosen({**NUMBER, "wav": WAVE, "f0": WAVE[:20]})
    assert caught.value.message == "there are 2 arrays: wav, f0"


def test_an_array_is_loaded_once_when_it_is_told_from_numbers() -> None:
    loaded = []

    def load(key: str) -> Any:
        loaded.append(key)
        return WAVE if key == "wav" else NUMBER[key]

    statements = Statements(LazyArrays(["wav", *NUMBER], load))
    assert statements.of_many_values(["wav", *NUMBER]) == ["wav"]
    assert statements.load("wav") is WAVE
    assert loaded.count("wav") == 1


@pytest.mark.parametrize(
    ("given", "lengths"),
    [
        ({}, [30, 100]),
        ({"key": "wav"}, [30, 100]),
        ({"key": "*"}, [30, 100]),
        ({"axes": ["batch", "time"]}, [30, 100]),
        ({"stated": "ignore", "axes": ["batch", "time"], "key": "wav"}, [100, 100]),
    ],
)
def test_lengths_beside_a_batch_are_used(given: dict[str, Any], lengths: list[int]) -> None:
    batch = np.stack([WAVE, WAVE])
    batch[0, 30:] = 0
    items = chosen(
        {"wav": batch, "wav_lengths": np.array([30, 100]), "mel_lengths": np.array([2, 5])},
        kind="waveform",
        sample_rate=8000,
        **given,
    )
    assert [item.signal.length for item in items] == lengths


def test_lengths_behind_which_there_is_sound_are_named() -> None:
    context = Context()
    decoder = Dict(options(kind="waveform", sample_rate=8000))
    decoder.arrays_of_file = {"wav": WAVE, "length": np.array(50)}  # type: ignore[attr-defined]
    (item,) = decoder.decode(Source(name="a", path="a"), context)
    assert item.signal.length == 100
    assert context.warnings == ["'length' is not used, because there is no padding behind these lengths"]


def test_lengths_that_do_not_fit_are_not_used() -> None:
    arrays = {"wav": np.stack([WAVE, WAVE]), "n_frames": np.array([3, 7])}
    with pytest.raises(ItemError, match="there are 2 arrays: wav, n_frames"):
        chosen(arrays, kind="waveform", sample_rate=8000)
    stereo = chosen(arrays, "wav", kind="waveform", sample_rate=8000, axes=["channel", "time"])
    assert [item.signal.samples.shape for item in stereo] == [(2, 100)]


def test_what_a_decoder_hands_over_comes_first() -> None:
    arrays = {"wav": WAVE, "sr": np.array(8000)}
    found = LazyArrays(arrays, arrays.__getitem__, lambda _: {"sampling_rate": "44100"})
    assert rate_among(Statements(found).about("wav")) == StatedRate(44100, "sampling_rate = 44100")


def test_a_number_that_cannot_be_read_states_nothing() -> None:
    def load(key: str) -> Any:
        if key == "sr":
            raise ItemError("broken")
        return WAVE

    statements = Statements(LazyArrays(["wav", "sr"], load))
    assert statements.about("wav") == {}
    assert not statements.states_rate("sr")


def test_each_number_is_loaded_once_and_only_near_an_array() -> None:
    loaded = []

    def load(key: str) -> Any:
        loaded.append(key)
        return np.array(8000)

    names = [name for index in range(3) for name in (f"{index}.npz/wav", f"{index}.npz/sr")]
    statements = Statements(LazyArrays(names, load))
    assert dict(statements.about("1.npz/wav")) == {"1.npz/sr": 8000}
    assert statements.states_rate("1.npz/sr")
    assert not statements.states_rate("1.npz/wav")
    assert loaded == ["1.npz/sr"]


def test_a_stated_rate_is_used_or_compared() -> None:
    stated = StatedRate(16000, "sr = 16000")
    used = with_stated(options(kind="waveform"), stated)
    assert used.of_kind("sample_rate") == 16000
    same = options(kind="waveform", sample_rate=16000)
    assert with_stated(same, stated) is same
    with pytest.raises(ItemError) as caught:
        with_stated(options(kind="waveform", sample_rate=44100), stated, "wav")
    assert caught.value.code == "rate-mismatch"
    assert caught.value.message == "'wav': the source says sr = 16000, but sample_rate is 44100"
    assert "leave sample_rate out" in caught.value.hint
    with pytest.raises(ItemError) as caught:
        with_stated(options(kind="waveform"), None)
    assert caught.value.code == "missing-option"


def test_the_rate_of_a_dialect_is_compared() -> None:
    mel = options(kind="mel", dialect=HIFIGAN)
    assert with_stated(mel, StatedRate(22050, "sr = 22050")) is mel
    assert with_stated(mel, None) is mel
    with pytest.raises(ItemError, match="the mel options are of 22050 Hz") as caught:
        check_rate(mel, StatedRate(44100, "sr = 44100"))
    assert caught.value.code == "rate-mismatch"


class Dict(KeyedArrayDecoder[KeyedArrayOptions]):
    """A third party's decoder, whose files say a rate beside their arrays."""

    def open_arrays(self, source: Source, context: Context) -> Any:
        import contextlib

        return contextlib.nullcontext(getattr(self, "arrays_of_file", {"wav": WAVE, "sr": np.array(16000)}))


def test_the_host_compares_for_decoders_of_others() -> None:
    source = Source(name="a", path="a")
    (item,) = Dict(options()).decode(source, Context())
    assert (item.key, item.signal.sample_rate) == ("wav", 16000)
    (item,) = Dict(options(key="*")).decode(source, Context())
    assert item.key == "wav"
    (error,) = Dict(options(sample_rate=44100)).decode(source, Context())
    assert error.code == "rate-mismatch"
