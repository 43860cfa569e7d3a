"""Notes of C libraries: unheard in a block, in every thread, while Python and the file descriptors are heard."""

from __future__ import annotations

import ctypes
import os
import sys
import threading

import pytest

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
