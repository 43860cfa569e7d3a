"""``npy-writer``: the array of any signal, as a NumPy file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from tonearm.api import Codebooks, Context, Item, OptionError, Signal, Sink, Spec, TaggingEncoder, TagOptions, Waveform
from tonearm_plugins.encoders.array_options import (
    ArrayWriterOptions,
    array_of,
    check_arrays,
    laid_item,
    several_levels,
    warn_of_segments,
)


@dataclass(frozen=True, kw_only=True)
class NpyOptions(ArrayWriterOptions, TagOptions):
    """Options of ``npy-writer``."""

    @property
    def has_tags(self) -> bool:
        """Whether the format has a place for tags."""
        return False


class NpyWriter(TaggingEncoder[Signal, NpyOptions]):
    """Write the array of any signal as a .npy file, channels first; with provenance, a file beside it describes it."""

    suffixes = (".npy",)

    def accepts(self, spec: Spec) -> None:
        """Refuse a type or a layout that cannot hold the values, and levels, of which a file would hold one."""
        check_arrays(self.options, spec)
        books, layout = spec.carried.get(Codebooks), self.options.layout
        if isinstance(books, Codebooks) and books.strides and (layout is None or layout.form == "ragged"):
            error = several_levels(len(books.strides))
            raise OptionError(error.message, code=error.code, remedies=error.remedies)

    def clips(self) -> bool:
        """Return whether samples are rounded to integers."""
        return bool(self.options.dtype and self.options.dtype.startswith("int"))

    def encode(self, item: Item[Signal], sink: Sink, context: Context) -> None:
        """Write the array; tokens in the layout that the options name."""
        laid = laid_item(item, self.options.layout)
        warn_of_segments(laid.signal, self.options, context)
        super().encode(laid, sink, context)

    def write(self, signal: Signal, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the array."""
        import numpy as np

        array = array_of(signal, self.options, context)
        with sink.open() as file:
            # Whoever rounded samples has reported the progress.
            rounded = isinstance(signal, Waveform) and array.dtype.kind == "i"
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
