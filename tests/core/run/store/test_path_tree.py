"""Tests of files that are reached by their paths."""

import os
import stat

import pytest

from tonearm.run.store import path_tree
from tonearm.run.store.path_tree import PathTree, open_tree
from tonearm.run.store.tree import LinkError, Tree


@pytest.fixture
def tree(folder):
    return PathTree(str(folder / "out"))


def made(tree, path, content=b"x"):
    descriptor = tree.open(path, os.O_RDWR | os.O_CREAT, create_folder=True)
    os.write(descriptor, content)
    os.close(descriptor)


def test_which_one_the_system_gets(folder, monkeypatch):
    assert type(open_tree(str(folder))) is Tree
    monkeypatch.setattr(path_tree, "HAS_POSIX", False)
    assert type(open_tree(str(folder), "/root")) is PathTree
    assert open_tree(str(folder), "/root").root == "/root"


def test_a_life_of_a_file(tree, folder):
    with pytest.raises(FileNotFoundError):
        tree.open("a/b/c.wav", os.O_RDONLY)
    assert not (folder / "out").exists()
    made(tree, "a/b/c.part", b"abc")
    assert list(tree.entries("a")) == [("b", True)]
    assert list(tree.entries("a/b")) == [("c.part", False)]
    tree.change_mode("a/b/c.part", 0o600)
    assert stat.S_IMODE(tree.status("a/b/c.part").st_mode) == 0o600
    assert tree.may_write("a/b/c.part")
    made(tree, "a/b/c.wav", b"old")
    tree.rename("a/b/c.part", "a/b/c.wav")
    assert (folder / "out/a/b/c.wav").read_bytes() == b"abc"
    tree.flush("a/b")
    tree.remove_folder("a/b")
    assert tree.status("a/b").st_mode
    tree.remove("a/b/c.wav")
    tree.remove("a/b/c.wav")
    tree.remove_folder("a/b")
    assert tree.status("a/b") is None
    tree.close()


@pytest.mark.parametrize("path", ["link", "link/a", "folder/link"])
def test_links_are_not_followed(tree, folder, path):
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere/a").write_bytes(b"theirs")
    (folder / "out/folder").mkdir(parents=True)
    (folder / "out/link").symlink_to(folder / "elsewhere")
    (folder / "out/folder/link").symlink_to(folder / "elsewhere/a")
    with pytest.raises(LinkError, match="is a link, and links below an output folder are not followed"):
        tree.open(path, os.O_RDWR | os.O_CREAT, create_folder=True)
    if path == "link/a":
        assert tree.status(path) is None
        tree.remove(path)
    assert (folder / "elsewhere/a").read_bytes() == b"theirs"


def test_a_junction_is_a_link(tree, folder, monkeypatch):
    (folder / "out/a").mkdir(parents=True)
    monkeypatch.setattr(path_tree, "_is_link", lambda _: True)
    with pytest.raises(LinkError):
        tree.require_folder("a")


def test_the_root_may_be_a_link(folder):
    (folder / "real").mkdir()
    (folder / "out").symlink_to(folder / "real")
    made(PathTree("out"), "a")
    assert (folder / "real/a").exists()


def test_a_file_on_the_way(tree, folder):
    made(tree, "a")
    with pytest.raises(NotADirectoryError):
        tree.open("a/b", os.O_RDWR | os.O_CREAT, create_folder=True)


def test_devices(tree, folder):
    made(tree, "a")
    (folder / "out/null").symlink_to(os.devnull)
    assert tree.leads_to_device("null")
    assert not tree.leads_to_device("a")
    assert not tree.leads_to_device("none")
    assert not tree.leads_to_device("a\0b")
    assert not Tree(str(folder / "out")).leads_to_device("b\0c/a")


class TestAFileThatSomebodyHasOpen:
    @pytest.fixture(autouse=True)
    def waits(self, monkeypatch):
        found = []
        monkeypatch.setattr(path_tree.time, "sleep", found.append)
        return found

    @pytest.mark.parametrize("times", [0, 1, 7])
    def test_is_renamed_when_it_is_closed(self, tree, folder, monkeypatch, waits, times):
        made(tree, "a")
        real, left = os.replace, [times]

        def replace(*paths):
            if left[0]:
                left[0] -= 1
                raise PermissionError(13, "The process cannot access the file")
            real(*paths)

        monkeypatch.setattr(os, "replace", replace)
        tree.rename("a", "b")
        assert (folder / "out/b").exists()
        assert waits == [0.005 * 2**number for number in range(times)]

    def test_is_removed_when_it_is_closed(self, tree, folder, monkeypatch, waits):
        made(tree, "a")
        real = os.unlink

        def unlink(path):
            if len(waits) < 3:
                raise PermissionError(13, "The process cannot access the file")
            real(path)

        monkeypatch.setattr(os, "unlink", unlink)
        tree.remove("a")
        assert not (folder / "out/a").exists()

    def test_is_given_up_in_the_end(self, tree, monkeypatch, waits):
        def replace(*_):
            raise PermissionError(13, "The process cannot access the file")

        made(tree, "a")
        monkeypatch.setattr(os, "replace", replace)
        with pytest.raises(PermissionError):
            tree.rename("a", "b")
        assert len(waits) == 7
