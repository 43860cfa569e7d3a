"""The choice of an engine: the only place that decides which one does the work.

``auto`` means the engine that the environment variable TONEARM_ENGINE names, else native where it can do the work, else
scipy. Each choice is logged, once for each kind of work, with the reason if it is not the fastest engine.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from tonearm_plugins.dsp.errors import EngineError

if TYPE_CHECKING:
    from tonearm_plugins.dsp.engines.protocol import Engine
    from tonearm_plugins.dsp.framing import FrameGrid

ENGINES = ("native", "scipy", "librosa")
VARIABLE = "TONEARM_ENGINE"


LOGGER = "tonearm.engines"
"""Name of the logger that gets the choices, at the level DEBUG."""


class EngineChoice(NamedTuple):
    """The name of an engine, and why it is not a faster one; the reason is empty for the fastest."""

    name: str
    reason: str


def choose(engine: str = "auto", grid: FrameGrid | None = None, *, double: bool = False) -> Engine:
    """Return the engine that does some work.

    Parameters
    ----------
    engine
        Name of an engine, or ``auto``.
    grid, double
        The work, as in `tonearm_plugins.dsp.engines.protocol.Engine.refusal`.

    Raises
    ------
    EngineError
        If there is no engine of this name, or the engine that was asked for by name cannot do the work.

    Examples
    --------
    >>> choose("scipy").name
    'scipy'
    >>> choose("cuda")
    Traceback (most recent call last):
    tonearm_plugins.dsp.errors.EngineError: engine is one of auto, native, scipy, librosa, not 'cuda'
    """
    chosen = explain(engine, grid, double=double)
    if _is_listening():
        size = (grid.n_fft, grid.hop_length) if grid is not None else None
        _log(chosen, size, double=double)
    return _load(chosen.name)


def explain(engine: str = "auto", grid: FrameGrid | None = None, *, double: bool = False) -> EngineChoice:
    """Return which engine does some work, and why not a faster one.

    Parameters and errors are those of `choose`.

    Examples
    --------
    >>> explain("scipy")
    EngineChoice(name='scipy', reason='engine is scipy')
    """
    source = "engine"
    if engine == "auto":
        engine, source = os.environ.get(VARIABLE, "").strip().lower(), VARIABLE
        if engine in ("", "auto"):
            refusal = _load("native").refusal(grid, double=double)
            return EngineChoice("scipy" if refusal else "native", refusal)
    if engine not in ENGINES:
        raise EngineError(f"{source} is one of auto, {', '.join(ENGINES)}, not {engine!r}")
    if reason := _load(engine).refusal(grid, double=double):
        raise EngineError(f"the {engine} engine was asked for ({source}), but {reason}")
    return EngineChoice(engine, "" if engine == "native" else f"{source} is {engine}")


def _is_listening() -> bool:
    """Return whether anybody reads the choices. Nobody can where logging, which takes 10 ms, is not imported."""
    logging = sys.modules.get("logging")
    return logging is not None and logging.getLogger(LOGGER).isEnabledFor(logging.DEBUG)


@functools.lru_cache(maxsize=64)
def _log(chosen: EngineChoice, size: tuple[int, int] | None, *, double: bool) -> None:
    """Log a choice, unless it has been logged for work of this kind."""
    import logging

    work = "" if size is None else f" for n_fft {size[0]}, hop_length {size[1]}"
    precision = " in double precision" if double else ""
    why = f", not native: {chosen.reason}" if chosen.reason else ""
    logging.getLogger(LOGGER).debug("the %s engine works%s%s%s", chosen.name, work, precision, why)


def refusals() -> dict[str, str]:
    """Return, for each engine, why it cannot run on this machine, or an empty text if it can.

    Examples
    --------
    >>> refusals()["scipy"]
    ''
    """
    return {name: _load(name).refusal() for name in ENGINES}


@functools.cache
def _load(name: str) -> Engine:
    """Return an engine. Each is imported only here, so that nobody pays for the others."""
    if name == "native":
        from tonearm_plugins.dsp.engines.native.engine import NATIVE

        return NATIVE
    if name == "scipy":
        from tonearm_plugins.dsp.engines.scipy import SCIPY

        return SCIPY
    from tonearm_plugins.dsp.engines.librosa import LIBROSA

    return LIBROSA
