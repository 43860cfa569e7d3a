"""LAME by each way to it: the frames are LAME's own, at the level of the sound, and what is no MP3 is refused."""

from __future__ import annotations

import ctypes
import gc
import io
import resource
import weakref
from pathlib import Path

import lameenc
import numpy as np
import pytest
import soundfile

from tonearm.api import ItemError
from tonearm_plugins.formats import lame
from tonearm_plugins.formats.codec_limits import MP3, mp3_bitrates
from tonearm_plugins.formats.lame import LameBySndfile, LameFloats, LameIntegers, Rates, corrected
from tonearm_plugins.formats.mpeg_audio import Frames, frame_sizes

WAYS = [LameFloats, LameIntegers, LameBySndfile]
RATES = [Rates("cbr", 64), Rates("abr", 64), Rates("vbr", quality=4)]
Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def tone(length: int, channels: int, rate: int = 24000, peak: float = 0.4) -> Array:
    phase = 2 * np.pi * 440 * np.arange(length) / rate + np.arange(channels)[:, None]
    return (peak * np.sin(phase)).astype("f4")


def made(way: type[lame.Stream], samples: Array, rates: Rates, rate: int = 24000, cut: int = 1 << 20) -> bytes:
    stream = way(rate, len(samples), rates)
    parts = [stream.encode(samples[:, at : at + cut]) for at in range(0, samples.shape[1], cut)]
    return b"".join([*parts, stream.flush()])


def resident() -> int:
    """Return the memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def with_length(music: bytes, length: int, rates: Rates) -> bytes:
    frames = Frames()
    frames.push(music)
    return frames.info(length, rates.mode, bitrate=rates.bitrate, quality=rates.quality) + music


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize(("length", "channels"), [(1, 1), (5000, 1), (24_001, 2), (200_000, 1)])
def test_frames_are_those_of_the_sound_whatever_the_blocks(
    way: type[lame.Stream], rates: Rates, length: int, channels: int
) -> None:
    samples = tone(length, channels)
    music = made(way, samples, rates)
    found, rate = soundfile.read(io.BytesIO(with_length(music, length, rates)), always_2d=True)
    assert (rate, found.shape) == (24000, samples.T.shape)
    if length > 1:
        assert np.abs(found - samples.T)[500:-500].max() < 0.05  # ends are less sure
    assert made(way, samples, rates, cut=777) == music
    frame_sizes(music)  # and nothing else


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_the_level_is_that_of_the_sound_at_every_bit_rate(way: type[lame.Stream], rate: int) -> None:
    """LAME itself would make it 0.45 dB quieter at 64 kbit/s, 0.26 at 192 and 0.18 at 224."""
    samples = tone(rate, 1, rate, 0.5)
    for bitrate in mp3_bitrates(rate):
        for rates in (Rates("cbr", bitrate), Rates("abr", bitrate)):
            found = soundfile.read(io.BytesIO(with_length(made(way, samples, rates, rate), rate, rates)))[0]
            middle = slice(rate // 4, -rate // 4)
            level = 10 * np.log10(np.mean(found[middle] ** 2) / np.mean(samples[0, middle].astype("f8") ** 2))
            assert abs(level) < (0.02 if bitrate >= 64 else 0.1), (rates, level)


def test_the_gain_is_what_lame_takes_away() -> None:
    library = ctypes.CDLL(lameenc.__file__)
    library.lame_init.restype = ctypes.c_void_p
    library.lame_get_scale.restype = ctypes.c_float
    for rate in MP3.rates:
        assert isinstance(rate, int)
        for bitrate in mp3_bitrates(rate):
            flags = ctypes.c_void_p(library.lame_init())
            library.lame_set_in_samplerate(flags, rate)
            library.lame_set_out_samplerate(flags, rate)
            library.lame_set_brate(flags, bitrate)
            assert library.lame_init_params(flags) == 0
            assert Rates("cbr", bitrate).gain == pytest.approx(1 / library.lame_get_scale(flags), abs=1e-6)
            library.lame_close(flags)


def test_a_sound_at_full_scale_is_not_clipped_by_the_gain() -> None:
    samples = tone(24000, 1, peak=1.0)
    for way in (LameFloats, LameBySndfile):
        found = soundfile.read(io.BytesIO(with_length(made(way, samples, RATES[0]), 24000, RATES[0])), dtype="f8")[0]
        square = np.mean(np.abs(np.fft.rfft(found[4000:-4000] * np.hanning(16000)))[3 * 293 - 20 : 3 * 293 + 20] ** 2)
        whole = np.mean(np.abs(np.fft.rfft(found[4000:-4000] * np.hanning(16000)))[273:313] ** 2)
        assert square < whole * 1e-5, "clipping makes a third harmonic"


@pytest.mark.parametrize("rates", [Rates("cbr", 64), Rates("cbr", 8), Rates("abr", 40), Rates("vbr", quality=0)])
def test_frames_are_those_of_lameencs_class(rates: Rates) -> None:
    """At LAME's own quality 3, without resampling. Samples are multiples of its step after the gain."""
    steps = np.random.default_rng(0).integers(-9000, 9000, (2, 5000))
    samples = (steps / 32768 / rates.gain).astype("f4")
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(2)
    encoder.set_in_sample_rate(24000)
    encoder.set_out_sample_rate(24000)
    encoder.set_quality(3)
    if rates.mode == "cbr":
        encoder.set_bit_rate(rates.bitrate)
    else:
        encoder.set_vbr(3 if rates.mode == "abr" else 4)
    if rates.mode == "abr":
        encoder.set_vbr_mean_bitrate_kbps(rates.bitrate)
    if rates.mode == "vbr":
        encoder.set_vbr_quality(rates.quality)
    stream = bytes(encoder.encode(np.ascontiguousarray(steps.T.astype("<i2")).tobytes()) + encoder.flush())
    assert made(LameIntegers, samples, rates) == stream
    assert len(made(LameFloats, samples, rates)) == pytest.approx(len(stream), rel=0.02)


def test_the_best_way_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [lame.stream_class(engine) for engine in ("auto", "lameenc", "soundfile")] == [
        LameFloats, LameFloats, LameBySndfile,
    ]  # fmt: skip
    monkeypatch.setattr(lame, "_library", lambda: object())  # a module that exports nothing
    assert [lame.stream_class(engine) for engine in ("auto", "lameenc")] == [LameBySndfile, LameIntegers]

    def missing() -> None:
        raise ImportError

    monkeypatch.setattr(lame, "_library", missing)
    assert lame.stream_class("auto") is LameBySndfile


def test_nothing_is_held_when_it_is_given_up() -> None:
    samples = tone(2000, 2)
    before = 0
    for number in range(600):
        stream = LameFloats(24000, 2, RATES[0])
        stream.encode(samples)
        if number % 2:
            stream.close()
            stream.close()
        gone = weakref.ref(stream)
        del stream
        assert gone() is None
        if number == 100:
            gc.collect()
            before = resident()
    assert resident() - before < 20 << 20  # each has some 300 kB


def test_what_lame_reports_is_an_error() -> None:
    stream = LameFloats(24000, 1, RATES[0])
    stream.close()
    with pytest.raises(ItemError, match="LAME made an invalid MP3 file: it reports error -3"):
        stream.encode(tone(100, 1))


MARK = b"\xff\xfb\x90\x00" + bytes(32)  # a header of stereo, and its side information


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it does not start with a frame of information"),
        (b"RIFF", "there is no frame at byte 0"),
        (MARK + bytes(381), "it does not start with a frame of information"),
        (MARK[1:] + b"\0Info" + bytes(500), "there is no frame at byte 0"),
        (MARK + b"Lame", "it does not start with a frame of information"),
        (MARK + b"\0Xing", "it does not start with a frame of information"),
    ],
)
def test_what_ffmpeg_did_not_begin_with_its_own_frame_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ItemError) as error:
        corrected(content, length=1, rates=Rates("cbr", 128))
    assert (error.value.code, error.value.message) == ("encoder-failed", f"LAME made an invalid MP3 file: {message}")


def test_a_first_frame_with_another_length_is_corrected() -> None:
    rates = Rates("cbr", 64)
    file = with_length(made(LameFloats, tone(5000, 1), rates), 5000, rates)
    wrong = corrected(file, length=4990, rates=rates)
    assert soundfile.info(io.BytesIO(wrong)).frames == 4990
    assert corrected(wrong, length=5000, rates=rates) == file
