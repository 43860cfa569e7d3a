"""Channel layouts by the number of channels: loudness weights, and mixes to stereo and mono.

This module imports nothing, so that a pipeline can be checked without numpy. Channels are in the order of WAV files
(SMPTE):

| channels | order |
| --- | --- |
| 1 | mono |
| 2 | L R |
| 3 | L R C |
| 4 | L R Ls Rs |
| 5 | L R C Ls Rs |
| 6 (5.1) | L R C LFE Ls Rs |
| 8 (7.1) | L R C LFE Lb Rb Ls Rs |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Weights = tuple[float, ...]

MIN_LOUDNESS_RATE = 4000
"""Lowest sample rate in Hz at which loudness is measured: the shelf of the K-weighting is at 1.7 kHz."""

SURROUND = 1.41

LOUDNESS_WEIGHTS: Mapping[int, Weights] = {
    1: (1.0,),
    2: (1.0, 1.0),
    3: (1.0, 1.0, 1.0),
    4: (1.0, 1.0, SURROUND, SURROUND),
    5: (1.0, 1.0, 1.0, SURROUND, SURROUND),
    6: (1.0, 1.0, 1.0, 0.0, SURROUND, SURROUND),
    8: (1.0, 1.0, 1.0, 0.0, 1.0, 1.0, SURROUND, SURROUND),
}
"""Weight of each channel in a loudness (Recommendation ITU-R BS.1770-4, tables 3 and 4).

Channels at 60 to 120 degrees weigh 1.41, low-frequency effects nothing, and all others 1.
"""

HALF_POWER = 0.5**0.5

STEREO_MIX: Mapping[int, tuple[Weights, Weights]] = {
    1: ((1.0,), (1.0,)),
    2: ((1.0, 0.0), (0.0, 1.0)),
    3: ((1.0, 0.0, HALF_POWER), (0.0, 1.0, HALF_POWER)),
    4: ((1.0, 0.0, HALF_POWER, 0.0), (0.0, 1.0, 0.0, HALF_POWER)),
    5: ((1.0, 0.0, HALF_POWER, HALF_POWER, 0.0), (0.0, 1.0, HALF_POWER, 0.0, HALF_POWER)),
    6: ((1.0, 0.0, HALF_POWER, 0.0, HALF_POWER, 0.0), (0.0, 1.0, HALF_POWER, 0.0, 0.0, HALF_POWER)),
    8: (
        (1.0, 0.0, HALF_POWER, 0.0, HALF_POWER, 0.0, HALF_POWER, 0.0),
        (0.0, 1.0, HALF_POWER, 0.0, 0.0, HALF_POWER, 0.0, HALF_POWER),
    ),
}
"""Weights of channels in left and right (Recommendation ITU-R BS.775-3, table 2), which leave the LFE out.

Divide a row by its sum, so that the mix does not go over full scale.
"""


def loudness_refusal(channels: int | None, sample_rate: int | None, weights: Sequence[float] | None) -> str:
    """Explain why a loudness cannot be measured.

    Parameters
    ----------
    channels
        Number of channels; None if it is not known.
    sample_rate
        Sample rate in Hz; None if it is not known.
    weights
        Weight of each channel; None for those of `LOUDNESS_WEIGHTS`.

    Returns
    -------
    str
        The reason, or an empty string if the loudness can be measured as far as is known.

    Examples
    --------
    >>> loudness_refusal(2, 1000, None)
    'loudness needs a sample rate of at least 4000 Hz, not 1000 Hz'
    >>> loudness_refusal(2, 48000, None)
    ''
    """
    if channels is not None and weights is not None and len(weights) != channels:
        return f"there are {len(weights)} weights for {channels} channels"
    if channels is not None and weights is None and channels not in LOUDNESS_WEIGHTS:
        known = ", ".join(map(str, LOUDNESS_WEIGHTS))
        return f"BS.1770 has no weights for {channels} channels, only for {known}"
    if sample_rate is not None and sample_rate < MIN_LOUDNESS_RATE:
        return f"loudness needs a sample rate of at least {MIN_LOUDNESS_RATE} Hz, not {sample_rate} Hz"
    return ""
