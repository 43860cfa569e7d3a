import contextlib
import os
import signal
import stat
from pathlib import Path

import pytest
from run_toys import files, leftovers, pipeline, task, write

from tonearm.errors import ItemError, OutputError
from tonearm.run import convert_one as convert_one_module
from tonearm.run.convert_one import convert_one, remove_leftovers
from tonearm.run.store import temporaries as temporaries_module
from tonearm.run.store.local_store import LocalStore
from tonearm.source import Source


@pytest.fixture(autouse=True)
def inputs(folder):
    write(a="k 0.5\nl 2.5")


def convert(found=None, *, force=False, on_warning=print):
    found = found or pipeline("{stem}-{key}.raw", encoder="two-files")
    return convert_one(found, task("a.txt").source(), Path("out"), force=force, on_warning=on_warning)


def test_all_files_of_all_items_are_published():
    warnings = []
    paths = convert(on_warning=warnings.append)
    assert [str(path) for path in paths] == ["out/a-k.raw", "out/a-k.json", "out/a-l.raw", "out/a-l.json"]
    assert sorted(files()) == ["a-k.json", "a-k.raw", "a-l.json", "a-l.raw"]
    assert warnings == ["25 samples are loud"]
    assert not os.path.exists("out/.tonearm")


@pytest.mark.parametrize("existing", ["a-k.raw", "a-k.json"])
def test_an_existing_file_is_replaced_only_by_force(existing):
    os.mkdir("out")
    Path("out", existing).write_text("mine")
    with pytest.raises(ItemError) as caught:
        convert()
    assert caught.value.code == "not-ours"
    assert files() == {existing: b"mine"}
    assert leftovers() == []
    convert(force=True)
    assert len(files()) == 4


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("path", ["a.txt", "./a.txt", "link.txt", "sub/../a.txt"])
def test_the_source_itself_is_not_replaced(path, force):
    """The path of a source is as the user wrote it: relative, or a link."""
    os.symlink("a.txt", "link.txt")
    os.mkdir("sub")
    source = Source(name=path, path=path)
    for name in {"a.txt", Path(path).name}:
        with pytest.raises(ItemError) as caught:
            convert_one(pipeline(name), source, Path(), force=force, on_warning=print)
        assert caught.value.code == "output-is-input"
    assert os.readlink("link.txt") == "a.txt"
    assert Path("a.txt").read_text() == "k 0.5\nl 2.5"


@pytest.mark.parametrize("force", [False, True])
def test_items_that_would_have_one_name_are_told_so(force):
    with pytest.raises(ItemError) as caught:
        convert(pipeline("{stem}.raw"), force=force)
    assert (caught.value.code, caught.value.message) == ("same-output", "two items of a.txt would become a.raw")
    assert caught.value.hint == "put {index} into the file's name, or {key} where each item has its own"
    assert (files(), leftovers()) == ({}, [])


def test_an_item_of_the_same_name_that_fails_leaves_nothing_either():
    write(a="k 0.5\nl x")
    with pytest.raises(ItemError) as caught:
        convert(pipeline("{stem}.raw"))
    assert caught.value.code == "no-level"
    assert (files(), leftovers()) == ({}, [])


def test_a_failed_item_raises_and_earlier_items_stay():
    write(a="k 0.5\nl x\nm 0.5")
    with pytest.raises(ItemError) as caught:
        convert()
    assert caught.value.code == "no-level"
    assert sorted(files()) == ["a-k.json", "a-k.raw"]


def test_a_failed_renaming_leaves_no_temporaries(monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OutputError, match=r"cannot write out/a-k\.json: no space left on device"):
            convert()
    assert files() == {}
    assert leftovers() == []


def test_each_item_and_each_file_is_a_step():
    steps = []
    found = pipeline("{stem}-{key}.raw", encoder="two-files")
    convert_one(
        found,
        task("a.txt").source(),
        Path("out"),
        force=False,
        on_warning=print,
        on_step=lambda: steps.append(len(files()) if os.path.exists("out") else 0),
    )
    assert len(steps) == 4
    assert steps == sorted(steps)


def test_leftovers_of_another_process_are_removed_and_those_of_others_stay():
    child = os.fork()
    if not child:
        try:
            convert_one_module._write = kill_in_the_middle(convert_one_module._write)
            convert()
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    (left,) = leftovers()
    with contextlib.closing(LocalStore("out")) as store, store.temporaries(None, fsync=False) as living:
        held = living.sink("b.raw").path.name
        remove_leftovers("out")
        assert leftovers() == [held] != [left]


class TestCalls:
    """What `tonearm.save` asks for: a file as a program writes it, among many."""

    NAME = "out/a.raw"

    @pytest.fixture(autouse=True)
    def one_item(self, monkeypatch):
        write(a="k 0.5")
        os.mkdir("out")
        monkeypatch.setattr(convert_one_module, "_swept", set())

    def call(self, *, force=True, found=None):
        found = found or pipeline("{stem}.raw")
        source = task("a.txt").source()
        return convert_one(found, source, "out", force=force, fsync=False, is_call=True, on_warning=print)

    def mode(self):
        return stat.S_IMODE(os.stat(self.NAME).st_mode)

    def test_no_handler_is_touched(self, monkeypatch):
        def refuse(*_):
            raise AssertionError

        monkeypatch.setattr(signal, "signal", refuse)
        assert [str(path) for path in self.call()] == [self.NAME]

    def test_an_interrupt_while_a_file_gets_its_name_leaves_nothing(self, monkeypatch):
        def interrupted(*_, **__):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(os, "replace", interrupted)
            self.call()
        assert (files(), leftovers()) == ({}, [])

    def test_a_durable_file_is_flushed_before_its_name_and_then_the_folder(self, monkeypatch):
        order = []
        real_fsync, real_replace = os.fsync, os.replace

        def fsync(descriptor):
            order.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
            real_fsync(descriptor)

        def replace(*given, **more):
            order.append("name")
            real_replace(*given, **more)

        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(os, "replace", replace)
        self.call()
        assert order == ["name"]
        convert_one(pipeline("{stem}.raw"), task("a.txt").source(), "out", force=True, is_call=True, on_warning=print)
        assert order == ["name", "file", "name", "folder"]

    def test_nothing_is_hashed(self, monkeypatch):
        monkeypatch.setattr(temporaries_module.HashingSink, "__init__", None)
        monkeypatch.setattr(temporaries_module, "hash_descriptor", None)
        self.call()
        assert files() != {}

    def test_a_folder_is_searched_once(self):
        left = "out/.tonearm-0000000000000001.part"
        Path(left).write_text("half")
        self.call()
        assert leftovers() == []
        Path(left).write_text("half")
        self.call()
        assert len(leftovers()) == 1
        os.mkdir("out/x")
        Path("out/x", os.path.basename(left)).write_text("half")
        self.call(found=pipeline("x/{stem}.raw"))
        assert len(leftovers()) == 1

    def test_the_folders_that_are_remembered_are_bounded(self, monkeypatch):
        monkeypatch.setattr(convert_one_module, "MAX_SWEPT", 3)
        for number in range(10):
            self.call(found=pipeline(f"{number}/{{stem}}.raw"))
        assert len(convert_one_module._swept) <= 4

    @pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
    def test_a_new_file_has_the_permissions_of_the_mask(self, mask):
        before = os.umask(mask)
        try:
            self.call()
        finally:
            os.umask(before)
        assert self.mode() == 0o666 & ~mask

    @pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
    def test_a_file_keeps_its_permissions(self, mode):
        Path(self.NAME).write_text("old")
        os.chmod(self.NAME, mode)
        self.call()
        assert self.mode() == mode
        assert Path(self.NAME).read_bytes() != b"old"

    def test_a_file_that_may_not_be_written_stays(self, monkeypatch):
        Path(self.NAME).write_text("old")
        os.chmod(self.NAME, 0o444)
        monkeypatch.setattr(os, "access", lambda *_, **__: False)  # root may write it
        with pytest.raises(OutputError, match=r"cannot write out/a\.raw: permission denied"):
            self.call()
        assert Path(self.NAME).read_text() == "old"
        assert leftovers() == []

    def test_a_link_is_replaced_and_what_it_leads_to_stays(self):
        Path("other").write_text("mine")
        os.symlink("../other", self.NAME)
        self.call()
        assert Path("other").read_text() == "mine"
        assert not os.path.islink(self.NAME)

    def test_a_device_is_not_replaced(self):
        os.symlink("/dev/null", self.NAME)
        with pytest.raises(OutputError, match=r"cannot write out/a\.raw: it is a device"):
            self.call()
        assert os.readlink(self.NAME) == "/dev/null"
        assert leftovers() == []

    def test_an_interrupt_right_after_the_last_byte_leaves_nothing(self, monkeypatch):
        finish = temporaries_module.Temporaries.finish

        def interrupted(self):
            finish(self)
            raise KeyboardInterrupt

        monkeypatch.setattr(temporaries_module.Temporaries, "finish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            self.call()
        assert leftovers() == []
        assert not os.path.exists(self.NAME)

    def test_a_named_pipe_is_not_replaced(self):
        os.mkfifo(self.NAME)
        with pytest.raises(OutputError, match=r"cannot write out/a\.raw: it is a device or a pipe"):
            self.call()
        assert stat.S_ISFIFO(os.stat(self.NAME).st_mode)
        assert leftovers() == []

    def test_an_existing_file_is_not_replaced_unless_it_may_be(self):
        Path(self.NAME).write_text("old")
        with pytest.raises(ItemError) as caught:
            self.call(force=False)
        assert caught.value.code == "not-ours"

    def test_folders_are_made(self):
        os.rmdir("out")
        self.call(found=pipeline("x/y/{stem}.raw"))
        assert os.path.isfile("out/x/y/a.raw")


def kill_in_the_middle(write_files):
    """Return a function that makes the temporaries of an item, and does not live to publish them."""

    def write_and_die(*arguments):
        write_files(*arguments)
        for name in leftovers()[1:]:
            os.unlink(os.path.join("out", os.path.basename(name)))
        os.kill(os.getpid(), signal.SIGKILL)

    return write_and_die
