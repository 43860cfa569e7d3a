"""What a file says about its arrays: found by name, used where nothing is given, and compared where something is."""

from __future__ import annotations

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
    Waveform,
)
from tonearm.arrays.stated import (
    RATE_NAMES,
    StatedRate,
    Statements,
    check_rate,
    plausible_rate,
    rate_among,
    refuse_file,
    sound,
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
        ({"sr": 8000, "fs": 16000}, "wav", None),
        ({"sr": 1}, "wav", None),
    ],
)
def test_the_nearest_number_counts(numbers: dict[str, int], key: str, rate: int | None) -> None:
    found = rate_among(Statements({key: WAVE, **{name: np.array(one) for name, one in numbers.items()}}).about(key))
    assert (found and found.rate) == rate


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
    assert caught.value.message == "'wav': the file says sr = 16000, but sample_rate is 44100"
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


def test_a_sound_is_compared_and_checked() -> None:
    waveform = Waveform(samples=WAVE[None], sample_rate=8000)
    assert list(sound(waveform, options())) == [waveform]
    (double,) = sound(waveform, options(precision="double"))
    assert double.samples.dtype == "f8"
    bad = Waveform(samples=np.array([[0.5, np.nan]], "f4"), sample_rate=8000)
    (repaired,) = sound(bad, options(nan="zero"))
    assert repaired.samples.tolist() == [[0.5, 0]]
    for given, more, code in (
        (bad, {}, "not-finite"),
        (waveform, {"kind": "waveform", "sample_rate": 16000}, "rate-mismatch"),
        (waveform, {"kind": "mel", "dialect": HIFIGAN}, "kind-mismatch"),
    ):
        with pytest.raises(ItemError) as caught:
            list(sound(given, options(**more)))
        assert caught.value.code == code


@pytest.mark.parametrize("head", [b"RIFF\0\0\0\0WAVEfmt ", b"\x93NUMPY\1\0", b"fLaC\0\0\0\x22", b"OggS\0\2"])
def test_bytes_of_a_file_are_no_samples(head: bytes) -> None:
    data = np.frombuffer(head + bytes(100), "u1")
    for array in (data, data[None], data.view("i1"), data.astype("i2"), data.astype("i8"), data.astype("f4")):
        with pytest.raises(ItemError, match="holds the bytes of") as caught:
            refuse_file(array, "a")
        assert caught.value.code == "wrong-format"
    refuse_file(data[4:])
    refuse_file(np.stack([data, data]))
    refuse_file(data.astype("i2") - 1)
    refuse_file(data.astype("f4") / 2)
    refuse_file(np.where(np.arange(len(data)) == 40, np.nan, data))
    refuse_file(np.zeros(100, "i2"))


class Dict(KeyedArrayDecoder[KeyedArrayOptions]):
    """A third party's decoder, whose files say a rate beside their arrays."""

    def open_arrays(self, source: Source, context: Context) -> Any:
        import contextlib

        return contextlib.nullcontext({"wav": WAVE, "sr": np.array(16000)})


def test_the_host_compares_for_decoders_of_others() -> None:
    source = Source(name="a", path="a")
    (item,) = Dict(options()).decode(source, Context())
    assert (item.key, item.signal.sample_rate) == ("wav", 16000)
    (item,) = Dict(options(key="*")).decode(source, Context())
    assert item.key == "wav"
    (error,) = Dict(options(sample_rate=44100)).decode(source, Context())
    assert error.code == "rate-mismatch"
