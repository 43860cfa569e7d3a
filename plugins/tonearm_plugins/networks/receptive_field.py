"""The receptive field of a network: how many frames before and after its own a frame's sound depends on.

It is measured in the network itself: one frame of the input is changed, and what changes in the output tells. A
position counts if it changes by more than the rounding of float32. Several trials, of the signal's own frames and of
random ones, make up for values at which a network is deaf, as a saturated tanh is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonearm_plugins.networks.network import Network

SIZES = (64, 256, 1024)
"""Frames of trial signals. A field that reaches the ends of the longest one is taken for infinite."""

MOST_COLUMNS = 1 << 20
"""Columns that a trial makes at most: longer ones of codecs with few frames a second would take minutes."""

STEPS = (1, 2, 4, 8)
"""Numbers of frames by which networks may be shifted: those that halve their frames inside are not free to begin."""

_ROUNDING = 1e-7  # of the peak: float32 has steps of 6e-8 to 1.2e-7
_SAME = 2e-5  # of the peak: largest difference between chunks and the whole


@dataclass(frozen=True)
class ReceptiveField:
    """Frames before and after a frame on which its sound depends, and the number of frames that chunks begin at."""

    left: int
    right: int
    step: int = 1


@dataclass(frozen=True)
class Measured:
    """What trials tell of a network.

    Parameters
    ----------
    rate
        Columns of a frame; None if they are not a whole number.
    surplus
        Columns that it gives beyond that, whatever the number of frames; negative if it gives fewer.
    field
        Receptive field; None if it is infinite, or if it matters where a chunk begins.
    """

    rate: int | None
    surplus: int = 0
    field: ReceptiveField | None = None


def measure(
    network: Network,
    sample: NDArray[Any],
    *,
    sizes: Sequence[int] = (),
    rate: int | None = None,
    field: ReceptiveField | None = None,
) -> Measured:
    """Return what trials tell of a network, once for each loaded model.

    Parameters
    ----------
    network
        Network.
    sample
        Frames of a signal, (items, rows, frames).
    sizes
        Number of codes of each row, for tokens; by default as many as the sample has.
    rate
        Columns of a frame, if known, which a network of a fixed number of frames may not show.
    field
        Receptive field, if it need not be measured.
    """
    key = (network.question, rate, field)
    if key not in network.model.measured:
        found = measure_rate(network, sample, sizes=sizes, rate=rate)
        if found.rate is not None:
            found = replace(found, field=field or _field(_Trials(network, sample, sizes), found.rate))
        network.model.measured[key] = found
    known: Measured = network.model.measured[key]
    return known


def measure_rate(
    network: Network, sample: NDArray[Any], *, sizes: Sequence[int] = (), rate: int | None = None
) -> Measured:
    """Return how many columns a network gives a frame, and beyond that, without its receptive field.

    The parameters are those of `measure`.
    """
    key = (network.question, rate)
    if key not in network.model.measured:
        network.model.measured[key] = _rate(_Trials(network, sample, sizes), rate)
    found: Measured = network.model.measured[key]
    return found


class _Trials:
    """Trial signals for a network."""

    def __init__(self, network: Network, sample: NDArray[Any], sizes: Sequence[int]) -> None:
        import numpy as np

        self.network = network
        self.fixed = network.plan.static_frames
        self._sample = np.asarray(sample[:1, :, : SIZES[-1]])
        self._is_codes = self._sample.dtype.kind in "iu"
        self._sizes = np.array(sizes or [int(self._sample.max()) + 1] * self._sample.shape[1])[:, None]
        low, high = float(self._sample.min()), float(self._sample.max())
        self._range = (low, high) if high - low > 1e-3 else (low - 1, high + 1)
        self._rng = np.random.default_rng(0)

    def random(self, frames: int) -> NDArray[Any]:
        """Return random frames, of the range of the sample."""
        shape = (1, self._sample.shape[1], frames)
        if self._is_codes:
            return self._rng.integers(0, self._sizes, shape[1:])[None].astype(self._sample.dtype)
        return self._rng.uniform(*self._range, shape).astype(self._sample.dtype)

    def own(self, frames: int) -> NDArray[Any]:
        """Return the frames of the sample, over and over."""
        import numpy as np

        return self._sample[..., np.arange(frames) % self._sample.shape[-1]]

    def places(self, frames: int) -> tuple[tuple[int, ...], ...]:
        """Return the frames that are changed, for each of three signals: near the middle, or all over a window."""
        if self.fixed:
            spread = sorted({frames * number // 5 - (number == 5) for number in range(6)})
            return tuple(spread[::2]), tuple(spread[1::2]), tuple(spread)
        middle = frames // 2
        return (middle, middle + 1), (middle + 2, middle + 3), (middle, middle + 1)

    def columns(self, values: NDArray[Any], start: int = 0, stop: int | None = None, changed: int | None = None) -> Any:
        """Return the columns for some of the frames."""
        network = self.network.for_trial(values.shape[-1], changed)
        return network.columns(values[..., start:stop], ((0, start),))[0]


def _rate(trials: _Trials, rate: int | None) -> Measured:
    frames = trials.fixed or SIZES[0]
    columns = trials.columns(trials.random(frames)).shape[-1]
    if not trials.fixed:
        more = trials.columns(trials.random(frames + 8)).shape[-1]
        if (more - columns) % 8 or more == columns:
            return Measured(None)
        rate = (more - columns) // 8
    elif rate is None:
        rate = round(columns / frames)
    return Measured(rate, columns - rate * frames)


def _field(trials: _Trials, rate: int) -> ReceptiveField | None:
    """Return the receptive field; None if it is infinite, or chunks are not parts of the whole."""
    for frames in (trials.fixed,) if trials.fixed else SIZES:
        if not trials.fixed and frames * rate > MOST_COLUMNS:
            break
        reach = _reach(trials, frames, rate)
        if reach is not None:
            return next((field for field in _steps(*reach) if _is_exact(trials, frames, rate, field)), None)
    return None


def _steps(left: int, right: int) -> Iterator[ReceptiveField]:
    yield from (ReceptiveField(left, right, step) for step in STEPS)


def _reach(trials: _Trials, frames: int, rate: int) -> tuple[int, int] | None:
    """Return how many frames before and after itself a frame depends on; None if it is too many for the trial.

    A fixed window has no longer trial: what reaches its ends is left to `_is_exact`.
    """
    import numpy as np

    left = right = 0
    for base, places in zip(
        (trials.own(frames), trials.random(frames), trials.random(frames)), trials.places(frames), strict=True
    ):
        whole = trials.columns(base)
        peak = float(np.abs(whole).max())
        noise = float(np.abs(trials.columns(base) - whole).max())
        if not noise <= _SAME * peak:
            return None  # every call gives something else, or no numbers
        for place in places:
            changed = base.copy()
            changed[..., place] = trials.random(1)[..., 0]
            differences = np.abs(trials.columns(changed, changed=place) - whole).max(axis=(0, 1))
            found = np.flatnonzero(differences > max(_ROUNDING * peak, 2 * noise))
            if not found.size:
                continue
            first, last = int(found[0]) // rate, min(int(found[-1]) // rate, frames - 1)
            if not trials.fixed and (first <= 0 or last >= frames - 1):
                return None
            left, right = max(left, last - place), max(right, place - first)
    return None if trials.fixed and left + right >= frames else (left, right)


def _is_exact(trials: _Trials, frames: int, rate: int, field: ReceptiveField) -> bool:
    """Return whether chunks with so many frames of context give what the whole gives."""
    import numpy as np

    step = field.step
    left = -(-field.left // step) * step
    if trials.fixed:
        start = (frames - field.left - field.right) // 2 // step * step
        if start < 1:
            return False
        base = trials.random(frames + start)
        first, second = trials.columns(base, 0, frames), trials.columns(base, start, start + frames)
        begin, end = rate * (start + field.left), rate * (frames - field.right)
        return _are_same(first[..., begin:end], second[..., begin - rate * start : end - rate * start])
    base = trials.random(frames)
    whole = trials.columns(base)
    keep = 3 * frames // 4 // step * step
    keep -= 0 if (keep - left) // step % 2 else step  # a chunk that begins at a multiple of a larger step tells less
    start, stop = keep - left, keep + field.right
    behind = trials.columns(base, start)[..., rate * left :]
    before = trials.columns(base, 0, stop)[..., : rate * keep]
    ok = start > 0 and _are_same(behind, whole[..., rate * keep :]) and _are_same(before, whole[..., : rate * keep])
    return bool(ok and np.isfinite(whole).all())


def _are_same(one: NDArray[Any], other: NDArray[np.float32]) -> bool:
    import numpy as np

    return one.shape == other.shape and bool(np.abs(one - other).max(initial=0) <= _SAME * np.abs(other).max(initial=0))
