"""What is written for other people's decoders: sounds that end abruptly, writers, and all their lengths and rates."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import other_decoders as decoders
import reference_encoders as references
import soxr

from tonearm_plugins.encoders.aiff_writer import AiffOptions, AiffWriter
from tonearm_plugins.encoders.flac_writer import FlacOptions, FlacWriter
from tonearm_plugins.encoders.m4a_writer import M4aOptions, M4aWriter
from tonearm_plugins.encoders.mp3_writer import Mp3Options, Mp3Writer
from tonearm_plugins.encoders.ogg_writer import OggOptions, OggWriter
from tonearm_plugins.encoders.opus_writer import OpusOptions, OpusWriter
from tonearm_plugins.encoders.wav_writer import WavOptions, WavWriter
from tonearm_plugins.formats.codec_limits import AAC, MP3, OPUS, aac_bitrate

SAMPLES = Path(__file__).parents[3] / "configs" / "samples"
SPEECH_RATE = 22_050
LENGTHS: tuple[int | None, ...] = (1, 7, 100, 1152, 4096, 22_051, 48_000, 132_301, None)
"""Lengths in samples; None is 10 s."""

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 176_400, 192_000)
SOUNDS = ("sine", "speech")
LFE = 3
"""Index of the low-frequency channel of six, in the order of WAV."""

Decoder = Callable[[Path, Path], None]


@dataclass(frozen=True, kw_only=True)
class Writer:
    """A writer in one mode.

    Attributes
    ----------
    plugin
        Function from the number of channels and the sample rate to the encoder.
    exact
        Decoders that give the exact length.
    bits
        Size of a sample of a lossless format; 0 of a lossy one.
    reference
        Function from the number of channels and the sample rate to the reference encoder with the same settings.
    decoded_rate
        Sample rate that decoders give; None for that of the sound.
    per_channel
        Function from the number of channels and the sample rate to the bit rate of a channel in kbit/s, on which the
        tolerance depends; None if the level may also be that of the reference encoder.
    """

    plugin: Callable[[int, int], Any]
    suffix: str
    exact: tuple[Decoder, ...]
    rates: tuple[int, ...] = RATES
    channels: tuple[int, ...] = (1, 2, 6)
    bits: int = 0
    reference: Callable[[int, int], references.Reference] | None = None
    decoded_rate: int | None = None
    per_channel: Callable[[int, int], float] | None = None


def _aac_bitrate(channels: int, rate: int) -> int:
    """Bit rate of a channel, which at low rates is the highest that AAC has."""
    return min(96, aac_bitrate(rate, channels) // channels)


def _mp3_bitrate(channels: int, rate: int) -> int:
    return min(64 * channels, 64 if rate < 16_000 else 128)


def _mp3(options: Callable[[int, int], dict[str, int]], flag: str, per_channel: Any) -> Writer:
    """MP3 with options of the writer, of which lame's flag takes the only value."""
    return Writer(
        plugin=lambda channels, rate: Mp3Writer(Mp3Options(**options(channels, rate))),  # type: ignore[arg-type]
        suffix=".mp3",
        exact=(decoders.by_mpg123, decoders.by_lame, decoders.by_another_ffmpeg),
        rates=MP3.rates,  # type: ignore[arg-type]
        channels=(1, 2),
        reference=lambda channels, rate: references.by_lame(flag, *options(channels, rate).values()),
        per_channel=per_channel,
    )


WRITERS = {
    "WAV": Writer(
        plugin=lambda _, __: WavWriter(WavOptions()),
        suffix=".wav",
        exact=(decoders.by_ffmpeg, decoders.by_sox, decoders.by_wave_module),
        bits=16,
    ),
    "RF64": Writer(
        plugin=lambda _, __: WavWriter(WavOptions(format="RF64", subtype="PCM_24")),
        suffix=".wav",
        exact=(decoders.by_ffmpeg, decoders.by_sox),
        bits=24,
    ),
    "W64": Writer(
        plugin=lambda _, __: WavWriter(WavOptions(format="W64", subtype="PCM_32")),
        suffix=".w64",
        exact=(decoders.by_ffmpeg, decoders.by_sox),
        bits=32,
    ),
    "AIFF": Writer(
        plugin=lambda _, __: AiffWriter(AiffOptions()),
        suffix=".aiff",
        exact=(decoders.by_ffmpeg, decoders.by_sox, decoders.by_aifc_module),
        bits=16,
    ),
    "FLAC": Writer(
        plugin=lambda _, __: FlacWriter(FlacOptions(subtype="PCM_24")),
        suffix=".flac",
        exact=(decoders.by_flac, decoders.by_ffmpeg),
        bits=24,
    ),
    "ALAC": Writer(
        plugin=lambda _, __: M4aWriter(M4aOptions(codec="alac")),
        suffix=".m4a",
        exact=(decoders.by_ffmpeg, decoders.by_apples_alac),
        bits=16,
    ),
    "MP3 CBR": _mp3(
        lambda channels, rate: {"bitrate": _mp3_bitrate(channels, rate)},
        "-b",
        lambda channels, rate: _mp3_bitrate(channels, rate) / channels,
    ),
    "MP3 ABR": _mp3(
        lambda channels, rate: {"abr": _mp3_bitrate(channels, rate)},
        "--abr",
        lambda channels, rate: _mp3_bitrate(channels, rate) / channels,
    ),
    "MP3 VBR": _mp3(lambda _, __: {"vbr_quality": 2}, "-V", lambda _, rate: 64 if rate >= 16_000 else 32),
    "Opus": Writer(
        plugin=lambda channels, _: OpusWriter(OpusOptions(bitrate=96 * channels)),
        suffix=".opus",
        exact=(decoders.by_opusdec, decoders.by_ffmpeg_with_libopus),
        rates=OPUS.rates,  # type: ignore[arg-type]
        reference=lambda _, __: references.by_opusenc(96),
        decoded_rate=48_000,
        per_channel=lambda _, __: 96,
    ),
    "Vorbis": Writer(
        plugin=lambda _, __: OggWriter(OggOptions(quality=6)),
        suffix=".ogg",
        exact=(decoders.by_oggdec, decoders.by_sox),
        reference=lambda _, __: references.by_oggenc(6),
    ),
    "AAC": Writer(
        plugin=lambda _, __: M4aWriter(M4aOptions()),
        suffix=".m4a",
        exact=(decoders.by_another_ffmpeg,),
        rates=AAC.rates,  # type: ignore[arg-type]
        reference=lambda channels, rate: references.by_ffmpegs_aac(_aac_bitrate(channels, rate)),
        per_channel=_aac_bitrate,
    ),
}


@dataclass(frozen=True)
class Case:
    """A sound to write."""

    writer: str
    rate: int
    channels: int
    length: int | None
    sound: str

    def __str__(self) -> str:
        length = "10 s" if self.length is None else self.length
        return f"{self.writer}, {self.sound}, {self.rate} Hz, {self.channels} ch, {length}"

    @property
    def count(self) -> int:
        """Samples of each channel."""
        return 10 * self.rate if self.length is None else self.length

    def samples(self) -> Any:
        """The sound: float32 of shape (channels, n)."""
        return sound(self.sound, self.rate, self.count, self.channels)


def all_cases() -> Iterator[Case]:
    """Yield every combination."""
    for name, writer in WRITERS.items():
        for rate in writer.rates:
            for length in LENGTHS:
                for channels in writer.channels:
                    for one in SOUNDS:
                        yield Case(name, rate, channels, length, one)


def some_cases() -> Iterator[Case]:
    """Yield cases that pair each length with each rate, and each of both with each number of channels and sound.

    Lossless formats know no rates but in their headers: a rate has every third length, by turns.
    """
    for name, writer in WRITERS.items():
        for at, rate in enumerate(writer.rates):
            for number, length in enumerate(LENGTHS):
                if writer.bits and (at + number) % 3:
                    continue
                turn = at // 3 + number if writer.bits else at + number
                yield Case(
                    name, rate, writer.channels[turn % len(writer.channels)], length, SOUNDS[(at + number // 2) % 2]
                )


def sound(name: str, rate: int, length: int, channels: int) -> Any:
    """A sound that ends abruptly: a 440 Hz sine, or speech; a low tone in the low-frequency channel."""
    time = np.arange(length) / rate
    if name == "sine":
        made = [0.3 * np.sin(2 * np.pi * 440 * time + 0.7 * channel) for channel in range(channels)]
    else:
        speech, end = _speech(rate)
        made = [speech[end - length : end] * (1 - 0.1 * channel) for channel in range(channels)]
    if channels > LFE:
        made[LFE] = 0.3 * np.sin(2 * np.pi * 40 * time + 1)
    return np.array(made, "f4")


@functools.cache
def _speech(rate: int) -> tuple[Any, int]:
    """Speech, and the place where it is loudest, with more than 10 s and 132,301 samples before it."""
    last = np.load(SAMPLES / "utt00.npy").ravel()
    first = np.concatenate([np.load(SAMPLES / f"{name}.npy").ravel() for name in ("utt01", "utt00")])
    wanted = max(10, 132_301 / rate) * SPEECH_RATE
    before = np.tile(first, int(wanted // first.size) + 1)
    loudness = np.convolve(np.square(last, dtype="f8"), np.ones(220), "valid")
    end = before.size + int(np.argmax(loudness)) + 110
    return soxr.resample(np.concatenate((before, last)), SPEECH_RATE, rate), round(end * rate / SPEECH_RATE)
