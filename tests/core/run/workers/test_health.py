"""Tests of the health of a process: which errors are its own, and which are the disk's."""

import errno
import os
import resource

import pytest

from tonearm.errors import OutputError
from tonearm.run.workers.health import Health


def failed(number):
    """Return the error of an output, as a store raises it."""
    error = OutputError("cannot write")
    error.__cause__ = OSError(number, os.strerror(number))
    return error


@pytest.mark.parametrize("number", [errno.EBADF, errno.EMFILE])
def test_a_process_without_files(number):
    assert Health().explains(failed(number))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENFILE, errno.EFBIG])
def test_a_disk(number):
    assert not Health().explains(failed(number))
    assert not Health().explains(OutputError("no space"))


def test_a_limit_that_was_lowered():
    health = Health()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 40, hard))
    try:
        assert health.explains(failed(errno.EFBIG))
        assert not Health().explains(failed(errno.EFBIG))  # the operator's own
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_limit_that_was_raised():
    """A run on a large cluster raises the number of files it may have open, and its disk may be full afterwards."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
    try:
        health = Health()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert not health.explains(failed(errno.ENOSPC))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_errors_in_a_circle():
    error, other = OutputError("a"), OutputError("b")
    error.__context__, other.__context__ = other, error
    assert not Health().explains(error)
