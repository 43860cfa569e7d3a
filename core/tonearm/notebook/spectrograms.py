"""Spectrograms in a notebook: pictures of levels in dB over seconds and Hz."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tonearm.notebook.html import data_uri, figure_html
from tonearm.notebook.plot import WIDTH, Axis, Panel, linear_axis, plot_svg
from tonearm.notebook.png import SHADES, png_picture
from tonearm.notebook.waveforms import column_blocks

if TYPE_CHECKING:
    from tonearm.typing import Array

MAX_COLUMNS, MAX_ROWS = 1000, 400
"""Largest size of a picture in pixels. Each shows the highest value of those that it stands for."""

RANGE_DB = 80.0
"""Range of the levels that are told apart, below the highest one."""

MAX_DRAWN = 4
"""Largest number of channels that are drawn."""

HEIGHT = 240
"""Height of a channel's picture in a plot."""

_BLOCK = 1 << 22
"""Approximate number of values that are examined at once."""

_SECONDS = 10
"""Largest number of marks on the axis of time."""


def spectrogram_figure(
    values: Callable[[int, int], Array],
    shape: tuple[int, int, int],
    *,
    seconds: tuple[float, float],
    frequencies: Axis,
    title: str,
    notes: Iterable[str] = (),
    in_decibels: bool = True,
) -> str:
    """Return HTML with a picture of each channel, in dB below the highest value of all.

    Parameters
    ----------
    values
        Function that returns the amplitudes, ≥ 0, of a range of frames: (channels, rows, frames).
    shape
        Numbers of channels, of rows and of frames.
    seconds
        Times at which the first frame begins and the last one ends.
    frequencies
        Axis of the rows, the first row at the bottom.
    title
        First line of the caption.
    notes
        Further lines of the caption.
    in_decibels
        Whether levels are shown in dB. If not, ``values`` returns values of any sign, which are shown as they are.
    """
    pooled, bad = pool_values(values, shape, MAX_COLUMNS, MAX_ROWS)
    caption = [title, *notes]
    if in_decibels:
        levels, scale = _decibels(pooled)
    else:
        levels, scale = _range(pooled)
    caption.append(scale)
    if bad:
        caption.append(f"not-finite: {bad} of {math.prod(shape)} values are NaN or infinite, and shown as the lowest")
    drawn = levels[:MAX_DRAWN]
    if len(drawn) < len(levels):
        caption.append(f"The first {MAX_DRAWN} of {len(levels)} channels are drawn.")
    panels = [
        Panel(_image_svg(one), HEIGHT, frequencies, f"channel {n}" if len(levels) > 1 else "")
        for n, one in enumerate(drawn, 1)
    ]
    alt = f"Levels over seconds and Hz: {title}"
    return figure_html([plot_svg(panels, linear_axis("seconds", *seconds, _SECONDS), alt)], caption)


def pool_values(
    values: Callable[[int, int], Array], shape: tuple[int, int, int], columns: int, rows: int
) -> tuple[Array, int]:
    """Return the highest finite value of each pixel, and the number of values that are not finite.

    Parameters
    ----------
    values
        Function that returns the values of a range of frames, as for `spectrogram_figure`.
    shape
        Numbers of channels, of rows and of frames.
    columns, rows
        Largest size of the picture in pixels.

    Returns
    -------
    tuple of ndarray and int
        Values of shape (channels, rows, columns), float64. A pixel without a finite value has the lowest of all.
    """
    import numpy as np

    channels, height, frames = shape
    rows, columns = min(rows, height), min(columns, frames)
    pooled = np.empty((channels, rows, columns))
    row_starts = np.arange(rows) * height // rows
    bad = 0
    for first, last, edges in column_blocks(frames, columns, max(1, _BLOCK // (channels * height))):
        part = values(int(edges[0]), int(edges[-1]))
        finite = np.isfinite(part)
        bad += int(finite.size - np.count_nonzero(finite))
        part = np.where(finite, part, -np.inf)
        highest = np.maximum.reduceat(np.maximum.reduceat(part, row_starts, axis=1), edges[:-1] - edges[0], axis=2)
        pooled[:, :, first:last] = highest
    known = pooled[np.isfinite(pooled)]
    return np.where(np.isfinite(pooled), pooled, known.min() if known.size else 0.0), bad


def _decibels(amplitudes: Array) -> tuple[Array, str]:
    """Return shades of amplitudes, and what they stand for."""
    import numpy as np

    peak = float(amplitudes.max())
    if not peak > 0:
        return np.zeros(amplitudes.shape, np.uint8), "silent: no value is above 0"
    floor = 10 ** (-RANGE_DB / 20)
    levels = 1 + 20 * np.log10(np.maximum(amplitudes / peak, floor)) / RANGE_DB
    scale = f"Colours span {RANGE_DB:g} dB below the highest value, {peak:.4g}."
    return np.rint(levels * (SHADES - 1)).astype(np.uint8), scale


def _range(values: Array) -> tuple[Array, str]:
    """Return shades of values from the lowest to the highest one, and what they stand for."""
    import numpy as np

    low, high = float(values.min()), float(values.max())
    shades = (values / 2 - low / 2) / ((high / 2 - low / 2) or 1.0) * (SHADES - 1)  # halves, as 1e308 is a value too
    return np.rint(shades).astype(np.uint8), f"Colours span the values themselves, from {low:.4g} to {high:.4g}."


def _image_svg(levels: Array) -> str:
    """Return a picture of one channel that fills its panel, low rows at the bottom."""
    address = data_uri(png_picture(levels[::-1]), "image/png")
    return (
        f'<image href="{address}" width="{WIDTH}" height="{HEIGHT}" preserveAspectRatio="none"'
        ' style="image-rendering: auto"/>'
    )
