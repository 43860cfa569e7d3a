"""Initial phases: the spectra and the noise that phase recovery begins with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.typing import ComplexArray, Float32Array, FloatArray


def white_noise(grid: FrameGrid, seed: int) -> Float32Array:
    """Return white noise on the padded time axis: its phases are as random as consistent phases can be.

    Parameters
    ----------
    grid
        The frames to cover.
    seed
        Seed of the generator.

    Examples
    --------
    >>> grid = FrameGrid.checked(np.hanning(1024), hop_length=256, pad=512, frames=3)
    >>> white_noise(grid, seed=0).shape
    (1536,)
    """
    samples = (grid.frames - 1) * grid.hop_length + grid.n_fft
    return np.random.default_rng(seed).standard_normal(samples, dtype=np.float32)


def spectra_with_phases(magnitude: FloatArray, turns: FloatArray | None) -> Callable[[int, int], ComplexArray]:
    """Return a function that gives the spectra of frames ``first`` to ``last - 1``: (frames, bins).

    Parameters
    ----------
    magnitude
        (frames, bins), float32 or float64; the spectra have the same precision.
    turns
        Phases of the same shape in turns, for frames seen from their centre; None is phase zero at the first sample of
        each frame.

    Examples
    --------
    >>> spectra = spectra_with_phases(np.ones((2, 3), np.float32), None)
    >>> spectra(1, 2)
    array([[1.+0.j, 1.+0.j, 1.+0.j]], dtype=complex64)
    """
    kind: npt.DTypeLike = np.result_type(magnitude, np.complex64)

    def spectra(first: int, last: int) -> ComplexArray:
        if turns is None:
            return magnitude[first:last].astype(kind)
        return _from_centre(magnitude[first:last], turns[first:last])

    return spectra


def _from_centre(magnitude: FloatArray, turns: FloatArray) -> ComplexArray:
    """Return spectra of frames that begin at their first sample, from phases seen from their centre."""
    turns = turns + np.arange(magnitude.shape[1]) % 2 / 2
    angle = (2 * np.pi * (turns - np.rint(turns))).astype(magnitude.dtype)
    spectra = np.empty(magnitude.shape, np.result_type(magnitude, np.complex64))
    write_polar(magnitude, angle, out=spectra)
    return spectra


def write_polar(magnitude: FloatArray, angle: FloatArray, *, out: ComplexArray) -> None:
    """Write the complex numbers with these magnitudes and angles in radians to ``out``; all have one shape.

    Examples
    --------
    >>> out = np.empty(2, np.complex64)
    >>> write_polar(np.ones(2, np.float32), np.array([0, np.pi], np.float32), out=out)
    >>> out.real
    array([ 1., -1.], dtype=float32)
    """
    np.multiply(magnitude, np.cos(angle), out=out.real)
    np.multiply(magnitude, np.sin(angle), out=out.imag)
