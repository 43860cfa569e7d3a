"""Limits of file formats: sample rates, channels and lengths, declared once and checked twice.

A pipeline is checked against them before any data is read, and each signal again before it is written.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from tonearm.errors import Advice, InsertStep, OptionError, Remedy
from tonearm.errors.text import counted
from tonearm.plugins.ports import Spec


class Limits(Struct, frozen=True, kw_only=True):
    """Sample rates, channels and lengths that a format can hold. By default nothing is limited.

    Parameters
    ----------
    name
        Common name of the format, for messages.
    rates
        Sample rates in Hz: single ones and ranges, ascending.
    channels
        Largest number of channels, or all possible ones.
    shortest, longest
        Smallest and largest length in samples of each channel.
    size
        Largest size of all samples in bytes.
    sample_size
        Size of one sample in bytes, for ``size``.
    advice
        Advice for the user by the code of a problem, after the usual remedies: ``{"too-long": "use wav-writer"}``.
    """

    name: str
    rates: tuple[int | range, ...] = ()
    channels: int | frozenset[int] | None = None
    shortest: int = 0
    longest: int | None = None
    size: int | None = None
    sample_size: int = 0
    advice: Mapping[str, str] = {}

    def replace(self, **changes: object) -> Limits:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    def has_rate(self, sample_rate: int) -> bool:
        """Return whether the format can have a sample rate."""
        return not self.rates or any(
            sample_rate == one if isinstance(one, int) else sample_rate in one for one in self.rates
        )

    def nearest_rate(self, sample_rate: int) -> int:
        """Return the lowest rate that loses nothing, or else the highest that the format has."""
        for one in self.rates:
            if isinstance(one, int):
                if one >= sample_rate:
                    return one
            elif sample_rate <= one[-1]:
                return one[max(0, -(-(sample_rate - one.start) // one.step))]
        last = self.rates[-1] if self.rates else sample_rate
        return last if isinstance(last, int) else last[-1]

    def has_channels(self, channels: int) -> bool:
        """Return whether the format can have a number of channels."""
        if isinstance(self.channels, frozenset):
            return channels in self.channels
        return self.channels is None or channels <= self.channels

    def check(self, spec: Spec) -> None:
        """Raise `OptionError` if anything that is known of a signal does not fit."""
        rate, channels, length = spec.sample_rate, spec.channels, spec.length
        if rate is not None and not self.has_rate(rate):
            remedy = InsertStep("resample", {"sample_rate": self.nearest_rate(rate)})
            raise self._error(f"cannot have a sample rate of {rate} Hz", "unsupported-rate", remedy)
        if channels is not None and not self.has_channels(channels):
            names = [name for count, name in ((1, "mono"), (2, "stereo")) if self.has_channels(count)]
            mix = [InsertStep("mix", {"to": name}) for name in names[:1]]
            raise self._error(
                f"cannot have {counted(channels, 'channel')}, {self._allowed()}", "too-many-channels", *mix
            )
        if length is None:
            return
        if length < self.shortest:
            raise self._error(f"cannot have {counted(length, 'sample')}, only {self.shortest:,} or more", "too-short")
        if self.longest is not None and length > self.longest:
            raise self._error(f"cannot have {counted(length, 'sample')}, only up to {self.longest:,}", "too-long")
        if self.size is not None and length * (channels or 1) * self.sample_size > self.size:
            raise self._error(f"ends at {_in_gigabytes(self.size)}", "too-long")

    def _error(self, predicate: str, code: str, *remedies: Remedy) -> OptionError:
        """Return an error whose message begins with the name of the format."""
        advice = (Advice(self.advice[code]),) if code in self.advice else ()
        return OptionError(f"{self.name} {predicate}", code=code, remedies=(*remedies, *advice))

    def _allowed(self) -> str:
        """Return the possible numbers of channels in words."""
        if isinstance(self.channels, frozenset):
            return f"only {', '.join(map(str, sorted(self.channels)))}"
        return f"only up to {self.channels:,}"


def _in_gigabytes(size: int) -> str:
    return f"{size / (1 << 30):.0f} GB" if size >= 1 << 29 else f"{size:,} bytes"
