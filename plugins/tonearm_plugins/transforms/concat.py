"""``concat``: several waveforms as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import (
    Context,
    Grouping,
    InsertStep,
    Item,
    ItemError,
    Meta,
    Milliseconds,
    OptionError,
    Regroup,
    RemoveOption,
    Spec,
    Waveform,
)
from tonearm_plugins.transforms.durations import duration_in_samples


@dataclass(frozen=True, kw_only=True)
class ConcatOptions:
    """Options of ``concat``."""

    by: Annotated[
        Literal["source", "key"],
        Meta(
            description="Items that become one: all of a source, or consecutive ones with the same key, such as the"
            " pieces of split."
        ),
    ] = "source"
    crossfade_ms: Annotated[
        Milliseconds,
        Meta(
            ge=0,
            le=60_000,
            description="Duration of the crossfade in ms; less where one of the items is shorter.",
            examples=[20, "0.05 s"],
        ),
    ] = 0.0
    gap_ms: Annotated[
        Milliseconds, Meta(ge=0, le=60_000, description="Silence between items in ms.", examples=[250, "0.5 s"])
    ] = 0.0
    shape: Annotated[
        Literal["linear", "cosine", "equal-power"],
        Meta(
            description="Shape of the crossfade: linear or cosine for sounds that are alike, such as overlapping"
            " pieces, equal-power for others."
        ),
    ] = "linear"

    def problems(self) -> Iterator[OptionError]:
        """Yield an error if there is both a crossfade and a gap."""
        if self.crossfade_ms and self.gap_ms:
            yield OptionError(
                "a crossfade leaves no gap",
                option="gap_ms",
                remedies=(RemoveOption("crossfade_ms", "or leave gap_ms out"),),
            )


class Concat(Regroup[Waveform, Waveform, ConcatOptions]):
    """Put the items of one source one after another, with a crossfade or a gap: all of them, or those of each key."""

    keeps_double = True
    instead = "write one stream after the other"

    def regroup(self, items: Iterator[Item[Waveform]], context: Context) -> Iterator[Item[Waveform]]:
        """Yield one item, with the key and the tags that are the same in all its parts."""
        parts = list(items)
        signal = self._concatenate([part.signal for part in parts])
        context.measure(joined=len(parts))
        key = parts[0].key if all(part.key == parts[0].key for part in parts) else ""
        yield Item(signal=signal, key=key, tags=_common_tags([part.tags for part in parts]))

    def grouping(self) -> Grouping:
        """Return which items are regrouped together."""
        return self.options.by

    def produces(self, spec: Spec) -> Spec:
        """Return the spec without a length; by source, there is one item."""
        return spec.replace(signals=(Waveform,), length=None, several=False if self.options.by == "source" else None)

    def _concatenate(self, signals: Sequence[Waveform]) -> Waveform:
        from tonearm_plugins.dsp.concatenation import concatenate

        options, first = self.options, signals[0]
        for number, signal in enumerate(signals):
            if (signal.sample_rate, signal.channels) != (first.sample_rate, first.channels):
                resample = InsertStep("resample", {"sample_rate": first.sample_rate})
                mix = InsertStep("mix", {"to": "mono"})
                raise ItemError(
                    f"the first part has {_format(first)}, but part {number} has {_format(signal)}",
                    code="parts-differ",
                    remedies=(
                        *((resample,) if signal.sample_rate != first.sample_rate else ()),
                        *((mix,) if signal.channels != first.channels else ()),
                    ),
                )
        samples = concatenate(
            [signal.samples for signal in signals],
            crossfade=duration_in_samples(first.sample_rate, ms=options.crossfade_ms),
            gap=duration_in_samples(first.sample_rate, ms=options.gap_ms),
            shape=options.shape,
        )
        return Waveform(samples=samples, sample_rate=first.sample_rate)


def _format(signal: Waveform) -> str:
    return f"{signal.channels} channel{'s' * (signal.channels > 1)} at {signal.sample_rate} Hz"


def _common_tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {name: value for name, value in tags[0].items() if all(other.get(name) == value for other in tags)}
