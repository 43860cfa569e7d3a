"""Putting waveforms one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.fades import crossing

Floats = npt.NDArray[Any]


def joined(pieces: Sequence[Floats], *, crossfade: int = 0, gap: int = 0, shape: str = "linear") -> Floats:
    """Return pieces (channels, samples) as one.

    Parameters
    ----------
    pieces
        At least one; all have as many channels.
    crossfade
        Samples in which each fades into the next; fewer, where one of them is shorter.
    gap
        Samples of silence between them.
    shape
        Of the crossfade; see `tonearm_plugins.dsp.fades`.
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
            falling, rising = (gains.astype(result.dtype) for gains in crossing(overlap, shape))
            over = result[:, begin : begin + overlap]
            over *= falling
            over += piece[:, :overlap] * rising
        result[:, begin + overlap : end] = piece[:, overlap:]
    return result
