"""Gains that players apply to level sounds: tags of ReplayGain 2.0, and of EBU R 128 in Opus (RFC 7845)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import FloatArray

REPLAY_GAIN_LUFS = -18.0
"""Reference loudness of ReplayGain 2.0."""

R128_LUFS = -23.0
"""Reference loudness of EBU R 128, which Opus has."""

_Q7_8 = range(-(1 << 15), 1 << 15)  # a gain in Opus has 16 bits, 8 of them for fractions of a dB


def gain_tags(samples: FloatArray, sample_rate: int, *, clips: bool = True, r128: bool = False) -> dict[str, str]:
    """Measure a sound, and return the tags of its gain.

    Parameters
    ----------
    samples
        Waveform of shape (channels, samples), full scale ±1.0.
    sample_rate
        Sample rate in Hz.
    clips
        Whether the file holds no samples beyond full scale, so that they are measured as clipped.
    r128
        Whether the tag is that of Opus.

    Returns
    -------
    tags
        ``replaygain_track_gain`` and ``replaygain_track_peak``, or ``r128_track_gain``; none if the sound is silent.

    Raises
    ------
    ShapeError
        If there are no weights for this number of channels, or the sample rate is too low.
    """
    import numpy as np

    from tonearm_plugins.dsp.levels import peak
    from tonearm_plugins.dsp.loudness import measure_loudness

    highest = peak(samples)
    if clips and highest > 1.0:
        samples, highest = np.clip(samples, -1.0, 1.0), 1.0
    loudness = measure_loudness(samples, sample_rate).integrated
    if not math.isfinite(loudness):
        return {}
    if r128:
        gain = round((R128_LUFS - loudness) * 256)
        return {"r128_track_gain": str(min(max(gain, _Q7_8[0]), _Q7_8[-1]))}
    return {
        "replaygain_track_gain": f"{REPLAY_GAIN_LUFS - loudness:.2f} dB",
        "replaygain_track_peak": f"{highest:.6f}",
    }
