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


@pytest.mark.parametrize(
    "error",
    [
        ValueError("invalid literal for int() with base 10: 'password = hunter2, and so on'"),
        ValueError('unknown variant "password = hunter2, and so on", expected one of `F32`'),
        ValueError("no tensor `password = hunter2, and so on` here"),
        KeyError("password = hunter2, and so on"),
        TypeError("Expected b'password = hunter2, and so on'"),
    ],
)
def test_what_a_reason_quotes_is_cut_short(error: Exception) -> None:
    assert "and so" not in quoted_reason(error)
    assert "password = hunter2" in quoted_reason(error)


def test_a_reason_is_left_out_where_the_file_may_be_another() -> None:
    with pytest.raises(ItemError) as caught, reading_errors("a.ark", "a Kaldi archive", quotes=False):
        raise RuntimeError("root:x:0:0 is not a digit")
    assert caught.value.message == "'a.ark' cannot be read as a Kaldi archive"


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
