"""What a format can hold, asked before any data is read and again of each signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tonearm.api import ItemError, OptionError, Waveform


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Sample rates and channels that a format can hold.

    Parameters
    ----------
    name
        Of the format, as people call it.
    rates
        In Hz, in ascending order; a range or a list. None if any will do.
    channels
        How many at most; None if nobody knows.
    """

    name: str
    rates: Sequence[int] | None = None
    channels: int | None = None

    def problem(self, sample_rate: int | None, channels: int | None) -> OptionError | None:
        """Return what does not fit; None if all does that is known."""
        if sample_rate is not None and self.rates is not None and sample_rate not in self.rates:
            # Nothing is lost at the next rate up; beyond the last one, it is the last.
            best = next((rate for rate in self.rates if rate > sample_rate), self.rates[-1])
            return OptionError(
                f"{self.name} cannot have a sample rate of {sample_rate} Hz",
                code="unsupported-rate",
                hint=f"put resample before it, with sample_rate: {best}",
            )
        if channels is not None and self.channels is not None and channels > self.channels:
            return OptionError(
                f"{self.name} cannot have {channels} channels, only up to {self.channels}",
                code="too-many-channels",
                hint="put mix before it; wav-writer takes any number of channels, flac-writer up to 8",
            )
        return None

    def check(self, sample_rate: int | None, channels: int | None) -> None:
        """Raise `OptionError` if what is known beforehand does not fit."""
        problem = self.problem(sample_rate, channels)
        if problem:
            raise problem

    def check_signal(self, signal: Waveform) -> None:
        """Raise `ItemError` if a signal does not fit."""
        problem = self.problem(signal.sample_rate, signal.channels)
        if problem:
            raise as_item_error(problem)


def as_item_error(problem: OptionError) -> ItemError:
    """Return the error of one item that says the same as that of a pipeline."""
    return ItemError(problem.message, code=problem.code, hint=problem.hint)
