"""How the bins of a spectrogram are laid out along an axis, as far as values show it: its sides and its parts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from tonearm.findings.mapped_files import copy_mapped

if TYPE_CHECKING:
    from tonearm.typing import Array

Layout: TypeAlias = Literal[
    "",
    "two",
    "centered",
    "centered-nyquist-last",
    "complex-bin",
    "bin-complex",
    "polar-bin",
    "bin-polar",
    "polar",
    "reversed-polar",
]
"""Layout along an axis: both sides of the spectrum, as the option ``sides`` names them; real and imaginary parts in one
axis (``complex-bin``, ``bin-complex``); magnitudes and phases in one axis, or in an axis of two (``polar``;
``reversed-polar`` with the phases first)."""

USUAL_N_FFTS = frozenset(
    (
        *(1 << power for power in range(7, 14)),
        *(320, 400, 480, 640, 800, 882, 960, 1200, 1280, 1536, 1600, 1920, 2400, 3072),
    )
)
"""Usual values of n_fft: powers of two, and 10 to 50 ms at 16 to 48 kHz."""

USUAL_N_MELS = frozenset((20, 24, 32, 40, 48, 60, 64, 72, 80, 96, 100, 120, 128, 160, 192, 200, 229, 240, 256, 512))
"""Usual numbers of mel bands."""

MIN_ROWS = 32
"""Smallest number of positions along an axis whose layout is examined."""

MAX_VALUES = 1 << 18
"""Largest number of values of the part of an array that is examined."""

MAX_ROWS = 1 << 15
"""Largest number of positions along an axis that is examined."""

MIRROR_TOLERANCE = 1e-3
"""Largest difference of two sides that are alike, as a fraction of their root mean square."""

ZERO_TOLERANCE = 1e-5
"""Largest imaginary part of the end bins of real samples, as a fraction of the largest value."""

PHASE_LIMIT = math.pi * 1.001
MIN_PHASE = 2.8
"""Smallest peak of phases; those of any spectrogram come near ±π."""

MAX_DISTANCE = 0.92
"""Largest distance of the levels of both parts of a bin, as a fraction of that of neighbouring bins."""

MIN_LIKENESS = 0.9
"""Least correlation of the levels of real and of imaginary parts over the bins."""


def layout_along(array: Array, axis: int) -> Layout:
    """Return the layout of the bins along an axis; an empty text if values show none.

    Parameters
    ----------
    array
        Array of numbers, of which a bounded part is read.
    axis
        Axis to examine.
    """
    import numpy as np

    count = array.shape[axis]
    if array.dtype.kind not in "fc" or (count != 2 and not MIN_ROWS <= count <= MAX_ROWS):
        return ""
    rows = _rows(array, axis)
    if rows.shape[1] < 2 or not np.abs(rows).max() > 0:
        return ""
    if count == 2:
        if rows.dtype.kind != "f":
            return ""
        return "polar" if _are_polar(rows[:1], rows[1:]) else "reversed-polar" if _are_polar(rows[1:], rows[:1]) else ""
    parts = _parts(rows) if rows.dtype.kind == "f" and count % 2 == 0 else ""
    return parts or _sides(rows)


def _rows(array: Array, axis: int) -> Array:
    """Return a part of an array as finite double-precision rows: (positions along the axis, others)."""
    import numpy as np

    count = array.shape[axis]
    places: list[Any] = [slice(None)] * array.ndim
    left = max(MAX_VALUES // count, 2)
    for other in sorted((other for other in range(array.ndim) if other != axis), key=lambda one: -array.shape[one]):
        is_pair = array.shape[other] == 2 and array.ndim > 2  # of parts, only the real one mirrors itself
        taken = 1 if is_pair else min(array.shape[other], left)
        first = (array.shape[other] - taken) // 2
        places[other] = slice(first, first + taken)
        left = max(left // max(taken, 1), 1)
    rows = np.moveaxis(copy_mapped(array[tuple(places)]), axis, 0).reshape(count, -1)
    wide = rows.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    return np.nan_to_num(wide, posinf=0.0, neginf=0.0)


def _are_polar(first: Array, second: Array) -> bool:
    """Return whether rows are magnitudes or their logarithms, and phases."""
    import numpy as np

    peak = float(np.abs(second).max())
    if not MIN_PHASE <= peak <= PHASE_LIMIT:
        return False
    # Phases are spread over the circle; magnitudes, and logarithms of them, are not symmetric around 0.
    spread = float(np.abs(np.exp(1j * second).mean()))
    wide = 1.2 < float(second.std()) < 2.4 and abs(float(second.mean())) < 0.5
    lower = float(first.min())
    return spread < 0.5 and wide and (lower >= 0 or abs(float(first.mean())) > 0.5 * float(first.std()))


def _parts(rows: Array) -> Layout:
    """Return how two parts lie in the rows; an empty text if values do not show it."""
    import numpy as np

    half = len(rows) // 2
    if _are_polar(rows[:half], rows[half:]):
        return "polar-bin"
    if _are_polar(rows[::2], rows[1::2]):
        return "bin-polar"
    if not (rows.min() < 0 < rows.max()) or abs(rows.mean()) > 0.2 * rows.std():
        return ""
    limit = ZERO_TOLERANCE * float(np.abs(rows).max())
    empty = np.abs(rows).max(axis=1) <= limit
    if empty[half] and empty[-1] and not empty[half - 1] and np.count_nonzero(empty) <= half // 2:
        return "complex-bin"
    if empty[1] and empty[-1] and not empty[-2] and np.count_nonzero(empty) <= half // 2:
        return "bin-complex"
    if 2 * (half - 1) not in USUAL_N_FFTS:
        return ""
    level = np.log(np.abs(rows).mean(axis=1) + limit)
    # The two parts of a bin are nearer to each other than to the parts of the next bin.
    halves = _distance(level[:half], level[half:]) / _distance(level[: half - 1], level[half + 1 :])
    pairs = _distance(level[::2], level[1::2]) / _distance(level[1:-1:2], level[2::2])
    likeness = _likeness(level[:half], level[half:])
    if halves < min(MAX_DISTANCE, pairs) and likeness >= MIN_LIKENESS:
        return "complex-bin"
    return "bin-complex" if pairs < min(MAX_DISTANCE, halves) and likeness < MIN_LIKENESS else ""


def _distance(one: Array, other: Array) -> float:
    """Return the mean distance of two rows; 1 for equal ones."""
    import numpy as np

    return float(np.abs(one - other).mean()) or 1.0


def _likeness(one: Array, other: Array) -> float:
    """Return the correlation of two rows; 0 if one is constant."""
    import numpy as np

    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / size if size > 0 else 0.0


def _sides(rows: Array) -> Layout:
    """Return the order of both sides of a spectrum; an empty text if the rows are not symmetric."""
    import numpy as np

    count = len(rows)
    spread = float(np.abs(rows - rows.mean(axis=0)).mean())
    if not spread > MIRROR_TOLERANCE * float(np.abs(rows).mean()):  # equal rows mirror each other, too
        return ""
    level = (np.abs(rows) if rows.dtype.kind == "c" else rows).mean(axis=1)
    eighth = count // 8  # sound has more energy around 0 Hz than around the Nyquist frequency
    middle = float(level[count // 2 - eighth : count // 2 + eighth].mean())
    edges = float(np.roll(level, eighth)[: 2 * eighth].mean())
    louder = middle - edges > 0.1 * float(np.ptp(level)) if level.min() < 0 else middle > 1.5 * edges
    places = {"centered": count // 2} if louder else {"two": 0}
    places["centered-nyquist-last"] = (count - 1) // 2
    order = np.arange(count)
    for sides, zero in places.items():
        other = rows[(2 * zero - order) % count].conj()
        if float(np.abs(rows - other).mean()) <= MIRROR_TOLERANCE * spread:
            return sides  # type: ignore[return-value]
    return ""
