"""``split``: one waveform as several pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

from tonearm.api import (
    Context,
    Decibels,
    Duration,
    Grouping,
    Item,
    Meta,
    Milliseconds,
    OptionError,
    Regroup,
    RemoveOption,
    SetOption,
    Spec,
    Waveform,
)
from tonearm_plugins.transforms.durations import duration_in_samples


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """Options of ``split``."""

    by: Annotated[
        Literal["silence", "length"],
        Meta(description="Places to cut: in the middle of pauses, or after each max_seconds."),
    ] = "silence"
    threshold_db: Annotated[
        Decibels,
        Meta(
            ge=-150,
            lt=0,
            description="Level in dB below which it is a pause: the RMS of 10 ms in the loudest channel.",
        ),
    ] = -40.0
    relative_to: Annotated[
        Literal["loudest", "full-scale"],
        Meta(description="Reference of the threshold: the loudest 10 ms of the sound, or full scale."),
    ] = "loudest"
    min_silence_ms: Annotated[
        Milliseconds, Meta(ge=10, le=60_000, description="Shortest pause in ms.", examples=[200, "0.5 s"])
    ] = 300.0
    min_seconds: Annotated[
        Duration, Meta(ge=0, le=86_400, description="Shortest piece in seconds, if cut by silence.")
    ] = 1.0
    max_seconds: Annotated[
        Duration | None,
        Meta(
            ge=0.01,
            le=86_400,
            description="Longest piece in seconds; by silence, a longer one is cut where it is quietest.",
            examples=[10, "1 min"],
        ),
    ] = None
    overlap_ms: Annotated[
        Milliseconds,
        Meta(ge=0, le=3_600_000, description="Overlap of each piece with the next one in ms, if cut by length."),
    ] = 0.0

    def problems(self) -> Iterator[OptionError]:
        """Yield an error for each pair of options that conflict."""
        if self.by == "length" and self.max_seconds is None:
            yield OptionError(
                "by: length needs max_seconds", option="by", remedies=(SetOption("max_seconds", 30, "for example"),)
            )
        if self.by == "silence" and self.overlap_ms:
            yield OptionError(
                "pieces overlap only by length",
                option="overlap_ms",
                remedies=(SetOption("by", "length"), RemoveOption("overlap_ms")),
            )
        if self.max_seconds is not None and self.overlap_ms > 500 * self.max_seconds:
            yield OptionError("pieces overlap by more than half of max_seconds", option="overlap_ms")
        if self.max_seconds is not None and self.by == "silence" and self.max_seconds < 2 * self.min_seconds:
            yield OptionError(
                f"pieces of {self.min_seconds:g} to {self.max_seconds:g} s leave too little room for a cut",
                option="max_seconds",
                remedies=(SetOption("max_seconds", 2 * self.min_seconds, "or more"),),
            )


class Split(Regroup[Waveform, Waveform, SplitOptions]):
    """Cut a waveform at pauses or by length; {key} is that of the whole or its index, {index} counts the pieces."""

    keeps_double = True
    instead = "save the sound, and split the file"

    def regroup(self, items: Iterator[Item[Waveform]], context: Context) -> Iterator[Item[Waveform]]:
        """Yield the pieces of each item."""
        for item in items:
            signal = item.signal
            for first, last in self._bounds(signal):
                piece = Waveform(samples=signal.samples[:, first:last], sample_rate=signal.sample_rate)
                yield Item(signal=piece, key=item.key or str(item.index), tags=item.tags)

    def grouping(self) -> Grouping:
        """Return that each item is split by itself."""
        return "item"

    def produces(self, spec: Spec) -> Spec:
        """Return the spec of several items without a length."""
        return spec.replace(signals=(Waveform,), length=None, several=True)

    def _bounds(self, signal: Waveform) -> Iterator[tuple[int, int]]:
        """Yield the index of the first sample of each piece, and the index after its last one."""
        if self.options.by == "silence":
            cuts = [0, *self._cuts(signal), signal.length]
            yield from pairwise(cuts)
            return
        size = max(1, duration_in_samples(signal.sample_rate, seconds=self.options.max_seconds or 0.0))
        step = max(1, size - duration_in_samples(signal.sample_rate, ms=self.options.overlap_ms))
        first = 0
        while first + size < signal.length:
            yield first, first + size
            first += step
        yield first, signal.length

    def _cuts(self, signal: Waveform) -> list[int]:
        """Return the index of the first sample after each cut."""
        from tonearm_plugins.dsp import silence

        options, rate, length = self.options, signal.sample_rate, signal.length
        window = max(1, duration_in_samples(rate, ms=silence.WINDOW_MS))
        powers = silence.window_powers(signal.samples, window)
        loud = silence.loud_windows(powers, options.threshold_db, relative=options.relative_to == "loudest")
        pauses = silence.pause_centers(loud, duration_in_samples(rate, ms=options.min_silence_ms) // window)
        min_length = duration_in_samples(rate, seconds=options.min_seconds)
        cuts = silence.drop_close_cuts(pauses * window, length, min_length)
        if options.max_seconds is None:
            return cuts
        max_length = max(window, duration_in_samples(rate, seconds=options.max_seconds))
        return silence.cut_long_pieces(cuts, length, max_length, powers, window)
