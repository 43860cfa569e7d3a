"""Interrupts of a run: they are raised while a plugin works or the run waits for workers, and never in between.

Ctrl-C makes Python raise KeyboardInterrupt between any two steps of a program. Between a record and a renaming, or
right after a file is created, that would leave files behind that nothing knows of. So an interrupt waits at a gate that
is open only where nothing can be lost. Masking signals would not help: the threads of numerical libraries would still
receive them.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, TypeVar

from tonearm.startup import interrupt_tests, stop_signals

SIGNALS = stop_signals()

T = TypeVar("T")
Handler = Callable[[int, FrameType | None], Any]


class InterruptGate:
    """A gate that KeyboardInterrupt passes only while it is open. Otherwise the interrupt waits.

    Use the gate as a context manager around code that must not be disturbed, and `opened` within it. The gate holds
    back only KeyboardInterrupt, and only if a handler raises it: a handler that ends the program still ends it. In
    threads other than the main one, where no signal arrives, the gate does nothing.

    Attributes
    ----------
    opened
        Context manager that opens the gate.
    is_open
        Whether the gate is open.
    pending
        Interrupt that waits.
    """

    def __init__(self) -> None:
        self.opened = _Opened(self)
        self.is_open = False
        self.pending: KeyboardInterrupt | None = None
        self._previous_handlers: dict[int, Handler] = {}
        self._previous_hook = sys.unraisablehook

    def __enter__(self) -> InterruptGate:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._previous_handlers[number] = handler
                    signal.signal(number, self._on_signal)
            self._previous_hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
            interrupt_tests.append(self._is_pending)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)
        if self._is_pending in interrupt_tests:
            interrupt_tests.remove(self._is_pending)
        if sys.unraisablehook == self._unraisable:
            sys.unraisablehook = self._previous_hook
        if error is None and self.pending is not None:
            raise self.pending

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        """Close the gate for a while within `opened`. An interrupt that came meanwhile is then raised."""
        was_open, self.is_open = self.is_open, False
        try:
            yield
        finally:
            self.is_open = was_open
        if was_open and self.pending is not None:
            raise self.pending

    def iterate(self, stream: Iterator[T]) -> Iterator[T]:
        """Yield what a stream yields. The gate is open only while the stream makes the next value."""
        while True:
            with self.opened:
                value = next(stream, None)
            if value is None:
                return
            yield value
            del value  # frees its memory before the next value is made

    def _is_pending(self) -> bool:
        return self.pending is not None

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        try:
            self._previous_handlers[number](number, frame)
        except KeyboardInterrupt as error:
            self.pending = error
            if self.is_open:
                raise

    def _unraisable(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Ignore an interrupt raised in a callback from C or a finalizer: it is raised again when the gate closes."""
        if unraisable.exc_value is None or unraisable.exc_value is not self.pending:
            self._previous_hook(unraisable)


class OpenGate:
    """A gate that always stands open, for code that must not touch the handlers of the process it works in."""

    def __init__(self) -> None:
        self.opened = contextlib.nullcontext()

    def __enter__(self) -> OpenGate:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def iterate(self, stream: Iterator[T]) -> Iterator[T]:
        """Return the stream."""
        return stream


class _Opened:
    """A context manager that opens a gate. If a plugin swallows an interrupt, it is raised again at the end."""

    def __init__(self, gate: InterruptGate) -> None:
        self._gate = gate

    def __enter__(self) -> None:
        self._gate.is_open = True
        if self._gate.pending is not None:
            self._gate.is_open = False
            raise self._gate.pending

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        gate = self._gate
        gate.is_open = False
        if gate.pending is not None and not isinstance(error, KeyboardInterrupt):
            raise gate.pending
