import errno
import fcntl
import os
import re
import resource

import pytest
from store_toys import is_locked, refusal

from tonearm.errors import OutputError
from tonearm.run.store.owners import (
    Owner,
    hold_owner,
    is_dead,
    is_only_holder,
    raise_file_limit,
    read_nonce,
    release_owner,
)
from tonearm.run.store.tree import Tree


def owners_in(folder):
    return os.listdir(folder / ".tonearm" / "owners")


class TestOwners:
    def test_two_can_hold_one_owner(self, folder, open_files):
        tree = Tree(str(folder))
        assert hold_owner(tree, "0000abcd", create=False) is None
        owner = Owner(tree)
        path = folder / ".tonearm" / "owners" / owner.id
        before = open_files()
        other = hold_owner(tree, owner.id, create=False)
        assert is_locked(path) is False  # shared
        owner.close()
        assert path.exists()
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            assert not is_only_holder(other, without_locks=True)
        release_owner(tree, owner.id, other)
        assert not path.exists()
        assert open_files() == before - 1

    def test_a_dead_owner_that_a_sweep_looks_at_is_not_held(self, folder, open_files):
        tree = Tree(str(folder))
        tree.folder(".tonearm/owners", create=True)
        with (folder / ".tonearm/owners/0000abcd").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            before = open_files()
            assert hold_owner(tree, "0000abcd", create=False) is None
            assert open_files() == before

    @pytest.mark.parametrize(
        ("number", "without_locks", "only"),
        [
            (None, False, True),
            (errno.EWOULDBLOCK, True, False),
            (errno.ENOLCK, True, True),
            (errno.ENOLCK, False, False),
        ],
    )
    def test_who_holds_a_file(self, folder, monkeypatch, number, without_locks, only):
        with (folder / "a").open("wb") as file:
            if number:
                monkeypatch.setattr(fcntl, "flock", refusal(number))
            assert is_only_holder(file.fileno(), without_locks=without_locks) is only

    def test_a_file_system_without_locks(self, folder, monkeypatch):
        monkeypatch.setattr(fcntl, "flock", refusal(errno.ENOLCK))
        owner = Owner(Tree(str(folder)))
        assert owners_in(folder) == [owner.id]
        owner.close()
        assert owners_in(folder) == []

    def test_an_owner_whose_folder_goes_again_and_again(self, folder, monkeypatch):
        real = os.open

        def gone(path, flags, *more, **options):
            if flags & os.O_CREAT:
                raise FileNotFoundError(errno.ENOENT, "No such file or directory")
            return real(path, flags, *more, **options)

        monkeypatch.setattr(os, "open", gone)
        with pytest.raises(OutputError, match=r"cannot write .*/\.tonearm/owners: no such file or directory"):
            Owner(Tree(str(folder)))

    def test_an_owner_has_a_file_for_as_long_as_it_lives(self, folder):
        owner = Owner(Tree(str(folder)))
        assert re.fullmatch("[0-9a-f]{8}", owner.id)
        assert owners_in(folder) == [owner.id]
        owner.close()
        owner.close()
        assert owners_in(folder) == []

    def test_an_owner_that_was_swept_while_it_was_made_is_made_again(self, folder, monkeypatch):
        """A sweep may find the file between its making and its locking. Then the file is not the owner's any more."""
        real, calls = fcntl.flock, []

        def sweep_first(descriptor, operation):
            calls.append(operation)
            if len(calls) == 1:
                os.unlink(os.readlink(f"/proc/self/fd/{descriptor}"))
            return real(descriptor, operation)

        monkeypatch.setattr(fcntl, "flock", sweep_first)
        owner = Owner(Tree(str(folder)))
        assert calls == [fcntl.LOCK_SH | fcntl.LOCK_NB] * 2
        assert owners_in(folder) == [owner.id]
        owner.close()

    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/tmp", path)])
    @pytest.mark.parametrize("name", [".tonearm", ".tonearm/owners"])
    def test_a_folder_of_owners_that_is_none(self, folder, make, name):
        os.makedirs(folder / os.path.dirname(name), exist_ok=True)
        make(folder / name)
        if (folder / name).is_dir() and not (folder / name).is_symlink():
            Owner(Tree(str(folder))).close()
            return
        with pytest.raises(OutputError, match=r"cannot write .*/\.tonearm/owners: "):
            Owner(Tree(str(folder)))

    def test_one_that_is_abandoned_leaves_its_file_as_a_killed_one_does(self, folder, open_files):
        tree = Tree(str(folder))
        tree.folder(".tonearm/owners", create=True)
        before = open_files()
        owner = Owner(tree)
        assert not is_dead(tree, owner.id)
        owner.abandon()
        owner.abandon()
        owner.close()
        assert is_dead(tree, owner.id)
        assert open_files() == before

    @pytest.mark.parametrize("owner", ["0000abcd", "", "../lock", "a\0b"])
    def test_one_that_is_not_there_is_not_dead(self, folder, owner):
        assert not is_dead(Tree(str(folder)), owner)

    def test_where_there_are_no_locks_none_is_dead(self, folder, monkeypatch):
        monkeypatch.setattr(fcntl, "flock", refusal(errno.ENOLCK))
        tree = Tree(str(folder))
        owner = Owner(tree)
        owner.abandon()
        assert not is_dead(tree, owner.id)


def test_a_limit_of_open_files_that_cannot_be_raised_stays(monkeypatch):
    """On macOS the hard limit may be none, and the system still refuses so many."""

    def refuse(*_):
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 200))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert not raise_file_limit()


class TestNonces:
    def test_each_owner_has_another_one(self, folder, open_files):
        tree = Tree(str(folder))
        one, other = Owner(tree), Owner(tree)
        assert one.nonce == read_nonce(tree, one.id) == ""
        one.write_nonce()
        other.write_nonce()
        before = open_files()
        assert re.fullmatch("[0-9a-f]{32}", one.nonce)
        assert one.nonce != other.nonce
        assert [read_nonce(tree, owner.id) for owner in (one, other)] == [one.nonce, other.nonce]
        assert open_files() == before

    def test_another_machine_can_read_it_while_the_file_is_open(self, folder, monkeypatch):
        """A client of NFS may keep what it writes until the file is flushed or closed."""
        seen, real = [], os.fsync
        monkeypatch.setattr(os, "fsync", lambda at: (seen.append(os.readlink(f"/proc/self/fd/{at}")), real(at)))
        owner = Owner(Tree(str(folder)))
        owner.write_nonce()
        assert seen == [str(folder / ".tonearm/owners" / owner.id)]

    @pytest.mark.parametrize("owner", ["0000abcd", "a\0b", "folder", "link", "../../above"])
    def test_of_what_is_no_owner(self, folder, owner):
        (folder / ".tonearm/owners/folder").mkdir(parents=True)
        (folder / ".tonearm/owners/link").symlink_to("/etc/hostname")
        assert read_nonce(Tree(str(folder)), owner) == ""

    def test_a_full_disk(self, folder, monkeypatch):
        owner = Owner(Tree(str(folder)))
        monkeypatch.setattr(os, "write", refusal(errno.ENOSPC))
        with pytest.raises(OutputError, match=r"cannot write .*/owners: no space left on device"):
            owner.write_nonce()
