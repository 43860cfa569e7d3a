"""``limiter``: peaks held under a ceiling, by a gain that goes down before them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from tonearm.api import Context, Decibels, Meta, Milliseconds, OptionError, RemoveOption, Transform, Waveform
from tonearm_plugins.transforms.durations import duration_in_samples

if TYPE_CHECKING:
    from tonearm_plugins.dsp.progress import OnProgress

DEFAULT_TRUE_PEAK_DB = -1.0


@dataclass(frozen=True, kw_only=True)
class LimiterOptions:
    """Options of ``limiter``."""

    true_peak_db: Annotated[
        Decibels | None,
        Meta(
            le=0,
            ge=-120,
            description="Ceiling in dBTP, which also holds between samples (oversampled 4 times); -1 if no ceiling is"
            " given.",
            examples=[-1, "-1.5 dB"],
        ),
    ] = None
    peak_db: Annotated[
        Decibels | None,
        Meta(le=0, ge=-120, description="Ceiling of the samples alone in dBFS, in place of true_peak_db."),
    ] = None
    lookahead_ms: Annotated[
        Milliseconds, Meta(gt=0, le=100, description="Time in ms over which the gain goes down before a peak.")
    ] = 5.0
    release_ms: Annotated[
        Milliseconds,
        Meta(
            gt=0,
            le=10_000,
            description="Time in ms after which a reduction in dB has fallen to 1/e.",
            examples=[100, "0.2 s"],
        ),
    ] = 50.0

    def problems(self) -> Iterator[OptionError]:
        """Yield an error if there are two ceilings."""
        if self.peak_db is not None and self.true_peak_db is not None:
            yield OptionError(
                "peak_db and true_peak_db are two ceilings",
                option="peak_db",
                remedies=(RemoveOption("peak_db", "because true_peak_db also holds for samples"),),
            )


class Limiter(Transform[Waveform, Waveform, LimiterOptions]):
    """Hold peaks under a ceiling by a look-ahead gain, one for all channels, with no delay and no clipping."""

    keeps_double = True

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform under the ceiling, and record the largest reduction."""
        from tonearm_plugins.dsp.levels import db_to_amplitude

        options = self.options
        true_peak_db = DEFAULT_TRUE_PEAK_DB if options.true_peak_db is None else options.true_peak_db
        ceiling = db_to_amplitude(true_peak_db if options.peak_db is None else options.peak_db)
        result, reduction_db = limit_waveform(
            signal, ceiling, options, true_peak=options.peak_db is None, on_progress=context.progress
        )
        context.measure(reduction_db=round(reduction_db, 2))
        return result


def limit_waveform(
    signal: Waveform,
    ceiling: float,
    options: LimiterOptions,
    *,
    true_peak: bool,
    on_progress: OnProgress | None = None,
) -> tuple[Waveform, float]:
    """Limit a waveform to a ceiling.

    Parameters
    ----------
    signal
        Waveform to limit.
    ceiling
        Largest amplitude of the result.
    options
        Options with the look-ahead and the release; their ceilings are not used.
    true_peak
        Whether the ceiling also holds between samples.
    on_progress
        Function called with the progress.

    Returns
    -------
    waveform, reduction_db
        Limited waveform, and the largest reduction in dB.
    """
    from tonearm_plugins.dsp.limiter import limit

    rate = signal.sample_rate
    result = limit(
        signal.samples,
        ceiling,
        lookahead=max(1, duration_in_samples(rate, ms=options.lookahead_ms)),
        release=rate * options.release_ms / 1000,
        true_peak=true_peak,
        on_progress=on_progress,
    )
    return Waveform(samples=result.samples, sample_rate=rate), result.reduction_db
