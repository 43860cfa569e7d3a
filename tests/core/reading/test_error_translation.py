"""Errors of libraries: one line each, and those of the disk pass."""

from __future__ import annotations

import errno
import os
import warnings

import pytest

from tonearm.errors import ItemError
from tonearm.reading.error_translation import quoted_reason, reading_errors
from tonearm.reading.messages import WRITE_AGAIN


def translated(error: Exception) -> ItemError:
    with pytest.raises(ItemError) as caught, reading_errors("a.h5", "an HDF5 file"):
        raise error
    assert (caught.value.message + caught.value.hint).isprintable()
    return caught.value


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("bad header"), "'bad header'"),
        (ValueError("\n\nfirst\nsecond"), "'first'"),
        (KeyError("x"), "\"'x'\""),
        (RecursionError(), "'RecursionError'"),
        (OSError("Unable to open file"), "'Unable to open file'"),
        (OSError(errno.EINVAL, "Invalid argument"), "'[Errno 22] Invalid argument'"),
        (ValueError("File is not a zip file"), "the directory at its end is missing: it is cut off, or not a zip file"),
    ],
)
def test_errors_of_a_library_are_one_line(error: Exception, reason: str) -> None:
    found = translated(error)
    assert (found.code, found.hint) == ("broken-file", WRITE_AGAIN)
    assert found.message == f"'a.h5' cannot be read as an HDF5 file: {reason}"
    assert found.__cause__ is error


def test_a_lack_of_memory_has_a_code_of_its_own() -> None:
    assert translated(MemoryError()).code == "no-memory"


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENODEV])
def test_errors_of_the_disk_pass(number: int) -> None:
    with pytest.raises(OSError, match=os.strerror(number)) as caught, reading_errors("a.h5", "an HDF5 file"):
        raise OSError(number, os.strerror(number))
    assert not isinstance(caught.value, ItemError)


def test_errors_of_our_own_pass_as_they_are() -> None:
    error = ItemError("no", code="empty")
    with pytest.raises(ItemError) as caught, reading_errors("a.h5", "an HDF5 file"):
        raise error
    assert caught.value is error


def test_warnings_of_a_library_are_suppressed() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with reading_errors("a.h5", "an HDF5 file"):
            warnings.warn("doubtful", stacklevel=1)
    assert seen == []


def test_the_reason_of_libsndfile_has_no_address() -> None:
    class LibraryError(Exception):
        error_string = "Format not recognised."

    assert quoted_reason(LibraryError("Error opening <_io.BytesIO object at 0x7f>")) == "'Format not recognised.'"
