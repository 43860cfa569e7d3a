"""``limiter``: peaks under a ceiling, by a gain that is down before they come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, Meta, OptionError, Transform, Waveform
from tonearm_plugins.transforms.durations import samples_in

DEFAULT_TRUE_PEAK_DB = -1.0


@dataclass(frozen=True, kw_only=True)
class LimiterOptions:
    """Options of ``limiter``."""

    true_peak_db: Annotated[
        float | None,
        Meta(
            le=0,
            ge=-120,
            description="Ceiling in dBTP, which holds between samples too (oversampled 4 times); -1 if none is given.",
        ),
    ] = None
    peak_db: Annotated[
        float | None, Meta(le=0, ge=-120, description="Ceiling of the samples alone in dBFS, in its place.")
    ] = None
    lookahead_ms: Annotated[
        float, Meta(gt=0, le=100, description="How long before a peak the gain begins to go down, in ms.")
    ] = 5.0
    release_ms: Annotated[
        float, Meta(gt=0, le=10_000, description="How long a reduction takes to come down to 1/e of its dB, in ms.")
    ] = 50.0

    def problems(self) -> Iterator[OptionError]:
        """Yield that there are two ceilings, if so."""
        if self.peak_db is not None and self.true_peak_db is not None:
            yield OptionError(
                "peak_db and true_peak_db are two ceilings", option="peak_db", hint="true_peak_db holds for samples too"
            )


class Limiter(Transform[Waveform, Waveform, LimiterOptions]):
    """Hold peaks under a ceiling by a look-ahead gain, one for all channels; no delay, nothing cut off."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform, which is not over the ceiling anywhere, and measure the greatest reduction."""
        from tonearm_plugins.dsp.levels import amplitude

        options = self.options
        true_peak_db = DEFAULT_TRUE_PEAK_DB if options.true_peak_db is None else options.true_peak_db
        ceiling = amplitude(true_peak_db if options.peak_db is None else options.peak_db)
        result, reduction_db = limited(signal, ceiling, options, true_peak=options.peak_db is None)
        context.measure(reduction_db=round(reduction_db, 2))
        return result


def limited(signal: Waveform, ceiling: float, options: LimiterOptions, *, true_peak: bool) -> tuple[Waveform, float]:
    """Return a waveform limited to a ceiling with the times of the options, and the greatest reduction in dB."""
    from tonearm_plugins.dsp.limiter import limit

    rate = signal.sample_rate
    found = limit(
        signal.samples,
        ceiling,
        lookahead=max(1, samples_in(rate, ms=options.lookahead_ms)),
        release=rate * options.release_ms / 1000,
        true_peak=true_peak,
    )
    return Waveform(samples=found.samples, sample_rate=rate), found.reduction_db
