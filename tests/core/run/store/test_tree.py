import errno
import fcntl
import os
import threading

import pytest

from tonearm.errors import OutputError
from tonearm.run.store import tree as room
from tonearm.run.store.tree import Tree, cannot_write, reason_of

CREATE = os.O_CREAT | os.O_WRONLY


@pytest.fixture
def root(folder):
    (folder / "out" / "x" / "y").mkdir(parents=True)
    return folder / "out"


@pytest.fixture
def tree(root):
    made = Tree("out")
    yield made
    made.close()


def write(tree, path, content=b"content"):
    descriptor = tree.open(path, CREATE, create_folder=True)
    os.write(descriptor, content)
    os.close(descriptor)


class TestLinks:
    """The root may be a link. Nothing below it may."""

    def test_the_root(self, root, folder):
        os.symlink("out", folder / "link")
        write(Tree("link"), "x/a")
        assert (root / "x" / "a").read_bytes() == b"content"

    @pytest.mark.parametrize("link", ["x", "x/y", "x/y/Z"])
    def test_a_folder(self, root, folder, tree, link):
        (folder / "elsewhere" / "y" / "Z").mkdir(parents=True)
        if link != "x/y/Z":
            (root / link).rename(folder / "away")
        os.symlink(folder / "elsewhere", root / link)
        path = f"{link}/y/Z/a"
        for call in (
            lambda: write(tree, path),
            lambda: tree.open(path, os.O_RDONLY),
            lambda: tree.rename(path, f"{path}2"),
            lambda: list(tree.entries(f"{link}/y")),
            lambda: tree.flush(link),
        ):
            with pytest.raises(OSError, match="a link") as caught:
                call()
            assert caught.value.errno == errno.ELOOP
            name = link.rpartition("/")[2]
            assert reason_of(caught.value) == f"{name} is a link, and links below an output folder are not followed"
        assert tree.status(path) is None
        tree.remove(path)
        tree.remove_folder(f"{link}/y/Z")
        assert (folder / "elsewhere" / "y" / "Z").is_dir()
        assert not [path for path in (folder / "elsewhere").rglob("*") if path.is_file()]

    @pytest.mark.parametrize("flags", [os.O_RDONLY, CREATE, os.O_RDWR])
    def test_a_file(self, root, folder, tree, flags):
        (folder / "elsewhere").write_text("theirs")
        os.symlink(folder / "elsewhere", root / "x" / "a\x1b")
        with pytest.raises(OSError, match="is a link") as caught:
            tree.open("x/a\x1b", flags)
        assert reason_of(caught.value) == "a\\x1b is a link, and links below an output folder are not followed"

    def test_a_link_is_renamed_and_removed_itself(self, root, folder, tree):
        (folder / "elsewhere").write_text("theirs")
        os.symlink(folder / "elsewhere", root / "x" / "a")
        write(tree, "x/b")
        tree.rename("x/b", "x/a")
        assert not (root / "x" / "a").is_symlink()
        os.symlink(folder / "elsewhere", root / "x" / "c")
        tree.remove("x/c")
        assert (folder / "elsewhere").read_text() == "theirs"
        assert os.listdir(root / "x") != []

    def test_entries_say_that_a_link_is_no_folder(self, root, folder, tree):
        os.symlink(folder, root / "x" / "up")
        assert sorted(tree.entries("x")) == [("up", False), ("y", True)]


class TestFoldersThatChange:
    """Folders stay open. What somebody does to them meanwhile must not lead astray."""

    def test_removed_and_made_anew(self, root, tree):
        write(tree, "x/y/a")
        os.unlink(root / "x/y/a")
        os.rmdir(root / "x/y")
        os.mkdir(root / "x/y")
        write(tree, "x/y/b")
        assert os.listdir(root / "x/y") == ["b"]

    def test_removed(self, root, tree):
        write(tree, "x/y/a")
        os.unlink(root / "x/y/a")
        os.rmdir(root / "x/y")
        os.rmdir(root / "x")
        write(tree, "x/y/b")
        assert os.listdir(root / "x/y") == ["b"]

    def test_removed_all_of_it(self, root, tree):
        tree.folder("x/y")
        for name in ("out/x/y", "out/x", "out"):
            os.rmdir(name)
        write(tree, "x/y/b")
        assert os.listdir(root / "x/y") == ["b"]

    def test_another_process_made_it_anew_before_a_renaming(self, root, tree):
        """A worker has written into the new folder, and the run has the old one open."""
        tree.folder("x/y")
        os.rmdir(root / "x/y")
        write(Tree("out"), "x/y/b")
        tree.rename("x/y/b", "x/y/c")
        assert os.listdir(root / "x/y") == ["c"]

    def test_a_link_in_its_place(self, root, folder, tree):
        tree.folder("x/y")
        os.rmdir(root / "x/y")
        (folder / "elsewhere").mkdir()
        os.symlink(folder / "elsewhere", root / "x/y")
        with pytest.raises(OSError, match="y is a link, and links below an output folder are not followed"):
            write(tree, "x/y/a")
        assert os.listdir(folder / "elsewhere") == []

    def test_moved_and_a_link_in_its_place(self, root, folder, tree):
        """The files go with the folder, and none through the link."""
        tree.folder("x/y")
        (root / "x/y").rename(root / "moved")
        (folder / "elsewhere").mkdir()
        os.symlink(folder / "elsewhere", root / "x/y")
        write(tree, "x/y/a")
        assert os.listdir(folder / "elsewhere") == []
        assert os.listdir(root / "moved") == ["a"]

    @pytest.mark.parametrize("times", [11, 12])
    def test_what_somebody_keeps_removing_is_given_up(self, root, tree, monkeypatch, times):
        """The file is opened in the open folder, and then ten times and a last one in a new folder."""
        real, tries = os.open, []

        def remove_first(path, flags, *more, **options):
            if flags & os.O_CREAT:
                tries.append(path)
                if len(tries) <= times:
                    os.rmdir(root / "x/y")
            return real(path, flags, *more, **options)

        tree.folder("x/y")
        monkeypatch.setattr(os, "open", remove_first)
        if times == 11:
            write(tree, "x/y/a")
        else:
            with pytest.raises(FileNotFoundError):
                write(tree, "x/y/a")
        assert len(tries) == 12

    def test_a_file_in_a_folder_that_is_gone_is_not_opened_elsewhere(self, root, tree):
        tree.folder("x/y")
        os.rmdir(root / "x/y")
        for _ in range(2):
            with pytest.raises(FileNotFoundError):
                tree.open("x/y/a", CREATE)
            with pytest.raises(FileNotFoundError):
                tree.rename("x/y/a", "x/y/b")
            assert tree.status("x/y/a") is None
            tree.close()
        assert os.listdir(root / "x") == []

    @pytest.mark.parametrize("path", ["", "z", "x/z"])
    def test_only_what_is_asked_for_is_made(self, folder, path):
        tree = Tree("new")
        for opening in (lambda: tree.folder(path), lambda: tree.open(f"{path}/a".lstrip("/"), CREATE)):
            with pytest.raises(FileNotFoundError):
                opening()
            assert not (folder / "new").exists()
        tree.folder(path, create=True)
        assert (folder / "new" / path).is_dir()
        assert list(tree.entries(path)) == []

    @pytest.mark.parametrize("name", ["mkdir", "makedirs"])
    def test_somebody_else_makes_the_folder_at_the_same_time(self, folder, monkeypatch, name):
        real = getattr(os, name)

        def twice(*arguments, **options):
            real(*arguments, **{key: value for key, value in options.items() if key != "exist_ok"})
            return real(*arguments, **options)

        if name == "mkdir":
            (folder / "new").mkdir()
        monkeypatch.setattr(os, name, twice)
        tree = Tree("new")
        assert os.path.samestat(os.fstat(tree.folder("x", create=True)), os.stat(folder / "new" / "x"))

    @pytest.mark.parametrize("call", ["open", "replace"])
    @pytest.mark.parametrize("known", [False, True])
    def test_what_is_refused_for_another_reason_is_not_tried_again(self, root, tree, monkeypatch, call, known):
        if known:
            tree.folder("x/y")
        real, calls = getattr(os, call), []

        def refuse(path, *more, **options):
            if path != "a":
                return real(path, *more, **options)
            calls.append(path)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(os, call, refuse)
        with pytest.raises(OSError, match="Input/output error") as caught:
            tree.open("x/y/a", CREATE) if call == "open" else tree.rename("x/y/a", "x/y/b")
        assert (caught.value.errno, calls) == (errno.EIO, ["a"])

    def test_a_folder_that_changes_while_it_is_looked_at_is_not_called_a_link(self, root, tree, monkeypatch):
        (root / "file").write_text("")

        def gone(*_, **__):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")

        with monkeypatch.context() as patch, pytest.raises(NotADirectoryError, match="Not a directory"):
            patch.setattr(os, "stat", gone)
            tree.folder("file")
        with pytest.raises(NotADirectoryError, match="Not a directory"):
            tree.folder("file")

    def test_a_file_in_its_place(self, root, tree):
        tree.folder("x/y")
        os.rmdir(root / "x/y")
        (root / "x/y").write_text("")
        with pytest.raises(NotADirectoryError):
            write(tree, "x/y/a")

    @pytest.mark.parametrize("reused", [False, True])
    def test_a_plugin_closed_them(self, root, tree, reused):
        """Their numbers may belong to other files by then."""
        write(tree, "x/y/a")
        numbers = list(tree._own.open.values())
        null = os.open(os.devnull, os.O_RDONLY)
        for number in numbers:
            os.close(number)
            if reused:
                os.dup2(null, number)
        assert tree.status("x/y/a").st_size == 7
        tree.rename("x/y/a", "x/y/b")
        assert sorted(tree.entries("x/y")) == [("b", False)]
        for number in numbers if reused else ():
            assert os.fstat(number).st_rdev == os.fstat(null).st_rdev  # still theirs
            os.close(number)
        os.close(null)


class TestManyFolders:
    def test_all_are_closed_before_one_too_many_is_open(self, root, tree, open_files):
        before = open_files()
        found = []
        for number in range(66):
            tree.folder(str(number), create=True)
            found.append(open_files() - before)
        assert found == [*range(2, 65), 1, 3, 4]  # the root is opened, too

    def test_a_folder_is_opened_once(self, root, tree):
        assert tree.folder("x/y") == tree.folder("x/y")
        assert len({tree.folder(path) for path in ("", "x", "x/y")}) == 3

    def test_deeper_than_allowed(self, root, tree, monkeypatch):
        monkeypatch.setattr(room, "MAX_OPEN_FOLDERS", 3)
        deep = "/".join("abcdefghijkl")
        write(tree, f"{deep}/file")
        assert (root / deep / "file").read_bytes() == b"content"
        assert tree.status(f"{deep}/file").st_size == 7
        assert len(tree._own.open) <= 3

    def test_threads_do_not_close_one_anothers(self, root, tree, monkeypatch, open_files):
        """A descriptor that another thread closes may belong to any folder when it is used."""
        monkeypatch.setattr(room, "MAX_OPEN_FOLDERS", 2)
        wrong = []

        def work(name):
            for number in range(200):
                write(tree, f"{name}/{number % 7}/{name}", name.encode())
                if tree.status(f"{name}/{number % 7}/{name}") is None:
                    wrong.append(name)

        before = open_files()
        threads = [threading.Thread(target=work, args=(name,)) for name in "klmn"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        for name in "klmn":
            assert {path.name for path in (root / name).rglob("*") if path.is_file()} == {name}
        del threads, thread
        assert open_files() == before  # a thread takes its folders along


@pytest.mark.parametrize("name", ["a\n\x1b[2J", os.fsdecode(b"\xff\xfe"), "é" * 100])
def test_any_name_below_folders_of_any_name(root, tree, name):
    write(tree, f"{name}/{name}/{name}")
    assert tree.status(f"{name}/{name}/{name}").st_size == 7
    assert list(tree.entries(f"{name}/{name}")) == [(name, False)]
    tree.flush(f"{name}/{name}")
    tree.rename(f"{name}/{name}/{name}", f"{name}/{name}/b")
    tree.remove(f"{name}/{name}/b")
    tree.remove_folder(f"{name}/{name}")
    assert os.listdir(root / name) == []


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY, os.O_RDWR, CREATE])
def test_opening_a_pipe_never_blocks(root, tree, flags):
    os.mkfifo(root / "x" / "pipe")
    if flags in (os.O_RDONLY, os.O_RDWR):
        os.close(tree.open("x/pipe", flags))
        return
    with pytest.raises(OSError, match="No such device or address"):  # nobody reads it
        tree.open("x/pipe", flags)


def test_files_and_folders_are_opened_as_others_need_them(root, tree):
    """Files can be read and written by all whom the umask allows, and folders need not be readable."""
    before = os.umask(0)
    try:
        for path in ("x/a", "x/b", "z/c"):  # in a folder that is not open yet, that is, and that is to be made
            os.close(tree.open(path, CREATE, create_folder=True))
    finally:
        os.umask(before)
    assert [(root / path).stat().st_mode & 0o7777 for path in ("x/a", "x/b", "z/c")] == [0o666] * 3
    for path in ("", "x"):
        assert fcntl.fcntl(tree.folder(path), fcntl.F_GETFL) & os.O_PATH
        assert not os.get_inheritable(tree.folder(path))


def test_what_a_tree_is_called_and_where_it_is(folder):
    named = Tree("out/../here")
    assert (named.name, named.root) == ("out/../here", str(folder / "here"))
    placed = Tree("here", "/there")
    assert (placed.name, placed.root) == ("here", "/there")


def test_nothing_stays_open_but_folders(root, tree, open_files):
    (root / "x" / "a").write_text("")
    tree.folder("x")
    before = open_files()
    list(tree.entries("x"))
    tree.flush("x")
    tree.status("x/a")
    tree.rename("x/a", "x/b")
    tree.remove("x/b")
    for call in (lambda: tree.open("x/none", os.O_RDONLY), lambda: tree.flush("none")):
        with pytest.raises(FileNotFoundError):
            call()
    assert open_files() == before


def test_what_cannot_be_removed_stays(root, tree):
    (root / "x" / "y" / "a").write_text("")
    for path in ("x", "x/y/a", "none", "none/none"):
        tree.remove_folder(path)
    for path in ("x", "x/y", "none", "none/none"):
        tree.remove(path)
    assert (root / "x" / "y" / "a").exists()


def test_a_name_that_no_file_has_does_not_exist(root, tree):
    assert tree.status("x/\0") is None
    assert tree.status("x/none") is None
    assert tree.status("x").st_ino == (root / "x").stat().st_ino


def test_what_is_flushed_is_the_folder(root, tree, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.fstat(descriptor).st_ino))
    tree.flush()
    tree.flush("x/y")
    assert flushed == [root.stat().st_ino, (root / "x" / "y").stat().st_ino]


def test_reasons_of_the_system_are_in_lower_case_and_names_as_they_are():
    assert reason_of(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) == "no space left on device"
    assert reason_of(OSError(errno.EINVAL, "Music is no regular file")) == "Music is no regular file"
    assert reason_of(OSError("Odd")) == "Odd"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EROFS])
def test_another_folder_helps_where_this_one_is_forbidden(number):
    error = cannot_write("a\n", OSError(number, os.strerror(number)))
    assert error.message == f"cannot write a\\n: {os.strerror(number).lower()}"
    assert error.hint == ("choose another output folder" if number in (errno.EACCES, errno.EPERM) else "")


class TestPermissions:
    def test_they_change_and_stay(self, tree, root):
        write(tree, "x/a")
        tree.change_mode("x/a", 0o640)
        assert (root / "x" / "a").stat().st_mode & 0o777 == 0o640
        before = (root / "x" / "a").stat().st_ctime_ns
        tree.change_mode("x/a", 0o640)
        assert (root / "x" / "a").stat().st_ctime_ns == before
        tree.change_mode("x/b", 0o640)

    def test_whether_a_file_may_be_written(self, tree, monkeypatch):
        write(tree, "x/a")
        assert tree.may_write("x/a")
        monkeypatch.setattr(os, "access", lambda name, mode, dir_fd: (name, mode) != ("a", os.W_OK))
        assert not tree.may_write("x/a")

    def test_devices(self, tree, root):
        write(tree, "x/a")
        os.symlink("/dev/null", root / "x" / "null")
        os.symlink("nowhere", root / "x" / "dangling")
        os.mkfifo(root / "x" / "pipe")
        found = [tree.leads_to_device(f"x/{name}") for name in ("a", "null", "pipe", "dangling", "b", "y")]
        assert found == [False, True, True, False, False, False]

    def test_a_current_folder_that_is_gone(self, tmp_path, monkeypatch):
        (tmp_path / "gone").mkdir()
        monkeypatch.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
        with pytest.raises(OutputError, match=r"cannot write \.: no such file or directory"):
            Tree("")
