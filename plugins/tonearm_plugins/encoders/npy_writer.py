"""``npy-writer``: the array of any signal, as a NumPy file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from tonearm.api import (
    Context,
    Dither,
    OptionError,
    Seed,
    Signal,
    Sink,
    Spec,
    TaggingEncoder,
    Tags,
    WithProvenance,
    tag_problems,
)
from tonearm_plugins.encoders.array_options import Dtype, Squeeze, array_of, check_dtype


@dataclass(frozen=True, kw_only=True)
class NpyOptions:
    """Options of ``npy-writer``."""

    dtype: Dtype = None
    squeeze: Squeeze = False
    dither: Dither = False
    seed: Seed = 0
    tags: Tags = field(default_factory=dict)
    provenance: WithProvenance = False

    def problems(self) -> Iterator[OptionError]:
        """Yield an error for each pair of options that contradict each other."""
        yield from tag_problems(self, has_tags=False)


class NpyWriter(TaggingEncoder[Signal, NpyOptions]):
    """Write the array of any signal as a .npy file, channels first; with provenance, a file beside it describes it."""

    suffixes = (".npy",)
    has_tags = False

    def accepts(self, spec: Spec) -> None:
        """Refuse a type that cannot hold the values."""
        check_dtype(self.options, spec.signals)

    def write(self, signal: Signal, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the array."""
        import numpy as np

        array = array_of(signal, self.options, context)
        with sink.open() as file:
            rounded = array.dtype.kind == "i"  # and whoever rounded it has reported the progress
            np.save(_Plain(file, array.nbytes, None if rounded else context), array, allow_pickle=False)


class _Plain:
    """File object that hides its descriptor: NumPy writes real files from C and misses a failed last write."""

    def __init__(self, file: BinaryIO, total: int, context: Context | None) -> None:
        self._file, self._done, self._total, self._context = file, 0, total, context

    def write(self, data: bytes) -> int:
        """Write a part of the array, and report progress."""
        written = self._file.write(data)
        self._done += written
        if self._context:
            self._context.progress(min(self._done, self._total), self._total)
        return written
