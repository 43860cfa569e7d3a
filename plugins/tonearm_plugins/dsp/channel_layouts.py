"""Where channels stand, by how many there are: what each weighs in a loudness, and how they become two or one.

Nothing is imported, so that a pipeline can be checked with it. Channels are in the order of WAV files (SMPTE):

| channels | are |
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

Row = tuple[float, ...]

LOWEST_RATE = 4000
"""In Hz, for loudness: the shelf of the K-weighting lies at 1.7 kHz."""

SURROUND = 1.41

WEIGHTS: Mapping[int, Row] = {
    1: (1.0,),
    2: (1.0, 1.0),
    3: (1.0, 1.0, 1.0),
    4: (1.0, 1.0, SURROUND, SURROUND),
    5: (1.0, 1.0, 1.0, SURROUND, SURROUND),
    6: (1.0, 1.0, 1.0, 0.0, SURROUND, SURROUND),
    8: (1.0, 1.0, 1.0, 0.0, 1.0, 1.0, SURROUND, SURROUND),
}
"""Of each channel in a loudness (BS.1770-4, tables 3 and 4).

Those at 60 to 120 degrees weigh 1.41, the low-frequency effects nothing, all others 1.
"""

HALF = 0.5**0.5

STEREO: Mapping[int, tuple[Row, Row]] = {
    1: ((1.0,), (1.0,)),
    2: ((1.0, 0.0), (0.0, 1.0)),
    3: ((1.0, 0.0, HALF), (0.0, 1.0, HALF)),
    4: ((1.0, 0.0, HALF, 0.0), (0.0, 1.0, 0.0, HALF)),
    5: ((1.0, 0.0, HALF, HALF, 0.0), (0.0, 1.0, HALF, 0.0, HALF)),
    6: ((1.0, 0.0, HALF, 0.0, HALF, 0.0), (0.0, 1.0, HALF, 0.0, 0.0, HALF)),
    8: ((1.0, 0.0, HALF, 0.0, HALF, 0.0, HALF, 0.0), (0.0, 1.0, HALF, 0.0, 0.0, HALF, 0.0, HALF)),
}
"""How channels become left and right (Recommendation ITU-R BS.775-3, table 2): LFE is left out.

Rows of more than one weight are to be divided by their sum, so that nothing goes over full scale.
"""


def known_to_loudness(channels: int | None, sample_rate: int | None, weights: Sequence[float] | None) -> str:
    """Return why the loudness of such a sound cannot be measured; an empty text if it can, as far as is known."""
    if channels is not None and weights is not None and len(weights) != channels:
        return f"there are {len(weights)} weights for {channels} channels"
    if channels is not None and weights is None and channels not in WEIGHTS:
        return f"BS.1770 does not say where {channels} channels stand, only of {', '.join(map(str, WEIGHTS))}"
    if sample_rate is not None and sample_rate < LOWEST_RATE:
        return f"loudness is measured from {LOWEST_RATE} Hz on, not at {sample_rate} Hz"
    return ""
