"""Pictures of sounds, drawn by Pillow: panels one below the other, with axes in seconds, Hz and dB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm_plugins.dsp import display

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

LEFT, RIGHT, TOP, BOTTOM, BETWEEN = 82, 96, 16, 46, 14
"""Pixels around the panels; ``TOP`` is more where there is a title."""

_TITLE = 26
_BAR = (18, 14)  # pixels from a panel to its scale of colours, and how wide that is
_LINE = 17  # pixels that a line of text takes
_INK, _PAPER = (38, 38, 44), (255, 255, 255)
_WAVE, _CORE = (120, 74, 140), (73, 22, 100)
# Where a system has them, for titles beyond ASCII.
_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf", "arial.ttf")
_KEYWORDS = {"title": "Title", "artist": "Author", "comment": "Comment", "copyright": "Copyright"}
_KEYWORD = 79  # bytes of a name, at most


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A panel of levels over time and frequency.

    Parameters
    ----------
    levels
        (rows, frames) in dB, the highest frequency on top.
    marks
        Where frequencies in Hz lie: from 0, the bottom, to 1, the top.
    low, high
        Levels that are darkest and brightest.
    unit
        Of the levels.
    """

    levels: Array
    marks: Sequence[tuple[float, float]]
    low: float
    high: float
    unit: str = "dB"


@dataclass(frozen=True, eq=False)
class Wave:
    """A panel with the outline of a waveform: the least, greatest and root-mean-square sample of each column."""

    low: Array
    high: Array
    rms: Array
    limit: float


Panel = Spectrum | Wave


def columns_of(width: int) -> int:
    """Return how many columns a panel of a picture has."""
    return width - LEFT - RIGHT


def rows_of(height: int, panels: Sequence[type], title: bool) -> list[int]:
    """Return how many rows each panel has: a waveform half as many as a spectrum."""
    weights = [1 if panel is Wave else 2 for panel in panels]
    room = height - TOP - BOTTOM - (_TITLE if title else 0) - BETWEEN * (len(panels) - 1)
    ends = [room * sum(weights[: number + 1]) // sum(weights) for number in range(len(weights))]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def draw(
    file: BinaryIO,
    panels: Sequence[Panel],
    *,
    width: int,
    height: int,
    seconds: float,
    title: str = "",
    texts: Mapping[str, str] | None = None,
) -> None:
    """Write a PNG file.

    Parameters
    ----------
    file
        Open for writing, binary.
    panels
        From top to bottom, all over the same time.
    width, height
        Of the picture in pixels.
    seconds
        That each panel lasts.
    title
        On top; none if it is empty.
    texts
        To go into the file, by name.
    """
    import numpy as np
    from PIL import Image, ImageDraw, PngImagePlugin

    canvas = np.full((height, width, 3), _PAPER, np.uint8)
    top = TOP + (_TITLE if title else 0)
    places = []
    for panel, rows in zip(panels, rows_of(height, [type(panel) for panel in panels], bool(title)), strict=True):
        box = canvas[top : top + rows, LEFT : width - RIGHT]
        box[:] = _pixels(panel, box.shape[0], box.shape[1])
        places.append((top, rows))
        top += rows + BETWEEN
    picture = Image.fromarray(canvas)
    pen = _Pen(ImageDraw.Draw(picture), width)
    for panel, (start, rows) in zip(panels, places, strict=True):
        pen.frame(start, rows)
        if isinstance(panel, Spectrum):
            pen.frequencies(panel, start, rows)
            bar = display.colours(np.linspace(1, 0, rows)[:, None].repeat(_BAR[1], axis=1), 0, 1)
            picture.paste(Image.fromarray(bar), (width - RIGHT + _BAR[0], start))
            pen.levels(panel, start, rows)
        else:
            pen.amplitudes(panel, start, rows)
    start, rows = places[-1]
    pen.times(seconds, start + rows, [start + rows for start, rows in places])
    if title:
        pen.title(title)
    info = PngImagePlugin.PngInfo()
    for name, value in (texts or {}).items():
        info.add_itxt(_KEYWORDS.get(name, name)[:_KEYWORD], value)
    picture.save(file, format="PNG", pnginfo=info)


def _pixels(panel: Panel, rows: int, columns: int) -> Array:
    """Return the inside of a panel: uint8 (rows, columns, 3)."""
    import numpy as np
    from PIL import Image

    if isinstance(panel, Spectrum):
        image = Image.fromarray(np.ascontiguousarray(panel.levels, np.float32))
        levels = np.asarray(image.resize((columns, rows), Image.Resampling.BILINEAR))
        return display.colours(levels, panel.low, panel.high)
    paper = np.broadcast_to(np.array(_PAPER, np.float64), (rows, columns, 3))
    wave = _mixed(paper, _WAVE, _cover(panel.low, panel.high, panel.limit, rows))
    return np.rint(_mixed(wave, _CORE, _cover(-panel.rms, panel.rms, panel.limit, rows, least=0))).astype(np.uint8)


def _cover(low: Array, high: Array, limit: float, rows: int, least: float = 1.2) -> Array:
    """Return how much of each pixel lies between two outlines, from 0 to 1; they are ``least`` pixels apart."""
    import numpy as np

    upper, lower = ((1 - np.clip(edge / limit, -1, 1)) / 2 * rows for edge in (high, low))
    lack = np.maximum(least - (lower - upper), 0) / 2
    upper, lower = upper - lack, lower + lack
    row = np.arange(rows)[:, None]
    return np.asarray(np.clip(np.minimum(row + 1, lower) - np.maximum(row, upper), 0, 1))


def _mixed(paper: Array, ink: tuple[int, int, int], cover: Array) -> Array:
    import numpy as np

    return np.asarray(paper * (1 - cover[..., None]) + np.array(ink, np.float64) * cover[..., None])


class _Pen:
    """Draws what stands around panels."""

    def __init__(self, draw: Any, width: int) -> None:
        from PIL import ImageFont

        self._draw = draw
        self._right = width - RIGHT
        self._width = width
        self._small = ImageFont.load_default(13)

    def frame(self, top: int, rows: int) -> None:
        """Draw the line around a panel."""
        self._draw.rectangle((LEFT - 1, top - 1, self._right, top + rows), outline=_INK)

    def frequencies(self, panel: Spectrum, top: int, rows: int) -> None:
        """Mark frequencies on the left of a panel; those that would touch one another are left out."""
        shown: list[tuple[float, int]] = []
        for hertz, place in panel.marks:
            row = top + round((1 - place) * (rows - 1))
            if not shown or shown[-1][1] - row >= _LINE:
                shown.append((hertz, row))
        for hertz, row in shown:
            self._mark(LEFT, row, -5)
            self._text(LEFT - 9, row, f"{hertz:,.0f}" + (" Hz" if hertz == shown[-1][0] else ""), "rm")

    def levels(self, panel: Spectrum, top: int, rows: int) -> None:
        """Mark levels on the scale of colours."""
        left = self._right + _BAR[0]
        self._draw.rectangle((left - 1, top - 1, left + _BAR[1], top + rows), outline=_INK)
        span = panel.high - panel.low
        marks = display.ticks(panel.low, panel.high, max(1, rows // 28))
        for level in marks:
            row = top + round((panel.high - level) / span * (rows - 1))
            self._mark(left + _BAR[1], row, 4)
            unit = f" {panel.unit}" if level == marks[-1] else ""
            self._text(left + _BAR[1] + 8, row, f"{level:g}{unit}", "lm")

    def amplitudes(self, panel: Wave, top: int, rows: int) -> None:
        """Mark amplitudes on the left of a panel, and how loud these are on the right."""
        import math

        marks = display.ticks(-panel.limit, panel.limit, max(2, rows // 24))
        for value in marks:
            row = top + round((1 - value / panel.limit) / 2 * (rows - 1))
            self._mark(LEFT, row, -5)
            self._text(LEFT - 9, row, f"{value:g}", "rm")
            if value > 0:
                self._mark(self._right, row, 5)
                unit = " dBFS" if value == marks[-1] else ""
                self._text(self._right + 9, row, f"{20 * math.log10(value):.1f}{unit}".replace("0.0 ", "0 "), "lm")

    def times(self, seconds: float, bottom: int, bottoms: Sequence[int]) -> None:
        """Mark times below all panels, in numbers below the last."""
        columns = self._right - LEFT
        for time in display.ticks(0, seconds, max(1, columns // 90)):
            column = LEFT + round(time / seconds * (columns - 1))
            for row in bottoms:
                self._draw.line((column, row + 1, column, row + 5), fill=_INK)
            self._text(column, bottom + 8, f"{time:g}", "mt")
        self._text((LEFT + self._right) / 2, bottom + 26, "seconds", "mt")

    def title(self, text: str) -> None:
        """Write the title on top, as much of it as there is room for."""
        font, text = _font_for(text)
        if font.getlength(text) > self._right - LEFT:
            while len(text) > 1 and font.getlength(text + "...") > self._right - LEFT:
                text = text[:-1]
            text += "..."
        self._draw.text((LEFT, TOP + 2), text, fill=_INK, font=font, anchor="lt")

    def _mark(self, column: int, row: int, length: int) -> None:
        self._draw.line((column + (length > 0), row, column + length, row), fill=_INK)

    def _text(self, column: float, row: float, text: str, anchor: str) -> None:
        self._draw.text((column, row), text, fill=_INK, font=self._small, anchor=anchor)


def _font_for(text: str) -> tuple[Any, str]:
    """Return a font for a title, and the title as that has letters for it; Pillow's own has ASCII alone."""
    import unicodedata

    from PIL import ImageFont

    if not text.isascii():
        for name in _FONTS:
            try:
                return ImageFont.truetype(name, 17), text
            except OSError:
                continue
        text = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
        text = "".join(letter if letter.isascii() else "?" for letter in text if not unicodedata.combining(letter))
    return ImageFont.load_default(17), text
