"""Windows in plain Python equal SciPy's, and are called invertible where SciPy's NOLA test says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.signal
from hypothesis import assume, given
from hypothesis import strategies as st

from tonearm.errors import OptionError
from tonearm.signals.windows import COSINES, NOLA_RATIO, POWERS, WINDOWS, checked_values, is_invertible, window_values
from tonearm_plugins.dsp import framing

LENGTHS = (1, 2, 3, 16, 255, 1024)


def reference(name: str, length: int) -> np.ndarray:
    """The window as SciPy makes it; Kaldi's povey is hann^0.85 of the symmetric window in its own source."""
    base = name.removesuffix("_symmetric")
    power = {"povey": 0.85, "sqrt_hann": 0.5}.get(base, 1.0)
    scipys = "hann" if base in POWERS else base
    window = scipy.signal.get_window(scipys, length, fftbins=not name.endswith("_symmetric"))
    return np.maximum(window, 0) ** power if power != 1 else window


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", WINDOWS)
def test_values_equal_scipys(name: str, length: int) -> None:
    assert window_values(name, length, length) == pytest.approx(reference(name, length), abs=1e-12)


@pytest.mark.parametrize(("win", "n_fft"), [(10, 16), (11, 16), (10, 15), (400, 512), (1, 2)])
def test_a_short_window_is_centred_as_librosa_pads_it(win: int, n_fft: int) -> None:
    import librosa

    expected = librosa.util.pad_center(reference("hamming", win), size=n_fft)
    assert window_values("hamming", win, n_fft) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("win", "n_fft"), [(10, 16), (16, 16), (1, 2)])
def test_a_window_at_the_start_has_all_zeros_after_it(win: int, n_fft: int) -> None:
    expected = np.pad(reference("hamming", win), (0, n_fft - win))
    assert window_values("hamming", win, n_fft, "start") == pytest.approx(expected, abs=1e-12)


def test_values_of_a_window_are_taken_as_they_are() -> None:
    assert window_values((1.0, 3.0, 2.0), 3, 6) == (0.0, 1.0, 3.0, 2.0, 0.0, 0.0)
    assert is_invertible((1.0, 3.0, 2.0), 3, 6, 3)
    assert not is_invertible((1.0, 3.0, 2.0), 3, 6, 4)
    assert checked_values(np.array([1, 2], "i2"), 2) == (1.0, 2.0)


@pytest.mark.parametrize(
    ("values", "option", "message"),
    [
        ([1.0], "win_length", "w.txt has 1 values, but win_length is 2"),
        ([], "win_length", "w.txt has 0 values, but win_length is 2"),
        ([1.0, True], "window", "w.txt holds values that are not real numbers"),
        ([1.0, 1j], "window", "w.txt holds values that are not real numbers"),
        ([1.0, float("nan")], "window", "w.txt holds values that are not finite"),
        (np.ones((1, 2)), "window", r"w.txt has the shape (1, 2), but a window is a row of numbers"),
    ],
)
def test_values_that_are_no_window_are_refused(values: Any, option: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        checked_values(values, 2, "w.txt")
    assert (caught.value.option, caught.value.message, caught.value.code) == (option, message, "bad-window")


@given(st.sampled_from(WINDOWS), st.integers(2, 80), st.integers(1, 80), st.integers(1, 90))
def test_invertible_where_scipy_says_so(name: str, n_fft: int, win: int, hop: int) -> None:
    win = min(win, n_fft)
    found = is_invertible(name, win, n_fft, hop)
    window = np.array(window_values(name, win, n_fft))
    if hop > n_fft or window.max() < 1e-12:  # a symmetric window of two samples is nothing but its ends
        assert not found
        return
    sums = np.array([np.sum(window[start::hop] ** 2) for start in range(hop)])
    assume(not 1e-12 < sums.min() / sums.max() < 1e-8)  # at the bound itself the two scales may differ
    assert found == scipy.signal.check_NOLA(window / window.max(), n_fft, n_fft - hop)


@pytest.mark.parametrize("name", ["hann_symmetric", "blackman_symmetric"])
def test_ends_alone_invert_nothing(name: str) -> None:
    assert not is_invertible(name, 2, 3, 1)


def test_every_window_has_coefficients() -> None:
    assert {name.removesuffix("_symmetric") for name in WINDOWS} == set(COSINES) | set(POWERS)


def test_the_core_and_signal_processing_agree_on_nola() -> None:
    """Neither may import the other, so each has the constant."""
    assert NOLA_RATIO == framing.NOLA_RATIO
