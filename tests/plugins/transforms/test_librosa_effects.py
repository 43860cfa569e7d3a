"""The effects by librosa: the length of their analysis, and waveforms that they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from transform_helpers import apply

from tonearm.api import ItemError, Waveform
from tonearm_plugins.transforms.hpss import Hpss
from tonearm_plugins.transforms.librosa_effects import analysis_length
from tonearm_plugins.transforms.pitch_shift import PitchShift
from tonearm_plugins.transforms.time_stretch import TimeStretch


def test_the_option_goes_before_the_default() -> None:
    signal = Waveform(samples=np.zeros((1, 10), "f4"), sample_rate=48000)
    assert analysis_length(signal, 512) == 512
    assert analysis_length(signal, None) == 4096


@pytest.mark.parametrize(
    ("plugin", "options"),
    [(TimeStretch, {"rate": 1.5}), (PitchShift, {"semitones": -3.0}), (Hpss, {"keep": "harmonic"})],
)
def test_values_that_are_not_finite_are_refused(plugin: type[Any], options: dict[str, Any]) -> None:
    with pytest.raises(ItemError, match="the waveform has NaN or infinite values") as caught:
        apply(plugin, np.array([[0, np.nan]], "f4"), 22050, **options)
    assert (caught.value.code, caught.value.hint) == ("not-finite", "nan: zero in the decoder replaces them with 0")
