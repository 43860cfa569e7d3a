import inspect

import numpy as np
import pytest
from dsp_material import smooth_magnitude
from dsp_reference import hann

from tonearm_plugins.dsp.engines.choice import ENGINES, choose, refusals
from tonearm_plugins.dsp.engines.protocol import Engine
from tonearm_plugins.dsp.errors import NotFiniteError
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.phase_recovery.settings import RecoverySettings

GRID = FrameGrid.checked(hann(1024), hop_length=256, pad=512, frames=5)


@pytest.fixture(params=ENGINES)
def engine(request):
    if refusals()[request.param]:
        pytest.skip(refusals()[request.param])
    return choose(request.param, GRID)


def test_every_engine_has_the_methods_with_the_same_parameters(engine):
    methods = [name for name, value in vars(Engine).items() if inspect.isfunction(value) and name[0] != "_"]
    assert {"refusal", "stft", "istft", "recover"} <= set(methods)
    for name in methods:
        wanted = inspect.signature(vars(Engine)[name]).parameters
        found = inspect.signature(getattr(type(engine), name)).parameters
        assert list(found) == list(wanted)
        assert [one.kind for one in found.values()] == [one.kind for one in wanted.values()]


def test_the_same_calls_give_about_the_same_values(engine):
    signal = np.random.default_rng(0).standard_normal(2048).astype(np.float32)
    spectrum, found = np.empty((513, 5), np.complex64), np.empty(GRID.length, np.float32)
    engine.stft(signal, GRID, out=spectrum, threads=2)
    peaks = []
    engine.istft(spectrum, GRID, out=found, threads=2, on_peak=peaks.append)
    assert peaks == [np.abs(found).max()]
    assert np.abs(found - signal[512 : 512 + GRID.length]).max() < 1e-5


@pytest.mark.parametrize("bad", [np.nan, complex(0, np.inf)])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("place", [(0, 0), (512, 39), (1, 0), (511, 17), (256, 38)])
def test_every_engine_finds_what_is_not_finite(engine, bad, order, place):
    grid = FrameGrid.checked(hann(1024), hop_length=256, pad=512, frames=40, length=4096)  # half of the frames
    out = np.empty(grid.length, np.float32)
    spectrum = np.ones((513, 40), np.complex64, order=order)
    engine.istft(spectrum, grid, out=out, require_finite=True)
    spectrum[place] = bad
    with pytest.raises(NotFiniteError):
        engine.istft(spectrum, grid, out=out, require_finite=True)
    with np.errstate(all="ignore"):
        engine.istft(spectrum, grid, out=out)  # nobody asks


def test_recovery_reports_on_every_channel(engine):
    magnitude = np.stack([smooth_magnitude(513, 5).T] * 2)
    settings = RecoverySettings(grid=GRID, start="random", iterations=2, momentum=0.9, seed=0)
    out = np.full((2, GRID.length), np.nan, np.float32)
    reached = engine.recover(magnitude, settings, out=out, threads=2)
    assert np.isfinite(out).all()
    assert len(reached) == 2
    energy = pytest.approx(float((magnitude[0].astype(float) ** 2).sum()), rel=1e-4)
    assert [(one.energy, one.iterations) for one in reached] == [(energy, 2)] * 2
    assert all(0 < one.distance < one.energy for one in reached)
