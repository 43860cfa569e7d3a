"""Limits: what does not fit is refused with its remedy, and nothing that is unknown or without a limit."""

from __future__ import annotations

import pytest

from tonearm.api import Advice, InsertStep, Limits, OptionError, Spec, Waveform


def spec(rate: int | None = None, channels: int | None = None, length: int | None = None) -> Spec:
    return Spec(signals=(Waveform,), sample_rate=rate, channels=channels, length=length)


def refusal(limits: Limits, asked: Spec) -> OptionError:
    with pytest.raises(OptionError) as caught:
        limits.check(asked)
    return caught.value


def test_nothing_is_refused_that_is_unknown_or_unlimited() -> None:
    Limits(name="any").check(spec())
    Limits(name="any").check(spec(1, 1000, 1 << 40))
    Limits(name="X", rates=(8000,), channels=2, shortest=5, longest=9, size=10, sample_size=2).check(spec())


@pytest.mark.parametrize(
    ("rate", "nearest"), [(1, 8000), (8000, 8000), (8001, 16_000), (16_001, 16_010), (16_025, 16_030), (99_999, 20_000)]
)
def test_rates_are_single_ones_and_ranges(rate: int, nearest: int) -> None:
    limits = Limits(name="X", rates=(8000, range(16_000, 20_001, 10)))
    assert limits.has_rate(rate) == (rate == nearest)
    assert limits.nearest_rate(rate) == nearest
    limits.check(spec(nearest))
    if rate != nearest:
        error = refusal(limits, spec(rate))
        assert (error.message, error.code) == (f"X cannot have a sample rate of {rate} Hz", "unsupported-rate")
        assert error.remedies == (InsertStep("resample", {"sample_rate": nearest}),)


def test_channels_are_a_largest_number_or_a_set() -> None:
    error = refusal(Limits(name="X", channels=2, advice={"too-many-channels": "use Y"}), spec(None, 3))
    assert (error.message, error.code) == ("X cannot have 3 channels, only up to 2", "too-many-channels")
    assert error.remedies == (InsertStep("mix", {"to": "mono"}), Advice("use Y"))
    limits = Limits(name="X", channels=frozenset({2, 6}))
    limits.check(spec(None, 6))
    assert refusal(limits, spec(None, 3)).remedies == (InsertStep("mix", {"to": "stereo"}),)
    assert refusal(Limits(name="X", channels=frozenset({6})), spec(None, 3)).remedies == ()
    assert refusal(limits, spec(None, 1)).message == "X cannot have 1 channel, only 2, 6"


def test_lengths_have_two_ends() -> None:
    limits = Limits(name="X", shortest=3, longest=5)
    limits.check(spec(length=3))
    limits.check(spec(length=5))
    error = refusal(limits, spec(length=2))
    assert (error.message, error.code) == ("X cannot have 2 samples, only 3 or more", "too-short")
    error = refusal(limits, spec(length=6))
    assert (error.message, error.code) == ("X cannot have 6 samples, only up to 5", "too-long")


def test_the_size_counts_all_channels() -> None:
    limits = Limits(name="X", size=600, sample_size=3)
    limits.check(spec(channels=2, length=100))
    error = refusal(limits, spec(channels=2, length=101))
    assert (error.message, error.code) == ("X ends at 600 bytes", "too-long")
