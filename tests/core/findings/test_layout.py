"""Values show both sides of a spectrum, and parts of complex values in one axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest

from tonearm.findings.layout import layout_along

SAMPLES = Path(__file__).parents[3] / "configs" / "samples"
WAVE = np.load(SAMPLES / "utt00.npy").reshape(-1)[:40000]
RNG = np.random.default_rng(7)


def both_sides(n_fft: int) -> np.ndarray:
    """Return the STFT with both sides, in the order of the FFT."""
    frames = np.lib.stride_tricks.sliding_window_view(WAVE, n_fft)[::128]
    return np.fft.fft(frames * np.hanning(n_fft), axis=1).T.astype("c8")


def one_side(n_fft: int = 512) -> np.ndarray:
    """Return the STFT."""
    found: np.ndarray = librosa.stft(WAVE, n_fft=n_fft, hop_length=128)
    return found


def last_fftshift(values: np.ndarray) -> np.ndarray:
    """Return both sides with the Nyquist frequency last, as MATLAB has them."""
    return np.roll(values, (len(values) - 1) // 2, axis=0)


def noisy(values: np.ndarray) -> np.ndarray:
    """Return values with noise at -30 dB, as a model gives them: no bin is exactly 0."""
    return values + RNG.standard_normal(values.shape) * 0.03 * np.abs(values)


@pytest.mark.parametrize("n_fft", [512, 400, 301])
@pytest.mark.parametrize(
    "made", [lambda x: x, np.abs, lambda x: np.abs(x) ** 2, lambda x: 20 * np.log10(np.abs(x) + 1e-5)]
)
def test_both_sides_mirror_each_other(n_fft: int, made: Any) -> None:
    values = both_sides(n_fft)
    assert layout_along(made(values), 0) == "two"
    assert layout_along(made(values).T, 1) == "two"
    assert layout_along(made(np.fft.fftshift(values, axes=0)), 0) == "centered"
    if n_fft % 2 == 0:
        assert layout_along(made(last_fftshift(values)), 0) == "centered-nyquist-last"


def parts(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return real and imaginary parts in one axis: one after the other, and side by side."""
    pair = np.stack([values.real, values.imag])
    return pair.reshape(-1, pair.shape[2]), np.moveaxis(pair, 0, 1).reshape(-1, pair.shape[2])


@pytest.mark.parametrize("n_fft", [512, 1024, 320])
@pytest.mark.parametrize("changed", [lambda x: x, lambda x: 1e-3 * x, lambda x: 3e4 * x])
def test_parts_in_one_axis_show_by_the_imaginary_parts_of_the_end_bins(n_fft: int, changed: Any) -> None:
    halves, pairs = parts(changed(one_side(n_fft)))
    assert (layout_along(halves, 0), layout_along(pairs, 0)) == ("complex-bin", "bin-complex")
    assert (layout_along(halves.T, 1), layout_along(pairs.T[None], 2)) == ("complex-bin", "bin-complex")


@pytest.mark.parametrize("n_fft", [320, 512, 1024])
def test_parts_of_a_model_show_by_the_levels_of_their_bins(n_fft: int) -> None:
    values = one_side(n_fft)
    halves, pairs = (noisy(one) for one in parts(values + 0.01j * np.abs(values)))
    found = layout_along(halves, 0), layout_along(pairs, 0)
    if n_fft == 1024:
        assert found == ("complex-bin", "bin-complex")
    assert found[0] != "bin-complex"  # it may stay open, but not be taken for the other one
    assert found[1] != "complex-bin"


@pytest.mark.parametrize("made", [np.abs, lambda x: np.abs(x) ** 2, lambda x: np.log(np.abs(x) + 1e-5)])
def test_magnitudes_and_phases_show_by_their_range(made: Any) -> None:
    values = one_side()
    pair = np.stack([made(values), np.angle(values)])
    assert layout_along(pair, 0) == "polar"
    assert layout_along(np.moveaxis(pair, 0, -1), 2) == "polar"
    assert layout_along(pair.reshape(-1, pair.shape[2]), 0) == "polar-bin"
    assert layout_along(np.moveaxis(pair, 0, 1).reshape(-1, pair.shape[2]), 0) == "bin-polar"
    assert layout_along(pair[::-1], 0) == "reversed-polar"


@pytest.mark.parametrize(
    "array",
    [
        np.abs(one_side()),
        one_side(),
        one_side().T,
        20 * np.log10(np.abs(one_side()) + 1e-5),
        RNG.standard_normal((514, 200)),
        np.zeros((514, 20)),
        np.ones((64, 20)),
        np.stack([np.ones((64, 20)), -np.ones((64, 20))]),
        np.stack([WAVE, 0.5 * WAVE]),
        np.stack([WAVE[:-3], WAVE[3:]]),
        RNG.standard_normal((2, 80, 50)),
        np.abs(RNG.standard_normal((2, 80, 50))),
        RNG.integers(0, 1024, (64, 50)),
        np.stack([one_side().real, one_side().imag]),
        np.full((64, 5), np.nan),
        np.zeros((64, 0)),
    ],
)
def test_other_arrays_show_no_layout(array: np.ndarray) -> None:
    assert [layout_along(array, axis) for axis in range(array.ndim) if array.size] == [""] * (
        array.ndim if array.size else 0
    )


def test_a_part_of_a_large_array_is_read() -> None:
    values = np.tile(both_sides(512), (1, 40))
    assert layout_along(np.broadcast_to(values, (500, *values.shape)), 1) == "two"
