"""Arrays for the inputs of a network that its options give: constants, and files of the whole run or of each item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError, Source, quoted, text_template
from tonearm_plugins.formats import npy
from tonearm_plugins.networks.options import InputFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tonearm.api import Context
    from tonearm_plugins.networks.plan import NetworkPlan, PlannedInput

MAX_BYTES = 1 << 26
"""Largest size of a file that is given."""

_NPY_MAGIC = b"\x93NUMPY"


def given_arrays(plan: NetworkPlan, channels: int, frames: int | None, context: Context) -> Mapping[str, NDArray[Any]]:
    """Return the arrays for the inputs of the role ``given``, by input.

    Each has the axes (channels, …) with those of its input without ``batch``, and its frames last. The first axis has
    size 1 if all channels are given the same.

    Parameters
    ----------
    plan
        Plan of the network.
    channels
        Channels of the signal.
    frames
        Number of frames of the signal; None in a stream, where it is not known.
    context
        Context of the item, whose source the names of files may contain: ``f0/{stem}.npy``.

    Raises
    ------
    ItemError
        If a file cannot be read, or an array does not fit its input or the signal.
    """
    inputs = [one for one in plan.inputs if one.role == "given"]
    return {one.tensor.name: _fitted(one, _value(one, context), channels, frames) for one in inputs}


def _value(planned: PlannedInput, context: Context) -> NDArray[Any]:
    """Return what the options give, as an array."""
    import numpy as np

    given = planned.given
    if not isinstance(given, InputFile):
        return np.asarray(given)
    path = text_template(given.file).render(context.source, "", 0)
    if not given.file.startswith("/"):
        path = path.lstrip("/")  # an empty {relative_dir} in front must not lead to the root of the file system
    return read_input_file(path, planned.tensor.name)


def read_input_file(path: str, name: str) -> NDArray[Any]:
    """Return the array in a file that the options name for an input.

    Parameters
    ----------
    path
        Path of a ``.npy`` file, or of a text with numbers between white space, one row a line.
    name
        Name of the input.

    Raises
    ------
    ItemError
        If the file cannot be read, or holds no numbers. No message quotes it, since an option can name any file.
    """
    import numpy as np

    with Source(name=path, path=path).open() as file:
        size = file.seek(0, 2)
        file.seek(0)
        content = file.read() if size <= MAX_BYTES else b""
    if size > MAX_BYTES:
        raise _no_numbers(path, name, f"it has more than {MAX_BYTES >> 20} MiB")
    if not path.lower().endswith(".npy"):
        rows = [line.split() for line in content.splitlines() if line.strip()]
        try:
            table = np.array([[float(word) for word in row] for row in rows])
        except ValueError:
            raise _no_numbers(path, name, "its lines are not all numbers, as many in each") from None
        return table[:, 0] if table.shape[-1:] == (1,) else table
    if not content.startswith(_NPY_MAGIC):
        raise _no_numbers(path, name, "it is not a .npy file")
    return np.asarray(npy.load_bytes(content, name=path))


def _no_numbers(path: str, name: str, reason: str) -> ItemError:
    return ItemError(
        f"{quoted(path)} for input {name} of the model holds no array of numbers: {reason}",
        code="bad-model-input",
        hint=f"correct {name} under inputs:, or the file that it names",
    )


def _fitted(planned: PlannedInput, array: NDArray[Any], channels: int, frames: int | None) -> NDArray[Any]:
    """Return an array with channels first, the axes of an input but for ``batch``, and frames last."""
    import numpy as np

    shape = planned.tensor.shape or (None,) * len(planned.axes)
    known = [(axis, size) for axis, size in zip(planned.axes, shape, strict=True) if axis != "batch"]
    sizes = [size if isinstance(size, int) else frames if axis == "frame" else 1 for axis, size in known]
    own = [axis for axis, _ in known]
    if array.dtype.kind not in "fiub":
        raise _unfit(planned, f"{array.dtype}")
    if array.ndim == 0:
        array = np.full([1 if size is None else size for size in sizes], array)
    while array.ndim > len(own) and array.shape[0] == 1:
        array = array[0]
    by_channel = array.ndim == len(own) + 1 and "batch" in planned.axes and len(array) == channels
    array = array if by_channel else array[None]
    if array.ndim < len(own) + 1 and array.ndim == 1 + sum(axis != "one" for axis in own):
        left = iter(array.shape[1:])
        array = array.reshape([len(array), *(1 if axis == "one" else next(left) for axis in own)])
    if array.ndim != len(own) + 1:
        raise _unfit(planned, f"of shape {array.shape[1:]}")
    for (axis, size), found in zip(known, array.shape[1:], strict=True):
        if axis == "frame" and frames is not None and found != frames:
            raise wrong_frames(planned, found, frames)
        if axis != "frame" and isinstance(size, int) and found != size:
            raise _unfit(planned, f"of shape {array.shape[1:]}")
    return np.moveaxis(array, own.index("frame") + 1, -1) if "frame" in own else array


def wrong_frames(planned: PlannedInput, found: int, frames: int) -> ItemError:
    """Return the error for an array of another number of frames than the signal."""
    return _unfit(planned, f"of {found} frames, but the signal has {frames}")


def _unfit(planned: PlannedInput, what: str) -> ItemError:
    takes = tuple("?" if size is None else size for size in planned.tensor.shape or ())
    shown = ", ".join(map(str, takes))
    return ItemError(
        f"input {planned.tensor.name} of the model takes ({shown}), and is given an array {what}",
        code="bad-model-input",
        hint=f"correct {planned.tensor.name} under inputs:, or the file that it names",
    )
