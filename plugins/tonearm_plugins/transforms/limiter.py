"""``limiter``: peaks held under a ceiling, by a gain that goes down before them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypedDict

from tonearm.api import (
    BlockTransform,
    Context,
    Decibels,
    Meta,
    Milliseconds,
    OptionError,
    RemoveOption,
    Spec,
    StartedTransform,
    Waveform,
)
from tonearm_plugins.transforms.durations import duration_in_samples
from tonearm_plugins.transforms.started import Started

if TYPE_CHECKING:
    from tonearm_plugins.dsp.progress import OnProgress

DEFAULT_TRUE_PEAK_DB = -1.0


class _Times(TypedDict):
    lookahead: int
    release: float


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
        Milliseconds,
        Meta(
            gt=0,
            le=100,
            description="Time in ms over which the gain goes down before a peak; with true peaks at least 32 samples.",
        ),
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


class Limiter(BlockTransform[Waveform, Waveform, LimiterOptions]):
    """Hold peaks under a ceiling by a look-ahead gain, one for all channels, with no delay and no clipping."""

    keeps_double = True
    any_blocks = True

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        """Return the limiter at work, which records the largest reduction at the end."""
        from tonearm_plugins.dsp.levels import db_to_amplitude
        from tonearm_plugins.dsp.limiter import PeakLimiter

        options = self.options
        true_peak_db = DEFAULT_TRUE_PEAK_DB if options.true_peak_db is None else options.true_peak_db
        limiter = PeakLimiter(
            db_to_amplitude(true_peak_db if options.peak_db is None else options.peak_db),
            **_times(options, spec.sample_rate or 0),
            true_peak=options.peak_db is None,
        )
        return Started(limiter, context, lambda: context.measure(reduction_db=round(limiter.reduction_db, 2)))


def _times(options: LimiterOptions, rate: int) -> _Times:
    """Return the look-ahead and the release in samples."""
    lookahead = max(1, duration_in_samples(rate, ms=options.lookahead_ms))
    return {"lookahead": lookahead, "release": rate * options.release_ms / 1000}


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
        **_times(options, rate),
        true_peak=true_peak,
        on_progress=on_progress,
    )
    return Waveform(samples=result.samples, sample_rate=rate), result.reduction_db
