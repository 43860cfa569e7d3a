"""Exceptions in callbacks of cffi that reach no ``except``."""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import Any

import cffi  # type: ignore[import-untyped]
import pytest

from tonearm_plugins.formats.callback_errors import errors_of_callbacks


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what another hook receives."""
    received: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: received.append(unraisable.exc_value))
    return received


def fail() -> int:
    """Call a function of Python from C that raises an exception; C receives 0."""

    def interrupted() -> int:
        raise KeyboardInterrupt

    return int(cffi.FFI().callback("int(void)", interrupted)())


class Finalized:
    def __del__(self) -> None:
        raise ValueError("not a callback")


def test_what_callbacks_raise_is_kept(others: list[Any]) -> None:
    kept: list[BaseException] = []
    with errors_of_callbacks(kept.append):
        assert fail() == 0
    assert [type(error) for error in kept] == [KeyboardInterrupt]
    assert not others


def test_what_others_raise_goes_on(others: list[Any]) -> None:
    kept: list[BaseException] = []
    with errors_of_callbacks(kept.append):
        Finalized()
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
    assert [type(error) for error in others] == [ValueError, KeyboardInterrupt]
    assert not kept


def test_the_hook_is_put_back(others: list[Any]) -> None:
    before = sys.unraisablehook
    with contextlib.suppress(RuntimeError), errors_of_callbacks(lambda _: None):
        assert sys.unraisablehook is not before
        raise RuntimeError
    assert sys.unraisablehook is before


def test_a_later_hook_stays(others: list[Any]) -> None:
    later: Any = others.append
    with errors_of_callbacks(lambda _: None):
        sys.unraisablehook = later
    assert sys.unraisablehook is later


def test_threads_leave_the_hook_alone(others: list[Any]) -> None:
    before, found = sys.unraisablehook, []

    def work() -> None:
        with errors_of_callbacks(lambda _: None):
            found.append(sys.unraisablehook)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [before]
