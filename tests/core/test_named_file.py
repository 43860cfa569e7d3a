"""Files that options name are regular and bounded, and reading them never waits."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tonearm.named_file import read_named_file


@pytest.mark.parametrize(("size", "found"), [(0, 0), (9, 9), (10, 10), (11, 11), (12, 11)])
def test_a_file_is_read_up_to_one_byte_beyond_the_limit(tmp_path: Path, size: int, found: int) -> None:
    (tmp_path / "a").write_bytes(bytes(size))
    assert read_named_file(str(tmp_path / "a"), 10) == bytes(found)


def test_a_link_leads_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").symlink_to("a")
    assert read_named_file(str(tmp_path / "b"), 10) == b"x"


def test_pipes_and_devices_have_no_content(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        assert read_named_file(str(tmp_path / name), 10) is None


def test_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
    for name in ("none", "loop", "socket", "."):
        with pytest.raises(OSError, match=r".") as caught:
            read_named_file(str(tmp_path / name), 10)
        assert caught.value.strerror
