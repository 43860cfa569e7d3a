"""Sounds that stand in a file whole are compared with the options, and bytes of a file are no samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from array_options import array_options
from tonearm.api import ItemError, KeyedArrayOptions, MelDialect, Waveform
from tonearm.arrays.whole_sounds import refuse_file, sound
from tonearm.plugins.registry import default

HIFIGAN = default().catalogue(MelDialect).find("hifigan")
WAVE = np.linspace(-0.5, 0.5, 100, dtype="f4")


def options(**given: Any) -> KeyedArrayOptions:
    made: KeyedArrayOptions = array_options(KeyedArrayOptions, **given)
    return made


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
