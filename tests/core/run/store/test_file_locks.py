"""Tests of locks: those of POSIX, and those by ranges of bytes, are held and refused alike."""

import contextlib
import errno
import os
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from tonearm.run.store import file_locks

# Its folder must not get into `sys.path`: worker processes would start by the rules of Windows that are there.
BYTE_LOCKS = Path(__file__).parents[2] / "windows_rules" / "byte_locks.py"
SPEC = spec_from_file_location("byte_locks", BYTE_LOCKS)
byte_locks = module_from_spec(SPEC)
SPEC.loader.exec_module(byte_locks)


@pytest.fixture(params=["posix", "bytes"])
def rules(request, monkeypatch):
    if request.param == "bytes":
        monkeypatch.setattr(file_locks, "HAS_POSIX", False)
        monkeypatch.setattr(file_locks, "msvcrt", byte_locks, raising=False)
        monkeypatch.setattr(file_locks, "_ranges", {})
    return request.param


@pytest.fixture
def opened(tmp_path):
    """Open the same file several times."""
    path = tmp_path / "lock"
    path.write_bytes(b"content")
    found = [os.open(path, os.O_RDWR) for _ in range(4)]
    yield found
    for descriptor in found:
        with contextlib.suppress(OSError):  # a test has closed it
            os.close(descriptor)


def is_free(descriptor, *, shared):
    try:
        file_locks.lock(descriptor, shared=shared)
    except BlockingIOError:
        return False
    return True


def test_one_holds_it_alone(rules, opened):
    one, other, *_ = opened
    file_locks.lock(one, shared=False)
    assert not is_free(other, shared=False)
    assert not is_free(other, shared=True)
    os.close(one)
    assert is_free(other, shared=False)


def test_several_share_it_and_none_has_it_alone(rules, opened):
    one, other, third, _ = opened
    assert is_free(one, shared=True)
    assert is_free(other, shared=True)
    assert not is_free(third, shared=False)
    os.close(one)
    os.close(other)
    assert is_free(third, shared=False)


def test_a_lock_becomes_one_of_the_other_sort(rules, opened):
    one, other, *_ = opened
    assert is_free(one, shared=True)
    assert is_free(one, shared=False)
    assert not is_free(other, shared=True)
    assert is_free(one, shared=True)
    assert is_free(other, shared=True)
    assert not is_free(one, shared=False)  # which gives up what it held
    assert is_free(one, shared=True)


def test_content_and_position_stay_as_they_are(rules, opened):
    one, other, *_ = opened
    os.lseek(one, 2, os.SEEK_SET)
    file_locks.lock(one, shared=False)
    assert os.read(one, 3) == b"nte"
    assert os.read(other, 7) == b"content"


def test_the_number_of_a_closed_file_may_be_another_files(rules, opened, tmp_path):
    one, *_ = opened
    file_locks.lock(one, shared=False)
    os.close(one)
    again = os.open(tmp_path / "another", os.O_RDWR | os.O_CREAT)
    assert again == one
    assert is_free(again, shared=False)


@pytest.mark.parametrize("rules", ["bytes"], indirect=True)
def test_a_file_system_without_locks(rules, opened, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(byte_locks, "locking", refuse)
    with pytest.raises(OSError, match="Invalid argument") as caught:
        file_locks.lock(opened[0], shared=True)
    assert not isinstance(caught.value, BlockingIOError)
