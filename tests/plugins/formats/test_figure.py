"""Figures: their panels have the size that they say, and round numbers on their axes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tonearm_plugins.formats import figure


def saved(drawing: figure.SoundFigure, **texts: str) -> Any:
    file = io.BytesIO()
    drawing.save(file, texts)
    return Image.open(file)


def test_numbers_are_round_and_few() -> None:
    assert figure.round_numbers(0, 2.3, 10) == [0, 0.5, 1, 1.5, 2]
    assert figure.round_numbers(-80, 0, 8) == [-80, -70, -60, -50, -40, -30, -20, -10, 0]
    assert figure.round_numbers(0, 7200, 10) == [0, 1000, 2000, 3000, 4000, 5000, 6000, 7000]
    for high in (0.003, 1.0, 11025.0, 12345.678):
        for steps in (1, 3, 10):
            assert len(figure.round_numbers(0, high, steps)) <= steps + 1


@pytest.mark.parametrize(("width", "height"), [(320, 160), (1200, 600), (1201, 777), (3000, 161)])
@pytest.mark.parametrize("title", ["", "x"])
def test_panels_have_the_size_that_they_say(width: int, height: int, title: str) -> None:
    drawing = figure.SoundFigure(width, height, [1, 2], 2.0, title)
    wave = np.zeros(drawing.columns)
    drawing.add_wave(wave, wave, wave, 1.0)
    drawing.add_spectrum(np.ones((drawing.rows[1], 3)), [], 0.0, 1.0)  # bright all over
    image = saved(drawing)
    assert image.size == (width, height)
    pixels = np.asarray(image.convert("RGB")).astype(int)
    top = height - figure.BOTTOM - drawing.rows[1]
    assert top - drawing.rows[0] - figure.BETWEEN == figure.TOP + 26 * bool(title)
    assert 1.5 < drawing.rows[1] / drawing.rows[0] < 2.5
    panel = pixels[top + 1 : height - figure.BOTTOM - 1, figure.LEFT + 1 : width - figure.RIGHT - 1]
    assert (panel == panel[0, 0]).all()
    frame = pixels[top - 2 : height - figure.BOTTOM + 2, figure.LEFT + 5]
    assert (frame[[0, -1]] == 255).all()
    assert (frame[1:3].min() < 100) & (frame[-3:-1].min() < 100)


def test_numbers_on_an_axis_do_not_touch_each_other() -> None:
    drawing = figure.SoundFigure(600, 300, [1], 1.0)
    marks = [(float(hertz), hertz / 8000) for hertz in range(0, 8001, 100)]
    drawing.add_spectrum(np.zeros((10, 10)), marks, 0.0, 1.0)
    (axes,) = drawing._panels
    places = axes.get_yticks() * drawing.rows[0]
    assert (np.diff(places) >= 17).all()
    assert (np.diff(places) < 17 + drawing.rows[0] / 80).all()
    assert [label.get_text() for label in axes.get_yticklabels()][1] == "600"


def test_levels_of_amplitudes_are_on_the_right() -> None:
    drawing = figure.SoundFigure(600, 300, [1], 1.0)
    wave = np.zeros(drawing.columns)
    drawing.add_wave(wave, wave, wave, 1.0)
    (axes,) = drawing._panels
    found = {text.get_position()[1]: text.get_text() for text in axes.texts}
    assert found == {-1: "0", -0.5: "−6", 0.5: "−6", 1: "0 dBFS"}


def test_texts_go_into_the_file() -> None:
    drawing = figure.SoundFigure(320, 160, [1], 1.0)
    drawing.add_spectrum(np.zeros((2, 2)), [], 0.0, 1.0)
    image = saved(drawing, title="Grüße", mood="x" * 3)
    assert image.text == {"Title": "Grüße", "mood": "xxx"}
    assert image.mode == "RGB"
