"""Values of a spectrogram in a library's convention, to plain values and back.

Plain values are those of ``librosa.stft``: one side with all bins, no scaling, phases from the start of the frame. All
steps work on plain values. Every convention is a linear map of plain values, bin by bin.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tonearm.errors import SignalError
from tonearm.signals.grid import ONE_SIDED, StftGrid
from tonearm.signals.windows import window_values

if TYPE_CHECKING:
    from tonearm.typing import Array

MAX_ASYMMETRY = 0.01
"""Largest difference of the two sides of a spectrum that is averaged, as a part of all energy."""

NOTED_ASYMMETRY = 1e-5
"""Smallest difference of the two sides that a warning reports: more than float16 rounds off."""


def to_plain_values(values: Array, grid: StftGrid, on_warning: Callable[[str], None] | None = None) -> Array:
    """Return the plain values of a spectrogram.

    The spectrum of a real signal has two sides that say the same. They are averaged, which gives the real signal
    nearest to both. Bins that are missing become 0.

    Parameters
    ----------
    values
        (channels, ``grid.bins``, frames), complex, or real magnitudes.
    grid
        Grid of the values.
    on_warning
        Function called with a warning if the two sides differ by more than rounding.

    Returns
    -------
    ndarray
        (channels, n_fft // 2 + 1, frames), of the same kind and at least of single precision. It is ``values`` itself
        if the grid is plain.

    Raises
    ------
    SignalError
        If the two sides contradict each other.
    """
    plain = PlainValues(grid)
    found = plain.of(values)
    plain.check_sides(on_warning)
    return found


class PlainValues:
    """The plain values of a spectrogram that comes in blocks of frames; see `to_plain_values`.

    Parameters
    ----------
    grid
        Grid of the values.
    """

    def __init__(self, grid: StftGrid) -> None:
        self._grid = grid
        self._agreement = self._contradiction = 0.0

    def of(self, values: Array) -> Array:
        """Return the plain values of the next frames, (channels, ``grid.bins``, frames)."""
        import numpy as np

        grid = self._grid
        if grid.is_plain:
            return values
        dtype = np.result_type(values.dtype, np.float32).newbyteorder("=")
        if grid.sides != "one":
            plain = self._one_side(values, dtype)
        elif grid.end_bins == "both":
            plain = np.array(values, dtype)
        else:
            plain = np.zeros((values.shape[0], grid.plain().bins, values.shape[2]), dtype)
            plain[:, _present(grid)] = values
        plain *= (1 / _gains(grid, dtype.kind)).astype(dtype)
        return plain

    def check_sides(self, on_warning: Callable[[str], None] | None = None) -> None:
        """Compare the two sides of the spectrum over all frames so far, once the last ones have come.

        Raises
        ------
        SignalError
            If they contradict each other. Silence may differ in all of its rounding, so single frames prove nothing.
        """
        all_energy = self._agreement + self._contradiction
        share = self._contradiction / all_energy if self._contradiction else 0.0
        if share > MAX_ASYMMETRY:
            raise SignalError(
                f"the two sides of the spectrum contradict each other in {share:.0%} of their energy,"
                " so it is not the spectrum of a real signal",
                code="sides-differ",
                hint="check sides and n_fft; the spectrum of a complex signal cannot be turned into sound",
            )
        if share > NOTED_ASYMMETRY and on_warning is not None:
            level = 10 * math.log10(share)
            on_warning(f"the two sides of the spectrum differ by {level:.0f} dB; they were averaged")

    def _one_side(self, values: Array, dtype: Any) -> Array:
        """Return the average of both sides, (channels, n_fft // 2 + 1, frames)."""
        import numpy as np

        positive, negative = _places(self._grid)
        plain = np.empty((values.shape[0], positive.size, values.shape[2]), dtype)
        for channel, result in zip(values, plain, strict=True):
            result[:] = channel[positive]
            other = channel[negative].conj()
            result += other
            result *= 0.5
            other -= result
            self._agreement += float(np.vdot(result, result).real)
            self._contradiction += float(np.vdot(other, other).real)
        return plain


def plain_gain(grid: StftGrid) -> float:
    """Return the factor from plain values to those of a grid, in the middle of the spectrum."""
    gain: float = _gains(replace(grid, sides="one", end_bins="both"), "f").flat[grid.plain().bins // 2]
    return float(gain)


def from_plain_values(values: Array, grid: StftGrid) -> Array:
    """Return plain values in the convention of a grid: the inverse of `to_plain_values`.

    Parameters
    ----------
    values
        (channels, n_fft // 2 + 1, frames), complex, or real magnitudes.
    grid
        Grid of the result.

    Returns
    -------
    ndarray
        (channels, ``grid.bins``, frames), of the same kind and precision. It is ``values`` itself if the grid is plain.
    """
    import numpy as np

    if grid.is_plain:
        return values
    scaled: Array = values * _gains(grid, values.dtype.kind).astype(values.dtype)
    if grid.sides == "one":
        return scaled[:, _present(grid)]
    positive, negative = _places(grid)
    both = np.empty((values.shape[0], grid.n_fft, values.shape[2]), scaled.dtype)
    both[:, negative] = scaled.conj()
    both[:, positive] = scaled
    return both


def _gains(grid: StftGrid, kind: str) -> Array:
    """Return the factors by which a convention multiplies plain values: (n_fft // 2 + 1, 1), double precision.

    They are complex for complex values (kind ``c``), and positive for magnitudes.
    """
    import numpy as np

    window = window_values(grid.window, grid.win_length, grid.win_length)
    energy = math.fsum(value * value for value in window)
    factor = {
        "spectrum": lambda: 1 / math.fsum(window),
        "spectrum-one-sided": lambda: math.sqrt(2) / math.fsum(window),
        "amplitude": lambda: 2 / math.fsum(window),
        "psd": lambda: 1 / math.sqrt(grid.sample_rate * energy),
        "psd-one-sided": lambda: math.sqrt(2 / (grid.sample_rate * energy)),
        "energy": lambda: 1 / math.sqrt(energy),
        "orthonormal": lambda: 1 / math.sqrt(grid.n_fft),
        "tight-frame": lambda: 2 * math.sqrt(grid.hop_length / (grid.win_length * grid.n_fft)),
    }.get(grid.scaling, lambda: 1.0)()
    is_complex = kind == "c"
    bins = np.arange(grid.n_fft // 2 + 1)
    gains = np.full(bins.size, factor if is_complex else abs(factor), np.complex128 if is_complex else np.float64)
    if grid.scaling in ONE_SIDED:
        gains[2 * bins % grid.n_fft == 0] /= 2 if grid.scaling == "amplitude" else math.sqrt(2)
    if is_complex and grid.phase_origin == "window-center":
        before = (grid.n_fft - grid.win_length) // 2 if grid.window_position == "center" else 0
        turns = bins * (before + grid.win_length // 2) % grid.n_fft / grid.n_fft
        gains *= np.exp(2j * np.pi * turns)
    return gains[:, None]


def _present(grid: StftGrid) -> slice:
    """Return which of the bins of one side a grid has."""
    first = 0 if grid.end_bins in ("both", "dc") else 1
    last = grid.n_fft // 2 + (1 if grid.end_bins in ("both", "nyquist") else 0)
    return slice(first, last)


def _places(grid: StftGrid) -> tuple[Array, Array]:
    """Return where the bins of a two-sided spectrum lie: those of one side, and those of the same frequencies below 0.

    They are the same for 0 Hz and for the Nyquist frequency.
    """
    import numpy as np

    n_fft = grid.n_fft
    zero = {"two": 0, "centered": n_fft // 2, "centered-nyquist-last": (n_fft - 1) // 2}[grid.sides]
    bins = np.arange(n_fft // 2 + 1)
    return (zero + bins) % n_fft, (zero - bins) % n_fft
