"""Concatenation of waveforms, with a crossfade or a gap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tonearm_plugins.dsp.fades import crossfade as crossfade_gains
from tonearm_plugins.dsp.typing import Array


def concatenate(pieces: Sequence[Array], *, crossfade: int = 0, gap: int = 0, shape: str = "linear") -> Array:
    """Put waveforms one after another.

    Parameters
    ----------
    pieces
        At least one waveform of shape (channels, samples). All have the same number of channels.
    crossfade
        Length in samples over which each piece fades into the next; less where one of them is shorter.
    gap
        Length of the silence between two pieces, in samples.
    shape
        Shape of the crossfade: a key of `tonearm_plugins.dsp.fades.FADE_SHAPES`.

    Returns
    -------
    Array
        Waveform of shape (channels, samples), in the dtype that holds all pieces.

    Examples
    --------
    >>> concatenate([np.ones((1, 2)), np.ones((1, 1))], gap=1).tolist()
    [[1.0, 1.0, 0.0, 1.0]]
    >>> concatenate([np.ones((1, 2)), np.zeros((1, 2))], crossfade=1).tolist()
    [[1.0, 0.5, 0.0]]
    """
    overlaps, covered = [], pieces[0].shape[1]
    for piece in pieces[1:]:
        overlaps.append(min(crossfade, covered, piece.shape[1]))
        covered += piece.shape[1] - overlaps[-1] + gap
    result = np.zeros((pieces[0].shape[0], covered), np.result_type(*pieces))
    end = pieces[0].shape[1]
    result[:, :end] = pieces[0]
    for piece, overlap in zip(pieces[1:], overlaps, strict=True):
        begin = end + gap - overlap
        end = begin + piece.shape[1]
        if overlap:
            falling, rising = (gains.astype(result.dtype) for gains in crossfade_gains(overlap, shape))
            over = result[:, begin : begin + overlap]
            over *= falling
            over += piece[:, :overlap] * rising
        result[:, begin + overlap : end] = piece[:, overlap:]
    return result
