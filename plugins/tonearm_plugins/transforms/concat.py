"""``concat``: several sounds into one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import Context, Item, ItemError, Meta, OptionError, Regroup, Spec, Together, Waveform
from tonearm_plugins.transforms.durations import samples_in


@dataclass(frozen=True, kw_only=True)
class ConcatOptions:
    """Options of ``concat``."""

    by: Annotated[
        Literal["source", "key"],
        Meta(
            description="Which items become one: all of a source, or those that follow one another with the same key,"
            " as the pieces of split do."
        ),
    ] = "source"
    crossfade_ms: Annotated[
        float,
        Meta(ge=0, le=60_000, description="How long each fades into the next, in ms; less, where one is shorter."),
    ] = 0.0
    gap_ms: Annotated[float, Meta(ge=0, le=60_000, description="How long it is silent between them, in ms.")] = 0.0
    shape: Annotated[
        Literal["linear", "cosine", "equal-power"],
        Meta(
            description="Of the crossfade: linear and cosine for sounds that are alike, as pieces that overlap,"
            " equal-power for others."
        ),
    ] = "linear"

    def problems(self) -> Iterator[OptionError]:
        """Yield that both are asked for, if so."""
        if self.crossfade_ms and self.gap_ms:
            yield OptionError("a crossfade leaves no gap", option="gap_ms", hint="keep one of crossfade_ms and gap_ms")


class Concat(Regroup[Waveform, Waveform, ConcatOptions]):
    """Put the items of one source one after another, with a crossfade or a gap: all of them, or those of each key."""

    def regroup(self, items: Iterator[Item[Waveform]], context: Context) -> Iterator[Item[Waveform]]:
        """Yield one item; its key, and tags, are those that all its parts agree on."""
        parts = list(items)
        signal = self._joined([part.signal for part in parts])
        context.measure(joined=len(parts))
        key = parts[0].key if all(part.key == parts[0].key for part in parts) else ""
        yield Item(signal=signal, key=key, tags=_agreed([part.tags for part in parts]))

    def together(self) -> Together:
        """Return what the options say."""
        return self.options.by

    def produces(self, spec: Spec) -> Spec:
        """Return that the length is known no more, and, by source, that there is one item."""
        return spec.but(signals=(Waveform,), length=None, several=False if self.options.by == "source" else None)

    def _joined(self, signals: Sequence[Waveform]) -> Waveform:
        from tonearm_plugins.dsp.concatenation import joined

        options, first = self.options, signals[0]
        for number, signal in enumerate(signals):
            if (signal.sample_rate, signal.channels) != (first.sample_rate, first.channels):
                raise ItemError(
                    f"the first part has {_shape(first)}, but part {number} {_shape(signal)}",
                    code="parts-differ",
                    hint="put resample and mix before it",
                )
        samples = joined(
            [signal.samples for signal in signals],
            crossfade=samples_in(first.sample_rate, ms=options.crossfade_ms),
            gap=samples_in(first.sample_rate, ms=options.gap_ms),
            shape=options.shape,
        )
        return Waveform(samples=samples, sample_rate=first.sample_rate)


def _shape(signal: Waveform) -> str:
    return f"{signal.channels} channel{'s' * (signal.channels > 1)} at {signal.sample_rate} Hz"


def _agreed(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {name: value for name, value in tags[0].items() if all(other.get(name) == value for other in tags)}
