"""The measurement of the signals that are written: duration, DC and peak of waveforms, and their level."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from tonearm.arrays.extent import mean_of
from tonearm.errors import ItemError, TonearmError
from tonearm.pipeline.blame import as_item_error, placed
from tonearm.pipeline.checked import BoundPlugin
from tonearm.pipeline.limit_checks import DEFAULT_CHECKS, LimitChecks
from tonearm.pipeline.outcome import Outcome
from tonearm.pipeline.signal_checks import check_finite, not_finite_of
from tonearm.pipeline.stages import nan_among
from tonearm.plugins.decoder import Decoder
from tonearm.signals import Signal, Waveform
from tonearm.signals.levels import decibels, has_offset

HOST_MEASUREMENTS = ("duration", "dc", "peak_db")
"""Names of what `measure_signal` measures."""


def measure_items(
    stream: Iterator[Outcome], last: BoundPlugin, limits: LimitChecks = DEFAULT_CHECKS
) -> Iterator[Outcome]:
    """Yield the outcomes of the last stage before the encoders, with their signals checked and measured.

    Parameters
    ----------
    stream
        Outcomes of the last stage.
    last
        Last stage.
    limits
        Checks by the limits: of the level of waveforms.
    """
    for outcome in stream:
        if outcome.error or outcome.item is None or outcome.deferred is not None:
            yield outcome
            continue
        try:
            with as_item_error(last):
                _measure_signal(outcome.item.signal, outcome, last, limits)
            yield outcome
        except TonearmError as error:
            yield replace(outcome, error=error)


def _measure_signal(signal: Signal, outcome: Outcome, last: BoundPlugin, limits: LimitChecks) -> None:
    """Check that all values are finite, and measure duration, DC and peak of a waveform."""
    context, extent = outcome.context, outcome.extent
    if extent is None:
        try:
            extent = check_finite(signal)
        except ItemError as error:
            if outcome.may_have_nan:
                placed(error, last)  # without the name of the last plugin, which is not to blame
            if outcome.may_have_nan or isinstance(last.plugin, Decoder):
                raise
            raise nan_among(outcome.unchecked) or not_finite_of(last, signal) from None
    if extent is None or not isinstance(signal, Waveform):
        return
    peak = extent.peak
    mean = mean_of(signal.samples, peak)
    measured = {"duration": round(signal.duration, 6), "dc": round(mean, 6)}
    if peak > 0:
        measured["peak_db"] = round(decibels(peak), 2)
    else:
        context.measurements.pop("peak_db", None)  # of a step before
    context.measure(**measured)
    limits.check_level(peak, context)
    if has_offset(mean, peak, signal.duration):
        limits.report_mean(mean, peak, context)
