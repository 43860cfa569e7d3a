"""The choice of an engine: the only place that decides which one does the work.

``auto`` means the engine that the environment variable TONEARM_ENGINE names, else native where it can do the work, else
scipy.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from tonearm_plugins.dsp.errors import EngineError

if TYPE_CHECKING:
    from tonearm_plugins.dsp.engines.protocol import Engine
    from tonearm_plugins.dsp.framing import FrameGrid

ENGINES = ("native", "scipy", "librosa")
VARIABLE = "TONEARM_ENGINE"


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
    source = "engine"
    if engine == "auto":
        engine, source = os.environ.get(VARIABLE, "").strip().lower(), VARIABLE
        if engine in ("", "auto"):
            native = _load("native")
            return _load("scipy") if native.refusal(grid, double=double) else native
    if engine not in ENGINES:
        raise EngineError(f"{source} is one of auto, {', '.join(ENGINES)}, not {engine!r}")
    chosen = _load(engine)
    if reason := chosen.refusal(grid, double=double):
        raise EngineError(f"the {engine} engine was asked for ({source}), but {reason}")
    return chosen


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
