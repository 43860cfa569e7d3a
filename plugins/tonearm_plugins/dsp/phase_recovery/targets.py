"""What phase recovery aims at: spectra of given magnitudes, or of a given mel spectrogram.

A target says how a block of spectra is brought to it, how far a block is from it, and which magnitudes to begin with.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Spectra = npt.NDArray[np.complexfloating[Any, Any]]

TINY = 1e-20  # keeps x / |x| defined at 0; far below the magnitude of any audible bin, above float32's smallest
GREATEST_GAIN = 1e3
MEL_FLOOR = 1e-10  # what a band of a spectrum is taken to hold at least, as a part of the greatest that is wanted
START_STEPS = 3  # multiplicative updates before the first phases: more of them do not show after an iteration
GROUP = 128  # bins that are multiplied with their bands at once; most weights of a whole filter bank are zero


class Target(Protocol):
    """What a recovery needs of its target; blocks are frames ``first`` to ``last - 1``, as (frames, bins)."""

    def first_magnitudes(self) -> Floats:
        """Return magnitudes (frames, bins) to begin with."""

    def reach(self, first: int, last: int, spectra: Spectra) -> None:
        """Change spectra so that they meet the target; their phases stay."""

    def residual(self, first: int, last: int, spectra: Spectra) -> tuple[float, float]:
        """Return the squared distance of spectra from the target, and the target's own energy."""


class KnownMagnitudes:
    """The magnitudes of all bins are known, as in Griffin and Lim (1984).

    Parameters
    ----------
    magnitude
        (bins, frames), real.
    """

    def __init__(self, magnitude: npt.NDArray[Any]) -> None:
        self.magnitude = np.ascontiguousarray(magnitude.T, dtype=np.float32)

    def first_magnitudes(self) -> Floats:
        """Return the magnitudes."""
        return self.magnitude

    def reach(self, first: int, last: int, spectra: Spectra) -> None:
        """Put the known magnitudes in place of those found."""
        size = np.abs(spectra)
        size += np.float32(TINY)
        np.divide(self.magnitude[first:last], size, out=size)
        spectra *= size

    def residual(self, first: int, last: int, spectra: Spectra) -> tuple[float, float]:
        """Compare magnitudes."""
        return squared_distance(np.abs(spectra), self.magnitude[first:last])


@dataclass(frozen=True, eq=False)
class Group:
    """Neighbouring bins, and the bands that they lie in, if any.

    Parameters
    ----------
    bins, bands
        Which.
    to_bands
        (bins, bands), what each band takes of each bin.
    to_bins
        (bands, bins), how much each band has to say in the gain of each bin.
    """

    bins: slice
    bands: slice
    to_bands: Floats
    to_bins: Floats


@dataclass(frozen=True, eq=False)
class MelBasis:
    """A mel filter bank, and the way back from bands to bins.

    Parameters
    ----------
    weights
        (mels, bins), none negative: ``mel = weights @ magnitude ** power``.
    power
        1 or 2.
    """

    weights: npt.NDArray[np.float64]
    power: int

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """All bins, a group at a time."""
        return tuple(self._group(slice(first, first + GROUP)) for first in range(0, self.weights.shape[1], GROUP))

    def _group(self, bins: slice) -> Group:
        reached = np.flatnonzero(self.weights[:, bins].any(axis=1))
        bands = slice(int(reached[0]), int(reached[-1]) + 1) if reached.size else slice(0)
        to_bands, to_bins = self.weights[bands, bins].T, self.shares[bands, bins]
        return Group(bins, bands, *(np.ascontiguousarray(part, np.float32) for part in (to_bands, to_bins)))

    @cached_property
    def shares(self) -> npt.NDArray[np.float64]:
        """The weights, scaled so that those of each bin sum to 1: how much each band has to say in a bin's gain."""
        total = self.weights.sum(axis=0)
        return self.weights / np.where(total > 0, total, 1)

    @cached_property
    def pseudo_inverse(self) -> Floats:
        """The way back from bands to bins by least squares, (mels, bins)."""
        return np.ascontiguousarray(np.linalg.pinv(self.weights).T, np.float32)

    @cached_property
    def even(self) -> npt.NDArray[np.float64]:
        """What each band gives to its bins if all of them are alike."""
        total = self.weights.sum(axis=1, keepdims=True)
        return self.shares / np.where(total > 0, total, 1)


class KnownMel:
    """Only a mel spectrogram is known, so the magnitudes within a band are free.

    Spectra are brought to it by one multiplicative update: each bin is scaled by the mean, over the bands that it lies
    in, of what is wanted over what is there. Where others first fix magnitudes and then look for phases, here both are
    found together, and a consistent signal with the wanted mel spectrogram is found much nearer.

    Parameters
    ----------
    mel
        (mels, frames), real.
    basis
        The filter bank.
    """

    def __init__(self, mel: npt.NDArray[Any], basis: MelBasis) -> None:
        self.mel = np.ascontiguousarray(mel.T, dtype=np.float32)
        self.basis = basis
        self.floor = np.float32(mel_floor(self.mel))

    def first_magnitudes(self) -> Floats:
        """Begin evenly within each band, and take a few multiplicative steps."""
        energy = self.mel @ self.basis.even.astype(np.float32)
        for _ in range(START_STEPS):
            energy *= self.gains(energy, self.mel)
        return energy if self.basis.power == 1 else np.sqrt(energy)

    def gains(self, energy: Floats, mel: Floats) -> Floats:
        """Return what bins of these energies, or magnitudes, want to be multiplied by."""
        gains = np.empty_like(energy)
        with np.errstate(all="ignore"):
            ratio = self.bands_of(energy)
            np.divide(mel, np.maximum(ratio, self.floor, out=ratio), out=ratio)
            np.minimum(ratio, np.float32(GREATEST_GAIN), out=ratio)
            for group in self.basis.groups:
                np.matmul(ratio[:, group.bands], group.to_bins, out=gains[:, group.bins])
        return gains

    def bands_of(self, energy: Floats) -> Floats:
        """Return what bands hold of bins of these energies, or magnitudes: (frames, mels)."""
        bands = np.zeros((len(energy), self.mel.shape[1]), np.float32)
        for group in self.basis.groups:
            bands[:, group.bands] += energy[:, group.bins] @ group.to_bands
        return bands

    def reach(self, first: int, last: int, spectra: Spectra) -> None:
        """Scale the bins."""
        energy = np.abs(spectra)
        if self.basis.power == 2:
            np.square(energy, out=energy)
        gains = self.gains(energy, self.mel[first:last])
        if self.basis.power == 2:
            np.sqrt(gains, out=gains)
        spectra *= gains

    def residual(self, first: int, last: int, spectra: Spectra) -> tuple[float, float]:
        """Compare mel spectra."""
        return squared_distance(self.bands_of(np.abs(spectra) ** self.basis.power), self.mel[first:last])


def mel_floor(mel: Floats) -> float:
    """Return what a band is taken to hold at least; a NaN changes nothing."""
    return max(float(np.fmax.reduce(mel, axis=None, initial=0.0)) * MEL_FLOOR, 1e-30)


def squared_distance(found: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the squared distance of two arrays, and the energy of the second."""
    difference, wanted = (found - wanted).ravel(), wanted.ravel()
    return float(np.dot(difference, difference)), float(np.dot(wanted, wanted))
