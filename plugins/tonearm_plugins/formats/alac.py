"""Frames of ALAC that are not compressed, for the few samples that ffmpeg's encoder cannot take."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

FRAME = 4096
"""Samples of each channel in a frame of ALAC."""

SHORTEST = 3
"""Shortest last frame of more than two channels, in samples; a shorter one makes ffmpeg's encoder end the process."""

_SINGLE, _PAIR, _END = 0, 1, 7

# Elements of a frame by the number of channels: their kind, and their channels' places in WAV's order.
_ELEMENTS = {
    1: ((_SINGLE, (0,)),),
    2: ((_PAIR, (0, 1)),),
    3: ((_SINGLE, (2,)), (_PAIR, (0, 1))),
    4: ((_SINGLE, (2,)), (_PAIR, (0, 1)), (_SINGLE, (3,))),
    5: ((_SINGLE, (2,)), (_PAIR, (0, 1)), (_PAIR, (3, 4))),
    6: ((_SINGLE, (2,)), (_PAIR, (0, 1)), (_PAIR, (4, 5)), (_SINGLE, (3,))),
}


def verbatim_frame(samples: Array, bits: int) -> bytes:
    """Return a frame of ALAC with its samples as they are.

    Parameters
    ----------
    samples
        Integers (channels, samples), with the value in the high bits of their type.
    bits
        Bits of a sample.
    """
    shift = 8 * samples.dtype.itemsize - bits
    channels, length = samples.shape
    written: list[tuple[int, int]] = []  # each a value, and its bits
    counts = {_SINGLE: 0, _PAIR: 0}
    for kind, places in _ELEMENTS[channels]:
        # Kind, number of the element, 12 bits of zeros, that a length follows, no shift, not compressed, the length.
        written += [(kind, 3), (counts[kind], 4), (0, 12), (1, 1), (0, 2), (1, 1), (length, 32)]
        counts[kind] += 1
        mask = (1 << bits) - 1
        written += [(int(samples[place, at]) >> shift & mask, bits) for at in range(length) for place in places]
    written.append((_END, 3))
    text = "".join(f"{value:0{size}b}" for value, size in written)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")
