"""Values in any convention become plain values and back; the reference is a discrete Fourier transform in full."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from tonearm.errors import SignalError
from tonearm.signals import StftGrid
from tonearm.signals.plain_values import from_plain_values, plain_gain, to_plain_values

GRID: dict[str, Any] = {"sample_rate": 8000, "hop_length": 4}


def grid(n_fft: int, **changes: Any) -> StftGrid:
    return StftGrid(**GRID | {"n_fft": n_fft, "win_length": n_fft - 3} | changes)


def transformed(made: StftGrid, frame: np.ndarray) -> np.ndarray:
    """The transform of a frame of ``n_fft`` samples by its definition, in the convention of a grid."""
    window, n_fft = made.window_values(), made.n_fft
    before = (n_fft - made.win_length) // 2 if made.window_position == "center" else 0
    origin = before + made.win_length // 2 if made.phase_origin == "window-center" else 0
    highest = n_fft // 2
    frequencies = {
        "one": range(highest + 1),
        "two": [k if k <= highest else k - n_fft for k in range(n_fft)],
        "centered": range(-highest, n_fft - highest),
        "centered-nyquist-last": range(highest + 1 - n_fft, highest + 1),
    }[made.sides]
    factor = {
        "none": 1,
        "spectrum": 1 / window.sum(),
        "psd": 1 / np.sqrt(8000 * (window**2).sum()),
        "psd-one-sided": np.sqrt(2) / np.sqrt(8000 * (window**2).sum()),
        "energy": 1 / np.sqrt((window**2).sum()),
        "orthonormal": 1 / np.sqrt(n_fft),
    }[made.scaling]
    found = []
    for k in frequencies:
        turns = k * (np.arange(n_fft) - origin) / n_fft
        value = factor * np.sum(window * frame * np.exp(-2j * np.pi * turns))
        at_end = k == 0 or 2 * k == n_fft
        if at_end and made.scaling == "psd-one-sided":
            value /= np.sqrt(2)
        kept = {"both": True, "none": not at_end, "dc": not (at_end and k), "nyquist": k != 0}[made.end_bins]
        if kept:
            found.append(value)
    return np.array(found)


CONVENTIONS = [
    {"scaling": scaling, "sides": sides, "phase_origin": origin, "window_position": position}
    for scaling, sides, origin, position in itertools.product(
        ("none", "spectrum", "psd", "psd-one-sided", "energy", "orthonormal"),
        ("one", "two", "centered", "centered-nyquist-last"),
        ("frame-start", "window-center"),
        ("center", "start"),
    )
    if not (scaling == "psd-one-sided" and sides != "one")
]
ENDS = [{"end_bins": end, "scaling": "psd-one-sided"} for end in ("dc", "nyquist", "none")]


@pytest.mark.parametrize("n_fft", [16, 15])
@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda made: "-".join(made.values()))
def test_values_are_the_transform_by_its_definition(n_fft: int, convention: dict[str, Any]) -> None:
    both_ways(grid(n_fft, **convention))


@pytest.mark.parametrize("convention", ENDS)
def test_end_bins_are_left_out_and_come_back_as_zeros(convention: dict[str, Any]) -> None:
    both_ways(grid(16, **convention))


def both_ways(made: StftGrid) -> None:
    frames = np.random.default_rng(3).standard_normal((2, made.n_fft, 5))
    plain = np.fft.rfft(frames * made.window_values()[:, None], axis=1)
    expected = np.array([[transformed(made, frame) for frame in channel.T] for channel in frames]).swapaxes(1, 2)
    found = from_plain_values(plain, made)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(from_plain_values(np.abs(plain), made), np.abs(expected), atol=1e-12)
    if made.end_bins in ("none", "nyquist"):
        plain[:, 0] = 0
    if made.end_bins in ("none", "dc"):
        plain[:, -1] = 0
    np.testing.assert_allclose(to_plain_values(found, made), plain, atol=1e-12)
    np.testing.assert_allclose(to_plain_values(np.abs(found), made), np.abs(plain), atol=1e-12)


def test_plain_values_are_not_copied() -> None:
    values = np.ones((1, 9, 3), np.complex64)
    assert to_plain_values(values, grid(16)) is values
    assert from_plain_values(values, grid(16)) is values


@pytest.mark.parametrize("sides", ["one", "centered"])
@pytest.mark.parametrize(
    ("dtype", "expected"), [("f2", "f4"), ("f4", "f4"), (">f4", "f4"), ("f8", "f8"), ("c8", "c8"), (">c16", "c16")]
)
def test_the_precision_stays_and_the_input_is_not_written(sides: str, dtype: str, expected: str) -> None:
    made = grid(16, sides=sides, scaling="psd")
    values = np.ones((1, made.bins, 3), dtype)
    values.setflags(write=False)
    assert to_plain_values(values, made).dtype == np.dtype(expected)


def two_sided(error: float) -> tuple[np.ndarray, np.ndarray, StftGrid]:
    """Return a one-sided spectrum, and both sides with an error of this size relative to them."""
    made = grid(64, sides="two")
    rng = np.random.default_rng(0)
    plain = np.fft.rfft(rng.standard_normal((1, 64, 40)), axis=1)
    both = from_plain_values(plain, made)
    noise = rng.standard_normal((2, *both.shape)) * np.sqrt(np.mean(np.abs(both) ** 2) / 2) * error
    return plain, both + noise[0] + 1j * noise[1], made


def test_two_sides_are_averaged() -> None:
    plain, both, made = two_sided(1e-2)
    warnings: list[str] = []
    found = to_plain_values(both, made, warnings.append)
    inside = slice(1, -1)  # the ends have one bin each
    left = np.std(found[:, inside] - plain[:, inside]) / np.std(both[:, 1:32] - plain[:, inside])
    assert left == pytest.approx(np.sqrt(0.5), rel=0.1)
    assert warnings == ["the two sides of the spectrum differ by -43 dB; they were averaged"]


def test_rounding_is_no_difference() -> None:
    _, both, made = two_sided(1e-3)
    warnings: list[str] = []
    to_plain_values(both, made, warnings.append)
    assert not warnings


def test_the_spectrum_of_a_complex_signal_is_refused() -> None:
    made = grid(16, sides="two")
    analytic = np.zeros((1, 16, 3), np.complex64)
    analytic[:, 3] = 1
    with pytest.raises(SignalError, match="contradict each other in 50% of their energy") as caught:
        to_plain_values(analytic, made)
    assert caught.value.code == "sides-differ"
    plain = np.fft.rfft(np.random.default_rng(0).standard_normal((1, 16, 9)), axis=1)
    with pytest.raises(SignalError, match="contradict each other"):
        to_plain_values(from_plain_values(plain, grid(16, sides="centered-nyquist-last")), made)


def test_silence_has_no_sides() -> None:
    assert not to_plain_values(np.zeros((1, 16, 3), np.complex64), grid(16, sides="two")).any()


@pytest.mark.parametrize("scaling", ["none", "spectrum", "orthonormal", "psd-one-sided"])
@pytest.mark.parametrize("end_bins", ["both", "none"])
def test_the_gain_is_that_of_a_bin_in_the_middle(scaling: Any, end_bins: Any) -> None:
    made = grid(16, scaling=scaling, end_bins=end_bins)
    values = from_plain_values(np.ones((1, 9, 1)), made)
    assert plain_gain(made) == pytest.approx(values[0, 4, 0])
