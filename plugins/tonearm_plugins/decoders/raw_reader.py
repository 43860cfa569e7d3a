"""``raw-reader``: raw numbers without a header, as an array of a given type and shape."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from tonearm.api import (
    ArrayDecoder,
    ArrayOptions,
    Context,
    ItemError,
    Meta,
    OptionError,
    SetOption,
    Source,
    file_types,
    quoted,
    read_values,
    size_of,
)

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

_FITTING = (64, 80, 100, 128, 257, 513, 1025, 2049)  # usual numbers of bands and bins


@dataclass(frozen=True, kw_only=True)
class RawArrayOptions(ArrayOptions):
    """Options of ``raw-reader``, which say what the header of other formats says."""

    dtype: Annotated[
        Literal[
            "float16",
            "float32",
            "float64",
            "complex64",
            "complex128",
            "int8",
            "uint8",
            "int16",
            "uint16",
            "int32",
            "uint32",
            "int64",
        ],
        Meta(description="Type of the values."),
    ] = "float32"
    byte_order: Annotated[Literal["little", "big"], Meta(description="Byte order of the values.")] = "little"
    shape: Annotated[
        list[int] | None,
        Meta(
            description="Sizes of the axes, as in [80, -1]; -1 stands for what is left. Without it, the array has one"
            " axis.",
            min_length=1,
            max_length=8,
        ),
    ] = None
    order: Annotated[
        Literal["C", "F"], Meta(description="Order of the values: the last axis varies fastest (C), or the first (F).")
    ] = "C"
    skip: Annotated[int, Meta(description="Size in bytes of a header to leave out.", ge=0)] = 0

    def problems(self) -> Iterator[OptionError]:
        """Yield contradictions between options."""
        yield from super().problems()
        shape = self.shape or [-1]
        if any(size < 1 and size != -1 for size in shape) or shape.count(-1) > 1:
            remedies = (SetOption("shape", [80, -1], "for 80 rows"),)
            yield OptionError("shape has sizes of at least 1, and one -1 at most", option="shape", remedies=remedies)


class RawReader(ArrayDecoder[RawArrayOptions]):
    """Read raw numbers as an array of the given type and shape; large files are mapped. Samples are for pcm-reader."""

    suffixes = (".f32", ".f64")
    reads = "content"

    def arrays(self, source: Source, context: Context) -> Iterator[tuple[str, Array]]:
        """Yield the array."""
        import numpy as np

        options = self.options
        with source.open() as file:
            size = size_of(file)
            found = file_types.identify(file.read(file_types.HEAD)) if not options.skip else file_types.UNKNOWN
            if found not in (file_types.UNKNOWN, file_types.ZEROS, file_types.PICKLE):
                code = "empty" if found is file_types.EMPTY else "wrong-format"
                what = f"{quoted(source.name)} is not raw numbers; it looks like {found.name}"
                raise ItemError(what, code=code, hint=found.hint)
            dtype = np.dtype(options.dtype).newbyteorder("<" if options.byte_order == "little" else ">")
            shape = _shape(options.shape or [-1], size - options.skip, dtype.itemsize, source.name)
            if options.shape is None:
                self._check_axes(shape[0], source.name)
            yield "", read_values(file, source.name, dtype, shape, options.skip, order=options.order)

    def _check_axes(self, count: int, name: str) -> None:
        """Raise `ItemError` if values without a shape are those of a spectrogram, which has two axes."""
        for size in self.options.read_kind.sizes().values():
            if count <= size or count % size:
                continue
            remedies = (
                SetOption("shape", [-1, size], "if one frame follows the other"),
                SetOption("shape", [size, -1], "if they were written bin by bin"),
            )
            message = f"{quoted(name)} has {count:,} values, and no header that says their shape"
            raise ItemError(message, code="missing-option", remedies=remedies)


def _shape(shape: list[int], size: int, itemsize: int, name: str) -> tuple[int, ...]:
    """Return the shape with the size that -1 stands for; it takes all bytes."""
    known = math.prod(one for one in shape if one != -1) * itemsize
    count = max(size, 0)
    left, rest = divmod(count, known)
    if left and not rest and (-1 in shape or left == 1):
        return tuple(left if one == -1 else one for one in shape)
    values, odd = divmod(count, itemsize)
    fitting = [one for one in _FITTING if values and not odd and values % one == 0]
    found = f"{values:,} values are a multiple of {', '.join(map(str, fitting))}"
    hint = found if fitting else "the file may be cut off"
    raise ItemError(
        f"{quoted(name)} has {count:,} bytes of values, which do not make an array of shape {shape}",
        code="raw-size",
        hint=f"check dtype, shape and skip; {hint}",
    )
