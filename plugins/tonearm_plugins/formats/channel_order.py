"""The order of channels: that of WAV everywhere, and Vorbis's own, which Opus shares."""

from __future__ import annotations

from collections.abc import Sequence

# Where each channel of Vorbis stands in WAV's order (Vorbis I, section 4.3.9, and RFC 7845, section 5.1.1.2): centre
# comes second, LFE last. Of the others both have the same order.
_FROM_WAV = {
    3: (0, 2, 1),
    5: (0, 2, 1, 3, 4),
    6: (0, 2, 1, 4, 5, 3),
    7: (0, 2, 1, 5, 6, 4, 3),
    8: (0, 2, 1, 6, 7, 4, 5, 3),
}


def vorbis_order(channels: int) -> Sequence[int]:
    """Return which of WAV's channels is each of Vorbis's; libsndfile hands them through as they are."""
    return _FROM_WAV.get(channels, range(channels))
