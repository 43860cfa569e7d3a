"""Numbers of channels beside an array: found by name, and compared with what was read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from array_options import array_options
from tonearm.api import Context, ItemError, KeyedArrayDecoder, KeyedArrayOptions, Source, Waveform
from tonearm.arrays.stated_channels import channels_among, check_channels, is_channels_name

STEREO = Waveform(samples=np.zeros((2, 60), "f4"), sample_rate=8000)
MONO = Waveform(samples=np.zeros((1, 120), "f4"), sample_rate=8000)


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ({"channels": 2}, (2, "channels = 2")),
        ({"a/nChannels": np.array([[2.0]])}, (2, "a/nChannels = 2")),
        ({"config.audio_channels": 1}, (1, "config.audio_channels = 1")),
        ({"channels": 512}, None),  # of a network
        ({"channels": True, "n_channels": "2", "num_channels": 1.5}, None),
        ({"n_mel_channels": 2, "channel": 2}, None),
        ({}, None),
    ],
)
def test_channels_are_a_small_number_of_that_name(says: dict[str, Any], found: Any) -> None:
    assert channels_among(says) == found
    assert is_channels_name("Num-Channels")


def test_channels_are_compared() -> None:
    check_channels(STEREO, {"channels": 2})
    check_channels(STEREO, {"sr": 8000})
    check_channels(object(), {"channels": 1})
    with pytest.raises(ItemError) as caught:
        check_channels(MONO, {"channels": 2}, "wav")
    assert (caught.value.code, caught.value.message) == (
        "channels-mismatch",
        "'wav': the source says channels = 2, but the array has 1 (and 120 samples of each)",
    )
    assert "save array.reshape(-1, 2), and read axes: time,channel" in caught.value.hint
    with pytest.raises(ItemError) as caught:
        check_channels(STEREO, {"channels": 1})
    assert caught.value.hint == "stated: ignore, if the source is wrong"


class Interleaved(KeyedArrayDecoder[KeyedArrayOptions]):
    """A third party's decoder of a file that says its channels."""

    def open_arrays(self, source: Source, context: Context) -> Any:
        import contextlib

        return contextlib.nullcontext({"wav": np.zeros(120), "channels": np.array(2), "sr": np.array(8000)})


@pytest.mark.parametrize(("stated", "code"), [("use", "channels-mismatch"), ("ignore", None)])
def test_the_host_compares_for_all_decoders(stated: str, code: str | None) -> None:
    options = array_options(KeyedArrayOptions, kind="waveform", sample_rate=8000, stated=stated)
    (found,) = Interleaved(options).decode(Source(name="a", path="a"), Context())
    assert getattr(found, "code", None) == code
