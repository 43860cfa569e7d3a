"""Which engine does the work: ``native``, ``scipy`` or ``librosa``, and why one cannot.

``native``
    kernels compiled when first used, see `tonearm_plugins.dsp.engines.native`; fastest, for the platforms and sizes it knows.
``scipy``
    scipy.fft in blocks, see `tonearm_plugins.dsp.engines.scipy`; always there.
``librosa``
    librosa's own functions, to compare with.
``auto``
    the first of native and scipy that can do what is asked, or what the environment variable TONEARM_ENGINE says.
"""

from __future__ import annotations

import os

ENGINES = ("native", "scipy", "librosa")
VARIABLE = "TONEARM_ENGINE"


class EngineError(ValueError):
    """An engine was asked for by name that does not exist or cannot do this."""


def choose(engine: str, *, native_refusal: str | None) -> str:
    """Return the engine to use.

    Parameters
    ----------
    engine
        What was asked for: one of `ENGINES`, or ``auto``.
    native_refusal
        Why the native engine cannot do this work; None if it can.
    """
    source = "engine"
    if engine == "auto":
        asked = os.environ.get(VARIABLE, "").strip().lower()
        if asked in ("", "auto"):
            return "scipy" if native_refusal else "native"
        engine, source = asked, VARIABLE
    if engine not in ENGINES:
        raise EngineError(f"{source} is one of auto, {', '.join(ENGINES)}, not {engine!r}")
    if engine == "native" and native_refusal:
        raise EngineError(f"the native engine was asked for ({source}), but {native_refusal}")
    return engine


def available() -> dict[str, str | None]:
    """Say of each engine why it cannot run here; None if it can. Nothing heavier than llvmlite is imported."""
    import importlib.util

    from tonearm_plugins.dsp.engines.native.compiler import refusal

    missing = {name: importlib.util.find_spec(name) is None for name in ("scipy", "librosa")}
    return {
        "native": refusal(),
        **{name: f"{name} is not installed" if gone else None for name, gone in missing.items()},
    }
