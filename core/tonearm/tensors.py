"""Arrays of lists, buffers, and the tensors of other libraries, none of which is imported."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from tonearm.errors import UsageError
from tonearm.errors.text import describe_exception, one_line

if TYPE_CHECKING:
    from tonearm.typing import Array

_MAX_AXES: Final = 64
"""Largest number of axes that NumPy has."""

_CHECK: Final = "check the model's output"
_CPU: Final = 1
"""Type of the device that DLPack gives to the memory of the CPU."""


def as_array(given: Any) -> Array:
    """Return a list of numbers, an array, or a tensor of any library as a NumPy array.

    A tensor is detached and moved to the CPU. Types that NumPy does not have become wider ones: bfloat16 and float8
    become float32, and complex32 becomes complex64. The array may share its memory with what is given.

    Parameters
    ----------
    given
        List or tuple of numbers, or of arrays of one shape; array of NumPy; buffer, such as `array.array`; or tensor of
        PyTorch, JAX, TensorFlow, MLX, CuPy or any library that has ``__dlpack__``, ``__array__`` or NumPy's array
        interface.

    Raises
    ------
    UsageError
        ``not-an-array`` if it is nothing of these, ``not-dense`` if a tensor is sparse, quantised, nested or masked, or
        has no values, and ``ragged`` if rows have different lengths.

    Examples
    --------
    >>> as_array([0.0, 0.5, -0.5])
    array([ 0. ,  0.5, -0.5])
    >>> import array
    >>> as_array(array.array("h", [0, 1, 2])).dtype
    dtype('int16')
    """
    import numpy as np

    if type(given) is np.ndarray:
        return _widened(given)
    if isinstance(given, np.ma.MaskedArray) and np.ma.is_masked(given):
        raise _not_dense("the array has masked values", "array.filled(0)")
    try:
        return _widened(_reader_of(given)(given))
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(
            f"cannot take the values of {_named(given)}: {describe_exception(error)}",
            code="not-an-array",
            hint="make a NumPy array of it first",
        ) from error


def _reader_of(given: Any) -> Callable[[Any], Any]:
    """Return the function that makes an array of an object: by its library, or by a protocol."""
    for cls in type(given).__mro__:
        reader = _LIBRARIES.get(cls.__module__.partition(".")[0])
        if reader is not None and not isinstance(given, (list, tuple)):  # a shape of PyTorch is a tuple
            return reader
    return _of_protocol


def _of_protocol(given: Any) -> Any:
    """Return the array of a list, or of an object that has DLPack, ``__array__``, the array interface or a buffer."""
    import numpy as np

    if isinstance(given, (list, tuple)):
        return _of_list(given)
    if isinstance(given, type):  # has the methods of its instances
        raise _not_an_array(given)
    has_array = any(hasattr(given, name) for name in ("__array__", "__array_interface__", "__array_struct__"))
    if hasattr(given, "__dlpack__") and not isinstance(given, (np.ndarray, np.generic)):
        try:
            return _of_dlpack(given)
        except Exception:  # a type that DLPack or NumPy does not have, which the library may widen itself
            if not has_array:
                raise
    if has_array:
        return np.asarray(given)
    if hasattr(given, "__cuda_array_interface__"):
        raise UsageError(
            f"the values of {_named(given)} are on a GPU", code="not-an-array", hint="copy them to the CPU first"
        )
    return _of_buffer(given)


def _of_dlpack(given: Any) -> Any:
    """Return the array of an object that has DLPack, which is moved to the CPU if need be."""
    import numpy as np

    device = given.__dlpack_device__()[0] if hasattr(given, "__dlpack_device__") else _CPU
    return np.from_dlpack(given if device == _CPU else _MovedToCpu(given))


class _MovedToCpu:
    """A tensor of another device as `numpy.from_dlpack` takes it before NumPy 2.1, which has no ``device``."""

    def __init__(self, given: Any) -> None:
        self._given = given

    def __dlpack__(self, **asked: Any) -> Any:
        return self._given.__dlpack__(**{**asked, "dl_device": (_CPU, 0)})

    def __dlpack_device__(self) -> tuple[int, int]:
        return _CPU, 0


def _of_buffer(given: Any) -> Any:
    """Return the array of a buffer whose items have a type."""
    import numpy as np

    try:
        buffer = memoryview(given)
    except TypeError:
        raise _not_an_array(given) from None
    if isinstance(buffer.obj, (bytes, bytearray)) and buffer.format == "B":
        raise UsageError(
            f"a {type(buffer.obj).__name__} object does not say of which type its numbers are",
            code="not-an-array",
            hint="give an array, as by numpy.frombuffer(data, 'int16')",
        )
    return np.asarray(buffer)


def _of_list(given: list[Any] | tuple[Any, ...]) -> Any:
    """Return the array of a list of numbers, of lists, or of arrays of one shape, as NumPy stacks them."""
    import numpy as np

    first: Any = given
    for _ in range(_MAX_AXES):  # a list may hold itself
        first = first[0] if isinstance(first, (list, tuple)) and len(first) else first
    if isinstance(first, (int, float, complex, np.generic, list, tuple)):
        try:
            array = np.asarray(given)
        except ValueError:
            raise _ragged("the rows of the list have different lengths", first) from None
        if array.dtype.kind not in "OUS":
            return array
        strange = _strange(given)
        if strange is given:
            raise UsageError("the list holds numbers of more than 64 bits", code="not-an-array", hint=_CHECK)
        raise _not_an_array(strange, "the list holds ")
    if isinstance(first, (str, bytes, Mapping)) or first is None:
        raise _not_an_array(first, "the list holds ")
    arrays = [as_array(one) for one in given]
    shapes = {array.shape: None for array in arrays}
    if len(shapes) > 1:
        shown = ", ".join(map(str, list(shapes)[:4]))
        more = ", …" if len(shapes) > 4 else ""
        raise _ragged(f"the arrays of the list have different shapes: {shown}{more}", first)
    return np.stack(arrays)


def _strange(given: Any) -> Any:
    """Return the first element of nested lists that is not a number; the list itself if there is none."""
    for one in given:
        if isinstance(one, (list, tuple)):
            found = _strange(one)
            if found is not one:
                return found
        elif isinstance(one, (str, bytes)) or not (hasattr(one, "__complex__") or hasattr(one, "__float__")):
            return one
    return given


def _of_torch(tensor: Any) -> Any:
    """Return the array of a tensor of PyTorch, by its own methods."""
    if not hasattr(tensor, "detach"):
        raise _not_an_array(tensor)
    layout = str(getattr(tensor, "layout", "torch.strided"))
    if getattr(tensor, "is_nested", False):
        raise _not_dense("the tensor is nested", "each of tensor.unbind() by itself")
    if layout != "torch.strided":
        what = "sparse" if "sparse" in layout else "not dense"
        raise _not_dense(f"the tensor is {what}: its layout is {layout}", "tensor.to_dense()")
    if getattr(tensor, "is_quantized", False):
        raise _not_dense("the tensor is quantised", "tensor.dequantize()")
    if getattr(getattr(tensor, "device", None), "type", "") == "meta":
        raise _not_dense("the tensor is on the device meta, so it has no values", "the tensor of a loaded model")
    tensor = tensor.detach().cpu()
    for name in ("resolve_conj", "resolve_neg"):  # views that NumPy does not have
        tensor = getattr(tensor, name)()
    dtype = str(tensor.dtype)
    if "bfloat16" in dtype or "float8" in dtype:
        tensor = tensor.float()
    elif "complex32" in dtype:
        tensor = tensor.cfloat()
    return tensor.numpy()


def _of_tensorflow(tensor: Any) -> Any:
    """Return the array of a tensor or variable of TensorFlow, by its own methods."""
    kind = type(tensor).__name__
    if kind == "SparseTensor":
        raise _not_dense("the tensor is sparse", "tensorflow.sparse.to_dense(tensor)")
    if kind == "RaggedTensor":
        raise _not_dense("the tensor is ragged", "tensor.to_tensor(), or each of its rows by itself")
    if not hasattr(tensor, "numpy"):
        raise _not_dense("the tensor has no values before its graph runs", "what the function returns")
    return tensor.numpy()


def _of_jax(array: Any) -> Any:
    """Return the array of an array of JAX, which ``__array__`` moves to the CPU."""
    import numpy as np

    if any(cls.__name__ == "Tracer" for cls in type(array).__mro__):
        raise _not_dense("the array has no values inside a function that JAX traces", "what the function returns")
    if hasattr(array, "todense"):
        raise _not_dense("the array is sparse", "array.todense()")
    if not hasattr(array, "__array__"):
        raise _not_an_array(array)
    return np.asarray(array)


def _of_mlx(array: Any) -> Any:
    """Return the array of an array of MLX, which NumPy reads as a buffer, except bfloat16."""
    import numpy as np

    if "bfloat16" in str(getattr(array, "dtype", "")):
        array = array.astype(sys.modules["mlx.core"].float32)
    return np.asarray(array)


def _of_cupy(array: Any) -> Any:
    """Return the array of an array of CuPy, which it copies to the CPU itself."""
    if hasattr(array, "toarray"):
        raise _not_dense("the array is sparse", "array.toarray()")
    if not hasattr(array, "get"):
        raise _not_an_array(array)
    return array.get()


def _of_scipy(array: Any) -> Any:
    """Refuse the sparse arrays of SciPy, of which NumPy would make an array of one object."""
    if hasattr(array, "toarray"):
        raise _not_dense("the array is sparse", "array.toarray()")
    return _of_protocol(array)


_LIBRARIES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "torch": _of_torch,
    "tensorflow": _of_tensorflow,
    "jax": _of_jax,
    "jaxlib": _of_jax,
    "mlx": _of_mlx,
    "cupy": _of_cupy,
    "cupyx": _of_cupy,
    "scipy": _of_scipy,
}
"""Functions that make arrays of the tensors of libraries, by the name of the library's module."""


def _widened(array: Any) -> Array:
    """Return an array of NumPy, whose floats of types that only ml_dtypes has become wider ones."""
    import numpy as np

    plain: Array = np.asarray(array)
    if plain.dtype.type.__module__ == "ml_dtypes":
        name = plain.dtype.name
        wider = np.complex64 if "complex" in name else np.float32 if "float" in name else plain.dtype
        return plain.astype(wider, copy=False)
    return plain


def _named(given: Any) -> str:
    return "None" if given is None else f"the {one_line(type(given).__name__, 60)}"


def _not_an_array(given: Any, before: str = "") -> UsageError:
    """Return the error for what is no array, or holds something else than numbers."""
    kind = "None" if given is None else one_line(type(given).__name__, 60)
    hint = "give an array, a tensor or a list of numbers" if before else "make a NumPy array of it first"
    if hasattr(given, "__next__"):
        hint = "join what it yields into one array, as by numpy.concatenate(list(chunks))"
    elif before and isinstance(given, Mapping):
        hint = "give each by itself"
    elif given is None and not before:
        hint = "check that the model returns it"
    elif callable(given):
        hint = "give what it returns"
    elif hasattr(given, "__iter__") and not isinstance(given, (str, bytes, Mapping)):
        hint = "make a list of it first, as by list(audio)"
    message = f"{before}{kind}, not numbers" if before else f"{kind} is not an array, a tensor or a list of numbers"
    return UsageError(message, code="not-an-array", hint=hint)


def _not_dense(message: str, method: str) -> UsageError:
    return UsageError(message, code="not-dense", hint=f"give {method}")


def _ragged(message: str, first: Any) -> UsageError:
    """Return the error for rows of different lengths, with the function of their library that joins them."""
    join = "torch.cat" if _reader_of(first) is _of_torch else "numpy.concatenate"
    return UsageError(message, code="ragged", hint=f"join them into one, as by {join}, or give each by itself")
