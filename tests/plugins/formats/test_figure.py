"""Figures: their panels have the size that they say, and round numbers on their axes."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.colors import same_color
from PIL import Image

from tonearm_plugins.formats import figure

PIXEL = 72 / 128
"""A pixel in points."""
INK = "#26262c"


def saved(drawing: figure.SoundFigure, **texts: str) -> Any:
    file = io.BytesIO()
    drawing.save(file, texts)
    return Image.open(file)


def test_numbers_are_round_and_few() -> None:
    assert figure.round_numbers(0, 2.3, 10) == [0, 0.5, 1, 1.5, 2]
    assert figure.round_numbers(-80, 0, 8) == [-80, -70, -60, -50, -40, -30, -20, -10, 0]
    assert figure.round_numbers(0, 1, 0) == figure.round_numbers(0, 1, 1) == [0, 1]
    assert figure.round_numbers(0, 1, 2) == [0, 0.5, 1]
    assert figure.round_numbers(0, 9, 5) == [0, 2, 4, 6, 8]
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


def drawn(title: str = "$a$ title") -> tuple[figure.SoundFigure, bytes]:
    """A waveform above a spectrum, and the file that is saved."""
    drawing, file = figure.SoundFigure(600, 400, [1, 2], 2.0, title), io.BytesIO()
    wave = np.linspace(0, 0.5, drawing.columns)
    drawing.add_wave(-wave, wave / 2, wave / 4, 2.0)
    drawing.add_spectrum(np.eye(5), [(0.0, 0.0), (12_345.6, 0.5)], -80.0, 0.0, "dB of it")
    drawing.save(file, {})
    return drawing, file.getvalue()


@pytest.fixture(scope="module")
def plain() -> tuple[figure.SoundFigure, bytes]:
    return drawn()


@pytest.fixture
def axes(plain: tuple[figure.SoundFigure, bytes]) -> list[Any]:
    """The axes of the waveform, of the colour bar and of the spectrum."""
    return list(plain[0]._figure.axes)


def is_ink(text: Any, size: float) -> bool:
    return bool(
        text.get_color() == INK
        and text.get_fontsize() == pytest.approx(size * PIXEL)
        and text.get_fontfamily() == ["DejaVu Sans"]
    )


def test_axes_are_where_their_pixels_are_and_are_drawn_in_ink(
    plain: tuple[figure.SoundFigure, bytes], axes: list[Any]
) -> None:
    drawing, (wave, bar, spectrum) = plain[0], axes
    assert drawing._panels == [wave, spectrum]
    assert drawing.rows == [99, 199]  # a third of 400 - 42 - 46 - 14 pixels, and the rest
    assert drawing.columns == 600 - 82 - 96
    assert (drawing._figure.dpi, list(drawing._figure.get_size_inches() * 128)) == (128, [600, 400])
    for panel, left, bottom, width, height in (
        (wave, 82, 259, 422, 99),
        (spectrum, 82, 46, 422, 199),
        (bar, 82 + 422 + 18, 46, 14, 199),
    ):
        found = panel.get_window_extent()
        assert (found.x0, found.y0, found.width, found.height) == pytest.approx((left, bottom, width, height))
        assert same_color(panel.get_facecolor(), "white")
        for axis in (panel.xaxis, panel.yaxis):
            ticks = axis.get_tick_params()
            sizes = (ticks["length"], ticks["width"], ticks["pad"], ticks["labelsize"])
            assert sizes == pytest.approx((5 * PIXEL, PIXEL, 4 * PIXEL, 13 * PIXEL))
            assert (ticks["direction"], ticks["color"], ticks["labelcolor"]) == ("out", INK, INK)
            assert ticks["labelfontfamily"] == "DejaVu Sans"
            assert not ticks["gridOn"]
        for spine in panel.spines.values():
            assert (spine.get_linewidth(), spine.get_visible()) == (PIXEL, True)
            assert same_color(spine.get_edgecolor(), INK)
    wave_ticks, bar_ticks = wave.yaxis.get_tick_params(), bar.yaxis.get_tick_params()
    assert (wave_ticks["left"], wave_ticks["right"], wave_ticks.get("labelright", False)) == (True, True, False)
    assert (bar_ticks["right"], bar_ticks["labelright"], bar.yaxis.get_label_position()) == (True, True, "right")
    assert (bar_ticks["left"], list(bar.get_xticks())) == (False, [])
    assert not wave.xaxis.get_tick_params()["labelbottom"]
    assert spectrum.xaxis.get_tick_params()["labelbottom"]
    assert spectrum.xaxis.get_tick_params()["bottom"]
    labels = (spectrum.xaxis.label, spectrum.yaxis.label, bar.yaxis.label)
    assert [label.get_text() for label in labels] == ["seconds", "Hz", "dB of it"]
    assert wave.xaxis.label.get_text() == wave.yaxis.label.get_text() == ""
    assert all(is_ink(text, 13) for text in (*labels, *wave.texts))


def test_ticks_are_round_and_as_many_as_there_is_room_for(axes: list[Any]) -> None:
    wave, bar, spectrum = axes
    for panel in (wave, spectrum):
        assert list(panel.get_xticks()) == [0, 0.5, 1, 1.5, 2]
        assert list(panel.get_xlim()) == [0, 2]
    assert [label.get_text() for label in spectrum.get_xticklabels()] == ["0", "0.5", "1", "1.5", "2"]
    assert (list(wave.get_yticks()), list(wave.get_ylim())) == ([-2, -1, 0, 1, 2], [-2, 2])
    assert (list(bar.get_yticks()), list(bar.get_ylim())) == (list(range(-80, 1, 20)), [-80, 0])
    assert [label.get_text() for label in bar.get_yticklabels()][:2] == ["−80", "−60"]
    assert [label.get_text() for label in spectrum.get_yticklabels()] == ["0", "12,346"]
    assert list(spectrum.get_yticks()) == [0, 0.5]


@pytest.mark.parametrize(
    ("height", "steps"),
    [(19, 1), (39, 1), (40, 2), (99, 4), (100, 5), (120, 5), (287, 5), (288, 6), (480, 10)],
)
def test_marks_of_amplitudes_have_room(monkeypatch: pytest.MonkeyPatch, height: int, steps: int) -> None:
    """Twenty pixels each up to five of them, and forty-eight beyond."""
    asked = []
    monkeypatch.setattr(figure, "round_numbers", lambda low, high, steps: asked.append((low, high, steps)) or [0.0])
    drawing = figure.SoundFigure(320, height + 62, [1], 1.0)
    wave = np.zeros(drawing.columns)
    drawing.add_wave(wave, wave, wave, 0.5)
    assert drawing.rows == [height]
    assert [(low, high, max(1, steps)) for low, high, steps in asked] == [(-0.5, 0.5, steps)]


@pytest.mark.parametrize(("width", "times"), [(178 + 179, 1), (178 + 180, 2), (178 + 449, 4), (178 + 450, 5)])
def test_marks_of_times_and_levels_have_room(monkeypatch: pytest.MonkeyPatch, width: int, times: int) -> None:
    """Ninety pixels for a time, and twenty-eight for a level."""
    asked = []
    monkeypatch.setattr(figure, "round_numbers", lambda low, high, steps: asked.append((low, high, steps)) or [0.0])
    for height, levels in ((111, 3), (112, 4)) if times == 1 else ((55, 1),):
        drawing = figure.SoundFigure(width, height + 62, [1], 3.0)
        drawing.add_spectrum(np.zeros((2, 2)), [], -1.0, 1.0)
        drawing.save(io.BytesIO(), {})
        assert asked[-2:] == [(-1, 1, levels), (0, 3, times)]


def test_a_wave_is_filled_between_its_samples_and_never_thinner_than_a_line(axes: list[Any]) -> None:
    envelope, loudness = axes[0].collections
    times = (np.arange(422) + 0.5) / 211
    values = np.linspace(0, 0.5, 422)
    thinnest = 1.2 * 2 / 99
    middle, half = -values / 4, np.maximum(values * 0.75, thinnest)
    for found, low, high, colour in (
        (envelope, middle - half, middle + half, "#784a8c"),
        (loudness, -values / 4, values / 4, "#491664"),
    ):
        expected = FillBetweenPolyCollection("x", times, low, high, step="mid")
        np.testing.assert_allclose(found.get_paths()[0].vertices, expected.get_paths()[0].vertices)
        assert same_color(found.get_facecolor(), colour)
        assert list(found.get_linewidth()) == [0]


def test_a_wave_beyond_the_limit_is_cut_off() -> None:
    drawing = figure.SoundFigure(600, 400, [1], 1.0)
    wave = np.full(drawing.columns, 3.0)
    drawing.add_wave(-wave, wave, wave, 2.0)
    assert list(drawing._panels[0].get_ylim()) == [-2, 2]


def test_levels_beside_a_wave_are_behind_its_ticks(axes: list[Any]) -> None:
    wave = axes[0]
    levels = {text.get_position()[1]: text.get_text() for text in wave.texts}
    assert levels == {-2: "6", -1: "0", 1: "0", 2: "6 dBFS"}
    for text in wave.texts:
        assert text.get_position()[0] == 1 + 9 / 422
        assert text.get_verticalalignment() == "center_baseline"
        assert text.get_transform() == wave.get_yaxis_transform()


def test_a_spectrum_and_its_bar_have_the_same_colours(axes: list[Any]) -> None:
    _, bar, spectrum = axes
    levels, colours = spectrum.images[0], bar.images[0]
    for picture in (levels, colours):
        assert (picture.get_cmap().name, picture.get_clim(), picture.origin) == ("magma", (-80, 0), "lower")
        assert picture.axes.get_aspect() == "auto"
    assert list(levels.get_extent()) == [0, 2, 0, 1]
    assert (levels.get_interpolation(), levels.get_interpolation_stage()) == ("bilinear", "data")
    assert np.array_equal(levels.get_array(), np.eye(5))
    assert list(colours.get_extent()) == [0, 1, -80, 0]
    assert np.array_equal(colours.get_array(), np.linspace(-80, 0, 256)[:, None])


def title(text: str) -> Any:
    (found,) = figure.SoundFigure(600, 400, [1], 1.0, text)._figure.texts
    return found


def test_a_title_has_letters_of_the_font_alone_and_no_formulas() -> None:
    text = title("$x$ 漢 ü")
    assert (text.get_text(), text.get_parse_math(), text.get_verticalalignment()) == ("$x$ ? ü", False, "top")
    assert is_ink(text, 17)
    assert text.get_position() == (82 / 600, 1 - 16 / 400)
    assert figure.SoundFigure(600, 400, [1], 1.0)._figure.texts == []


def test_a_title_is_cut_by_sixteenths_until_it_fits() -> None:
    text, lengths = title("m" * 64), [64]
    kept = len(text.get_text()) - 3
    assert text.get_text() == "m" * kept + "..."
    assert text.get_window_extent().x1 <= 600 - 96
    while lengths[-1] > kept:
        lengths.append(lengths[-1] * 15 // 16)
    assert lengths[-1] == kept
    text.set_text("m" * lengths[-2] + "...")
    assert text.get_window_extent().x1 > 600 - 96


def test_a_style_of_the_calling_program_changes_nothing(plain: tuple[figure.SoundFigure, bytes]) -> None:
    style: dict[str, Any] = {
        "axes.grid": True,
        "axes.xmargin": 0.2,
        "axes.ymargin": 0.2,
        "axes.facecolor": "red",
        "axes.spines.top": False,
        "axes.spines.left": False,
        "figure.facecolor": "blue",
        "figure.autolayout": True,
        "figure.dpi": 50,
        "font.size": 30,
        "font.family": "serif",
        "image.origin": "upper",
        "text.color": "red",
        "axes.labelcolor": "red",
    }
    for axis, side in (("xtick", "bottom"), ("ytick", "left")):
        style |= {f"{axis}.{side}": False, f"{axis}.direction": "in", f"{axis}.major.size": 20, f"{axis}.color": "red"}
    with mpl.rc_context(style):
        assert drawn()[1] == plain[1]


def test_a_file_is_packed_as_pillow_packs_at_level_4(plain: tuple[figure.SoundFigure, bytes]) -> None:
    drawing, file = plain
    again = io.BytesIO()
    Image.fromarray(np.asarray(drawing._canvas.buffer_rgba())[..., :3]).save(again, "PNG", compress_level=4)
    assert again.getvalue() == file


def test_texts_go_into_the_file() -> None:
    drawing = figure.SoundFigure(320, 160, [1], 1.0)
    drawing.add_spectrum(np.zeros((2, 2)), [], 0.0, 1.0)
    texts = {"title": "Grüße", "artist": "a", "comment": "b", "copyright": "c", "mood": "d", "x" * 80: "e"}
    image = saved(drawing, **texts)
    known = {"Title": "Grüße", "Author": "a", "Comment": "b", "Copyright": "c"}
    assert image.text == known | {"mood": "d", "x" * 79: "e"}
    assert image.mode == "RGB"
