"""Durations in samples, and lengths that are declared beforehand."""

from __future__ import annotations

from tonearm.api import Spec, Waveform
from tonearm_plugins.transforms.durations import duration_in_samples, spec_with_length


def test_durations_are_rounded_to_the_nearest_sample() -> None:
    assert duration_in_samples(44100, ms=10) == 441
    assert duration_in_samples(22050, ms=10) == 220  # 220.5: halves go to the even one
    assert duration_in_samples(22050, ms=10.03) == 221
    assert duration_in_samples(8000, seconds=1.5, ms=250) == 14000
    assert duration_in_samples(8000) == 0


def test_a_length_is_known_only_if_length_and_rate_are() -> None:
    def doubled(length: int, sample_rate: int) -> int:
        assert sample_rate == 8000
        return 2 * length

    for length, rate, expected in ((100, 8000, 200), (None, 8000, None), (100, None, None), (None, None, None)):
        spec = spec_with_length(Spec(signals=(), sample_rate=rate, channels=3, length=length), doubled)
        assert (spec.length, spec.sample_rate, spec.channels, spec.signals) == (expected, rate, 3, (Waveform,))
