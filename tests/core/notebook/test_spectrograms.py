"""Spectrograms in a notebook are pictures of levels in dB."""

import numpy as np
import pytest
from notebook_page import Page, pictures

from tonearm.notebook import spectrograms
from tonearm.notebook.plot import linear_axis
from tonearm.notebook.spectrograms import pool_values, spectrogram_figure


def figure(values, **more):
    return Page(
        spectrogram_figure(
            lambda first, last: values[:, :, first:last],
            values.shape,
            seconds=(0, 1),
            frequencies=linear_axis("Hz", 0, 4000, 8),
            title="a title",
            **more,
        )
    )


def shades(values, **more):
    """Return the index of each pixel into the palette, by its lightness, which grows with it."""
    return pictures(figure(np.asarray(values, float), **more))


def test_the_first_row_is_at_the_bottom():
    values = np.full((1, 3, 4), 1e-9)
    values[0, 0, 1] = 1.0
    (picture,) = shades(values)
    assert picture.shape == (3, 4)
    assert np.unravel_index(picture.argmax(), picture.shape) == (2, 1)


def test_levels_span_80_db_below_the_highest():
    levels = np.array([0, -20, -40, -60, -80, -100, -np.inf])
    (picture,) = shades(7 * 10 ** (levels / 20)[None, None])
    row = picture[0]
    assert (np.diff(row[:5]) < 0).all()
    assert row[4] == row[5] == row[6] == pytest.approx(0, abs=1)
    assert row[0] > 230
    page = figure(np.full((1, 2, 2), 7.0), notes=["a note"])
    assert page.caption() == ["a title", "a note", "Colours span 80 dB below the highest value, 7."]


def test_channels_share_their_scale():
    values = np.ones((2, 4, 4))
    values[1] = 0.01
    first, second = shades(values)
    assert first.min() > second.max()
    page = figure(values)
    assert [text for text in page.text_in("text") if text.startswith("channel")] == ["channel 1", "channel 2"]


def test_few_channels_are_drawn():
    page = figure(np.ones((6, 4, 4)))
    assert len(page.all("image")) == 4
    assert page.caption()[-1] == "The first 4 of 6 channels are drawn."


@pytest.mark.parametrize("shape", [(1, 401, 1001), (2, 513, 4321), (1, 7, 5000), (1, 8192, 3)])
def test_a_large_one_is_pooled_to_its_highest_values(shape, monkeypatch):
    values = np.random.default_rng(0).random(shape)
    rows, columns = min(400, shape[1]), min(1000, shape[2])
    pooled, bad = pool_values(lambda first, last: values[:, :, first:last], shape, 1000, 400)
    assert (pooled.shape, bad) == ((shape[0], rows, columns), 0)
    for row, column in ((0, 0), (rows // 3, columns // 2), (rows - 1, columns - 1)):
        bins = slice(row * shape[1] // rows, (row + 1) * shape[1] // rows)
        frames = slice(column * shape[2] // columns, (column + 1) * shape[2] // columns)
        assert np.array_equal(pooled[:, row, column], values[:, bins, frames].max(axis=(1, 2)))
    monkeypatch.setattr(spectrograms, "_BLOCK", 1000)
    assert np.array_equal(pool_values(lambda first, last: values[:, :, first:last], shape, 1000, 400)[0], pooled)
    assert shades(values)[0].shape == (rows, columns)


def test_a_large_one_is_read_in_parts(monkeypatch):
    monkeypatch.setattr(spectrograms, "_BLOCK", 10_000)
    sizes = []

    def values(first, last):
        sizes.append(10 * (last - first))
        return np.ones((1, 10, last - first))

    pool_values(values, (1, 10, 50_000), 1000, 400)
    assert sum(sizes) == 500_000
    assert max(sizes) <= 10_000


def test_values_that_are_not_finite_are_counted_and_dark():
    values = np.ones((1, 2, 3))
    values[0, 1, 2], values[0, 0, 0], values[0, 0, 1] = np.nan, np.inf, 0.01
    page = figure(values)
    assert page.caption()[-1] == "not-finite: 2 of 6 values are NaN or infinite, and shown as the lowest"
    (picture,) = pictures(page)
    assert picture[0, 2] == picture[1, 0] == picture[1, 1] == picture.min()
    assert picture[0, 0] == picture.max()


def test_values_that_are_not_finite_hide_none_beside_them():
    values = np.arange(4000.0).reshape(1, 2, 2000)
    values[0, 0, 1], values[0, 1, 5], values[0, 1, 6:8] = np.nan, np.inf, -np.inf
    pooled, bad = pool_values(lambda first, last: values[:, :, first:last], (1, 2, 2000), 1000, 400)
    assert bad == 4
    assert pooled[0, :, :4].tolist() == [[0, 3, 5, 7], [2001, 2003, 2004, 0]]  # the last has none, and so the lowest


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_silence_has_a_picture(value):
    page = figure(np.full((1, 2, 2), value))
    assert page.caption()[1] == "silent: no value is above 0"
    assert pictures(page)[0].max() < 1


def test_values_of_any_unit_are_shown_as_they_are():
    page = figure(np.array([[[-4.0, -1.0, 2.0]]]), in_decibels=False)
    assert page.caption()[-1] == "Colours span the values themselves, from -4 to 2."
    low, middle, high = pictures(page)[0][0]
    assert low < middle < high
    assert pictures(figure(np.full((1, 2, 2), 5.0), in_decibels=False))[0].max() < 1


def test_the_picture_has_a_text_in_its_place():
    (whole, _) = figure(np.ones((1, 2, 2))).all("svg")
    assert (whole["role"], whole["aria-label"]) == ("img", "Levels over seconds and Hz: a title")


@pytest.mark.parametrize("in_decibels", [True, False])
@pytest.mark.parametrize("value", [1e-300, 1e-40, 6e4, 1.7e308])
def test_values_of_any_size_have_a_picture(value, in_decibels):
    values = np.array([[[-value, 0.0, value]]])
    (picture,) = pictures(figure(np.abs(values) if in_decibels else values, in_decibels=in_decibels))
    assert picture[0, 1] < picture[0, 2] == picture.max()
