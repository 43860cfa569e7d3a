"""Magnitudes that have a given mel spectrogram."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.istft import require_spectrogram
from tonearm_plugins.dsp.mel_basis import MelBasis
from tonearm_plugins.dsp.phase_recovery.targets import MelTarget
from tonearm_plugins.dsp.progress import OnProgress, share_of
from tonearm_plugins.dsp.typing import Array, FloatArray

MIN_PART = 0.02
"""Smallest value of a bin, relative to an even spread of its bands: from 0, a bin could never grow again."""

BLOCK_FRAMES = 256


def mel_to_magnitude(
    mel: Array,
    *,
    mel_basis: npt.ArrayLike,
    power: float = 1.0,
    iterations: int = 10,
    double: bool = False,
    on_progress: OnProgress | None = None,
) -> FloatArray:
    """Return magnitudes that have this mel spectrogram.

    The result is the pseudo-inverse, raised to a small part of an even spread, and then updated by factors (Lee and
    Seung, "Learning the parts of objects by non-negative matrix factorization", 1999, in the weighting of Richardson
    and Lucy). Each update is a step towards the mel spectrogram that keeps magnitudes positive.

    Parameters
    ----------
    mel
        (channels, mels, frames), real, linear, not negative: ``mel_basis @ magnitude ** power``.
    mel_basis
        (mels, bins), not negative.
    power
        1 if bands are sums of magnitudes, 2 if they are sums of powers.
    iterations
        Number of updates.
    double
        Whether to compute in double precision.
    on_progress
        Function called with the progress, block by block and channel by channel.

    Returns
    -------
    ndarray
        (channels, bins, frames), float32, or float64 in double precision.

    Raises
    ------
    ShapeError
        If an array has the wrong rank, type or size, or the basis is negative.

    Examples
    --------
    >>> basis = np.array([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]])
    >>> mel = basis @ np.array([[2.0], [2.0], [4.0]])
    >>> magnitude = mel_to_magnitude(mel[None], mel_basis=basis)
    >>> magnitude.shape
    (1, 3, 1)
    >>> bool(np.allclose(basis @ magnitude[0], mel, rtol=0.01))
    True
    """
    mel = require_spectrogram(mel, kinds="fiu")
    basis = MelBasis.checked(mel_basis, mels=mel.shape[1], power=power)
    dtype: npt.DTypeLike = np.float64 if double else np.float32
    inverse = basis.pseudo_inverse.astype(dtype)
    smallest = (basis.even_spread * MIN_PART).astype(dtype)
    out = np.empty((mel.shape[0], basis.bins, mel.shape[2]), dtype)
    for number, (channel, result) in enumerate(zip(mel, out, strict=True)):
        target = MelTarget(channel, basis, dtype)
        for block in block_slices(mel.shape[2], BLOCK_FRAMES, on_progress=share_of(on_progress, number, len(mel))):
            wanted = target.mel[block]
            energy = np.maximum(wanted @ inverse, wanted @ smallest)
            for _ in range(iterations):
                energy *= target.gains(energy, wanted)
            result[:, block] = (energy if basis.power == 1 else np.sqrt(energy)).T
    return out
