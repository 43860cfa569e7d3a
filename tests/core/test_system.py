"""Tests of the calls that stand in for those of POSIX, beside the calls themselves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tonearm import system


@pytest.fixture(params=[True, False])
def posix(request, monkeypatch):
    monkeypatch.setattr(system, "HAS_POSIX", request.param)
    return request.param


@pytest.fixture
def opened(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    descriptor = os.open(path, os.O_RDWR)
    os.lseek(descriptor, 3, os.SEEK_SET)
    yield descriptor
    os.close(descriptor)


def test_reading_and_writing_at_an_offset_leave_the_position(posix, opened, tmp_path):
    assert system.read_at(opened, 4, 5) == b"5678"
    assert system.read_at(opened, 4, 8) == b"89"
    memory = memoryview(bytearray(6))
    assert system.read_into(opened, memory, 7) == 3
    assert bytes(memory) == b"789\0\0\0"
    assert system.write_at(opened, b"ab", 9) == 2
    assert os.read(opened, 2) == b"34"
    assert (tmp_path / "a").read_bytes() == b"012345678ab"


@pytest.mark.parametrize("has_memory", [True, False])
def test_a_file_without_a_name(monkeypatch, has_memory):
    if not has_memory:
        monkeypatch.delattr(os, "memfd_create")
    with system.unnamed_file("source") as file:
        file.write(b"abc")
        file.seek(0)
        assert file.read() == b"abc"
        link = str(Path(f"/proc/self/fd/{file.fileno()}").readlink())
        assert link.startswith("/memfd:source") is has_memory
        assert "(deleted)" in link


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has paths to descriptors")
def test_the_path_of_an_open_file_without_a_name():
    with system.unnamed_file("source") as file:
        file.write(b"abc")
        file.flush()
        path = system.path_to(file.fileno())
        assert path == f"/proc/{os.getpid()}/fd/{file.fileno()}"
        assert Path(path).read_bytes() == b"abc"


ELSEWHERE = """
import os
from tonearm import system
os.path.exists = lambda _: False
file = system.unnamed_file("source")
file.write(b"abc")
file.flush()
path = system.path_to(os.dup(file.fileno()))
assert open(path, "rb").read() == b"abc"
print(path)
"""


def test_elsewhere_that_is_a_copy_which_goes_at_the_end():
    found = subprocess.run([sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, check=True)
    path = Path(found.stdout.strip())
    assert path.name.startswith("tonearm-")
    assert not path.exists()


def test_free_space_where_a_folder_will_lie(posix, tmp_path):
    here = os.statvfs(tmp_path)
    found = system.free_space(str(tmp_path / "not" / "yet"))
    assert abs(found - here.f_bavail * here.f_frsize) < 1 << 30
    assert isinstance(system.free_space("not/an/absolute/path"), int | None)


def test_a_drive_that_is_not_there(monkeypatch):
    monkeypatch.setattr(os.path, "isdir", lambda _: False)
    assert system.free_space("/a/b") is None


def test_slashes(monkeypatch):
    assert system.with_slashes("a\\b/c") == "a\\b/c"  # a name may have a backslash here
    monkeypatch.setattr(os, "sep", "\\")
    assert system.with_slashes("Z:\\a\\b/c") == "Z:/a/b/c"


@pytest.mark.parametrize("text", ["a.wav", "é ü", ".a", "console", "nul_", "com10.txt", "a.con", "x~1"])
def test_a_name_of_a_file(posix, text):
    assert system.is_file_name(text)


@pytest.mark.parametrize(
    "text",
    [
        r"..\a", r"a\b", "c:", "c:a", "a.wav:b", "a?", "a*", "a|b", '"', "a.", "a ", "..", "nul", "NUL.wav", "Con",
        "aux .x", "com1", "COM¹.wav", "lpt9.a.b", "conin$", "a\n", "a\0",
    ],
)  # fmt: skip
def test_what_leads_elsewhere_on_windows(posix, text):
    assert system.is_file_name(text) == posix
