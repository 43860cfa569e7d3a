"""A writer of one LLVM function: Python values stand for machine values, and arithmetic on them writes instructions.

The code is explicit about vectors, so LLVM only has to allocate registers, which takes some tens of milliseconds. There
is no front end, no optimiser and no cache on disk. LLVM's strength reduction of loops would take half of that time and
gain nothing, so loop counters are hidden from it. Three kinds of values are enough:

`Int`
    an address or a loop counter (64 bits); Python ints mix with it and are folded.
`Vec`
    a register of ``lanes`` numbers: ``float``, ``i32``, ``double``, or ``i1`` for the result of a comparison.
`Memory`
    an array of numbers; ``memory[i]`` is the Vec from element i on, aligned or not.

Float arithmetic may be reordered and fused, but NaN and infinity keep their meaning (no ``nnan``, no ``ninf``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

FLAGS = "reassoc nsz arcp contract afn"
BITS = {"i1": 1, "float": 32, "i32": 32, "double": 64}

ATTRIBUTES = '"reciprocal-estimates"="vec-sqrtf"'
"""Attributes of the function: x / sqrt(y) of floats becomes an estimate and Newton's step, as exact to a bit or two."""


class Writer:
    """The text of one function, and its arguments.

    Parameters
    ----------
    lanes
        Numbers in a register.
    kind
        Numbers that memory holds and arithmetic is about unless another kind is asked for: ``float`` or ``double``.
    """

    def __init__(self, lanes: int, kind: str = "float") -> None:
        self.lanes, self.kind = lanes, kind
        self._lines: list[str] = []
        self._block = "entry"
        self._count = 0
        self.argument_kinds: dict[str, str] = {}
        self.memory_kinds: dict[str, str] = {}
        self._intrinsics: set[str] = set()
        self._scratch = 0

    # ---- arguments ----

    def memory(self, name: str, kind: str | None = None) -> Memory:
        """Declare a pointer argument; no two of them may overlap."""
        self.argument_kinds[name], self.memory_kinds[name] = "ptr", kind or self.kind
        return Memory(self, f"%{name}", kind or self.kind)

    def int_argument(self, name: str) -> Int:
        """Declare an integer argument."""
        self.argument_kinds[name] = "i64"
        return Int(self, f"%{name}")

    def float_argument(self, name: str) -> Vec:
        """Declare a float argument; it arrives in all lanes."""
        self.argument_kinds[name] = "float"
        return self.splat(f"%{name}")

    def scratch(self, count: int, kind: str | None = None) -> Memory:
        """Reserve room for numbers in the one argument ``scratch``, which is declared last."""
        kind, begin = kind or self.kind, self._scratch
        self._scratch += -(-count * BITS[kind] // 512) * 16
        return Memory(self, "%scratch", "i32").part(begin, kind)

    @property
    def scratch_size(self) -> int:
        """Number of 32-bit numbers in the argument ``scratch``, which begins on a cache line."""
        return self._scratch

    def source(self) -> str:
        """Return the text of the module, which has one function, ``run``."""
        kinds = {**self.argument_kinds, "scratch": "ptr"}
        arguments = ", ".join(f"{kind}{' noalias' * (kind == 'ptr')} %{name}" for name, kind in kinds.items())
        body = "\n".join([f"define void @run({arguments}) {ATTRIBUTES} {{", "entry:", *self._lines, "  ret void", "}"])
        return "\n".join([body, *sorted(self._intrinsics), ""])

    # ---- instructions ----

    def do(self, text: str) -> None:
        """Write an instruction without a result."""
        self._lines.append(f"  {text}")

    def emit(self, text: str) -> str:
        """Write an instruction and return the name of its result."""
        self._count += 1
        self.do(f"%v{self._count} = {text}")
        return f"%v{self._count}"

    def call(self, result: str, name: str, *arguments: tuple[str, str]) -> str:
        """Call an intrinsic of LLVM with arguments (type, value), and return the name of the result."""
        self._intrinsics.add(f"declare {result} @{name}({', '.join(kind for kind, _ in arguments)})")
        flags = f"{FLAGS} " if "float" in result or "double" in result else ""
        given = ", ".join(f"{kind} {value}" for kind, value in arguments)
        if result == "void":
            self.do(f"call void @{name}({given})")
            return ""
        return self.emit(f"call {flags}{result} @{name}({given})")

    def vector_type(self, kind: str, lanes: int | None = None) -> str:
        """Return the LLVM name of a vector type."""
        return f"<{lanes or self.lanes} x {kind}>"

    def constant(self, value: float, kind: str | None = None) -> Vec:
        """Return a number in all lanes."""
        kind = kind or self.kind
        return Vec(self, _repeated(literal(value, kind), kind, self.lanes), kind)

    def lane_numbers(self) -> Vec:
        """Return 0, 1, 2, ... as i32."""
        return Vec(self, "<" + ", ".join(f"i32 {lane}" for lane in range(self.lanes)) + ">", "i32")

    def splat(self, scalar: str, kind: str = "float") -> Vec:
        """Return a scalar in all lanes."""
        vector = self.vector_type(kind)
        one = self.emit(f"insertelement {vector} poison, {kind} {scalar}, i64 0")
        zeros = f"{self.vector_type('i32')} zeroinitializer"
        return Vec(self, self.emit(f"shufflevector {vector} {one}, {vector} poison, {zeros}"), kind)

    def either(self, one: str, other: str) -> str:
        """Return the condition that one of two conditions holds."""
        return self.emit(f"or i1 {one}, {other}")

    def pick(self, condition: str, yes: float, no: float) -> Vec:
        """Return one of two numbers, in all lanes."""
        kinds = [f"{self.kind} {literal(value, self.kind)}" for value in (yes, no)]
        return self.splat(self.emit(f"select i1 {condition}, {', '.join(kinds)}"), self.kind)

    def choose_int(self, condition: str, yes: Int | int, no: Int | int) -> Int:
        """Return one of two integers."""
        return Int(self, self.emit(f"select i1 {condition}, i64 {yes}, i64 {no}"))

    def mask(self, lanes: Sequence[int]) -> Vec:
        """Return a condition that holds in some lanes."""
        inside = ", ".join(f"i1 {int(lane in lanes)}" for lane in range(self.lanes))
        return Vec(self, f"<{inside}>", "i1")

    # ---- control flow ----

    @contextlib.contextmanager
    def loop(self, count: Int | int) -> Iterator[Int]:
        """Run the body ``count`` times, at least once; yield the counter."""
        with self.carrying(count) as (counter, _):
            yield counter

    @contextlib.contextmanager
    def carrying(self, count: Int | int, *carried: Vec) -> Iterator[tuple[Int, list[Cell]]]:
        """Run the body ``count`` times with values carried along; yield the counter, and a `Cell` for each value.

        The value of a cell at the end of the body is its value at the start of the next turn, and after the loop.
        """
        self._count += 1
        name, before, slot = f"loop{self._count}", self._block, len(self._lines) + 2
        self.label(name)
        self._lines += [""] * (1 + len(carried))  # the phi instructions, known only when the body is written
        cells = [Cell(Vec(self, f"%{name}.{i}", value.kind)) for i, value in enumerate(carried)]
        counter = Int(self, f"%{name}.n")
        yield Int(self, self.emit(f'call i64 asm "", "=r,0"(i64 {counter})')), cells  # hidden, see above
        self.label(f"{name}.next")
        following = self.emit(f"add nuw nsw i64 {counter}, 1")
        more = self.emit(f"icmp slt i64 {following}, {count}")
        self._lines[slot] = f"  {counter} = phi i64 [ 0, %{before} ], [ {following}, %{name}.next ]"
        for i, (value, cell) in enumerate(zip(carried, cells, strict=True)):
            choice = f"[ {value.name}, %{before} ], [ {cell.value.name}, %{name}.next ]"
            self._lines[slot + 1 + i] = f"  %{name}.{i} = phi {value.type} {choice}"
        self.do(f"br i1 {more}, label %{name}, label %{name}.done")
        self.label(f"{name}.done", reached=False)

    @contextlib.contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """Run the body if the condition holds; no value of the body may be used after it."""
        self._count += 1
        name = f"if{self._count}"
        self.do(f"br i1 {condition}, label %{name}, label %{name}.done")
        self.label(name, reached=False)
        yield
        self.label(f"{name}.done")

    def label(self, name: str, *, reached: bool = True) -> None:
        """Begin a basic block; ``reached`` is whether the code before goes on here."""
        if reached:
            self.do(f"br label %{name}")
        self._lines.append(f"{name}:")
        self._block = name


def literal(value: float, kind: str) -> str:
    """Return a number in the syntax of LLVM, which writes a float as the bits of the equal double."""
    if kind == "float":
        return f"0x{np.float64(np.float32(value)).view(np.uint64):016X}"
    if kind == "double":
        return f"0x{np.float64(value).view(np.uint64):016X}"
    return str(int(value))


def _repeated(text: str, kind: str, lanes: int) -> str:
    return "<" + ", ".join([f"{kind} {text}"] * lanes) + ">"


class Cell:
    """A value that a loop carries along."""

    def __init__(self, value: Vec) -> None:
        self.value = value


@dataclass(slots=True, eq=False)
class Int:
    """A 64-bit integer in the function being written."""

    writer: Writer
    name: str

    def __str__(self) -> str:
        return self.name

    def __add__(self, other: Int | int) -> Int:
        return self if other == 0 else self._written("add nsw", self, other)

    __radd__ = __add__

    def __sub__(self, other: Int | int) -> Int:
        return self if other == 0 else self._written("sub nsw", self, other)

    def __rsub__(self, other: int) -> Int:
        return self._written("sub nsw", other, self)

    def __mul__(self, other: Int | int) -> Int:
        return self if other == 1 else self._written("mul nsw", self, other)

    __rmul__ = __mul__

    def equals(self, other: Int | int) -> str:
        """Return the condition that the integers are equal."""
        return self.writer.emit(f"icmp eq i64 {self}, {other}")

    def below(self, other: Int | int) -> str:
        """Return the condition that the integer is less than another."""
        return self.writer.emit(f"icmp slt i64 {self}, {other}")

    def above(self, other: Int | int) -> str:
        """Return the condition that the integer is more than another."""
        return self.writer.emit(f"icmp sgt i64 {self}, {other}")

    def not_below(self, other: Int | int) -> str:
        """Return the condition that the integer is not less than another."""
        return self.writer.emit(f"icmp sge i64 {self}, {other}")

    def lanes32(self) -> Vec:
        """Return the integer in all lanes, as i32."""
        return self.writer.splat(self.writer.emit(f"trunc i64 {self} to i32"), "i32")

    def _written(self, operation: str, left: Int | int, right: Int | int) -> Int:
        return Int(self.writer, self.writer.emit(f"{operation} i64 {left}, {right}"))


@dataclass(slots=True, eq=False)
class Vec:
    """``lanes`` numbers of one kind in a register."""

    writer: Writer
    name: str
    kind: str = "float"

    @property
    def type(self) -> str:
        """LLVM name of the type."""
        return self.writer.vector_type(self.kind)

    def __add__(self, other: Vec | float) -> Vec:
        return self._operation("fadd" if self._is_float else "add", other)

    def __sub__(self, other: Vec | float) -> Vec:
        return self._operation("fsub" if self._is_float else "sub", other)

    def __mul__(self, other: Vec | float) -> Vec:
        return self._operation("fmul" if self._is_float else "mul", other)

    def __truediv__(self, other: Vec | float) -> Vec:
        return self._operation("fdiv", other)

    def __and__(self, other: Vec | int) -> Vec:
        return self._operation("and", other)

    def __rshift__(self, bits: int) -> Vec:
        return self._operation("ashr", bits)

    def __lshift__(self, bits: int) -> Vec:
        return self._operation("shl", bits)

    def __neg__(self) -> Vec:
        return self._new(f"fneg {FLAGS} {self.type} {self.name}")

    def __gt__(self, other: Vec) -> Vec:
        return self._compared("ogt", other)

    def __ge__(self, other: Vec) -> Vec:
        return self._compared("oge", other)

    def below(self, other: Vec) -> Vec:
        """Return, lane by lane, whether an integer is less than another."""
        return self._new(f"icmp slt {self.type} {self.name}, {other.name}", "i1")

    def choose(self, yes: Vec, no: Vec) -> Vec:
        """Return, lane by lane, ``yes`` where this comparison holds, else ``no``."""
        return yes._new(f"select {self.type} {self.name}, {yes.type} {yes.name}, {no.type} {no.name}")

    def sqrt(self) -> Vec:
        """Return the square root."""
        name = f"llvm.sqrt.v{self.writer.lanes}f{BITS[self.kind]}"
        return Vec(self.writer, self.writer.call(self.type, name, (self.type, self.name)), self.kind)

    def add_exactly(self, value: float) -> Vec:
        """Return the sum with a number; LLVM must not merge this addition with others."""
        return self._new(f"fadd {self.type} {self.name}, {self.writer.constant(value).name}")

    def cast(self, operation: str, kind: str) -> Vec:
        """Return the values converted by an operation: bitcast, sitofp, fptosi or fpext."""
        return self._new(f"{operation} {self.type} {self.name} to {self.writer.vector_type(kind)}", kind)

    def shuffle(self, other: Vec, lanes: Sequence[int]) -> Vec:
        """Return some of the 2 × lanes of this register and another, by their numbers."""
        name = self.writer.emit(_shuffle(self, other, lanes))
        return Vec(self.writer, name, self.kind)

    def first(self, count: int) -> str:
        """Return the first lanes as a shorter vector, for `Memory.put_short`."""
        return self.writer.emit(_shuffle(self, self, range(count)))

    @property
    def _is_float(self) -> bool:
        return self.kind in ("float", "double")

    def _new(self, text: str, kind: str | None = None) -> Vec:
        return Vec(self.writer, self.writer.emit(text), kind or self.kind)

    def _operation(self, operation: str, other: Vec | float) -> Vec:
        right = other if isinstance(other, Vec) else self.writer.constant(other, self.kind)
        flags = f" {FLAGS}" if self._is_float else ""
        return self._new(f"{operation}{flags} {self.type} {self.name}, {right.name}")

    def _compared(self, how: str, other: Vec) -> Vec:
        return self._new(f"fcmp {how} {self.type} {self.name}, {other.name}", "i1")  # false for NaN


def _shuffle(left: Vec, right: Vec, lanes: Sequence[int]) -> str:
    mask = ", ".join(f"i32 {lane}" for lane in lanes)
    return f"shufflevector {left.type} {left.name}, {right.type} {right.name}, <{len(lanes)} x i32> <{mask}>"


@dataclass(slots=True, eq=False)
class Memory:
    """An array of numbers of one kind in memory."""

    writer: Writer
    name: str
    kind: str = "float"

    def __getitem__(self, index: Int | int) -> Vec:
        vector = self.writer.vector_type(self.kind)
        return Vec(self.writer, self.writer.emit(f"load {vector}, ptr {self._at(index)}, align 4"), self.kind)

    def __setitem__(self, index: Int | int, value: Vec) -> None:
        self.writer.do(f"store {value.type} {value.name}, ptr {self._at(index)}, align 4")

    def splat(self, index: Int | int) -> Vec:
        """Return one number in all lanes."""
        return self.writer.splat(self.scalar(index), self.kind)

    def scalar(self, index: Int | int) -> str:
        """Load one number, and return its name."""
        return self.writer.emit(f"load {self.kind}, ptr {self._at(index)}, align 4")

    def put_scalar(self, index: Int | int, value: str) -> None:
        """Store one number."""
        self.writer.do(f"store {self.kind} {value}, ptr {self._at(index)}, align 4")

    def put_short(self, index: Int | int, value: str, count: int) -> None:
        """Store a vector of ``count`` numbers, or ``zeroinitializer``."""
        short = self.writer.vector_type(self.kind, count)
        self.writer.do(f"store {short} {value}, ptr {self._at(index)}, align 4")

    def short(self, index: Int | int, count: int) -> Vec:
        """Return ``count`` numbers in the first lanes, and zeros in the others."""
        short = self.writer.vector_type(self.kind, count)
        value = self.writer.emit(f"load {short}, ptr {self._at(index)}, align 4")
        lanes = ", ".join(f"i32 {min(lane, count)}" for lane in range(self.writer.lanes))
        text = f"shufflevector {short} {value}, {short} zeroinitializer, {self.writer.vector_type('i32')} <{lanes}>"
        return Vec(self.writer, self.writer.emit(text), self.kind)

    def int64(self, index: Int | int) -> Int:
        """Load an integer from an array of 64-bit integers."""
        address = self.writer.emit(f"getelementptr inbounds i64, ptr {self.name}, i64 {index}")
        return Int(self.writer, self.writer.emit(f"load i64, ptr {address}, align 8"))

    def part(self, index: Int | int, kind: str | None = None) -> Memory:
        """Return the array from an element on."""
        return Memory(self.writer, self._at(index), kind or self.kind)

    def bytes_on(self, count: Int | int) -> Memory:
        """Return the array from a byte offset on."""
        return Memory(self.writer, self.writer.emit(f"getelementptr i8, ptr {self.name}, i64 {count}"), self.kind)

    def prefetch(self, *, to_write: bool = False) -> None:
        """Fetch the first cache line of the array ahead of its use; harmless for any address."""
        numbers = (("i32", str(int(to_write))), ("i32", "2"), ("i32", "1"))  # into the second cache, data
        self.writer.call("void", "llvm.prefetch.p0", ("ptr", self.name), *numbers)

    def _at(self, index: Int | int) -> str:
        return self.writer.emit(f"getelementptr inbounds {self.kind}, ptr {self.name}, i64 {index}")


def address(value: Int, kind: str | None = None) -> Memory:
    """Return the array at an address."""
    return Memory(value.writer, value.writer.emit(f"inttoptr i64 {value} to ptr"), kind or value.writer.kind)
