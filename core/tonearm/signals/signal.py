"""The base class of all signals, and the checks that signal classes share."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tonearm.errors import SignalError

if TYPE_CHECKING:
    from tonearm.typing import Array


class Signal:
    """The base class of all signals. A third party may define its own subclass with its own ``port``.

    Attributes
    ----------
    port
        Name of the class in messages and tables: ``waveform``.
    """

    port: ClassVar[str] = "signal"

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        # A dataclass keeps the method that its class has. Its own one would print whole arrays and private fields.
        if "__repr__" not in vars(cls):
            cls.__repr__ = cls.__repr__  # type: ignore[method-assign]

    def arrays(self) -> tuple[Array, ...]:
        """Return the arrays whose values the host checks (for NaN and infinity)."""
        return ()

    def written_arrays(self) -> tuple[Array, ...]:
        """Return the arrays with axes in the order of files, by default that of `arrays`."""
        return self.arrays()

    def carried(self) -> tuple[object, ...]:
        """Return what a specification carries of the signal, by default the records among its fields."""
        return tuple(value for value in getattr(self, "__dict__", {}).values() if has_fields(value))

    def block_array(self) -> Array:
        """Return the array that goes through blocks, whose last axis is time, by default the only one.

        Raises
        ------
        TypeError
            If the signal has several arrays, or none.
        """
        arrays = self.arrays()
        if len(arrays) != 1:
            raise TypeError(f"a {self.port} has {len(arrays)} arrays, and blocks are of one")
        return arrays[0]

    def described(self) -> dict[str, Any]:
        """Return what files that hold the arrays record beside the name of the class.

        These are the options with which a reader of arrays restores the signal, such as ``axes`` and ``sample_rate``.

        Returns
        -------
        dict
            Plain values by name. By default, all fields of the dataclass that are numbers, text, true or false, and
            these fields of dataclasses in it, such as a `StftGrid`.
        """
        return plain_fields(self)

    @property
    def is_double(self) -> bool:
        """Whether any array of the signal is in double precision, float64 or complex128."""
        return any(array.dtype.char in "dD" for array in self.arrays())

    def __repr__(self) -> str:
        return f"<{describe(self)}>"


def has_fields(value: object) -> bool:
    """Return whether a value has fields of its own, as a grid has, rather than being a number, text or array."""
    return hasattr(type(value), "__struct_fields__") or is_dataclass(value)


def plain_fields(record: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that are numbers, text, true or false, and those of dataclasses in it.

    Parameters
    ----------
    record
        Instance of any class. One that is not a dataclass has no fields.

    Returns
    -------
    dict
        Plain values by name; numbers of NumPy become those of Python.
    """
    found: dict[str, Any] = {}
    for field in fields(record) if is_dataclass(record) else ():
        value = getattr(record, field.name)
        if getattr(value, "shape", None) == () and hasattr(value, "item"):
            value = value.item()
        if isinstance(value, (bool, int, float, str)):
            found[field.name] = value
        elif is_dataclass(value):
            described = getattr(value, "described", None)
            found |= {**(described() if described else plain_fields(value)), **found}
    return found


_VALUES = {"c": "complex", "f": "float", "iu": "whole"}


def check_array(port: str, array: Any, *, rank: int, kinds: str, shape: str) -> None:
    """Raise `SignalError` unless an array has this rank, one of these kinds of dtype, and no empty axis."""
    if not (hasattr(array, "ndim") and hasattr(array, "dtype")):
        raise SignalError(f"a {port} holds an array, not {type(array).__name__}")
    if array.ndim != rank:
        raise SignalError(f"a {port} is {shape}, not an array of shape {tuple(array.shape)}")
    if array.dtype.kind not in kinds:
        raise SignalError(f"a {port} holds {_VALUES[kinds]} values, not {array.dtype}")
    if 0 in array.shape:
        raise SignalError(f"the {port} is empty: its shape is {tuple(array.shape)}", code="empty")


def check_length(length: object) -> None:
    """Raise `SignalError` unless a length is None or a number of samples."""
    if length is not None and (type(length) is not int or length < 1):
        raise SignalError(f"length is {length!r}, not a number of samples of at least 1")


def describe(signal: Signal) -> str:
    """Return a short description of a signal: port, shape and sample rate."""
    shapes = " and ".join("×".join(map(str, array.shape)) for array in signal.arrays())
    rate = getattr(signal, "sample_rate", None)
    return " ".join(part for part in (signal.port, shapes, f"at {rate} Hz" if rate else "") if part)
