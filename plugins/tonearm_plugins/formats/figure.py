"""Figures of sounds, drawn by matplotlib: panels one below the other, with axes in seconds, Hz and dB.

Nothing here uses pyplot or changes a setting of matplotlib, and all that a style could change is set explicitly. So
figures can be drawn in any thread, and look the same whatever style the calling program has chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import FloatArray

LEFT, RIGHT, TOP, BOTTOM, BETWEEN = 82, 96, 16, 46, 14
"""Pixels around the panels; a title adds to ``TOP``."""

_TITLE = 26
_BAR = (18, 14)  # pixels from a panel to its colour bar, and across the bar
_LINE = 17  # pixels from one line of text to the next
_THINNEST = 1.2  # pixels between the two sides of a waveform, at least
_DPI = 128  # a power of two: sizes in inches are exact
_PIXEL = 72 / _DPI  # in points
_INK, _PAPER = "#26262c", "white"
_WAVE, _RMS = "#784a8c", "#491664"
_FONT = "DejaVu Sans"  # matplotlib brings it along
_KEYWORDS = {"title": "Title", "artist": "Author", "comment": "Comment", "copyright": "Copyright"}
_LONGEST_KEYWORD = 79  # bytes
_COMPRESSION = 4  # of zlib: files are 3 % larger than with its usual 6, and take 60 % of the time


class SoundFigure:
    """Figure whose panels all span the same time.

    Parameters
    ----------
    width, height
        Size in pixels.
    panels
        Relative height of each panel, from top to bottom.
    seconds
        Duration of the sound.
    title
        Title at the top; none if it is empty.

    Attributes
    ----------
    columns
        Width of a panel in pixels.
    rows
        Height of each panel in pixels.
    """

    def __init__(self, width: int, height: int, panels: Sequence[int], seconds: float, title: str = "") -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self._figure = Figure((width / _DPI, height / _DPI), dpi=_DPI, facecolor=_PAPER)
        self._figure.set_layout_engine("none")
        self._canvas = FigureCanvasAgg(self._figure)
        self._width, self._height, self._seconds = width, height, seconds
        self._top = TOP + (_TITLE if title else 0)
        self._panels: list[Any] = []
        room = height - self._top - BOTTOM - BETWEEN * (len(panels) - 1)
        ends = [room * sum(panels[: number + 1]) // sum(panels) for number in range(len(panels))]
        self.columns = width - LEFT - RIGHT
        self.rows = [end - start for start, end in zip([0, *ends], ends, strict=False)]
        if title:
            self._draw_title(title)

    def add_spectrum(
        self, levels: FloatArray, marks: Sequence[tuple[float, float]], low: float, high: float, unit: str = "dB"
    ) -> None:
        """Add a panel with levels over time and frequency, and their colour bar.

        Parameters
        ----------
        levels
            Levels (rows, frames), the lowest frequency first.
        marks
            Frequencies in Hz to mark, ascending, each with its place on the axis: 0 is the bottom, 1 the top.
        low, high
            Levels of the darkest and of the brightest colour.
        unit
            Unit of the levels.
        """
        import numpy as np

        rows = self.rows[len(self._panels)]
        colours: dict[str, Any] = {"cmap": "magma", "vmin": low, "vmax": high, "aspect": "auto", "origin": "lower"}
        bar = self._axes(LEFT + self.columns + _BAR[0], _BAR[1], rows)
        bar.imshow(np.linspace(low, high, 256)[:, None], extent=(0, 1, low, high), **colours)
        bar.set_xticks([])
        bar.yaxis.tick_right()
        bar.yaxis.set_label_position("right")
        _mark(bar.yaxis, low, high, rows // 28)
        bar.set_ylabel(unit, **_style())
        axes = self._add_panel(rows)
        extent = (0, self._seconds, 0, 1)
        axes.imshow(levels, extent=extent, interpolation="bilinear", interpolation_stage="data", **colours)
        shown: list[tuple[float, float]] = []
        for hertz, place in marks:
            if not shown or (place - shown[-1][1]) * rows >= _LINE:  # the numbers do not touch each other
                shown.append((hertz, place))
        axes.set_yticks([place for _, place in shown], [f"{hertz:,.0f}" for hertz, _ in shown])
        axes.set_ylabel("Hz", **_style())

    def add_wave(self, low: FloatArray, high: FloatArray, rms: FloatArray, limit: float) -> None:
        """Add a panel with the envelope of a waveform: amplitudes are on the left, their levels on the right.

        Parameters
        ----------
        low, high, rms
            Smallest sample, largest sample and root mean square of each column (columns,).
        limit
            Amplitude at the top.
        """
        import math

        import numpy as np

        rows = self.rows[len(self._panels)]
        axes = self._add_panel(rows)
        times = (np.arange(low.size) + 0.5) * (self._seconds / low.size)
        middle, half = (low + high) / 2, np.maximum((high - low) / 2, _THINNEST * limit / rows)
        axes.fill_between(times, middle - half, middle + half, step="mid", color=_WAVE, linewidth=0)
        axes.fill_between(times, -rms, rms, step="mid", color=_RMS, linewidth=0)
        axes.tick_params(right=True)
        marks = _mark(axes.yaxis, -limit, limit, max(min(5, rows // 20), rows // 48))
        for value in filter(None, marks):
            level = _number(round(20 * math.log10(abs(value)), 1)) + (" dBFS" if value == marks[-1] else "")
            place = (1 + 9 / self.columns, value)
            axes.text(*place, level, transform=axes.get_yaxis_transform(), va="center_baseline", **_style())

    def save(self, file: BinaryIO, texts: Mapping[str, str]) -> None:
        """Write the figure to a binary file as PNG, with texts by name."""
        import numpy as np
        from PIL import Image, PngImagePlugin

        for axes in self._panels:
            _mark(axes.xaxis, 0, self._seconds, self.columns // 90)
            axes.tick_params(labelbottom=axes is self._panels[-1])
        self._panels[-1].set_xlabel("seconds", **_style())
        self._canvas.draw()
        info = PngImagePlugin.PngInfo()
        for name, value in texts.items():
            info.add_itxt(_KEYWORDS.get(name, name)[:_LONGEST_KEYWORD], value)
        image = Image.fromarray(np.asarray(self._canvas.buffer_rgba())[..., :3])
        image.save(file, format="PNG", pnginfo=info, compress_level=_COMPRESSION)

    def _add_panel(self, rows: int) -> Any:
        """Add the axes of the next panel."""
        axes = self._axes(LEFT, self.columns, rows)
        self._panels.append(axes)
        self._top += rows + BETWEEN
        return axes

    def _axes(self, left: int, columns: int, rows: int) -> Any:
        bottom = self._height - self._top - rows
        box = (left / self._width, bottom / self._height, columns / self._width, rows / self._height)
        axes = self._figure.add_axes(box, facecolor=_PAPER)
        axes.grid(visible=False)
        axes.tick_params(direction="out", length=5 * _PIXEL, width=_PIXEL, pad=4 * _PIXEL, color=_INK, left=True)
        axes.tick_params(bottom=True, labelcolor=_INK, labelsize=13 * _PIXEL, labelfontfamily=_FONT)
        for spine in axes.spines.values():
            spine.set(edgecolor=_INK, linewidth=_PIXEL, visible=True)
        return axes

    def _draw_title(self, title: str) -> None:
        """Draw as much of the title as fits, with a question mark for each letter that the font does not have."""
        from matplotlib.font_manager import findfont, get_font

        letters = get_font(findfont(_FONT)).get_charmap()
        title = "".join(letter if ord(letter) in letters else "?" for letter in title)
        place = (LEFT / self._width, 1 - TOP / self._height)
        text = self._figure.text(*place, title, va="top", parse_math=False, **_style(17))
        while text.get_window_extent().x1 > self._width - RIGHT:
            title = title[: len(title) * 15 // 16]
            text.set_text(f"{title}...")


def round_numbers(low: float, high: float, steps: int) -> list[float]:
    """Round numbers within limits: at most ``steps`` steps of 1, 2 or 5 times a power of ten."""
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(max(1, steps), steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(value) for value in found if low <= value <= high]


def _mark(axis: Any, low: float, high: float, steps: int) -> list[float]:
    """Mark round numbers on an axis from ``low`` to ``high``, and return them."""
    marks = round_numbers(low, high, steps)
    axis.set_ticks(marks, [_number(value) for value in marks])
    axis.set_view_interval(low, high, ignore=True)
    return marks


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _style(size: int = 13) -> dict[str, Any]:
    return {"color": _INK, "fontsize": size * _PIXEL, "fontfamily": _FONT}
