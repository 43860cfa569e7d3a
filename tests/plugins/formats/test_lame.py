"""LAME by its functions: the settings are those of lameenc, the level is that of the sound, nothing is left behind."""

from __future__ import annotations

import ctypes

import lameenc
import numpy as np
import pytest

from tonearm.api import ItemError
from tonearm_plugins.formats import lame
from tonearm_plugins.formats.codec_limits import mp3_bitrates
from tonearm_plugins.formats.lame import Lame, Rate

RATES = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000]
SETTINGS = [
    (Rate("cbr", 64), [("set_bit_rate", 64)]),
    (Rate("cbr", 40), [("set_bit_rate", 40)]),
    (Rate("abr", 40), [("set_vbr", 3), ("set_vbr_mean_bitrate_kbps", 40)]),
    (Rate("vbr", quality=0), [("set_vbr", 4), ("set_vbr_quality", 0)]),
    (Rate("vbr", quality=9), [("set_vbr", 4), ("set_vbr_quality", 9)]),
]


def encoded(rate: Rate, samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]], step: int = 1 << 20) -> bytes:
    encoder = Lame(rate, 24000, len(samples))
    parts = [encoder.encode(samples[:, at : at + step]) for at in range(0, samples.shape[1], step)]
    return b"".join((*parts, encoder.flush()))


@pytest.mark.parametrize(("rate", "settings"), SETTINGS)
@pytest.mark.parametrize("channels", [1, 2])
def test_frames_are_those_of_lameenc_but_for_the_gain(
    monkeypatch: pytest.MonkeyPatch, rate: Rate, settings: list[tuple[str, int]], channels: int
) -> None:
    """With LAME's own gain, and samples of 16 bits at its scale, every byte is that of lameenc."""
    monkeypatch.setattr(lame, "_FULL_SCALE", 1.0)
    monkeypatch.setattr(Rate, "preset_gain", 1.0)
    samples = np.random.default_rng(0).integers(-9000, 9000, (5000, channels)).astype("i2")
    encoder = lameenc.Encoder()
    encoder.silence()
    for name, value in [
        ("set_channels", channels),
        ("set_in_sample_rate", 24000),
        ("set_out_sample_rate", 24000),
        ("set_quality", 3),
        *settings,
    ]:
        getattr(encoder, name)(value)
    theirs = bytes(encoder.encode(samples.tobytes()) + encoder.flush())
    assert encoded(rate, (samples.T / 32767).astype("f4")) == theirs


@pytest.mark.parametrize(("rate", "settings"), SETTINGS)
def test_cuts_change_no_byte(rate: Rate, settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = (np.random.default_rng(0).standard_normal((2, 9000)) / 10).astype("f4")
    whole = encoded(rate, samples)
    assert encoded(rate, samples, 7) == encoded(rate, samples, 1000) == whole
    assert encoded(rate, np.asfortranarray(samples)) == whole
    monkeypatch.setattr(lame, "_STEP", 100)
    assert encoded(rate, samples) == whole


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("channels", [1, 2])
def test_the_scale_takes_back_the_gain_of_the_presets(sample_rate: int, channels: int) -> None:
    rates = [Rate(mode, bitrate) for mode in ("cbr", "abr") for bitrate in mp3_bitrates(sample_rate)]  # type: ignore[arg-type]
    for rate in (*rates, *(Rate("vbr", quality=quality) for quality in range(10))):
        assert Lame(rate, sample_rate, channels).scale == pytest.approx(32768 / 32767, abs=1e-6), rate


def test_what_lame_refuses_is_an_error_of_the_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = Lame(Rate("cbr", 64), 24000, 1)
    monkeypatch.setattr(encoder, "_buffer", ctypes.create_string_buffer(1))  # too small
    with pytest.raises(ItemError, match="LAME made an invalid MP3 file: it reports the error -1") as caught:
        encoder.encode(np.zeros((1, 5000), "f4"))
    assert caught.value.code == "encoder-failed"
    assert caught.value.hint == "engine: soundfile"


def test_it_may_be_closed_twice() -> None:
    encoder = Lame(Rate("cbr", 64), 24000, 1)
    encoder.close()
    encoder.close()


def test_a_module_without_the_functions_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    import _ctypes
    import importlib.machinery

    spec = importlib.machinery.ModuleSpec("lameenc", None, origin=_ctypes.__file__)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)
    assert lame.library.__wrapped__() is None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert lame.library.__wrapped__() is None
