"""What an array seems to be, from what was counted in it.

Certain is only what could not be otherwise. Kind and axes of real arrays are at best likely; sample rate, hop, window
and padding never show.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from tonearm.arrays.values import FULL_SCALE_LIMIT
from tonearm.dialects import Catalogue
from tonearm.inspect.measure import Measured

Confidence = Literal["certain", "likely", "possible", "unknown"]

UNKNOWN = "?"
SHOWN = 8  # dialects that are named
LONG = 1000  # from here on an axis is rather time than anything else
CHANNELS = 8
N_FFTS = frozenset(
    (
        *(1 << power for power in range(7, 14)),
        320,
        400,
        480,
        640,
        800,
        882,
        960,
        1200,
        1280,
        1536,
        1600,
        1920,
        2400,
        3072,
    )
)
"""Powers of two, and what rates of 16 to 48 kHz make of 10 to 50 ms."""


class Finding(Struct, frozen=True):
    """One thing that was found.

    Parameters
    ----------
    what
        ``kind``, ``axes``, ``scale``, ``dialect``, ``sample_rate``, ``n_fft``, ``values``.
    value
        What it seems to be; ``?`` if that cannot be known.
    confidence
        ``certain`` only if it could not be otherwise.
    reason
        Why, in a few words.
    """

    what: str
    value: str
    confidence: Confidence
    reason: str


class Guess(Struct, frozen=True):
    """What an array seems to be, and the options that would read it so; ``?`` where the user must decide.

    ``dialects`` are those that it may be in, the most telling first.
    """

    findings: tuple[Finding, ...]
    options: dict[str, Any]
    dialects: tuple[str, ...] = ()

    def value(self, what: str) -> str:
        """Return what was found of something, or ``?``."""
        return next((found.value for found in self.findings if found.what == what), UNKNOWN)


def guess(measured: Measured, catalogue: Catalogue) -> Guess:
    """Return what an array seems to be.

    Parameters
    ----------
    measured
        What was counted in it.
    catalogue
        The dialects that there are.
    """
    return _Guesser(measured, catalogue).guess()


class _Guesser:
    def __init__(self, measured: Measured, catalogue: Catalogue) -> None:
        self.seen = measured
        self.catalogue = catalogue
        self.findings: list[Finding] = []
        self.options: dict[str, Any] = {}
        self.dialects: list[str] = []
        # Spare axes of size 1 say nothing; where all have it, one stays.
        kept = [(axis, n) for axis, n in enumerate(measured.shape) if n > 1]
        self.shape = [n for _, n in kept] or [1]

    def add(self, what: str, value: str, confidence: Confidence, reason: str) -> None:
        self.findings.append(Finding(what, value, confidence, reason))

    def guess(self) -> Guess:
        self._values()
        if self.seen.dtype.startswith("complex"):
            self._complex()
        elif len(self.shape) == 1:
            self._waveform()
        elif self._long_axis() is not None:
            self._several_waveforms()
        elif (parts := self._bins_and_parts()) is not None:
            self._parts(*parts)
        elif dialects := self._dialects():
            self._mel(dialects)
        elif (bins := self._bins()) is not None:
            self._spectrogram(bins)
        else:
            self.add("kind", UNKNOWN, "unknown", "no axis has a length that gives anything away")
            self.options |= {"kind": UNKNOWN, "sample_rate": UNKNOWN}
        if "dialect" not in self.options:
            self.add("sample_rate", UNKNOWN, "unknown", "an array never says it; the model's settings do")
        return Guess(tuple(self.findings), self.options, tuple(self.dialects))

    def _values(self) -> None:
        seen = self.seen
        self.add("values", f"{seen.low:.6g} to {seen.high:.6g}", "certain", f"{seen.size:,} values of {seen.dtype}")
        if seen.not_finite:
            self.add("values", f"{seen.not_finite} NaN or infinite", "certain", "counted; nan: zero puts 0 there")
        if seen.low == seen.high:
            self.add("values", "constant", "certain", "every value is the same: there is no sound in it")

    def _waveform(self) -> None:
        reason = "a single axis longer than 1, and sound is the only kind that has no other"
        self.add("kind", "waveform", "likely", reason)
        self.add("axes", "[time]", "likely", reason)
        if len(self.seen.shape) > 1:
            self.options["kind"] = "waveform"
        self.options["sample_rate"] = UNKNOWN
        self._scale()

    def _scale(self) -> None:
        seen = self.seen
        if seen.dtype in ("int8", "int16", "int32"):
            bits = int(seen.dtype.removeprefix("int"))
            self.add("scale", f"±{2 ** (bits - 1)}", "likely", f"samples of {bits} bits use the range of {seen.dtype}")
        elif "int" in seen.dtype:
            self.add("scale", UNKNOWN, "unknown", f"{seen.dtype} does not say what full scale is")
            self.options["full_scale"] = UNKNOWN
        elif seen.peak > FULL_SCALE_LIMIT:
            reason = f"the peak is {seen.peak:.6g}, beyond ±1; 32768 if these are 16-bit samples"
            self.add("scale", UNKNOWN, "unknown", reason)
            self.options["full_scale"] = 32768.0 if seen.whole and seen.peak <= 32768 else UNKNOWN
        else:
            self.add("scale", "±1", "likely", f"the peak is {seen.peak:.4g}")

    def _long_axis(self) -> int | None:
        """Return the axis that is time if this is a waveform: far longer than the others, with values around 0."""
        longest = max(range(len(self.shape)), key=lambda axis: self.shape[axis])
        rest = [n for axis, n in enumerate(self.shape) if axis != longest]
        if self.shape[longest] < LONG or abs(self.seen.mean) > 0.2 * self.seen.peak:
            return None
        if any(2 * (n - 1) in N_FFTS for n in rest):
            return None
        few = len(rest) <= 2 and all(n <= CHANNELS for n in rest)
        batch = len(rest) == 1 and longest == 1 and self.shape[longest] >= 8 * LONG
        return longest if few or batch else None

    def _several_waveforms(self) -> None:
        longest = self._long_axis()
        rest = [axis for axis in range(len(self.shape)) if axis != longest]
        others = dict(zip(rest, ["batch", "channel"] if len(rest) == 2 else [UNKNOWN], strict=True))
        line = [others.get(axis, "time") for axis in range(len(self.shape))]
        sizes = " and ".join(str(self.shape[axis]) for axis in rest)
        reason = f"an axis of {max(self.shape):,} beside {sizes}"
        self.add("kind", "waveform", "likely", f"{reason}, and values around 0")
        which = "batch or channel does not show" if UNKNOWN in line else "the usual order"
        self.add("axes", f"[{', '.join(line)}]", "possible", f"{reason}; {which}")
        self.options |= {"kind": "waveform", "axes": line, "sample_rate": UNKNOWN}
        self._scale()

    def _complex(self) -> None:
        self.add("kind", "complex", "certain", f"{self.seen.dtype} values are a complex spectrogram")
        bins = self._bins()
        if bins is None:
            self.add("axes", UNKNOWN, "unknown", "no axis is n_fft / 2 + 1 of a usual n_fft")
            self.options |= {"kind": "complex", "sample_rate": UNKNOWN, "n_fft": UNKNOWN, "hop_length": UNKNOWN}
            return
        self._grid(bins, "complex")

    def _spectrogram(self, bins: int) -> None:
        kind = "db" if self.seen.negative else UNKNOWN
        if self.seen.negative:
            self.add("kind", kind, "likely", "bins, and values below 0, as decibels have and magnitudes have not")
        else:
            reason = "bins, and no value below 0: magnitude or power, whose values look alike"
            self.add("kind", kind, "unknown", reason)
        self._grid(bins, kind)

    def _grid(self, bins: int, kind: str, extra: dict[int, str] | None = None) -> None:
        """Say the axes of a spectrogram whose bins are along an axis."""
        names = self._named(bins, "bin", extra or {})
        count = self.shape[bins]
        n_fft = 2 * (count - 1)
        confidence: Confidence = "possible" if UNKNOWN in names else "likely"
        self.add("axes", f"[{', '.join(names)}]", confidence, f"{count} is n_fft / 2 + 1 of {n_fft}")
        self.add("n_fft", str(n_fft), "likely", f"{count} bins")
        self.add("hop_length", UNKNOWN, "unknown", f"frames do not say it; often {n_fft // 4}")
        self.options |= {"kind": kind, "axes": names, "sample_rate": UNKNOWN, "n_fft": n_fft, "hop_length": UNKNOWN}

    def _named(self, main: int, name: str, extra: dict[int, str]) -> list[str]:
        """Return names of all axes: one is known, frames are beside it, the rest is batch or channel."""
        known = {main: name} | extra
        free = [axis for axis in range(len(self.shape)) if axis not in known]
        # Frames are the neighbour: models write (…, bins, frames) or (…, frames, bins).
        frame = max(free, key=lambda axis: (abs(axis - main) == 1, axis), default=None)
        others = [axis for axis in free if axis != frame]
        known |= dict(zip(others, ["batch", "channel"] if len(others) == 2 else [UNKNOWN] * len(others), strict=True))
        known |= {frame: "frame"} if frame is not None else {}
        names = [known[axis] for axis in range(len(self.shape))]
        # A size of 1 may be what looked spare: a single frame.
        return names if frame is not None or len(self.seen.shape) == 1 else [*names, "frame"]

    def _bins(self) -> int | None:
        """Return the axis that is n_fft / 2 + 1 of a usual n_fft; where two are, the smoother one."""
        found = [axis for axis, n in enumerate(self.shape) if 2 * (n - 1) in N_FFTS]
        return min(found, key=lambda axis: (self._rough(axis), -axis), default=None)

    def _rough(self, axis: int) -> float:
        """Return how rough values are along an axis; spectra are smoother along bins than along frames."""
        kept = [index for index, n in enumerate(self.seen.shape) if n > 1]
        from_end = len(self.seen.shape) - kept[axis]
        return self.seen.roughness[-from_end] if from_end <= len(self.seen.roughness) else 1.0

    def _bins_and_parts(self) -> tuple[int, int] | None:
        """Return an axis of bins and one of two, real and imaginary parts."""
        pairs = [axis for axis, n in enumerate(self.shape) if n == 2]
        bins = self._bins()
        if len(self.shape) < 3 or len(pairs) != 1 or bins is None or not self.seen.negative:
            return None
        return bins, pairs[0]

    def _parts(self, bins: int, pair: int) -> None:
        self.add("kind", "complex", "likely", "bins, and an axis of two with values below 0: real and imaginary parts")
        self._grid(bins, "complex", {pair: "complex"})

    def _dialects(self) -> list[tuple[int, str, str]]:
        """Return dialects that values and shape may be in, as (rank, name, reason), the most telling first."""
        names = self.catalogue.fitting(self.shape, self.seen.low, self.seen.high)
        found = [(*self._telling(name), name) for name in names]
        return [(rank, name, reason) for rank, reason, name in sorted(found, key=lambda one: one[0])]

    def _telling(self, name: str) -> tuple[int, str]:
        """Return how little gives a dialect away: 0 is its floor or span exactly, 1 its masked end, 2 nothing."""
        dialect = self.catalogue.find(name)
        seen, limits = self.seen, dialect.range
        close = 1e-5 * (1 + abs(limits.low))
        if dialect.last_frame == "mask" and any(seen.zero_end):
            return 1, "its last frames are 0, as this one masks them"
        if seen.at_low >= 3 and abs(seen.low - limits.low) <= close:
            return 0, f"{seen.at_low:,} values are exactly its floor {limits.low:.6g}"
        if seen.at_low >= 3 and limits.span < 1e30 and abs(seen.high - seen.low - limits.span) <= 1e-4 * limits.span:
            return 0, f"values span exactly {limits.span:.6g}, with {seen.at_low:,} at the least one"
        return 2, "shape and range fit"

    def _mel(self, dialects: list[tuple[int, str, str]]) -> None:
        best = dialects[0][0]
        told = [one for one in dialects if one[0] == best]
        bands = {self.catalogue.find(name).n_mels for _, name, _ in told}
        axes = [axis for axis, n in enumerate(self.shape) if n in bands]
        axis = min(axes, key=lambda one: (self._rough(one), -one))
        told = [one for one in told if self.catalogue.find(one[1]).n_mels == self.shape[axis]]
        names = self._named(axis, "mel", {})
        named = [name for _, name, _ in told]
        bins = self._bins()
        rivals = (bins is not None and bins != axis) or "int" in self.seen.dtype
        count = f"{len(named)} dialects have" if len(named) > 1 else "one dialect has"
        self.add(
            "kind", "mel", "possible" if rivals else "likely", f"{self.shape[axis]} bands, and a range that {count}"
        )
        reason = "the only axis with a dialect's number of bands" if len(axes) == 1 else "the smoother of two axes"
        self.add("axes", f"[{', '.join(names)}]", "possible" if UNKNOWN in names else "likely", reason)
        more = f", and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
        self.add("dialect", ", ".join(named[:SHOWN]) + more, "likely" if best == 0 else "possible", told[0][2])
        self.dialects = [name for _, name, _ in dialects]
        if others := [name for rank, name, _ in dialects if rank != best]:
            self.add("dialect", ", ".join(others[:SHOWN]), "possible", "shape and range fit, with less to show for it")
        rates = sorted({self.catalogue.find(name).sample_rate for name in named})
        self.add("sample_rate", " or ".join(map(str, rates)), "possible", "comes with the dialect")
        self._alike(named)
        self.options |= {"kind": "mel", "axes": names, "dialect": UNKNOWN}

    def _alike(self, names: list[str]) -> None:
        """Say how dialects that cannot be told apart differ."""
        if len(names) > 1:
            first, second = (self.catalogue.find(name) for name in names[:2])
            differs = "; ".join(first.differences(second)[:3]) or "little"
            reason = f"what tells them apart is not in the values: {names[1]} has {differs} of {names[0]}"
            self.add("dialect", UNKNOWN, "unknown", reason)
