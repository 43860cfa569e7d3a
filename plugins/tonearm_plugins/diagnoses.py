"""Diagnoses of tonearm's own plugins: the engine for each kind of work, the formats that have several ways, caches."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tonearm.api import Diagnosis, UsageError
from tonearm_plugins.dsp.engines.native import trial

if TYPE_CHECKING:
    from tonearm_plugins.dsp.engines.choice import EngineChoice

ENGINES, FORMATS, CACHES = "engines", "formats", "caches"
"""Groups of the diagnoses."""

BY_ENGINE = (
    "griffin-lim",
    "mel-to-wave",
    "istft",
    "wave-to-spectrogram",
    "wave-to-mel",
    "loudness, limiter, true peak",
)
"""Kinds of work that kernels do."""

NOT_BY_LIBROSA = BY_ENGINE[3:]
"""Those of them that scipy does where the engine is librosa."""

BY_PACKAGE = {"resample": "soxr", "hpss": "librosa", "time-stretch": "librosa", "pitch-shift": "librosa"}
"""Kinds of work that one package does, with its module."""


def diagnoses() -> Iterator[Diagnosis]:
    """Yield what the plugins that tonearm ships find of this machine."""
    yield from _engines()
    yield from _formats()
    yield from _caches()


def _engines() -> Iterator[Diagnosis]:
    """Yield what does each kind of work, and why not a faster engine."""
    from tonearm_plugins.dsp.engines.choice import explain
    from tonearm_plugins.dsp.errors import EngineError

    try:
        chosen = explain()
    except EngineError as error:
        hint = "unset TONEARM_ENGINE"
        yield Diagnosis(group=ENGINES, subject=", ".join(BY_ENGINE), state="broken", reason=str(error), hint=hint)
    else:
        for work in BY_ENGINE:
            yield _engine(work, chosen)
        if chosen.name == "native":
            yield _exception("these in double precision", double=True)
            yield _exception("these with other sizes", n_fft=514)
    for work, module in BY_PACKAGE.items():
        yield _by_package(work, module)


def _by_package(work: str, module: str, *, use: str = "") -> Diagnosis:
    if find_spec(module) is not None:
        return Diagnosis(group=ENGINES, subject=work, found=module, use=use)
    return Diagnosis(
        group=ENGINES,
        subject=work,
        state="missing",
        use=use,
        reason=f"the package {module!r} is not installed",
        hint=f"pip install {module}",
    )


def _exception(work: str, *, n_fft: int = 1024, double: bool = False) -> Diagnosis:
    """Return what does work that the native engine cannot do, and why it cannot."""
    import numpy as np

    from tonearm_plugins.dsp.engines.choice import explain
    from tonearm_plugins.dsp.errors import EngineError
    from tonearm_plugins.dsp.framing import FrameGrid

    grid = FrameGrid.checked(np.hanning(n_fft), hop_length=n_fft // 4, pad=0, frames=1)
    try:
        return _by_package(work, "scipy", use=explain(grid=grid, double=double).reason)
    except EngineError as error:  # TONEARM_ENGINE asks for the native engine, and no other
        hint = "unset TONEARM_ENGINE"
        return Diagnosis(group=ENGINES, subject=work, state="broken", reason=str(error), hint=hint)


def _engine(work: str, chosen: EngineChoice) -> Diagnosis:
    if chosen.name == "native":
        from tonearm_plugins.dsp.engines.native.compiler import this_machine

        machine = this_machine()
        return Diagnosis(group=ENGINES, subject=work, found=f"native ({machine.cpu}, {machine.lanes} lanes)")
    if find_spec("scipy") is None:
        reason = f"native does not work ({chosen.reason}), and the package 'scipy' is not installed"
        return Diagnosis(group=ENGINES, subject=work, state="missing", reason=reason, hint="pip install scipy")
    return Diagnosis(
        group=ENGINES,
        subject=work,
        state="slower",
        found="scipy" if work in NOT_BY_LIBROSA else chosen.name,
        reason=f"not native: {chosen.reason}",
        hint=_mending(chosen.reason),
    )


def _mending(reason: str) -> str:
    """Return how to get the native engine that a reason speaks against; empty if that is the machine itself."""
    if "TONEARM_ENGINE" in reason:
        return "unset TONEARM_ENGINE"
    if "trial" in reason:
        return f"delete {trial.cache_file()} to try again"
    return "pip install -U 'llvmlite>=0.45'" if "llvmlite" in reason else ""


def _formats() -> Iterator[Diagnosis]:
    """Yield the formats that are written or read in one of several ways, with the way that they get."""
    if find_spec("lameenc") is not None:
        yield Diagnosis(group=FORMATS, subject="mp3-writer", found="lameenc")
    else:
        yield Diagnosis(
            group=FORMATS,
            subject="mp3-writer",
            state="slower" if find_spec("soundfile") else "missing",
            found="libsndfile" if find_spec("soundfile") else "",
            reason="the package 'lameenc', three times as fast as libsndfile, is not installed",
            hint="pip install lameenc",
        )
    program, hint = _ffmpeg()
    rest = "audio-reader: M4A, AAC, WMA, WebM and others"
    found = "PyAV" if find_spec("av") is not None else program
    if found:
        yield Diagnosis(group=FORMATS, subject=rest, found=found)
    else:
        yield Diagnosis(
            group=FORMATS,
            subject=rest,
            state="absent",
            reason="neither the package 'av' nor ffmpeg is installed",
            hint="pip install 'tonearm[m4a]'",
        )
    if program:
        yield Diagnosis(group=FORMATS, subject="ffmpeg", found=program)
    else:
        yield Diagnosis(group=FORMATS, subject="ffmpeg", state="absent", reason="it is not installed", hint=hint)


def _ffmpeg() -> tuple[str, str]:
    """Return the path of ffmpeg, empty if there is none, and how to install it."""
    from tonearm_plugins.formats import ffmpeg

    try:
        return ffmpeg.find(), ffmpeg.HINT
    except UsageError:
        return "", ffmpeg.HINT


def _caches() -> Iterator[Diagnosis]:
    """Yield where models of the hub are looked for, and where the result of trying compiled code is kept."""
    from tonearm_plugins.networks.hub import cache_folder

    for subject, path in (("models of the hub", cache_folder()), ("trial of compiled code", trial.cache_file())):
        yield Diagnosis(group=CACHES, subject=subject, found=str(path) if path.exists() else f"{path} (not there)")
