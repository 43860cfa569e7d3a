"""The diagnoses of tonearm's own plugins: engines with their reasons, formats with their ways."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tonearm.api import Diagnosis, UsageError
from tonearm_plugins import diagnoses as room
from tonearm_plugins.diagnoses import BY_ENGINE, BY_PACKAGE, diagnoses
from tonearm_plugins.dsp.engines.choice import VARIABLE
from tonearm_plugins.dsp.engines.native.engine import NativeEngine
from tonearm_plugins.dsp.engines.native.trial import cache_file
from tonearm_plugins.formats import ffmpeg


def found(group: str) -> dict[str, Diagnosis]:
    return {one.subject: one for one in diagnoses() if one.group == group}


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A machine without some packages."""
    original = room.find_spec

    def remove(*names: str) -> None:
        monkeypatch.setattr(room, "find_spec", lambda name: None if name in names else original(name))

    return remove


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """The native engine, with the given reason not to run."""
    monkeypatch.delenv(VARIABLE, raising=False)

    def says(reason: str) -> None:
        monkeypatch.setattr(NativeEngine, "refusal", lambda *args, **kwargs: reason)

    return says


def test_the_engine_of_each_kind_of_work(monkeypatch: pytest.MonkeyPatch) -> None:
    if NativeEngine().refusal():
        pytest.skip("no kernels run here")
    monkeypatch.delenv(VARIABLE, raising=False)
    engines = found("engines")
    assert all(engines[work].found.startswith("native (") and engines[work].state == "ok" for work in BY_ENGINE)
    assert engines["these in double precision"].use == "it works in single precision"
    assert engines["these with other sizes"].use.startswith("it has no FFT of 514 points")
    assert engines["resample"].found == "soxr"


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("llvmlite cannot be imported (ImportError)", "pip install -U 'llvmlite>=0.45'"),
        ("this processor has no AVX2", ""),
        ("compiled code does not run here: a trial was ended by SIGSEGV", f"delete {cache_file()} to try again"),
    ],
)
def test_why_no_kernel_runs(native: Callable[[str], None], reason: str, hint: str) -> None:
    native(reason)
    assert found("engines")["griffin-lim"] == Diagnosis(
        group="engines", subject="griffin-lim", state="slower", found="scipy", reason=f"not native: {reason}", hint=hint
    )


def test_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "scipy")
    one = found("engines")["istft"]
    assert (one.reason, one.hint) == ("not native: TONEARM_ENGINE is scipy", "unset TONEARM_ENGINE")
    monkeypatch.setenv(VARIABLE, "cuda")
    first, *others = found("engines").values()
    assert first.is_fault
    assert [one.subject for one in others] == [*BY_PACKAGE]
    assert first.reason == "TONEARM_ENGINE is one of auto, native, scipy, librosa, not 'cuda'"


def test_librosa_does_a_part_of_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "librosa")
    engines = found("engines")
    assert [engines[work].found for work in BY_ENGINE] == ["librosa"] * 3 + ["scipy"] * 3


def test_what_only_the_native_engine_may_do_and_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    if NativeEngine().refusal():
        pytest.skip("no kernels run here")
    monkeypatch.setenv(VARIABLE, "native")
    engines = found("engines")
    assert engines["istft"].state == "ok"
    assert engines["these in double precision"] == Diagnosis(
        group="engines",
        subject="these in double precision",
        state="broken",
        reason="the native engine was asked for (TONEARM_ENGINE), but it works in single precision",
        hint="unset TONEARM_ENGINE",
    )


def test_without_scipy_and_kernels_there_is_no_engine(
    native: Callable[[str], None], without: Callable[..., None]
) -> None:
    native("this processor has no AVX2")
    without("scipy", "librosa")
    engines = found("engines")
    assert engines["istft"].state == engines["hpss"].state == "missing"
    assert engines["istft"].hint == "pip install scipy"


def test_kernels_without_scipy_do_not_do_everything(without: Callable[..., None]) -> None:
    if NativeEngine().refusal():
        pytest.skip("no kernels run here")
    without("scipy")
    engines = found("engines")
    assert engines["istft"].state == "ok"
    for work in ("these in double precision", "these with other sizes"):
        assert (engines[work].state, engines[work].hint) == ("missing", "pip install scipy")


def test_the_ways_of_formats(without: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    def no_ffmpeg() -> str:
        raise UsageError("ffmpeg is not installed")

    without("lameenc", "av")
    monkeypatch.setattr(ffmpeg, "find", no_ffmpeg)
    formats = found("formats")
    assert (formats["mp3-writer"].state, formats["mp3-writer"].found) == ("slower", "libsndfile")
    assert formats["audio-reader: M4A, AAC, WMA, WebM and others"].state == "absent"
    assert formats["ffmpeg"].hint == ffmpeg.HINT
    without("lameenc", "soundfile")
    assert found("formats")["mp3-writer"].state == "missing"
    monkeypatch.setattr(ffmpeg, "find", lambda: "/opt/ffmpeg")
    without("av")
    assert found("formats")["audio-reader: M4A, AAC, WMA, WebM and others"].found == "/opt/ffmpeg"


def test_the_cache_of_models(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert found("caches")["models of the hub"].found == str(tmp_path)
