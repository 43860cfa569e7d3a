"""Waveforms: their options, and what their arrays become."""

from __future__ import annotations

import numpy as np
import pytest

from tonearm.errors import ItemError
from tonearm.kinds.waveform import WaveformKind, WaveformOptions
from tonearm.plugins.context import Context
from tonearm.plugins.kind import ArrayTraits
from tonearm.plugins.ports import Spec
from tonearm.signals import Waveform


def test_integers_are_scaled_without_the_hosts_knowledge() -> None:
    kind = WaveformKind(WaveformOptions(sample_rate=8000))
    found = kind.read(np.array([[16384, -32768]], "i2"), Context())
    assert (found.samples.tolist(), found.sample_rate) == ([[0.5, -1.0]], 8000)
    assert found.samples.dtype == "f4"


def test_double_precision_is_kept_where_it_is_asked_for() -> None:
    kind = WaveformKind(WaveformOptions(sample_rate=8000, full_scale=3.0))
    found = kind.read_known(np.array([[1, -2]], "i2"), ArrayTraits(-2, 1, double=True), Context())
    assert found.samples.tolist() == [[1 / 3, -2 / 3]]


def test_values_beyond_full_scale_are_refused() -> None:
    with pytest.raises(ItemError) as caught:
        WaveformKind(WaveformOptions(sample_rate=8000)).read(np.array([[9000.0]]), Context())
    assert caught.value.code == "beyond-full-scale"


def test_the_rate_is_known_beforehand_or_missing() -> None:
    kind = WaveformKind(WaveformOptions(sample_rate=8000))
    assert kind.spec() == Spec(signals=(Waveform,), sample_rate=8000)
    assert list(kind.problems(["time"])) == []
    (problem,) = WaveformKind(WaveformOptions()).problems(None)
    assert (problem.option, problem.code) == ("sample_rate", "missing-option")
