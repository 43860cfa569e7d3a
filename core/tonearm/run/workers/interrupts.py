"""When a run may be interrupted: while a plugin works or workers are waited for, and never in between.

Ctrl-C makes Python raise KeyboardInterrupt between any two steps of a program. Between a file's making and its being
noted, or between a record and its name, that would leave behind what nobody knows of. So a signal waits at a gate that
is open only where nothing can be lost. Masking signals would not do: the threads of numerical libraries take them too.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, TypeVar

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

T = TypeVar("T")
Handler = Callable[[int, FrameType | None], Any]


class InterruptGate:
    """Lets KeyboardInterrupt through only while it is open; else it waits.

    Use it as a context manager around all that must not be disturbed, and `opened` within it. Only handlers that are
    functions are held back, and only what they raise: one that ends the program ends it. In a thread other than the
    main one, where no signal arrives, there is nothing to do.
    """

    def __init__(self) -> None:
        self.opened = _Opened(self)
        self.is_open = False
        self.waiting: KeyboardInterrupt | None = None
        self._before: dict[int, Handler] = {}
        self._report = sys.unraisablehook

    def __enter__(self) -> InterruptGate:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                before = signal.getsignal(number)
                if callable(before):
                    self._before[number] = before
                    signal.signal(number, self._arrived)
            self._report, sys.unraisablehook = sys.unraisablehook, self._unraisable
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        if sys.unraisablehook == self._unraisable:
            sys.unraisablehook = self._report
        if error is None and self.waiting is not None:
            raise self.waiting

    def iterate(self, stream: Iterator[T]) -> Iterator[T]:
        """Yield what a stream gives; only while it makes the next one is the gate open."""
        while True:
            with self.opened:
                one = next(stream, None)
            if one is None:
                return
            yield one
            del one  # while the next one is made, this one need not be there

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        try:
            self._before[number](number, frame)
        except KeyboardInterrupt as error:
            self.waiting = error
            if self.is_open:
                raise

    def _unraisable(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Say nothing of an interrupt that came in a callback from C, or a finalizer: it comes when the gate closes."""
        if unraisable.exc_value is None or unraisable.exc_value is not self.waiting:
            self._report(unraisable)


class _Opened:
    """Opens a gate for a while. What a plugin does with an interrupt is not the last word on it."""

    def __init__(self, gate: InterruptGate) -> None:
        self._gate = gate

    def __enter__(self) -> None:
        self._gate.is_open = True
        if self._gate.waiting is not None:
            self._gate.is_open = False
            raise self._gate.waiting

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        gate = self._gate
        gate.is_open = False
        if gate.waiting is not None and not isinstance(error, KeyboardInterrupt):
            raise gate.waiting
