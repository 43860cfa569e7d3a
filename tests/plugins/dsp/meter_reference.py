"""References for loudness and true peaks: EBU Tech 3341's signals, BS.1770 written out, and ffmpeg."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import numpy as np
import scipy.signal

# Recommendation ITU-R BS.1770-4, tables 1 and 2, for 48 kHz.
SHELF = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585])
HIGH_PASS = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])

LAYOUTS = {1: "mono", 2: "stereo", 5: "5.0", 6: "5.1"}


def tone(levels: Any, rate: int = 48000, hertz: float = 1000.0) -> Any:
    """Return a sine in steps of (dBFS, seconds): (samples,), float64."""
    gain = np.concatenate([np.full(round(rate * seconds), 10 ** (db / 20)) for db, seconds in levels])
    return gain * np.sin(2 * np.pi * hertz * np.arange(gain.size) / rate)


def integrated(samples: Any, weights: Any, rate: int = 48000) -> float:
    """Return the integrated loudness at 48 kHz by BS.1770-4, block by block, in float64."""
    weighted = [scipy.signal.lfilter(*HIGH_PASS, scipy.signal.lfilter(*SHELF, x.astype("f8"))) for x in samples]
    hop, block = rate // 10, 4 * rate // 10
    powers = [
        sum(weight * np.mean(x[start : start + block] ** 2) for x, weight in zip(weighted, weights, strict=True))
        for start in range(0, samples.shape[1] - block + 1, hop)
    ]

    def lufs(power: Any) -> Any:
        return -0.691 + 10 * np.log10(power)

    loud = [power for power in powers if lufs(power) > -70]
    return float(lufs(np.mean([power for power in loud if lufs(power) > lufs(np.mean(loud)) - 10])))


def ffmpegs(samples: Any, rate: int) -> tuple[float, float]:
    """Return the integrated loudness and the true peak in dB of ffmpeg's ebur128."""
    found = ebur128_readings(samples, rate)
    peaks = [float(peak) for peak in re.findall(r"true_peaks_ch\d+=(\S+)", found)]
    return float(re.findall(r"r128\.I=(\S+)", found)[-1]), 20 * float(np.log10(max(peaks)))


def ffmpegs_range(samples: Any, rate: int) -> float:
    """Return the loudness range in LU of ffmpeg's ebur128."""
    return float(re.findall(r"r128\.LRA=(\S+)", ebur128_readings(samples, rate))[-1])


def ebur128_readings(samples: Any, rate: int) -> str:
    """Return the readings of ffmpeg's ebur128 for every 100 ms, as text."""
    import imageio_ffmpeg

    shape = ["-f", "f32le", "-ar", str(rate), "-ch_layout", LAYOUTS[len(samples)]]
    done = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostats", *shape, "-i", "-", "-af",
         "ebur128=peak=true:metadata=1,ametadata=print:file=-", "-f", "null", "-"],
        input=samples.T.astype("<f4").tobytes(), capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout.decode()


def between_samples(first: int) -> Any:
    """Return EBU Tech 3341's signals 20 to 23, 48 kHz: one period of full scale in a sine of half that.

    Made at four times the rate, of which every fourth sample is kept, from ``first`` on; the low-pass is before.
    """
    period, around = 4 * 4, 4 * 6  # in samples of the high rate: fs/4 and fs/6
    before = 0.5 * np.sin(2 * np.pi * np.arange(around * 500) / around)
    peak = np.sin(2 * np.pi * np.arange(period) / period)
    signal = np.concatenate([before, peak, before])
    low = scipy.signal.firwin(511, 0.25 * 0.9, window=("kaiser", 9.0))
    return scipy.signal.fftconvolve(signal, low, mode="same")[first::4]
