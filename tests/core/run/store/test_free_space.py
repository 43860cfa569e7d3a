import os
from types import SimpleNamespace

import pytest

from tonearm.run.store.free_space import space_warnings
from tonearm.run.store.local_store import LocalStore


@pytest.fixture
def asked(monkeypatch):
    """A disk with 1 MB of free space; returns the folders that were asked about."""
    folders = []

    def statvfs(folder):
        folders.append(folder)
        return SimpleNamespace(f_bavail=1000, f_frsize=1000)

    monkeypatch.setattr(os, "statvfs", statvfs)
    return folders


def test_sources_more_than_twice_as_large_as_the_free_space(asked, folder):
    assert space_warnings(LocalStore("out"), 2_000_000) == []
    assert space_warnings(LocalStore("out\n"), 2_000_001) == ["the sources take 2 MB, but only 1 MB are free at out\\n"]


def test_a_folder_that_does_not_exist_is_judged_by_the_one_above(asked, folder):
    os.mkdir("there")
    space_warnings(LocalStore("there/x/y"), 1)
    assert asked == [f"{folder}/there"]


def test_a_file_system_that_does_not_tell(monkeypatch):
    def refuse(_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "statvfs", refuse)
    assert space_warnings(LocalStore("out"), 1 << 60) == []
