"""Every writer against other people's decoders: exact length, level, and an end as good as the middle.

Decoders say themselves where a sound begins. Nothing is searched for, so an offset of one sample is an error.
"""

from __future__ import annotations

import functools
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from encoder_helpers import encoded
from foreign_cases import LFE, WRITERS, Case, all_cases, some_cases
from other_decoders import call, heard, whole_numbers

LEVEL = 0.02
"""Tolerance of levels in dB: of 0 dB for a sine at 64 kbit/s a channel and more, else of the reference encoder's."""

END = 1.0
"""Most that an error at the end may be of the reference encoder's, where it is more than 3 times that of the middle."""


@dataclass(frozen=True, kw_only=True)
class Looser:
    """Cases with a bar that is looser than `END` or `LEVEL`, and why. What is None is so in each case."""

    why: str
    end: float = END
    level: float = LEVEL
    writers: tuple[str, ...] = ("MP3 CBR", "MP3 ABR", "MP3 VBR", "Opus", "Vorbis", "AAC")
    rate: int | None = None
    channels: int | None = None
    lengths: range | None = None
    sound: str | None = None

    def has(self, case: Case) -> bool:
        """Whether a case is among these."""
        wanted = (self.rate, self.channels, self.sound)
        found = (case.rate, case.channels, case.sound)
        return (
            case.writer in self.writers
            and all(one is None or one == other for one, other in zip(wanted, found, strict=True))
            and (self.lengths is None or case.count in self.lengths)
        )


LOOSER = (
    Looser(
        end=1.25,
        why="lame, opusenc and ffmpeg have other versions of the library than we: bits are spent on frames by turns, so"
        " that either has the better end",
    ),
    Looser(end=4, lengths=range(1152), why="all beginning and end: one or two frames, in which versions differ more"),
    Looser(
        writers=("Opus",),
        rate=48_000,
        channels=2,
        lengths=range(48_000, 48_001),
        end=2.1,
        why="30 dB below the sound, in the bits of the last frame: it is the same with any continuation",
    ),
    Looser(
        writers=("AAC",),
        rate=44_100,
        channels=2,
        lengths=range(22_051, 22_052),
        end=4.3,
        why="the last frame has the error of the reference's, 0.0039 and 0.0041, but in other places of it",
    ),
    Looser(
        writers=("AAC",),
        rate=12_000,
        channels=6,
        lengths=range(22_051, 22_052),
        end=1.7,
        why="the last frame has the error of the reference's, 0.0008, but in other places of it",
    ),
    Looser(sound="speech", level=0.05, why="codecs round the level of each band, and versions not all in the same way"),
    Looser(writers=("AAC",), sound="sine", level=0.03, why="ffmpeg's encoder: the reference is at up to -0.06 dB"),
)
"""Cases that are looser than the bars; the loosest that has a case counts."""

LONG = 22_051
"""Least samples of a sound whose level is measured."""

LAST = 0.005
"""Seconds at the end whose error is compared with that of the middle."""

NO_ERROR = 2e-4
"""RMS error that is none to speak of, −74 dB: oggdec gives 16 bits, of which lossy codecs keep fewer."""

PLACES = [
    pytest.param(name, rate, id=f"{name}-{rate}".replace(" ", "-"))
    for name, writer in WRITERS.items()
    for rate in writer.rates
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rate"), PLACES)
def test_other_decoders_hear_the_whole_sound(tmp_path: Path, name: str, rate: int) -> None:
    """Each length with each number of channels, by turns."""
    cases = [case for case in some_cases() if (case.writer, case.rate) == (name, rate)]
    assert not [fault for case in cases for fault in faults(case, tmp_path)]


@pytest.mark.soak
@pytest.mark.parametrize(("name", "rate"), PLACES)
def test_other_decoders_hear_the_whole_sound_in_every_case(tmp_path: Path, name: str, rate: int) -> None:
    cases = [case for case in all_cases() if (case.writer, case.rate) == (name, rate)]
    assert not [fault for case in cases for fault in faults(case, tmp_path)]


def faults(case: Case, folder: Path) -> list[str]:
    """Everything that is wrong with the file of a case, each in a line."""
    return [f"{case}: {fault}" for fault in _faults(case, folder)]


def _faults(case: Case, folder: Path) -> Iterator[str]:
    writer, samples = WRITERS[case.writer], case.samples()
    try:
        path = _written(case, samples, folder)
    except AssertionError as error:
        yield str(error)
        path = folder / f"sound{writer.suffix}"
    wanted = samples if writer.decoded_rate is None else _resampled(samples, case.rate, writer.decoded_rate)
    first = None
    for by in writer.exact:
        if by.__name__ == "by_wave_module" and case.channels > 2:
            continue  # more than two channels are in the extensible form, which it does not read
        if by.__name__ == "by_aifc_module" and sys.version_info >= (3, 13):
            continue  # which has no aifc
        if by.__name__ == "by_lame" and case.length == 1 and case.channels == 1 and case.writer != "MP3 CBR":
            continue  # it refuses files of some 500 bytes and less, its own as well
        rate, got = heard(path, by, "int32" if writer.bits else "float64")
        if rate != (writer.decoded_rate or case.rate) or got.shape != wanted.shape:
            yield f"{by.__name__} gives {rate} Hz and the shape {got.shape}, not {wanted.shape}"
        elif writer.bits and not np.array_equal(got, whole_numbers(samples, writer.bits)):
            yield f"{by.__name__} gives other samples"
        elif first is None:
            first = got
    if writer.suffix == ".m4a":
        duration = _duration_by_ffprobe(path)
        if duration != samples.shape[1]:
            yield f"ffprobe reads {duration} samples"
    if first is not None and not writer.bits:
        yield from _faults_of_sound(case, folder, wanted.astype("f8"), first)


def _written(case: Case, samples: Any, folder: Path) -> Path:
    """Write a sound twice; the bytes must be the same."""
    writer = WRITERS[case.writer]
    target = folder / f"sound{writer.suffix}"
    contents = []
    for _ in range(2):
        plugin = writer.plugin(case.channels, case.rate)
        path, _ = encoded(plugin, folder, samples, case.rate, suffix=writer.suffix)
        path.replace(target)
        contents.append(hashlib.sha256(target.read_bytes()).digest())
    assert contents[0] == contents[1], "the bytes differ when it is written again"
    return target


def _resampled(samples: Any, rate: int, wanted: int) -> Any:
    """The sound at the rate that decoders of Opus give."""
    if rate == wanted:
        return samples
    longer = np.pad(samples.astype("f8"), ((0, 0), (0, rate)))
    length = samples.shape[1] * wanted // rate
    return np.array([soxr.resample(channel, rate, wanted)[:length] for channel in longer])


def _duration_by_ffprobe(path: Path) -> int:
    """Samples that are presented, by the edit list."""
    said = json.loads(call("ffprobe", "-v", "error", "-show_streams", "-of", "json", path))
    return int(said["streams"][0]["duration_ts"])


def _faults_of_sound(case: Case, folder: Path, wanted: Any, got: Any) -> Iterator[str]:
    """Compare a lossy sound with the original, and where that does not do, with that of the reference encoder."""
    writer, rate = WRITERS[case.writer], WRITERS[case.writer].decoded_rate or case.rate
    by = writer.exact[0]

    @functools.cache
    def reference() -> Any:
        make = writer.reference(case.channels, case.rate)  # type: ignore[misc]
        found, sound = heard(make(case.samples(), case.rate, folder / "reference"), by)
        assert found == rate
        missing = max(0, wanted.shape[1] - sound.shape[1])  # ffmpeg's MP4 counts in milliseconds
        return np.pad(sound, ((0, 0), (0, missing)))[:, : wanted.shape[1]]

    looser = [one for one in LOOSER if one.has(case)]
    end_bar = max([END, *(one.end for one in looser)])
    level_bar = max([LEVEL, *(one.level for one in looser)])
    for channel in range(case.channels):
        middle, end = _errors(wanted[channel], got[channel], rate)
        if end > max(3 * middle, NO_ERROR):
            theirs = _errors(wanted[channel], reference()[channel], rate)[1]
            if end > end_bar * theirs + NO_ERROR:
                yield f"channel {channel} ends with an error of {end:.5f}; middle {middle:.5f}, reference {theirs:.5f}"
        if wanted.shape[1] < LONG * (rate / case.rate) or (channel == LFE and case.channels > LFE):
            continue
        level = _level(case.sound, wanted[channel], got[channel], rate)
        per_channel = writer.per_channel and writer.per_channel(case.channels, case.rate)
        theirs = 0.0
        if case.sound != "sine" or not per_channel or per_channel < 64:
            theirs = _level(case.sound, wanted[channel], reference()[channel], rate)
        if abs(level - theirs) > level_bar and abs(level) > max(level_bar, abs(theirs)):
            yield f"channel {channel} is at {level:+.3f} dB, not {theirs:+.3f}"
        if case.sound == "sine":
            delay = _delay(wanted[channel], got[channel], rate)
            if abs(delay) > 0.25:
                yield f"channel {channel} is {delay:+.2f} samples late"


def _errors(wanted: Any, got: Any, rate: int) -> tuple[float, float]:
    """RMS errors of the middle half, which is 0 where the sound is short, and of the end."""
    squares = np.square(got - wanted)
    length, last = squares.size, round(LAST * rate)
    middle = squares[length // 4 : 3 * length // 4] if length >= 4 * last else np.zeros(1)
    return float(np.sqrt(middle.mean())), float(np.sqrt(squares[-last:].mean()))


def _level(sound: str, wanted: Any, got: Any, rate: int) -> float:
    """Level of the middle half in dB against the original, but for the noise of the codec."""
    if sound == "sine":
        return float(20 * np.log10(abs(_phasor(got, rate) / _phasor(wanted, rate))))
    inside = slice(wanted.size // 4, 3 * wanted.size // 4)
    return float(20 * np.log10(np.vdot(got[inside], wanted[inside]) / np.vdot(wanted[inside], wanted[inside])))


def _delay(wanted: Any, got: Any, rate: int) -> float:
    """Samples by which a sine is late."""
    return float(-np.angle(_phasor(got, rate) / _phasor(wanted, rate)) / (2 * np.pi * 440 / rate))


def _phasor(samples: Any, rate: int) -> Any:
    """Amplitude and phase of the 440 Hz in the middle half."""
    inside = np.arange(samples.size // 4, 3 * samples.size // 4)
    return np.sum(samples[inside] * np.hanning(inside.size) * np.exp(-2j * np.pi * 440 / rate * inside))
