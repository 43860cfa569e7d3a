"""Grids check themselves, and count frames and samples as librosa does."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from tonearm.errors import OptionError
from tonearm.signals import (
    StftGrid,
    check_sample_rate,
)

GRID: dict[str, Any] = {"sample_rate": 22050, "n_fft": 16, "hop_length": 4, "win_length": 16}


def grid(**changes: Any) -> StftGrid:
    return StftGrid(**GRID | changes)


@pytest.mark.parametrize("rate", [0, -1, 10_000_001, 22050.0, True, "22050", None])
def test_a_sample_rate_is_a_whole_number_of_hz(rate: object) -> None:
    with pytest.raises(OptionError, match=r"sample_rate is .*, not a whole number of Hz from 1 to 10000000") as caught:
        check_sample_rate(rate)
    assert caught.value.option == "sample_rate"


@pytest.mark.parametrize(
    ("changes", "option", "message"),
    [
        ({"hop_length": 0}, "hop_length", "hop_length is 0, not a whole number of at least 1"),
        ({"n_fft": 16.0}, "n_fft", "n_fft is 16.0, not a whole number of at least 1"),
        ({"win_length": True}, "win_length", "win_length is True, not a whole number of at least 1"),
        ({"n_fft": 1, "win_length": 1}, "n_fft", "n_fft is 1, but a Fourier transform needs at least 2 samples"),
        ({"n_fft": 10**12}, "n_fft", "n_fft is 1000000000000, more than 1048576"),
        ({"win_length": 17}, "win_length", "win_length 17 is greater than n_fft 16"),
        ({"window": "han"}, "window", "there is no window 'han'"),
        ({"padding": "same"}, "padding", "padding is 'same'"),
        ({"pad_mode": "wrap"}, "pad_mode", "pad_mode is 'wrap'"),
        ({"sample_rate": 0}, "sample_rate", "sample_rate is 0"),
    ],
)
def test_a_grid_says_what_is_wrong(changes: dict[str, Any], option: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        grid(**changes)
    assert caught.value.option == option
    assert caught.value.message.startswith(message)


def test_a_grid_suggests_the_nearest_window_and_lists_the_paddings() -> None:
    with pytest.raises(OptionError) as caught:
        grid(window="han")
    assert caught.value.hint == "did you mean 'hann'?"
    with pytest.raises(OptionError) as caught:
        grid(padding="same")
    assert caught.value.hint == "one of center, half-overlap, snip, end, none"


@pytest.mark.parametrize("changes", [{"hop_length": 16}, {"hop_length": 17}, {"win_length": 4, "hop_length": 5}])
def test_a_grid_that_cannot_be_inverted_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="some samples have no weight in any frame") as caught:
        grid(**changes)
    assert (caught.value.code, caught.value.option) == ("not-invertible", "hop_length")


@pytest.mark.parametrize("padding", ["center", "half-overlap", "none"])
@pytest.mark.parametrize(("n_fft", "hop"), [(16, 4), (15, 4), (16, 5)])
def test_frames_stand_for_the_samples_that_analysis_gave_them(padding: str, n_fft: int, hop: int) -> None:
    made = grid(n_fft=n_fft, win_length=n_fft, hop_length=hop, padding=padding)
    for frames in (1, 2, 9):
        samples = made.samples(frames)
        padded = samples + 2 * made.pad
        if samples > 1:
            assert 1 + (padded - n_fft) // hop == frames
    assert made.bins == n_fft // 2 + 1


def test_a_grid_gives_its_window_as_an_array() -> None:
    import scipy.signal

    found = grid(win_length=10).window_values()
    assert found.dtype == np.float64
    assert found == pytest.approx(np.pad(scipy.signal.get_window("hann", 10), 3))


def test_checking_a_grid_imports_no_numpy() -> None:
    code = "import sys; from tonearm.signals import StftGrid as G;"
    code += "G(sample_rate=8000, n_fft=16, hop_length=4, win_length=16); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
