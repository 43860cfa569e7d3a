"""Notes of C libraries: unheard in a block, in every thread, while Python and the file descriptors are heard."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from tonearm_plugins.formats import library_notes
from tonearm_plugins.formats.library_notes import hushed_libraries

C = ctypes.CDLL(None)


def print_in_c(text: bytes) -> None:
    """Print on C's stdout and stderr, as libraries do."""
    C.printf(b"%s", text)
    stream = ctypes.c_void_p.in_dll(C, "stderr")
    C.fprintf(stream, b"%s", text)
    C.fflush(None)


def test_what_c_prints_is_unheard_in_a_block_alone(capfd: pytest.CaptureFixture[str]) -> None:
    print_in_c(b"before ")
    with hushed_libraries():
        print_in_c(b"unheard ")
        with hushed_libraries():
            print_in_c(b"unheard ")
        print_in_c(b"still unheard ")
    print_in_c(b"after")
    assert capfd.readouterr() == ("before after", "before after")


def test_python_and_the_file_descriptors_are_heard(capfd: pytest.CaptureFixture[str]) -> None:
    with hushed_libraries():
        os.write(2, b"one ")
        os.write(1, b"one ")
        sys.stderr.write("two")
        sys.stdout.write("two")
    assert capfd.readouterr() == ("one two", "one two")


def test_streams_return_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), hushed_libraries():
        raise KeyboardInterrupt
    print_in_c(b"heard")
    assert capfd.readouterr() == ("heard", "heard")


def test_streams_return_when_the_last_of_several_threads_is_done(capfd: pytest.CaptureFixture[str]) -> None:
    first_is_in, second_is_in = threading.Event(), threading.Event()

    def first() -> None:
        with hushed_libraries():
            first_is_in.set()
            second_is_in.wait(20)

    thread = threading.Thread(target=first)
    thread.start()
    first_is_in.wait(20)
    with hushed_libraries():
        second_is_in.set()
        thread.join()
        print_in_c(b"unheard")
    print_in_c(b"heard")
    assert capfd.readouterr() == ("heard", "heard")


def test_any_number_of_notes_is_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    with hushed_libraries():
        for _ in range(3):
            print_in_c(b"x" * 10_000)
    print_in_c(b"heard")
    assert capfd.readouterr() == ("heard", "heard")


def test_streams_are_found_once() -> None:
    variables, nowhere = library_notes._streams()
    assert len(variables) == 2
    assert nowhere
    assert library_notes._streams()[1] == nowhere


class Library:
    """A C library of another system."""

    def __init__(self, address: int | None, *names: str) -> None:
        self.asked: list[Any] = []
        self.fmemopen = self.Open(address, self.asked)
        for name in names:
            setattr(self, name, None)

    class Open:
        def __init__(self, address: int | None, asked: list[Any]) -> None:
            self.address, self.asked = address, asked

        def __call__(self, *arguments: Any) -> int | None:
            self.asked.append(arguments)
            return self.address


@pytest.mark.parametrize(
    ("library", "names"),
    [
        (Library(7, "gnu_get_libc_version"), ["stderr", "stdout"]),
        (Library(7, "__stderrp"), ["__stderrp", "__stdoutp"]),
        (Library(7, "__stderrp", "gnu_get_libc_version"), ["__stderrp", "__stdoutp"]),
        (Library(7), []),
        (Library(None, "gnu_get_libc_version"), []),
    ],
)
def test_streams_have_the_names_of_the_system(
    monkeypatch: pytest.MonkeyPatch, library: Library, names: list[str]
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library if name is None else pytest.fail("another library"))
    monkeypatch.setattr(
        ctypes, "c_void_p", SimpleNamespace(in_dll=lambda found, name: (found is library and name) or pytest.fail(name))
    )
    variables, nowhere = library_notes._streams.__wrapped__()
    assert variables == names
    assert nowhere == (7 if names else None)
    if names:
        assert library.asked == [(None, 4096, b"w")]
        assert library.fmemopen.argtypes == (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)
        assert library.fmemopen.restype is ctypes.c_void_p


def test_without_streams_notes_are_heard(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(library_notes, "_streams", lambda: ([], None))
    with hushed_libraries(), hushed_libraries():
        print_in_c(b"heard")
    assert capfd.readouterr() == ("heard", "heard")


def test_the_real_streams_are_kept_while_libraries_are_hushed() -> None:
    variables, nowhere = library_notes._streams()
    real = [variable.value for variable in variables]
    assert nowhere not in real
    with hushed_libraries():
        assert [variable.value for variable in variables] == [nowhere, nowhere]
        assert ([address for _, address in library_notes._real], library_notes._hushed) == (real, 1)
        with hushed_libraries():
            assert ([address for _, address in library_notes._real], library_notes._hushed) == (real, 2)
        assert [variable.value for variable in variables] == [nowhere, nowhere]
    assert [variable.value for variable in variables] == real
    assert library_notes._hushed == 0


def test_a_child_that_is_forked_in_a_block_of_another_thread_prints_and_reads(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It has neither the thread that would restore the streams, nor those that hold a lock."""
    soundfile = pytest.importorskip("soundfile")
    held, may_end = threading.Event(), threading.Event()

    def hush() -> None:
        with hushed_libraries(), library_notes._lock, getattr(soundfile.SoundFile, "_sf_error_lock", threading.Lock()):
            held.set()
            may_end.wait(20)

    thread = threading.Thread(target=hush)
    thread.start()
    assert held.wait(20)
    child = os.fork()
    if not child:
        signal.alarm(20)
        print_in_c(b"heard")
        with hushed_libraries():
            print_in_c(b"unheard")
        free = getattr(soundfile.SoundFile, "_sf_error_lock", threading.Lock()).acquire(timeout=5)
        os._exit(0 if free else 1)
    assert os.waitpid(child, 0)[1] == 0
    may_end.set()
    thread.join(20)
    assert capfd.readouterr() == ("heard", "heard")
