"""Every writer against other people's decoders: exact length, level, and an end as good as the middle.

Decoders say themselves where a sound begins. Nothing is searched for, so an offset of one sample is an error.
"""

from __future__ import annotations

import functools
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from encoder_helpers import encoded
from foreign_cases import LFE, WRITERS, Case, all_cases, some_cases
from other_decoders import call, heard, whole_numbers

LEVEL_TOLERANCE = 0.02
"""Tolerance of levels in dB; at bit rates below 64 kbit/s a channel, it is `LOW_LEVEL_TOLERANCE`."""

LOW_LEVEL_TOLERANCE = 0.1
SPEECH_TOLERANCE = 0.1
"""Tolerance of the level of speech in dB: codecs round the level of each band, and not all in the same way."""

AS_GOOD = 1.25
"""Ratio of an error to that of the reference encoder, another version of the library that made ours, that is as good.

Bits are spent on frames by turns, so that either has the better end.
"""

SHORT_AS_GOOD = 4
"""The same for sounds that are shorter than the block of a codec: they are all beginning and end."""

SHORT = 1152
ODD_ENDS = {
    ("AAC", 96_000, 6, None): "ffmpeg's encoder gives one last frame too few bits; a sample more, and it does not",
    ("AAC", 32_000, 1, None): "1.5 times the error of the same encoder in another version",
    ("Opus", 48_000, 2, 48_000): "-30 dB below the sound, twice the error of opusenc",
}
"""Cases by writer, rate, channels and length whose end is worse than the reference encoder's, and what is known."""

LONG = 22_051
"""Least samples of a sound whose level is measured."""

END = 0.005
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
        if by.__name__ == "by_lame" and case.length == 1:
            continue  # it refuses the shortest files
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

    for channel in range(case.channels):
        middle, end = _errors(wanted[channel], got[channel], rate)
        if end > max(3 * middle, NO_ERROR):
            theirs = _errors(wanted[channel], reference()[channel], rate)[1]
            as_good = SHORT_AS_GOOD if case.length and case.length < SHORT else AS_GOOD
            is_known = (case.writer, case.rate, case.channels, case.length) in ODD_ENDS
            if end > as_good * theirs + NO_ERROR and not is_known:
                yield f"channel {channel} ends with an error of {end:.5f}; middle {middle:.5f}, reference {theirs:.5f}"
        if wanted.shape[1] < LONG * (rate / case.rate) or (channel == LFE and case.channels > LFE):
            continue
        level = _level(case.sound, wanted[channel], got[channel], rate)
        per_channel = writer.per_channel and writer.per_channel(case.channels, case.rate)
        if per_channel and case.sound == "sine":
            tolerance = LEVEL_TOLERANCE if per_channel >= 64 else LOW_LEVEL_TOLERANCE
            if abs(level) > tolerance:
                theirs = _level(case.sound, wanted[channel], reference()[channel], rate)
                yield f"channel {channel} is at {level:+.3f} dB, by the reference encoder at {theirs:+.3f}"
        else:
            theirs = _level(case.sound, wanted[channel], reference()[channel], rate)
            tolerance = LEVEL_TOLERANCE if case.sound == "sine" else SPEECH_TOLERANCE
            if abs(level - theirs) > tolerance and abs(level) > max(tolerance, abs(theirs)):
                yield f"channel {channel} is at {level:+.3f} dB, by the reference encoder at {theirs:+.3f}"
        if case.sound == "sine":
            delay = _delay(wanted[channel], got[channel], rate)
            if abs(delay) > 0.25:
                yield f"channel {channel} is {delay:+.2f} samples late"


def _errors(wanted: Any, got: Any, rate: int) -> tuple[float, float]:
    """RMS errors of the middle half, which is 0 where the sound is short, and of the end."""
    squares = np.square(got - wanted)
    length, last = squares.size, round(END * rate)
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
