"""Previews: an array drawn in block characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tonearm.findings.mapped_files import copy_mapped, release_pages

if TYPE_CHECKING:
    from tonearm.typing import Array

WIDTH, HEIGHT = 64, 8
_BARS = " ▁▂▃▄▅▆▇█"
_SHADES = " ░▒▓█"
_MAX_VALUES = 4096
"""Largest number of values that a column of a waveform shows."""
_ROWS, _COLUMNS = 32, 16
"""Largest number of rows, spread evenly, and of adjacent columns that a character of a spectrogram shows."""


def draw_preview(array: Array, axes: list[str], width: int = WIDTH) -> list[str]:
    """Return the lines of a preview: the envelope of a waveform, or a spectrogram with low frequencies at the bottom.

    Parameters
    ----------
    array
        Array of any rank; of the axes that the preview does not show, it shows the first position.
    axes
        Names of the axes longer than 1, if they are known.
    width
        Largest number of characters in a line.
    """
    import numpy as np

    inner = array.squeeze()
    if inner.ndim != len(axes):
        axes = ["batch"] * (inner.ndim - 2) + ["bin", "frame"] if inner.ndim > 1 else ["time"]
    every = list(range(inner.ndim))
    shown = ([axis for axis in every if axes[axis] in ("time", "bin", "mel", "frame")] or every)[-2:]
    inner = inner[tuple(slice(None) if axis in shown else 0 for axis in every)]
    if inner.ndim <= 1:
        return [_envelope(np.atleast_1d(inner), width)]
    upright = inner.T if axes[shown[0]] in ("frame", "time") else inner
    return _spectrogram(upright, width)


def _envelope(values: Array, width: int) -> str:
    import numpy as np

    peaks = []
    for start, end in _ranges(len(values), width):
        part = values[start : min(end, start + _MAX_VALUES)]
        peaks.append(float(np.nan_to_num(np.abs(part).astype(np.float64), posinf=0.0).max()))
        release_pages(values)
    top = max(peaks) or 1.0
    return "".join(_BARS[round(peak / top * (len(_BARS) - 1))] for peak in peaks)


def _spectrogram(values: Array, width: int) -> list[str]:
    import numpy as np

    rows, columns = _ranges(values.shape[0], HEIGHT), _ranges(values.shape[1], width)
    lines = []
    for a, b in rows:
        spread = values[a : b : -(-(b - a) // _ROWS)]
        lines.append([_mean(copy_mapped(spread[:, c : min(d, c + _COLUMNS)])) for c, d in columns])
    grid = np.array(lines)
    if grid.min() >= 0:  # linear values would show only their peaks
        grid = np.log(np.maximum(grid, grid.max() * 1e-4 or 1.0))
    low, high = grid.min(), grid.max()
    shades = np.rint((grid - low) / ((high - low) or 1.0) * (len(_SHADES) - 1)).astype(int)
    return ["".join(_SHADES[shade] for shade in row) for row in shades[::-1]]


def _mean(part: Array) -> float:
    import numpy as np

    values = np.abs(part) if part.dtype.kind == "c" else part
    return float(np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0).mean())


def _ranges(size: int, count: int) -> list[tuple[int, int]]:
    """Return at most ``count`` ranges of equal length that cover ``size`` positions."""
    count = min(size, count)
    return [(size * n // count, size * (n + 1) // count) for n in range(count)]
