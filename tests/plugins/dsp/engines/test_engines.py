import pytest

from tonearm_plugins.dsp.engines import ENGINES, VARIABLE, EngineError, available, choose


def test_auto_takes_native_where_it_can(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert choose("auto", native_refusal=None) == "native"
    assert choose("auto", native_refusal="of the moon") == "scipy"


def test_the_variable_decides_only_where_the_call_does_not(monkeypatch):
    monkeypatch.setenv(VARIABLE, "librosa")
    assert choose("auto", native_refusal=None) == "librosa"
    assert choose("scipy", native_refusal=None) == "scipy"
    monkeypatch.setenv(VARIABLE, "auto")
    assert choose("auto", native_refusal=None) == "native"


def test_what_cannot_run_is_refused_by_name(monkeypatch):
    with pytest.raises(EngineError, match="of the moon"):
        choose("native", native_refusal="of the moon")
    with pytest.raises(EngineError, match="'cuda'"):
        choose("cuda", native_refusal=None)
    monkeypatch.setenv(VARIABLE, "native")
    with pytest.raises(EngineError, match=VARIABLE):
        choose("auto", native_refusal="of the moon")


def test_every_engine_says_whether_it_runs_here():
    assert tuple(available()) == ENGINES
    assert available()["scipy"] is None
