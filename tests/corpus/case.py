"""What the corpus is made of: files that are not what they should be, each with its verdict."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "plugins" / "decoders")]

FINE, REFUSED, ANY = "fine", "refused", "any"
"""Verdicts beside the codes of errors: converted, refused with any code, and either."""

WAVEFORM: dict[str, Any] = {"kind": "waveform", "axes": ["channel", "time"], "sample_rate": 8000}
MONO: dict[str, Any] = {"kind": "waveform", "sample_rate": 8000}
MAGNITUDE: dict[str, Any] = {
    "kind": "magnitude",
    "axes": ["frame", "bin"],
    "sample_rate": 8000,
    "n_fft": 16,
    "hop_length": 4,
}


@dataclass(frozen=True, eq=False)
class Case:
    """A file, and what must come of it.

    Parameters
    ----------
    name
        Name of the case, and of the file without its suffix.
    reader
        Decoder that is given the file.
    suffix
        Suffix of the file.
    make
        Function that makes the file at a path, or its bytes.
    verdict
        Code of the error, or `FINE`, `REFUSED` or `ANY`.
    options
        Options of the decoder.
    memory
        Limit of memory, as in ``200MB``; that of tonearm if empty.
    is_heavy
        Whether the file takes more than half a second to make or to refuse.
    """

    name: str
    reader: str
    suffix: str
    make: Callable[[Path], object] | bytes
    verdict: str
    options: Mapping[str, Any] = field(default_factory=dict)
    memory: str = ""
    is_heavy: bool = False

    def write(self, folder: Path) -> Path:
        """Make the file in a folder."""
        path = folder / f"{self.name}{self.suffix}"
        if isinstance(self.make, bytes):
            path.write_bytes(self.make)
        else:
            self.make(path)
        return path

    def allows(self, outcome: str) -> bool:
        """Return whether an outcome, which is `FINE` or a code, is what the verdict says."""
        if self.verdict == REFUSED:
            return outcome not in (FINE, "plugin-failed")
        if self.verdict == ANY:
            return outcome != "plugin-failed"
        return outcome == self.verdict
