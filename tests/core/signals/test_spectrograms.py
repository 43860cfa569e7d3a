"""Spectrograms check their values against their grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from notebook_page import Page, marks, pictures

from tonearm.errors import SignalError
from tonearm.signals import (
    ComplexSpectrogram,
    MagnitudeSpectrogram,
    StftGrid,
)

GRID: dict[str, Any] = {"sample_rate": 22050, "n_fft": 16, "hop_length": 4, "win_length": 16}


def grid(**changes: Any) -> StftGrid:
    return StftGrid(**GRID | changes)


@pytest.mark.parametrize(("made", "dtype"), [(ComplexSpectrogram, "c8"), (MagnitudeSpectrogram, "f4")])
def test_a_spectrogram_checks_its_values(made: Any, dtype: str) -> None:
    good = made(values=np.zeros((2, 9, 5), dtype), grid=grid(), length=17)
    assert (good.channels, good.frames, good.sample_rate, good.samples_expected) == (2, 5, 22050, 17)
    assert made(values=good.values, grid=grid()).samples_expected == grid().samples(5)
    with pytest.raises(SignalError, match=f"the {made.port} has 8 bins, but n_fft 16 has 9") as caught:
        made(values=np.zeros((2, 8, 5), dtype), grid=grid())
    assert caught.value.code == "bins-mismatch"
    with pytest.raises(SignalError, match=rf"a {made.port} is \(channels, bins, frames\), not an array of shape"):
        made(values=np.zeros((9, 5), dtype), grid=grid())
    other = "f4" if dtype == "c8" else "c8"
    with pytest.raises(SignalError, match=f"a {made.port} holds"):
        made(values=np.zeros((2, 9, 5), other), grid=grid())
    for length in (0, -1, 2.0, True):
        with pytest.raises(SignalError, match=f"length is {length!r}, not a number of samples of at least 1"):
            made(values=good.values, grid=grid(), length=length)


def test_a_plain_spectrogram_is_its_own_plain_one() -> None:
    made = ComplexSpectrogram(values=np.zeros((1, 9, 5), "c8"), grid=grid())
    assert made.plain() is made


@pytest.mark.parametrize(("made", "dtype"), [(ComplexSpectrogram, "c8"), (MagnitudeSpectrogram, "f4")])
def test_plain_values_come_with_their_grid(made: Any, dtype: str) -> None:
    other = made(values=np.ones((2, 16, 5), dtype), grid=grid(sides="two", scaling="orthonormal"), length=17)
    found = other.plain()
    assert type(found) is made
    assert (found.grid, found.length, found.values.shape, found.values.dtype) == (grid(), 17, (2, 9, 5), dtype)
    np.testing.assert_allclose(found.values, 4)


def test_a_warning_of_plain_values_reaches_the_caller() -> None:
    values = np.ones((1, 16, 5), "f4")
    values[:, 3] = 1.1
    warnings: list[str] = []
    MagnitudeSpectrogram(values=values, grid=grid(sides="two")).plain(warnings.append)
    assert len(warnings) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sides": "two"}, "the magnitude has 10 bins, but n_fft 16 with sides 'two' has 16"),
        ({"end_bins": "none"}, "the magnitude has 10 bins, but n_fft 16 and end_bins 'none' has 7"),
    ],
)
def test_bins_are_counted_by_the_convention(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SignalError, match=message):
        MagnitudeSpectrogram(values=np.ones((1, 10, 5), "f4"), grid=grid(**changes))


TONE_HZ, CLICK_SECONDS, RATE = 1500.0, 0.75, 8000
ANALYSES: list[dict[str, Any]] = [
    {"padding": "center"},
    {"padding": "none"},
    {"padding": "half-overlap", "hop_length": 32},
    {"padding": "none", "win_length": 100, "window_position": "start"},
    {"padding": "end"},
    {"sides": "two"},
    {"sides": "centered"},
    {"sides": "centered-nyquist-last"},
    {"end_bins": "dc"},
    {"end_bins": "nyquist"},
    {"end_bins": "none"},
    {"n_fft": 255, "win_length": 255, "sides": "centered"},
]


def analysed(made: StftGrid, samples: Any) -> Any:
    """Return magnitudes on a grid, computed by its definition, frame by frame: (1, bins, frames)."""
    before, after = made.pads(len(samples))
    padded = np.pad(samples, (before, after))
    window = made.window_values()
    count = made.frames(len(samples))
    parts = [padded[at * made.hop_length :][: made.span] for at in range(count)]
    frames = np.array([np.pad(part, (0, made.n_fft - len(part))) for part in parts]) * window
    whole = np.abs(np.fft.fft(frames, axis=1))
    half = made.n_fft // 2
    if made.sides == "centered":
        whole = np.fft.fftshift(whole, axes=1)
    elif made.sides == "centered-nyquist-last":
        whole = np.roll(whole, (made.n_fft - 1) // 2, axis=1)
    elif made.sides == "one":
        first = 1 if made.end_bins in ("nyquist", "none") else 0
        last = half if made.end_bins in ("dc", "none") else half + 1
        whole = whole[:, first:last]
    return whole.T[None]


def at_mark(places: dict[float, float], value: float) -> float:
    """Return where a value is on an axis, by its marks."""
    values = sorted(places)
    slope = (places[values[-1]] - places[values[0]]) / (values[-1] - values[0])
    return places[values[0]] + slope * (value - values[0])


@pytest.mark.parametrize("analysis", ANALYSES, ids=str)
def test_in_a_notebook_a_tone_is_at_its_frequency_and_a_click_at_its_time(analysis: dict[str, Any]) -> None:
    """The axes are checked by marks and pixels alone, as somebody sees them."""
    made = StftGrid(**{"sample_rate": RATE, "n_fft": 256, "hop_length": 64, "win_length": 256, **analysis})
    time = np.arange(RATE) / RATE
    for sound, is_tone in ((np.sin(2 * np.pi * TONE_HZ * time), True), (time == CLICK_SECONDS, False)):
        values = analysed(made, sound.astype(float)).astype("f4")
        page = Page(MagnitudeSpectrogram(values=values, grid=made)._repr_html_())
        (picture,) = pictures(page)
        frame = page.all("svg")[1]
        left, top, width, height = (float(frame[name]) for name in ("x", "y", "width", "height"))
        rows, columns = picture.shape
        if is_tone:
            middle = picture[:, columns // 2]
            row = len(middle) - 1 - int(middle[::-1].argmax())  # the positive frequency, if both are there
            if made.sides == "centered" or made.sides == "centered-nyquist-last":
                row = int(middle[: rows // 2].argmax())
            expected = at_mark(marks(page, "end"), TONE_HZ) - 4  # labels stand 4 lower than their marks
            assert abs(top + (row + 0.5) * height / rows - expected) <= 0.75 * height / rows
        else:
            column = np.flatnonzero(picture.sum(axis=0) > 0.97 * picture.sum(axis=0).max()).mean()
            expected = at_mark(marks(page, "middle"), CLICK_SECONDS)
            assert abs(left + (column + 0.5) * width / columns - expected) <= 1.01 * width / columns


def test_in_a_notebook_the_caption_has_port_shape_and_grid() -> None:
    values = np.zeros((2, 9, 5), "c8")
    values[0, 3, 2] = 3 - 4j
    page = Page(ComplexSpectrogram(values=values, grid=grid(sides="one", padding="none"))._repr_html_())
    assert page.caption() == [
        "complex 2×9×5 at 22050 Hz",
        "n_fft: 16, hop_length: 4, win_length: 16, window: hann, padding: none, pad_mode: constant",
        "Colours span 80 dB below the highest value, 5.",
    ]
    assert len(pictures(page)) == 2
    by_values = Page(MagnitudeSpectrogram(values=np.ones((1, 9, 5), "f4"), grid=grid(window=(1.0,) * 16))._repr_html_())
    assert "window: given by its values" in by_values.caption()[1]
