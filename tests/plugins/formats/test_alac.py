"""Frames of ALAC that are not compressed: their bits are those of the format."""

from __future__ import annotations

import numpy as np
import pytest

from tonearm_plugins.formats.alac import verbatim_frame


def test_the_bits_of_a_frame_of_one_channel() -> None:
    # Kind 0, number 0, zeros, with a length, no shift, not compressed; one sample, which is -2; the end.
    bits = 19 * "0" + "1001" + f"{1:032b}" + "1" * 15 + "0" + "111"
    bits += "0" * (-len(bits) % 8)
    assert verbatim_frame(np.array([[-2]], "i2"), 16) == int(bits, 2).to_bytes(len(bits) // 8, "big")


@pytest.mark.parametrize("channels", range(1, 7))
def test_24_bits_are_the_high_ones_of_32(channels: int) -> None:
    low = np.arange(2 * channels, dtype="i4").reshape(channels, 2)
    assert verbatim_frame(low << 8, 24) == verbatim_frame((low << 8) + 255, 24)
    elements = {1: 1, 2: 1, 3: 2, 4: 3, 5: 3, 6: 4}[channels]
    assert len(verbatim_frame(low << 8, 24)) == -(-(55 * elements + 48 * channels + 3) // 8)
