import numpy as np
import pytest
from dsp_reference import hann

from tonearm_plugins.dsp.errors import NotInvertibleError
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.mel_basis import MelBasis
from tonearm_plugins.dsp.phase_recovery.settings import STARTS, RecoverySettings
from tonearm_plugins.dsp.phase_recovery.targets import MagnitudeTarget, MelTarget

GRID = FrameGrid.checked(hann(64), hop_length=16, pad=32, frames=9)
GOOD = {"grid": GRID, "start": "plgi", "iterations": 4, "momentum": 0.9, "seed": 0}


@pytest.mark.parametrize("start", STARTS)
def test_every_start_and_the_limits_are_allowed(start):
    RecoverySettings(**{**GOOD, "start": start, "iterations": 0, "momentum": 0.0, "tolerance_db": 0.0})
    RecoverySettings(**{**GOOD, "start": start, "momentum": 1.09})


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"start": "spsi"}, "'spsi'"),
        ({"iterations": -1}, "-1 iterations"),
        ({"momentum": 1.1}, "momentum 1.1"),
        ({"momentum": -0.1}, "momentum -0.1"),
        ({"momentum": float("nan")}, "momentum nan"),
        ({"tolerance_db": -1.0}, "tolerance_db -1.0"),
    ],
)
def test_impossible_settings_are_refused(bad, named):
    with pytest.raises(ValueError, match=named):
        RecoverySettings(**{**GOOD, **bad})


def test_frames_with_gaps_are_refused():
    gaps = FrameGrid.checked(hann(64), hop_length=65, pad=0, frames=9)
    with pytest.raises(NotInvertibleError, match="gaps"):
        RecoverySettings(**{**GOOD, "grid": gaps})


def test_a_basis_makes_the_target_a_mel_spectrogram():
    basis = MelBasis.checked(np.ones((2, 33)), mels=2, power=1)
    assert isinstance(RecoverySettings(**GOOD).target(np.ones((33, 9))), MagnitudeTarget)
    assert isinstance(RecoverySettings(**GOOD, basis=basis).target(np.ones((2, 9))), MelTarget)
