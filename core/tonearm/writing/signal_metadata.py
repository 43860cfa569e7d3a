"""Metadata of signals in plain values, for files that hold arrays and for the JSON beside a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from tonearm.signals import Signal


def as_written(signal: Signal) -> list[np.ndarray[Any, Any]]:
    """Return the arrays of a signal, with axes in the order of files.

    Parameters
    ----------
    signal
        Signal.

    Returns
    -------
    list of ndarray
        Arrays as the signal has them; a mel spectrogram as its family writes it.
    """
    return list(signal.written_arrays())


def described(signal: Signal) -> dict[str, Any]:
    """Return the options with which a reader of arrays restores a signal.

    Parameters
    ----------
    signal
        Signal.

    Returns
    -------
    dict
        Options by name, in plain values: ``kind``, and what the method `Signal.described` adds, such as ``axes`` and
        ``sample_rate``.
    """
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins({"kind": signal.port, **signal.described()})
    return found
