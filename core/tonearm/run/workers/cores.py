"""The limit of threads of the libraries that a worker imports."""

from __future__ import annotations

from collections.abc import MutableMapping

from tonearm.startup import let_blas_threads_sleep

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""Environment variables from which libraries take their number of threads when they are imported."""


def pin_threads(environ: MutableMapping[str, str], threads: int) -> None:
    """Limit the threads of libraries that are imported from now on. A lower limit that is set already stays."""
    let_blas_threads_sleep(environ)
    for name in THREAD_VARIABLES:
        given = environ.get(name, "")
        environ[name] = str(min(int(given), threads) if given.isdigit() and int(given) else threads)
