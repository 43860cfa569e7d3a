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
        ({"window_position": "end"}, "window_position", "window_position is 'end'"),
        ({"tail": True}, "tail", "tail is True"),
        ({"phase_origin": "start"}, "phase_origin", "phase_origin is 'start'"),
        ({"scaling": "density"}, "scaling", "scaling is 'density'"),
        ({"sides": "both"}, "sides", "sides is 'both'"),
        ({"end_bins": "all"}, "end_bins", "end_bins is 'all'"),
        ({"sides": "two", "end_bins": "dc"}, "end_bins", "end_bins is 'dc', but sides 'two' has all bins"),
        (
            {"n_fft": 17, "end_bins": "dc"},
            "end_bins",
            "end_bins is 'dc', but an odd n_fft (17) has no bin at the Nyquist frequency",
        ),
        ({"sides": "two", "scaling": "psd-one-sided"}, "scaling", "scaling is 'psd-one-sided', but sides is 'two'"),
        ({"window": [1.0, -1.0] * 8, "scaling": "spectrum"}, "scaling", "scaling is 'spectrum', but the sum of the"),
        ({"window": [1.0] * 15}, "win_length", "the window has 15 values, but win_length is 16"),
        ({"window": [1.0, float("inf")] * 8}, "window", "the window holds values that are not finite"),
        ({"window": ["a"] * 16}, "window", "the window holds values that are not real numbers"),
        ({"window": np.ones((16, 1))}, "window", "the window has the shape (16, 1), but a window is a row of numbers"),
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
    assert caught.value.hint == "one of center, half-overlap, snip, end, none, full"


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


def test_a_window_can_be_given_by_its_values() -> None:
    made = grid(window=np.hamming(10), win_length=10, window_position="start")
    assert made == grid(window=tuple(np.hamming(10).tolist()), win_length=10, window_position="start")
    assert isinstance(hash(made), int)
    assert made.window_values() == pytest.approx(np.pad(np.hamming(10), (0, 6)))
    with pytest.raises(OptionError, match="a window of 10 cannot be inverted at hop_length 11"):
        grid(window=np.hamming(10), win_length=10, hop_length=11)


@pytest.mark.parametrize(
    ("changes", "bins"),
    [
        ({}, 9),
        ({"sides": "two"}, 16),
        ({"sides": "centered", "n_fft": 17}, 17),
        ({"end_bins": "dc"}, 8),
        ({"end_bins": "nyquist"}, 8),
        ({"end_bins": "none"}, 7),
    ],
)
def test_bins_are_those_of_the_convention(changes: dict[str, Any], bins: int) -> None:
    made = grid(**changes)
    assert made.bins == bins
    assert made.is_plain == (not changes)
    assert made.plain().bins == made.n_fft // 2 + 1
    assert made.plain().is_plain


def test_a_plain_grid_keeps_the_place_of_its_frames() -> None:
    made = grid(scaling="psd", sides="two", phase_origin="window-center", window_position="start", tail="pad")
    assert made.plain() == grid(window_position="start", tail="pad")
    assert grid().plain() == grid()
    assert grid(window_position="start").is_plain


@pytest.mark.parametrize("padding", ["center", "half-overlap", "none", "end", "full", "snip"])
@pytest.mark.parametrize(("win", "hop"), [(16, 4), (11, 4), (10, 3), (16, 5)])
@pytest.mark.parametrize(("position", "tail"), [("start", "drop"), ("start", "pad"), ("center", "pad")])
def test_pads_make_room_for_the_frames(padding: str, win: int, hop: int, position: str, tail: str) -> None:
    made = grid(padding=padding, win_length=win, hop_length=hop, window_position=position, tail=tail)
    for samples in range(20, 60):
        before, after = made.pads(samples)
        room = before + samples + after - made.span
        assert made.frames(samples) == 1 + room // hop
        if tail == "pad" and padding in ("center", "half-overlap", "none"):
            assert room % hop == 0
            assert after - before < hop
        assert samples - hop < made.samples(made.frames(samples)) < samples + made.span


def test_full_padding_has_every_frame_that_touches_the_signal() -> None:
    made = grid(padding="full", window="hann", window_position="start", win_length=11, hop_length=3)
    window = np.array(made.window_values()[:11])
    for samples in range(20, 40):
        touching = [
            frame
            for frame in range(-20, 40)
            if any(window[n] and 0 <= frame * 3 - 11 // 2 + n < samples for n in range(11))
        ]
        assert made.frames(samples) == len(touching)
        assert made.pad == 11 // 2 - 3 * touching[0]
        assert samples <= made.samples(len(touching)) < samples + 3


def test_a_description_leaves_out_conventions_at_their_defaults() -> None:
    plain = {**GRID, "window": "hann", "padding": "center", "pad_mode": "constant"}
    assert grid().described() == plain
    assert grid(sides="two").described() == {**plain, "sides": "two"}
    assert StftGrid(**grid(sides="two", tail="pad").described()) == grid(sides="two", tail="pad")


def test_checking_a_grid_imports_no_numpy() -> None:
    code = "import sys; from tonearm.signals import StftGrid as G;"
    code += "G(sample_rate=8000, n_fft=16, hop_length=4, win_length=16); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_representation_has_what_is_set_and_no_long_rows() -> None:
    assert repr(grid()) == (
        "StftGrid(sample_rate=22050, n_fft=16, hop_length=4, win_length=16, window='hann', padding='center',"
        " pad_mode='constant')"
    )
    assert "window=<16 values>, " in repr(grid(window=(0.5,) * 16, sides="two"))
    assert repr(grid(sides="two")).endswith("sides='two')")


def test_the_lowest_frequency_is_that_of_the_first_bin() -> None:
    assert grid().lowest_frequency == grid(sides="two").lowest_frequency == grid(end_bins="dc").lowest_frequency == 0
    assert grid(end_bins="nyquist").lowest_frequency == grid(end_bins="none").lowest_frequency == 22050 / 16
    assert grid(sides="centered").lowest_frequency == np.fft.fftshift(np.fft.fftfreq(16, 1 / 22050))[0]
    assert grid(sides="centered-nyquist-last").lowest_frequency == -7 * 22050 / 16


def test_frames_are_around_the_middle_of_their_windows() -> None:
    assert grid().seconds(3) == (-2 / 22050, 10 / 22050)  # the first is centred on sample 0
    assert grid(padding="none").seconds(1) == (6 / 22050, 10 / 22050)
    assert grid(padding="none", win_length=8, window_position="start").seconds(1) == (2 / 22050, 6 / 22050)
