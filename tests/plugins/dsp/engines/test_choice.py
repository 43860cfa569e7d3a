import pytest
from dsp_reference import hann

from tonearm_plugins.dsp.engines.choice import ENGINES, VARIABLE, choose, refusals
from tonearm_plugins.dsp.engines.native.engine import NativeEngine
from tonearm_plugins.dsp.errors import EngineError
from tonearm_plugins.dsp.framing import FrameGrid

GRID = FrameGrid.checked(hann(1024), hop_length=256, pad=512, frames=5)


@pytest.fixture
def native(monkeypatch):
    """A native engine that runs here, or refuses with the given reason."""
    monkeypatch.delenv(VARIABLE, raising=False)

    def says(reason):
        monkeypatch.setattr(NativeEngine, "refusal", lambda *args, **kwargs: reason)

    says("")
    return says


def test_auto_takes_native_where_it_can(native):
    assert choose("auto").name == "native"
    native("of the moon")
    assert choose("auto").name == "scipy"


def test_the_variable_decides_only_where_the_call_does_not(native, monkeypatch, librosa):
    monkeypatch.setenv(VARIABLE, "librosa")
    assert choose("auto").name == "librosa"
    assert choose("scipy").name == "scipy"
    monkeypatch.setenv(VARIABLE, " Auto ")
    assert choose("auto").name == "native"


def test_what_cannot_run_is_refused_by_name(native, monkeypatch):
    native("of the moon")
    with pytest.raises(EngineError, match="of the moon"):
        choose("native")
    with pytest.raises(EngineError, match="'cuda'"):
        choose("cuda")
    monkeypatch.setenv(VARIABLE, "native")
    with pytest.raises(EngineError, match=VARIABLE):
        choose("auto")


def test_the_work_decides_and_not_the_machine_alone():
    assert choose("auto", GRID, double=True).name == "scipy"
    odd = FrameGrid.checked(hann(1023), hop_length=256, pad=0, frames=5)
    assert choose("auto", odd).name == "scipy"
    with pytest.raises(EngineError, match="single precision"):
        choose("native", GRID, double=True)


def test_every_engine_says_whether_it_runs_here(librosa):
    assert tuple(refusals()) == ENGINES
    assert refusals()["scipy"] == refusals()["librosa"] == ""
