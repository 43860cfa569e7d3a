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

from tonearm_plugins.dsp.engines.native.llvm_values import BITS, FLAGS, Cell, Int, Memory, Vec, address, literal

__all__ = ["Cell", "Int", "Memory", "Vec", "Writer", "address"]

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


def _repeated(text: str, kind: str, lanes: int) -> str:
    return "<" + ", ".join([f"{kind} {text}"] * lanes) + ">"
