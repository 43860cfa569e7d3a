"""Plots as SVG: panels above one another on one axis of seconds, each with its own axis, marked at round figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from tonearm.notebook.html import escape_html

WIDTH = 800
"""Width of every panel."""

_LEFT, _RIGHT, _TOP, _BOTTOM, _BETWEEN = 64, 12, 8, 36, 10
_LETTER = 12
"""Height of letters."""

_FEW = 3
"""Number of marks below which round figures are too far apart."""

_ROUND = (1, 2, 5)
"""First digits of round figures."""


class Axis(Struct, frozen=True):
    """An axis.

    Parameters
    ----------
    name
        Unit or name of what it shows: ``Hz``.
    marks
        Places and labels of its marks. A place is a fraction of its length, from left to right or from the bottom up.
    """

    name: str
    marks: tuple[tuple[float, str], ...] = ()


class Panel(Struct, frozen=True):
    """One panel of a plot.

    Parameters
    ----------
    content
        What it shows, as SVG in a space of `WIDTH` × ``height`` from the top left.
    height
        Height.
    axis
        Axis on its left.
    label
        Label in its upper left corner; empty if it needs none.
    """

    content: str
    height: int
    axis: Axis
    label: str = ""


def linear_axis(name: str, low: float, high: float, most: int) -> Axis:
    """Return an axis with marks at equal, round distances.

    Parameters
    ----------
    name
        Name of the axis.
    low, high
        Values at its ends.
    most
        Largest number of marks.

    Examples
    --------
    >>> linear_axis("Hz", 0, 2500, 4).marks
    ((0.0, '0'), (0.4, '1000'), (0.8, '2000'))
    """
    step = _round_step((high - low) / most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return Axis(name, tuple(((n * step - low) / (high - low), f"{n * step:.7g}") for n in range(first, last + 1)))


def curved_axis(name: str, low: float, high: float, place: Callable[[float], float], gap: float) -> Axis:
    """Return an axis with marks at 1, 2 and 5 of each power of ten, or at equal distances if these are too few.

    Parameters
    ----------
    name
        Name of the axis.
    low, high
        Values at its ends, the lower one above 0.
    place
        Function that returns the place of a value, which grows with the value.
    gap
        Least distance between two marks. Where they are nearer, only the lower one stays.
    """
    marks: list[tuple[float, str]] = []
    values = list(_round_figures(low, high))
    if len(values) < _FEW and low < high:
        step = _round_step((high - low) / _FEW)
        values = [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    for value in values:
        at = place(value)
        if 0 <= at <= 1 and (not marks or at - marks[-1][0] >= gap):
            marks.append((at, f"{value:.7g}"))
    return Axis(name, tuple(marks))


def _round_step(least: float) -> float:
    """Return the smallest round figure that is not below a value."""
    unit = float(10.0 ** math.floor(math.log10(least)))
    return next(digit * unit for digit in (*_ROUND, 10) if digit * unit >= least * (1 - 1e-9))


def _round_figures(low: float, high: float) -> Iterator[float]:
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        yield from (digit * 10.0**power for digit in _ROUND if low <= digit * 10.0**power <= high)


def plot_svg(panels: Sequence[Panel], below: Axis, alt: str) -> str:
    """Return a plot.

    Parameters
    ----------
    panels
        Panels, from the top.
    below
        Axis below the last panel, which all share.
    alt
        Text in place of the plot, for people who do not see it.
    """
    top, parts = _TOP, []
    for panel in panels:
        parts.append(_panel_svg(panel, top))
        top += panel.height + _BETWEEN
    bottom = top - _BETWEEN
    for place, label in below.marks:
        at = _LEFT + place * WIDTH
        parts += [_line(at, bottom, at, bottom + 4), _text(at, bottom + 4 + _LETTER, label, "middle")]
    parts.append(_text(_LEFT + WIDTH, bottom + _BOTTOM - 4, below.name, "end"))
    width, height = _LEFT + WIDTH + _RIGHT, bottom + _BOTTOM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape_html(alt)}"'
        f' viewBox="0 0 {width} {height}" style="width: 100%; height: auto; display: block" fill="currentColor"'
        f' stroke="none" font-family="sans-serif" font-size="{_LETTER}"><title>{escape_html(alt)}</title>'
        f"{''.join(parts)}</svg>"
    )


def _panel_svg(panel: Panel, top: float) -> str:
    height, axis = panel.height, panel.axis
    parts = [
        f'<svg x="{_LEFT}" y="{top}" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">'
        f"{panel.content}</svg>",
        f'<rect x="{_LEFT}" y="{top}" width="{WIDTH}" height="{height}" fill="none" stroke="currentColor"'
        ' stroke-opacity="0.4"/>',
    ]
    for place, label in axis.marks:
        at = top + (1 - place) * height
        parts += [_line(_LEFT - 4, at, _LEFT, at), _text(_LEFT - 7, at + _LETTER / 3, label, "end")]
    if axis.name:
        middle = top + height / 2
        parts.append(_text(_LETTER, middle, axis.name, "middle", f' transform="rotate(-90 {_LETTER} {middle:g})"'))
    if panel.label:
        parts.append(_text(_LEFT + 6, top + _LETTER + 2, panel.label, "start"))
    return "".join(parts)


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="currentColor" stroke-opacity="0.6"/>'


def _text(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{more}>{escape_html(text)}</text>'
