import math

import numpy as np
import pytest
from dsp_reference import hann

from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.phase_recovery.recovery import CHECK_EVERY, EXACT_DB, convergence_db, recover_channel
from tonearm_plugins.dsp.phase_recovery.settings import RecoverySettings

GRID = FrameGrid.checked(hann(64), hop_length=16, pad=32, frames=9)


class Recorded:
    """A recovery that records its calls, and whose distance falls by a factor an iteration, by another after four."""

    def __init__(self, factor=0.5, later=None):
        self.calls, self.factor, self.later, self.distance = [], factor, later or factor, 1.0

    def initial_magnitudes(self):
        self.calls.append("initial_magnitudes")
        return np.ones((9, 33), np.float32)

    def start_from_noise(self, seed):
        self.calls.append(f"noise {seed}")

    def start_from_peaks(self):
        self.calls.append("peaks")

    def start_from_spectra(self, spectra):
        self.calls.append(f"spectra {'zero' if (spectra(0, 9) == 1).all() else 'turned'}")

    def iterate(self, count, momentum, progress):
        self.calls.append(f"iterate {count} {momentum.alpha:.2f}")
        self.distance *= self.factor**count
        self.factor = self.later

    def residual(self):
        return self.distance, 1.0

    def finish(self, out):
        self.calls.append("finish")
        return self.residual()


def recover(recorded, **changes):
    settings = {"grid": GRID, "start": "plgi", "iterations": 10, "momentum": 0.99, "seed": 0, **changes}
    return recover_channel(recorded, RecoverySettings(**settings), seed=5, out=np.empty(GRID.length, np.float32))


@pytest.mark.parametrize(
    ("start", "calls"),
    [
        ("random", ["noise 5"]),
        ("plgi", ["peaks"]),
        ("zero", ["initial_magnitudes", "spectra zero"]),
        ("pghi", ["initial_magnitudes", "spectra turned"]),
    ],
)
def test_the_steps_come_in_order(start, calls):
    recorded = Recorded()
    found = recover(recorded, start=start)
    assert recorded.calls == [*calls, "iterate 10 0.50", "finish"]
    assert found == (pytest.approx(0.5**10), 1.0, 10)


@pytest.mark.parametrize(("tolerance_db", "iterations"), [(12.0, 10), (12.1, 4), (0.0, 10)])
def test_it_stops_once_a_few_iterations_gain_too_little(tolerance_db, iterations):
    """Four iterations gain 12.04 dB."""
    assert 10 * math.log10(2**CHECK_EVERY) == pytest.approx(12.04, abs=0.01)
    recorded = Recorded()
    # The last two of ten gain 6 dB, which ends it all the same.
    assert recover(recorded, tolerance_db=tolerance_db).iterations == iterations


def test_each_check_looks_at_what_was_gained_since_the_last_one():
    assert recover(Recorded(0.5, later=0.9), tolerance_db=5.0).iterations == 2 * CHECK_EVERY


def test_what_gets_worse_or_is_nan_stops():
    assert recover(Recorded(factor=1.5), tolerance_db=0.1).iterations == CHECK_EVERY
    assert recover(Recorded(factor=math.nan), tolerance_db=0.1).iterations == CHECK_EVERY


def test_convergence_where_there_is_no_logarithm():
    assert convergence_db(1.0, 100.0) == pytest.approx(-20)
    assert convergence_db(0.0, 1.0) == convergence_db(0.0, 0.0) == convergence_db(1e-30, 1.0) == EXACT_DB
    assert convergence_db(1.0, 0.0) == math.inf
    assert math.isnan(convergence_db(math.nan, 1.0))
    assert math.isnan(convergence_db(0.0, math.nan))
