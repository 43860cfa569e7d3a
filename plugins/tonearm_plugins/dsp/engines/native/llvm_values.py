"""Values of the function that is being written: integers, vectors, memory. Arithmetic on them writes instructions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tonearm_plugins.dsp.engines.native.llvm_writer import Writer

FLAGS = "reassoc nsz arcp contract afn"
BITS = {"i1": 1, "float": 32, "i32": 32, "double": 64}


def literal(value: float, kind: str) -> str:
    """Return a number in the syntax of LLVM, which writes a float as the bits of the equal double."""
    if kind == "float":
        return f"0x{np.float64(np.float32(value)).view(np.uint64):016X}"
    if kind == "double":
        return f"0x{np.float64(value).view(np.uint64):016X}"
    return str(int(value))


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

    def __floordiv__(self, other: int) -> Int:
        """Return the quotient of an integer that is not negative."""
        return self._written("udiv", self, other)

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
        return self._new(f"fadd {self.type} {self.name}, {self.writer.constant(value, self.kind).name}")

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
        cache = "2" if to_write else "3"  # the first cache for what is read; measured to be fastest
        numbers = (("i32", str(int(to_write))), ("i32", cache), ("i32", "1"))
        self.writer.call("void", "llvm.prefetch.p0", ("ptr", self.name), *numbers)

    def _at(self, index: Int | int) -> str:
        return self.writer.emit(f"getelementptr inbounds {self.kind}, ptr {self.name}, i64 {index}")


def address(value: Int, kind: str | None = None) -> Memory:
    """Return the array at an address."""
    return Memory(value.writer, value.writer.emit(f"inttoptr i64 {value} to ptr"), kind or value.writer.kind)
