"""A waveform in a notebook plays as it is, and its picture has its envelope."""

import re
from itertools import pairwise

import numpy as np
import pytest
from notebook_page import Page, marks, played

from tonearm.notebook import waveforms
from tonearm.notebook.plot import WIDTH
from tonearm.notebook.waveforms import column_blocks, envelope, waveform_figure


def page_of(samples, rate=8000):
    return Page(waveform_figure(np.asarray(samples), rate, "a title", ["a verdict", "another"]))


def outlines(page):
    """Return the points of each envelope: x and y in the picture of its channel."""
    found = []
    for path in page.all("path"):
        points = re.findall(r"([\d.e+-]+),([\d.e+-]+)", path["d"])
        if path["d"].endswith("Z"):
            found.append(np.array(points, float))
    return found


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_plays_the_samples_as_they_are(channels, dtype):
    samples = np.random.default_rng(0).uniform(-0.3, 0.3, (channels, 1000)).astype(dtype)
    found, rate = played(page_of(samples, 22050))
    assert rate == 22050
    assert found.shape == samples.shape
    assert np.abs(found / 32768 - samples).max() <= 0.5 / 32768 + 1e-9


def test_what_goes_beyond_is_clipped_and_never_wraps():
    found, _ = played(page_of(np.array([[0.5, 1.5, -1.5, 1.0, -1.0, 100]], np.float32)))
    assert found[0].tolist() == [16384, 32767, -32768, 32767, -32768, 32767]


def test_values_that_are_not_finite_are_silence():
    found, _ = played(page_of(np.array([[np.nan, np.inf, -np.inf, 0.5]], np.float32)))
    assert found[0].tolist() == [0, 0, 0, 16384]


def test_the_caption_has_the_title_and_the_verdict():
    assert page_of(np.zeros((1, 10))).caption() == ["a title", "a verdict", "another"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2, 799), (1, 800), (3, 801), (2, 12345)])
def test_the_envelope_is_the_extent_of_each_column(shape):
    samples = np.random.default_rng(1).uniform(-1, 1, shape)
    columns = min(WIDTH, shape[1])
    low, high, wrong = envelope(samples, WIDTH)
    edges = [shape[1] * n // columns for n in range(columns + 1)]
    for n, (start, end) in enumerate(pairwise(edges)):
        assert np.array_equal(low[:, n], samples[:, start:end].min(axis=1))
        assert np.array_equal(high[:, n], samples[:, start:end].max(axis=1))
    assert not wrong.any()


def test_the_envelope_does_not_depend_on_blocks(monkeypatch):
    samples = np.random.default_rng(2).uniform(-1.1, 1.1, (2, 54321))
    samples[0, 777] = np.nan
    whole = envelope(samples, WIDTH)
    monkeypatch.setattr(waveforms, "_BLOCK", 1000)
    for one, other in zip(whole, envelope(samples, WIDTH), strict=True):
        assert np.array_equal(one, other)


def test_blocks_cover_all_columns_once():
    found = list(column_blocks(1000, 300, 100))
    assert [(first, last) for first, last, _ in found][:2] == [(0, 30), (30, 60)]
    edges = [edge for _, _, edges in found for edge in edges[:-1].tolist()]
    assert edges == [1000 * n // 300 for n in range(300)]
    assert all(edges[-1] - edges[0] <= 100 for _, _, edges in found)


def test_the_outline_stands_where_the_sound_is():
    samples = np.zeros((1, 8000))
    samples[0, 2000:4000] = 0.5
    samples[0, 6000:8000] = -1.0
    page = page_of(samples)
    (points,) = outlines(page)
    height = float(page.all("svg")[1]["height"])
    above, below = points[: len(points) // 2], points[len(points) // 2 :][::-1]
    for at, top, bottom in ((0.1, 0, 0), (0.4, 0.5, 0.5), (0.9, -1, -1)):
        column = round(at * WIDTH)
        assert above[column].tolist() == pytest.approx([column + 0.5, (1 - top) / 2 * height])
        assert below[column].tolist() == pytest.approx([column + 0.5, (1 - bottom) / 2 * height])


def test_few_samples_are_as_wide_as_many():
    (points,) = outlines(page_of([[0.1, 0.2, 0.3]]))
    assert points[:3, 0].tolist() == pytest.approx([WIDTH / 6, WIDTH / 2, WIDTH * 5 / 6], rel=1e-3)


def test_time_is_marked_in_seconds():
    page = page_of(np.zeros((1, 24000)), 8000)
    places = marks(page, "middle")
    assert list(places) == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    left, width = (float(page.all("svg")[1][name]) for name in ("x", "width"))
    assert [places[time] for time in (0, 3)] == pytest.approx([left, left + width])


@pytest.mark.parametrize(("peak", "labels"), [(0.001, {-1, 0, 1}), (2.0, {-1, 0, 1}), (50.0, {-50, 0, 50})])
def test_nothing_is_normalised_so_full_scale_is_marked(peak, labels):
    page = page_of(np.full((1, 100), peak))
    places = marks(page, "end")
    assert set(places) == labels
    (points,) = outlines(page)
    top, height = (float(page.all("svg")[1][name]) for name in ("y", "height"))
    letters = 4  # labels are centred on their marks
    for level, place in places.items():
        assert place == pytest.approx(top + letters + (1 - level / max(1, peak)) / 2 * height)
    assert points[0, 1] == pytest.approx((1 - peak / max(1, peak)) / 2 * height, abs=0.01)


def test_clipped_and_broken_places_are_red():
    samples = np.zeros((2, 800))
    samples[0, 100], samples[0, 300], samples[1, 500] = 1.01, np.nan, -2
    paths = page_of(samples).all("path")
    red = [re.findall(r"M([\d.]+),0V", path["d"]) for path in paths if not path["d"].endswith("Z")]
    assert red == [["100.5", "300.5"], ["500.5"]]


def test_each_channel_is_drawn_up_to_a_limit():
    page = page_of(np.zeros((3, 10)))
    assert [text for text in page.text_in("text") if text.startswith("channel")] == [
        "channel 1",
        "channel 2",
        "channel 3",
    ]
    assert len(outlines(page)) == 3
    many = page_of(np.zeros((20, 10)))
    assert len(outlines(many)) == 8
    assert many.caption()[-1] == "The first 8 of 20 channels are drawn."
    assert played(many)[0].shape == (20, 10)


def test_a_long_sound_is_an_excerpt_that_says_so(monkeypatch):
    monkeypatch.setattr(waveforms, "MAX_EMBEDDED", 40_000)
    samples = np.random.default_rng(3).uniform(-0.5, 0.5, (2, 48000))
    page = page_of(samples, 8000)
    sound, _ = played(page)
    assert sound.shape == (2, 10_000)
    assert np.abs(sound / 32768 - samples[:, :10_000]).max() <= 0.5 / 32768 + 1e-9
    assert page.caption()[-1] == "The player has the first 1.25 of 6 s only. Save the sound to hear all of it."
    assert max(marks(page, "middle")) == 6  # all of it is drawn


def test_an_hour_stays_small():
    html = waveform_figure(np.zeros((1, 3600 * 16000), np.float32), 16000, "", [])
    assert len(html) < 8_000_000


def test_samples_stay_as_they_are():
    samples = np.array([[0.5, np.nan, 3.0]], np.float32)
    before = samples.copy()
    page_of(samples)
    assert np.array_equal(samples, before, equal_nan=True)


@pytest.mark.parametrize("peak", [1e-300, 6e4, 1e30, 1.7e308])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_values_of_any_size_have_a_picture(peak, dtype):
    with np.errstate(over="ignore"):
        samples = np.array([[peak, -peak, 0.5, 0]]).astype(dtype)
    page = page_of(samples)
    beyond = peak > 1 and np.isfinite(samples[0, 0])
    assert played(page)[0].tolist() == [[32767, -32768, 16384, 0] if beyond else [0, 0, 16384, 0]]
    (points,) = outlines(page)
    assert np.isfinite(points).all()
