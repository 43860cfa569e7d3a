"""Frames of a complex spectrogram: whether neighbours overlap as the grid says, or by which other grid they do.

A frame is a part of the sound times the window. So two neighbours that lie one hop apart, each times the window of the
other, are the same samples where both reach.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from tonearm.findings.mapped_files import copy_mapped
from tonearm.signals.windows import WindowPosition, window_values

if TYPE_CHECKING:
    from tonearm.signals import StftGrid
    from tonearm.typing import Array

MAX_FRAMES = 512
"""Largest number of frames among which the loudest are found, in the middle."""

LEVEL_BINS = 16
"""Number of bins that show how loud a frame is."""

PAIRS = 3
"""Number of pairs of frames that all have to fit another grid."""

LIKE = 0.9
"""Least correlation of frames that overlap; masks and other changes of a model leave more."""

EXACT = 0.02
"""Largest difference of frames that overlap, as a fraction of their size, in what an analysis gave."""

SURE = 2e-3
"""Largest difference at which another window is taken for that of the analysis."""

OTHER_PARTS = 0.2
"""Largest difference of frames whose parts are exchanged; the parts of the end bins are lost."""

MIN_OVERLAP = 16
"""Smallest number of samples in which neighbours are compared."""

AUDIBLE = 3e-6
"""Largest sample of a frame that is a rounding error, as a fraction of the largest."""

MAX_ZEROS = 12
"""Number of positions in which a window may be too small to leave more than rounding errors."""

USUAL_HOPS = (256, 160, 300, 275, 200, 240, 320, 441, 480)
"""Hop lengths of model families."""

WINDOWS = ("hann", "hamming", "blackman", "boxcar", "hann_symmetric", "hamming_symmetric")
"""Windows that are tried."""


class OtherGrid(NamedTuple):
    """Figures of the grid that frames show, in place of those that are given.

    Parameters
    ----------
    options
        Options with other values, by name.
    parts
        ``conjugate`` or ``swapped`` if the imaginary parts show it; empty if not.
    """

    options: dict[str, object]
    parts: str = ""


def other_grid(values: Array, grid: StftGrid) -> OtherGrid | None:
    """Return what neighbouring frames show in place of a grid; None if they fit it, or show nothing.

    Parameters
    ----------
    values
        Complex values of shape (bins, frames), of one side with all bins.
    grid
        Grid of the analysis.
    """
    hop = grid.hop_length
    if values.shape[1] < PAIRS + 1:
        return None
    first = _loudest(values, 1)
    if not first:
        return None
    window = _window(grid.window, grid.win_length, grid.n_fft, grid.window_position)
    if hop <= grid.n_fft - MIN_OVERLAP and _difference([_pair(values, first[0], grid.n_fft)], window, hop) <= EXACT:
        return None
    pairs = [_pair(values, place, grid.n_fft) for place in _loudest(values, PAIRS)]
    if len(pairs) < PAIRS:
        return None
    if origin := _other_origin(pairs, grid):
        return OtherGrid(origin)
    found = _other_parts(pairs, window, hop) or OtherGrid({}) if not _overlap(pairs, hop) else None
    if found is not None and found.parts:
        return found
    if found is not None:
        other, difference = _other_hop(pairs, window)
        if other == 0:
            return None
        if difference <= EXACT:
            return OtherGrid({"hop_length": other})
        changed = _other_window(pairs, grid, other)
        return OtherGrid({"hop_length": other, **changed})
    changed = _other_window(pairs, grid, hop)
    return OtherGrid(changed) if changed else None


def _loudest(values: Array, count: int) -> list[int]:
    """Return the places of the loudest frames that have a neighbour behind them, none of which is silent."""
    import numpy as np

    frames = values.shape[1]
    taken = min(frames, MAX_FRAMES)
    first = (frames - taken) // 2
    step = max(values.shape[0] // LEVEL_BINS, 1)
    part = copy_mapped(values[1::step, first : first + taken])
    level = np.abs(part).sum(axis=0)
    both = np.minimum(level[:-1], level[1:])
    order = np.argsort(-both)[:count]
    return [first + int(place) for place in order if both[place] > 0]


def _pair(values: Array, place: int, n_fft: int) -> tuple[Array, Array]:
    """Return a frame and its neighbour as samples."""
    import numpy as np

    frames = np.fft.irfft(np.asarray(values[:, place : place + 2]).T, n=n_fft)
    return frames[0], frames[1]


@functools.lru_cache(maxsize=64)
def _window(name: str | tuple[float, ...], win_length: int, n_fft: int, position: WindowPosition) -> Array:
    import numpy as np

    return np.array(window_values(name, win_length, n_fft, position))


def _difference(pairs: list[tuple[Array, Array]], window: Array, hop: int) -> float:
    """Return the largest difference of frames, each times the window of the other, relative to their size."""
    import numpy as np

    worst = 0.0
    for one, other in pairs:
        left, right = one[hop:] * window[:-hop], other[:-hop] * window[hop:]
        size = float(np.sqrt(max(left @ left, right @ right)))
        gap = left - right
        worst = max(worst, float(np.sqrt(gap @ gap)) / size if size > 0 else 1.0)
    return worst


def _overlap(pairs: list[tuple[Array, Array]], hop: int) -> bool:
    """Return whether all pairs of frames are alike where they overlap."""
    import numpy as np

    for one, other in pairs:
        left, right = one[hop:], other[:-hop]
        if len(left) < MIN_OVERLAP:
            return False
        # Both windows weigh both parts, so that windows of any shape leave them alike.
        weight = np.abs(left) * np.abs(right)
        size = float(weight.sum())
        if not size > 0 or float((left * right).sum()) < LIKE * size:
            return False
    return True


def _other_parts(pairs: list[tuple[Array, Array]], window: Array, hop: int) -> OtherGrid | None:
    """Return whether frames fit if their imaginary parts have the other sign, or stand in place of the real parts."""
    import numpy as np

    if hop > len(window) - MIN_OVERLAP:
        return None
    found = {}
    for name, turn in (("conjugate", 1), ("swapped", 1j)):
        changed = []
        for pair in pairs:
            one, other = (np.fft.irfft(np.fft.rfft(frame).conj() * turn, n=len(window)) for frame in pair)
            changed.append((one, other))
        found[name] = _difference(changed, window, hop)
    best = min(found, key=lambda name: found[name])
    return OtherGrid({}, best) if found[best] <= OTHER_PARTS else None


def _other_origin(pairs: list[tuple[Array, Array]], grid: StftGrid) -> dict[str, object]:
    """Return the origin of the phases if frames fit when phases count from the centre of a window at the start.

    Frames are then turned by half of the window, as those of scipy's ``ShortTimeFFT`` are.
    """
    import numpy as np

    n_fft = grid.n_fft
    if grid.hop_length > n_fft - MIN_OVERLAP or grid.phase_origin != "frame-start":
        return {}

    def difference(length: int) -> float:
        turned = [(np.roll(one, length // 2), np.roll(other, length // 2)) for one, other in pairs]
        return _difference(turned, _window(grid.window, length, n_fft, "start"), grid.hop_length)

    if difference(grid.win_length) <= EXACT:
        return {"phase_origin": "window-center"}
    # A shorter window leaves zeros in the middle of the frame, and its first values may be zeros, too.
    middle = np.flatnonzero(_level(pairs) <= AUDIBLE)
    if len(middle) <= MAX_ZEROS or middle[0] == 0 or middle[-1] == n_fft - 1:
        return {}
    shortest = n_fft - len(middle)
    length = min(range(shortest, shortest + MAX_ZEROS), key=difference)
    return {"phase_origin": "window-center", "win_length": length} if difference(length) <= EXACT else {}


def _other_hop(pairs: list[tuple[Array, Array]], window: Array) -> tuple[int, float]:
    """Return the hop length at which frames are most alike, and their difference there; 0 if they are at none."""
    n_fft = len(window)
    usual = (*(n_fft * part // 16 for part in (4, 8, 2, 6, 1)), *USUAL_HOPS)
    found = (0, 2.0)
    for hop in dict.fromkeys((*usual, *range(MIN_OVERLAP, n_fft))):
        if not MIN_OVERLAP <= hop <= n_fft - n_fft // 8 or not _overlap(pairs, hop):
            continue
        difference = _difference(pairs, window, hop)
        if difference < found[1]:
            found = (hop, difference)
        if difference <= EXACT:
            break
    return found


def _other_window(pairs: list[tuple[Array, Array]], grid: StftGrid, hop: int) -> dict[str, object]:
    """Return the figures of the window that frames have exactly; an empty mapping if they have none that is known."""
    first, last = _support(pairs)
    support = last - first + 1  # windows may begin and end with zeros
    places: list[tuple[int, WindowPosition]] = [(grid.win_length, grid.window_position), (grid.n_fft, "center")]
    for length in range(support, min(support + MAX_ZEROS, grid.n_fft + 1)):
        places += [(length, "center"), (length, "start")]
    for length, position in dict.fromkeys(places):
        for name in WINDOWS:
            if _difference(pairs, _window(name, length, grid.n_fft, position), hop) > SURE:
                continue
            found = {"window": name, "win_length": length, "window_position": position}
            return {option: value for option, value in found.items() if getattr(grid, option) != value}
    return {}


def _support(pairs: list[tuple[Array, Array]]) -> tuple[int, int]:
    """Return the first and the last position of frames that is not 0."""
    import numpy as np

    inside = np.flatnonzero(_level(pairs) > AUDIBLE)
    return int(inside[0]), int(inside[-1])


def _level(pairs: list[tuple[Array, Array]]) -> Array:
    """Return the largest sample at each position of frames, as a fraction of the largest of its frame."""
    import numpy as np

    level: Array = np.max([np.abs(frame) / np.abs(frame).max() for pair in pairs for frame in pair], axis=0)
    return level
