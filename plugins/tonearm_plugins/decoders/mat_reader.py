"""``mat-reader``: the variables in a file of MATLAB's ``save``."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO

from tonearm.api import (
    Context,
    ItemError,
    KeyedArrayDecoder,
    KeyedArrayOptions,
    LazyArrays,
    Source,
    check_claimed_size,
    check_magic,
    check_memory,
    quoted,
    reading_errors,
    size_of,
)
from tonearm_plugins.decoders.contained import with_sounds
from tonearm_plugins.formats import hdf5, mat5
from tonearm_plugins.formats.json_text import LEAST_ENCODED

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

_WIDTHS = {"single": 4, "double": 8} | {f"{sign}int{8 * width}": width for sign in ("", "u") for width in (1, 2, 4, 8)}
"""Bytes of a value, by the names of the types that are numbers."""


_HOLDERS = {
    "struct": "save its fields as variables: save('a.mat', '-struct', '{name}')",
    "cell": "save each element as a variable: x = {name}{{1}}; save('a.mat', 'x')",
}
"""What to do with variables that hold others, by their class."""


class MatReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read the variables of a .mat file of any version; version 7.3, which is HDF5, is read by h5py."""

    suffixes = (".mat",)
    reads = "content"

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open the file as a mapping from the names of variables to arrays."""
        with source.open() as file:
            if _is_hdf5(file):
                if not hdf5.H5PY.is_met():
                    raise ItemError(
                        f"{quoted(source.name)} has version 7.3, which is HDF5 and needs {hdf5.H5PY.what}",
                        code="missing-requirement",
                        hint=hdf5.H5PY.hint,
                    )
                with hdf5.open_arrays(file, source.name, matlab=True) as found:
                    yield with_sounds(found, source.name, self.options, context)
            else:
                yield with_sounds(_variables(file, source.name), source.name, self.options, context)


def _is_hdf5(file: BinaryIO) -> bool:
    """Return whether a file is of version 7.3; go to its start."""
    file.seek(512)  # MATLAB's own header comes first
    found = file.read(len(hdf5.MAGIC)) == hdf5.MAGIC
    file.seek(0)
    return found


def _variables(file: BinaryIO, name: str) -> LazyArrays:
    """Return the variables of numbers in a file of version 4 to 7."""
    size = size_of(file)
    check_magic(file, name, "a MATLAB file", (b"MATLAB", b"\x00\x00", b"\x0a\x00", b"\x14\x00", b"\x1e\x00"))
    if file.read(1) == b"M":
        mat5.check(file, name)
    file.seek(0)
    from scipy.io import loadmat, whosmat

    with reading_errors(name, "a MATLAB file"):
        listed = whosmat(file, chars_as_strings=False)
        for key, shape, _ in listed:
            check_claimed_size(name, key, 8 * math.prod(shape), size)
    sizes = {
        key: math.prod(shape) * _WIDTHS[kind]
        for key, shape, kind in listed
        if kind in _WIDTHS and not key.startswith("__")
    }
    others = {kind: key for key, _, kind in reversed(listed) if not key.startswith("__")}
    is_alone = all(math.prod(shape) <= 1 for key, shape, _ in listed if key in sizes)
    texts = [key for key, shape, kind in listed if is_alone and kind == "char" and math.prod(shape) >= LEAST_ENCODED]
    if not (sizes or texts) and (kind := next((one for one in _HOLDERS if one in others), "")):
        raise ItemError(
            f"{quoted(name)} has no variable of numbers; {quoted(others[kind])} is a {kind}",
            code="empty",
            hint=_HOLDERS[kind].format(name=others[kind]),
        )
    sizes |= {key: 8 * math.prod(shape) for key, shape, _ in listed if key in texts}

    def load(key: str) -> Array | str:
        with reading_errors(name, "a MATLAB file"):
            check_memory(name, key, sizes[key])
            file.seek(0)
            array = loadmat(file, variable_names=[key])[key]
        return "".join(array.reshape(-1).tolist()) if key in texts else array

    return LazyArrays(sizes, load)
