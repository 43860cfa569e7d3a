"""``split``: one sound into several."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

from tonearm.api import Context, Item, Meta, OptionError, Regroup, Spec, Together, Waveform
from tonearm_plugins.transforms.durations import samples_in

Part = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """Options of ``split``."""

    by: Annotated[
        Literal["silence", "length"],
        Meta(description="Where to cut: in the middle of pauses, or after each max_seconds."),
    ] = "silence"
    threshold_db: Annotated[
        float,
        Meta(ge=-150, lt=0, description="What is below is a pause: the RMS of 10 ms in the loudest channel, in dB."),
    ] = -40.0
    relative_to: Annotated[
        Literal["loudest", "full-scale"],
        Meta(description="What the threshold is beside: the loudest 10 ms of the sound, or full scale."),
    ] = "loudest"
    min_silence_ms: Annotated[float, Meta(ge=10, le=60_000, description="How long a pause is at least, in ms.")] = 300.0
    min_seconds: Annotated[float, Meta(ge=0, le=86_400, description="How long a piece is at least, by silence.")] = 1.0
    max_seconds: Annotated[
        float | None,
        Meta(
            ge=0.01, le=86_400, description="How long a piece is at most; by silence, it is cut where it is quietest."
        ),
    ] = None
    overlap_ms: Annotated[
        float, Meta(ge=0, le=3_600_000, description="By length, how much of the next piece each one has too, in ms.")
    ] = 0.0

    def problems(self) -> Iterator[OptionError]:
        """Yield what does not fit together."""
        if self.by == "length" and self.max_seconds is None:
            yield OptionError("by length wants max_seconds", option="by", hint="as in max_seconds: 30")
        if self.by == "silence" and self.overlap_ms:
            yield OptionError("pieces overlap by length only", option="overlap_ms", hint="by: length, or leave it out")
        if self.max_seconds is not None and self.overlap_ms > 500 * self.max_seconds:
            yield OptionError("pieces overlap by more than half of one", option="overlap_ms")
        if self.max_seconds is not None and self.by == "silence" and self.max_seconds < 2 * self.min_seconds:
            yield OptionError(
                f"pieces of {self.min_seconds:g} to {self.max_seconds:g} s leave too little to choose from",
                option="max_seconds",
                hint="at least twice min_seconds",
            )


class Split(Regroup[Waveform, Waveform, SplitOptions]):
    """Cut a sound into pieces that make it up again: {key} is that of the whole, or its index; {index} counts them."""

    def regroup(self, items: Iterator[Item[Waveform]], context: Context) -> Iterator[Item[Waveform]]:
        """Yield the pieces of each item; concat puts them together again, sample by sample."""
        for item in items:
            signal = item.signal
            for first, last in self._parts(signal):
                piece = Waveform(samples=signal.samples[:, first:last], sample_rate=signal.sample_rate)
                yield Item(signal=piece, key=item.key or str(item.index), tags=item.tags)

    def together(self) -> Together:
        """Return that each is split by itself."""
        return "item"

    def produces(self, spec: Spec) -> Spec:
        """Return that there are several items."""
        return spec.but(signals=(Waveform,), length=None, several=True)

    def _parts(self, signal: Waveform) -> Iterator[Part]:
        if self.options.by == "silence":
            cuts = [0, *self._cuts(signal), signal.length]
            yield from pairwise(cuts)
            return
        size = max(1, samples_in(signal.sample_rate, seconds=self.options.max_seconds or 0.0))
        step = max(1, size - samples_in(signal.sample_rate, ms=self.options.overlap_ms))
        first = 0
        while first + size < signal.length:
            yield first, first + size
            first += step
        yield first, signal.length

    def _cuts(self, signal: Waveform) -> list[int]:
        from tonearm_plugins.dsp import silence as edges

        options, rate, length = self.options, signal.sample_rate, signal.length
        window = max(1, samples_in(rate, ms=edges.WINDOW_MS))
        powers = edges.window_powers(signal.samples, window)
        loud = edges.loud_windows(powers, options.threshold_db, relative=options.relative_to == "loudest")
        pauses = edges.middles_of_pauses(loud, samples_in(rate, ms=options.min_silence_ms) // window)
        cuts = edges.well_apart(pauses * window, length, samples_in(rate, seconds=options.min_seconds))
        if options.max_seconds is None:
            return cuts
        most = max(window, samples_in(rate, seconds=options.max_seconds))
        return edges.none_longer(cuts, length, most, powers, window)
