"""Pickles of plain values and arrays of numbers, as `numpy.save` writes a dict: read by a machine that calls nothing.

Python's own unpickler calls whatever a file names. This one knows the few operations of such files, and the few names
of NumPy in them stand for arrays that it builds itself; anything else is refused at the place where it is named.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from tonearm.api import ItemError, check_memory, quoted

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

MAX_OPERATIONS: Final = 20_000
"""Number of operations of one pickle: that of a file of codes has about 150."""

MAX_ELEMENTS: Final = 1 << 40
"""Size of one axis of an array."""

MAX_AXES: Final = 8
"""Number of axes of an array."""

_REMEDY: Final = "write it again with the program of its format; pickles of others can run any code, and are not read"
_KINDS: Final = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8), "O": (8,)}


class Callee(Enum):
    """What a name in a pickle stands for."""

    RECONSTRUCT = "an empty array"
    NDARRAY = "the class of arrays"
    DTYPE = "a type of values"
    SCALAR = "a single number"


NAMES: Final = {
    ("numpy", "ndarray"): Callee.NDARRAY,
    ("numpy", "dtype"): Callee.DTYPE,
    **{
        (f"numpy.{core}.multiarray", name): callee
        for core in ("core", "_core")  # NumPy 1 and 2
        for name, callee in (("_reconstruct", Callee.RECONSTRUCT), ("scalar", Callee.SCALAR))
    },
}
"""Names that a pickle may have, by module and name."""


class _Type:
    """Type of values; its byte order is set by a later operation."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.order = "|"

    @property
    def itemsize(self) -> int:
        """Size of one value in bytes."""
        return int(self.code[1:])


class _EmptyArray:
    """Array without content, which a later operation gives."""

    def __init__(self) -> None:
        self.content: Any = None


_MARK: Final = object()


def load(data: bytes, name: str, start: int = 0) -> Any:
    """Return the content of a pickle of plain values and arrays of numbers.

    Parameters
    ----------
    data
        Content of the file. It ends with the pickle.
    name
        Name of the file, for messages.
    start
        Position of the pickle.

    Returns
    -------
    object
        Dicts, lists, tuples, texts, bytes and numbers, and arrays. An array of objects is the list of its objects.

    Raises
    ------
    ItemError
        ``pickle-refused`` for a name or an operation that is not allowed, ``broken-file``, or ``too-large``.

    Examples
    --------
    >>> import pickle
    >>> load(pickle.dumps({"n": 3}, 4), "a.dac")
    {'n': 3}
    """
    return _Machine(data, name, start).run()


class _Machine:
    """Machine with a stack and a memo, as pickles expect one."""

    def __init__(self, data: bytes, name: str, start: int) -> None:
        self.data, self.name, self.at = data, name, start
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.built = 0

    def run(self) -> Any:
        """Return the value that the pickle leaves."""
        try:
            for _ in range(MAX_OPERATIONS):
                operation = self.take(1)
                if operation == b".":
                    break
                do = _OPERATIONS.get(operation)
                if do is None:
                    raise self._refused(f"the operation {quoted(operation.decode('latin-1'))}")
                do(self)
            else:
                raise ItemError(
                    f"{quoted(self.name)} has a pickle of more than {MAX_OPERATIONS:,} operations",
                    code="too-large",
                    hint=_REMEDY,
                )
            if self.at != len(self.data) or len(self.stack) != 1:
                raise self._broken("the file continues after its end, or it leaves no single value")
            return _content(self.stack[0], {})
        except (IndexError, KeyError, TypeError, ValueError, UnicodeDecodeError, RecursionError):
            raise self._broken("an operation does not find what it needs") from None

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        taken = self.data[self.at : self.at + count]
        if len(taken) < count:
            raise self._broken("it is cut off")
        self.at += count
        return taken

    def number(self, form: str) -> Any:
        """Return the next number, in a form of `struct`."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def _line(self) -> str:
        end = self.data.index(b"\n", self.at)
        line = self.data[self.at : end].decode("ascii")
        self.at = end + 1
        return line

    def _above_mark(self) -> list[Any]:
        """Return what was put on the stack since the last mark."""
        place = len(self.stack) - 1
        while self.stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise IndexError
        above = self.stack[place + 1 :]
        del self.stack[place:]
        return above

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def protocol(self) -> None:
        """Check the version of the pickle."""
        if (version := self.take(1)[0]) not in (2, 3, 4):
            raise self._refused(f"protocol {version}")

    def named(self) -> None:
        """Put what a name on two lines stands for on the stack."""
        self._push_named(self._line(), self._line())

    def stack_named(self) -> None:
        """Put what the module and the name on the stack stand for on the stack."""
        name, module = self.stack.pop(), self.stack.pop()
        self._push_named(module, name)

    def _push_named(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise self._refused("a name that is no text")  # it may be endless: it is not shown
        callee = NAMES.get((module, name))
        if callee is None:
            raise self._refused(quoted(f"{module}.{name}", 80))
        self.push(callee)

    def reduce(self) -> None:
        """Build what a name stands for."""
        arguments, callee = self.stack.pop(), self.stack.pop()
        if callee is Callee.RECONSTRUCT and arguments[0] is Callee.NDARRAY:
            self.push(_EmptyArray())
        elif callee is Callee.DTYPE and _is_type(arguments[0]):
            self.push(_Type(arguments[0]))
        elif callee is Callee.SCALAR and isinstance(arguments[0], _Type) and isinstance(arguments[1], bytes):
            self.push(self._array((), arguments[0], arguments[1], fortran=False).item())
        else:
            raise self._refused("a call of anything but an array and its type")

    def build(self) -> None:
        """Give an array its content, or a type its byte order."""
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, _Type) and state[1] in ("<", ">", "|", "="):
            target.order = state[1]
        elif isinstance(target, _EmptyArray) and target.content is None:
            _, shape, kind, fortran, content = state
            if not isinstance(kind, _Type) or not isinstance(shape, tuple):
                raise TypeError
            if kind.code[0] == "O":
                if not isinstance(content, list):
                    raise TypeError
                target.content = content
            else:
                target.content = self._array(shape, kind, content, fortran=bool(fortran))
        else:
            raise self._refused("a state of anything but an array and its type")

    def _array(self, shape: tuple[Any, ...], kind: _Type, content: bytes, *, fortran: bool) -> Array:
        """Return an array of numbers; its bytes are there already, so nothing of a claimed size is allocated."""
        import math

        import numpy as np

        if kind.code[0] == "O" or not isinstance(content, bytes):
            raise TypeError
        is_shape = len(shape) <= MAX_AXES and all(type(size) is int and 0 <= size <= MAX_ELEMENTS for size in shape)
        if not is_shape or math.prod(shape) * kind.itemsize != len(content):
            raise self._broken("an array does not have as many bytes as its shape says")
        self.built += len(content)
        if self.built > len(self.data):
            raise self._broken("several arrays share their bytes")
        check_memory(self.name, "", self.built)
        order = "<" if kind.order == "=" else kind.order
        made: Array = np.frombuffer(content, f"{order}{kind.code}").reshape(shape, order="F" if fortran else "C")
        return made.astype(made.dtype.newbyteorder("="), copy=False)

    def append(self) -> None:
        """Append a value to a list."""
        value = self.stack.pop()
        self._list().append(value)

    def appends(self) -> None:
        """Append values to a list."""
        values = self._above_mark()
        self._list().extend(values)

    def _list(self) -> list[Any]:
        if type(self.stack[-1]) is not list:
            raise TypeError
        return self.stack[-1]

    def set_item(self) -> None:
        """Set an entry of a dict."""
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key, value])

    def set_items(self) -> None:
        """Set entries of a dict."""
        self._set(self._above_mark())

    def _set(self, pairs: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict or len(pairs) % 2:
            raise TypeError
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if not isinstance(key, (str, int)):
                raise TypeError
            target[key] = value

    def put(self, place: int) -> None:
        """Remember what is on top of the stack."""
        self.memo[place] = self.stack[-1]

    def tuple_of(self, count: int | None) -> None:
        """Put a tuple of the last values on the stack, or of those above the mark."""
        if count is None:
            self.push(tuple(self._above_mark()))
            return
        values = self.stack[len(self.stack) - count :]
        if len(values) < count or any(value is _MARK for value in values):
            raise IndexError
        del self.stack[len(self.stack) - count :]
        self.push(tuple(values))

    def _refused(self, what: str) -> ItemError:
        return ItemError(
            f"{quoted(self.name)} is a pickle that holds {what}, which is not allowed, and is not opened",
            code="pickle-refused",
            hint=_REMEDY,
        )

    def _broken(self, what: str) -> ItemError:
        return ItemError(
            f"{quoted(self.name)} holds a broken pickle: {what}",
            code="broken-file",
            hint="write the file again; it was probably cut off",
        )


def _is_type(code: object) -> bool:
    """Return whether a text is the code of a type of numbers, such as ``u2``, or of objects."""
    if not isinstance(code, str) or code[:1] not in _KINDS or not code[1:].isdecimal() or len(code) > 2:
        return False
    return int(code[1:]) in _KINDS[code[0]]


def _content(value: Any, known: dict[int, Any]) -> Any:
    """Return a value in which arrays stand for themselves.

    Each value is looked at once, however often others hold it; one that holds itself is refused.
    """
    if id(value) in known:
        if known[id(value)] is _MARK:
            raise RecursionError
        return known[id(value)]
    known[id(value)] = _MARK
    made = value
    if isinstance(value, _EmptyArray) and value.content is not None:
        made = _content(value.content, known)
    elif isinstance(value, dict):
        made = {key: _content(one, known) for key, one in value.items()}
    elif isinstance(value, (list, tuple)):
        made = type(value)([_content(one, known) for one in value])
    elif isinstance(value, (_EmptyArray, _Type, Callee)) or value is _MARK:
        raise TypeError
    known[id(value)] = made
    return made


def _sized(form: str, decode: Callable[[bytes], Any] | None = None) -> Callable[[_Machine], None]:
    """Return the operation that puts bytes of a stated size on the stack, or what they are decoded to."""

    def do(machine: _Machine) -> None:
        taken = machine.take(machine.number(form))
        machine.push(decode(taken) if decode else taken)

    return do


def _figure(form: str) -> Callable[[_Machine], None]:
    return lambda machine: machine.push(machine.number(form))


def _value(make: Callable[[], Any]) -> Callable[[_Machine], None]:
    return lambda machine: machine.push(make())


def _long(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


_OPERATIONS: Final[dict[bytes, Callable[[_Machine], None]]] = {
    b"\x80": _Machine.protocol,
    b"\x95": lambda machine: machine.number("<Q"),  # a frame, whose length says nothing that is needed
    b"(": _value(lambda: _MARK),
    b"N": _value(lambda: None),
    b"\x88": _value(lambda: True),
    b"\x89": _value(lambda: False),
    b")": _value(tuple),
    b"]": _value(list),
    b"}": _value(dict),
    b"K": _figure("<B"),
    b"M": _figure("<H"),
    b"J": _figure("<i"),
    b"G": _figure(">d"),
    b"\x8a": _sized("<B", _long),
    b"C": _sized("<B"),
    b"B": _sized("<I"),
    b"\x8e": _sized("<Q"),
    b"\x8c": _sized("<B", bytes.decode),
    b"X": _sized("<I", bytes.decode),
    b"\x8d": _sized("<Q", bytes.decode),
    b"c": _Machine.named,
    b"\x93": _Machine.stack_named,
    b"R": _Machine.reduce,
    b"b": _Machine.build,
    b"a": _Machine.append,
    b"e": _Machine.appends,
    b"s": _Machine.set_item,
    b"u": _Machine.set_items,
    b"t": lambda machine: machine.tuple_of(None),
    b"\x85": lambda machine: machine.tuple_of(1),
    b"\x86": lambda machine: machine.tuple_of(2),
    b"\x87": lambda machine: machine.tuple_of(3),
    b"\x94": lambda machine: machine.put(len(machine.memo)),
    b"q": lambda machine: machine.put(machine.number("<B")),
    b"r": lambda machine: machine.put(machine.number("<I")),
    b"h": lambda machine: machine.push(machine.memo[machine.number("<B")]),
    b"j": lambda machine: machine.push(machine.memo[machine.number("<I")]),
}
"""Operations by their byte. Those for classes, instances, extensions and persistent ids are not among them."""
