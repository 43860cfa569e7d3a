"""Gains: those of the definitions, over the loudness that ffmpeg's ebur128 measures in what is written."""

from __future__ import annotations

import re
import subprocess
from types import SimpleNamespace
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest

from tonearm_plugins.dsp import loudness
from tonearm_plugins.formats.replay_gain import gain_tags

RATE = 48000


def noise(channels: int, seconds: float, loud: float) -> Any:
    generator = np.random.default_rng(channels)
    return (generator.standard_normal((channels, round(RATE * seconds))) * loud).astype("f4")


def loudness_by_ffmpeg(samples: Any) -> float:
    channels = str(len(samples))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostats", "-f", "f32le", "-ar", str(RATE)]
    command += ["-ac", channels, "-i", "-", "-af", "ebur128=framelog=quiet", "-f", "null", "-"]
    done = subprocess.run(command, input=samples.T.astype("<f4").tobytes(), capture_output=True, check=True)
    found = re.findall(r"I:\s+(-?[\d.]+) LUFS", done.stderr.decode())
    return float(found[-1])


def decibels(tags: dict[str, str]) -> float:
    found = re.fullmatch(r"(-?\d+\.\d\d) dB", tags["replaygain_track_gain"])
    assert found
    return float(found[1])


def test_the_sine_of_the_recommendation() -> None:
    """BS.1770-4: 997 Hz at full scale in one channel is -3.01 LKFS."""
    sine = np.sin(2 * np.pi * 997 * np.arange(2 * RATE) / RATE)[None].astype("f4")
    assert gain_tags(sine, RATE) == {"replaygain_track_gain": "-14.99 dB", "replaygain_track_peak": "1.000000"}
    assert gain_tags(sine / 10, RATE) == {"replaygain_track_gain": "5.01 dB", "replaygain_track_peak": "0.100000"}
    assert gain_tags(sine, RATE, r128=True) == {"r128_track_gain": str(round((-23 + 3.0103) * 256))}


@pytest.mark.parametrize(("channels", "loud"), [(1, 0.02), (2, 0.1), (6, 0.05)])
def test_the_gain_leads_from_the_loudness_by_ffmpeg_to_the_reference(channels: int, loud: float) -> None:
    samples = noise(channels, 4, loud)
    found = loudness_by_ffmpeg(samples)
    assert decibels(gain_tags(samples, RATE)) == pytest.approx(-18 - found, abs=0.06)  # ffmpeg prints one decimal
    assert int(gain_tags(samples, RATE, r128=True)["r128_track_gain"]) / 256 == pytest.approx(-23 - found, abs=0.06)


def test_what_is_clipped_counts_as_clipped() -> None:
    loud = noise(1, 2, 2.0)
    clipped = gain_tags(loud, RATE)
    assert clipped["replaygain_track_peak"] == "1.000000"
    assert decibels(clipped) == pytest.approx(-18 - loudness_by_ffmpeg(loud.clip(-1, 1)), abs=0.06)
    as_is = gain_tags(loud, RATE, clips=False)
    assert float(as_is["replaygain_track_peak"]) == pytest.approx(float(np.abs(loud).max()), abs=1e-5)
    assert decibels(as_is) < decibels(clipped) - 3


def test_silence_has_no_gain_and_a_gain_of_opus_fits_into_16_bits() -> None:
    assert gain_tags(np.zeros((1, RATE), "f4"), RATE) == {}
    short = np.full((1, 1000), 1e-12, "f4") * np.sign(np.sin(np.arange(1000)))[None].astype("f4")
    assert gain_tags(short, RATE, r128=True) == {"r128_track_gain": "32767"}


@pytest.mark.parametrize(
    ("found", "tag"),
    [
        (-23.0, "0"),
        (-22.0, "-256"),
        (104.98, "-32763"),
        (105.0, "-32768"),
        (105.5, "-32768"),
        (-150.996, "32767"),
        (-151.0, "32767"),
        (-152.0, "32767"),
    ],
)
def test_a_gain_of_opus_stays_within_16_bits(found: float, tag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loudness beyond what 16 bits can level is made up: no sound within full scale has it."""
    monkeypatch.setattr(loudness, "measure_loudness", lambda *_: SimpleNamespace(integrated=found))
    assert gain_tags(np.zeros((1, 9), "f4"), RATE, r128=True) == {"r128_track_gain": tag}


@pytest.mark.parametrize(
    ("highest", "clips", "peak"), [(0.5, True, "0.500000"), (1.5, True, "1.000000"), (1.5, False, "1.500000")]
)
def test_the_peak_is_that_of_the_file(highest: float, clips: bool, peak: str, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []

    def measure(samples: Any, rate: int) -> Any:
        measured.append((float(samples.max()), float(samples.min()), rate))
        return SimpleNamespace(integrated=-20.004)

    monkeypatch.setattr(loudness, "measure_loudness", measure)
    samples = np.array([[0, highest, -highest]], "f4")
    expected = {"replaygain_track_gain": "2.00 dB", "replaygain_track_peak": peak}
    assert gain_tags(samples, RATE, clips=clips) == expected
    assert measured == [(float(peak), -float(peak), RATE)]
    assert samples.max() == highest
