"""Order of channels: WAV's everywhere, but for Vorbis and Opus, which share their own."""

from __future__ import annotations

from collections.abc import Sequence

# Place of each channel of Vorbis in WAV's order (Vorbis I, section 4.3.9, and RFC 7845, section 5.1.1.2): the centre
# comes second and the LFE last. For other numbers of channels both orders are the same.
_FROM_WAV = {
    3: (0, 2, 1),
    5: (0, 2, 1, 3, 4),
    6: (0, 2, 1, 4, 5, 3),
    7: (0, 2, 1, 5, 6, 4, 3),
    8: (0, 2, 1, 6, 7, 4, 5, 3),
}


def vorbis_order(channels: int) -> Sequence[int]:
    """Return the place in WAV's order of each channel of Vorbis, since libsndfile does not reorder channels.

    Examples
    --------
    >>> list(vorbis_order(3))  # left, centre, right
    [0, 2, 1]
    """
    return _FROM_WAV.get(channels, range(channels))
