import numpy as np
import pytest
from dsp_material import only_native, smooth_magnitude
from dsp_reference import hann

from tonearm_plugins.dsp.engines.native.engine import NATIVE
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.phase_recovery import recovery
from tonearm_plugins.dsp.phase_recovery.recovery import Progress
from tonearm_plugins.dsp.phase_recovery.settings import RecoverySettings

GRID = FrameGrid.checked(hann(512), hop_length=128, pad=256, frames=20)

pytestmark = only_native


def test_it_refuses_work_and_not_only_machines():
    assert NATIVE.refusal() == ""
    assert NATIVE.refusal(GRID) == ""
    assert "single precision" in NATIVE.refusal(GRID, double=True)
    assert "no FFT" in NATIVE.refusal(FrameGrid.checked(hann(1022), hop_length=256, pad=0, frames=3))


@pytest.mark.parametrize("start", ["random", "plgi"])
def test_threads_change_nothing_and_each_channel_has_its_own_seed(start):
    magnitude = np.stack([smooth_magnitude(257, 20).T] * 3)
    settings = RecoverySettings(grid=GRID, start=start, iterations=2, momentum=0.9, seed=4)
    alone, together = np.empty((2, 3, GRID.length), np.float32)
    found = [NATIVE.recover(magnitude, settings, out=o, threads=t) for o, t in ((alone, 1), (together, 3))]
    assert found[0] == found[1]
    assert [one.iterations for one in found[0]] == [2, 2, 2]
    assert np.array_equal(alone, together)
    assert np.array_equal(alone[0], alone[1]) == (start == "plgi")


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_a_report_of_a_channel_raises_ends_the_others(monkeypatch, error):
    monkeypatch.setattr(recovery, "MIN_WORK", 1)  # a report for each iteration
    reports = []

    def fail_once(done, _):
        reports.append(done)
        if len(reports) == 5:
            raise error

    magnitude = np.stack([smooth_magnitude(257, 20).T] * 3)
    settings = RecoverySettings(grid=GRID, start="random", iterations=3000, momentum=0.9, seed=4)
    with pytest.raises(error):
        NATIVE.recover(
            magnitude,
            settings,
            out=np.empty((3, GRID.length), np.float32),
            threads=2,
            progress=Progress(fail_once, 3, settings),
        )
    assert len(reports) < 3000
