import contextlib
import errno
import fcntl
import os
import re

import pytest
import xxhash
from run_toys import script
from store_toys import is_locked

from tonearm.errors import ItemError, OutputError
from tonearm.plugins.sink import Sink
from tonearm.run.prepared import PreparedFile
from tonearm.run.store import temporaries as room
from tonearm.run.store.owners import Owner
from tonearm.run.store.temporaries import (
    TEMPORARY_NAME,
    Temporaries,
    discard_without_owner,
    raise_if_unwritable,
    temporary_path,
)
from tonearm.run.store.tree import Tree


def made(root, owner=None, *, fsync=False):
    return Temporaries(Tree(str(root)), owner, fsync=fsync)


def below(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


class TestWriting:
    def test_beside_the_final_name_and_not_derived_from_it(self, folder):
        owner = Owner(Tree(str(folder)))
        with made(folder, owner) as temporaries:
            sink = temporaries.sink("x/a\n\x1b.wav")
            assert re.fullmatch(rf"\.tonearm-{owner.id}[0-9a-f]{{8}}\.part", sink.path.name)
            assert sink.path.parent == folder / "x"
            assert sink.suffix == ".wav"
            assert sink.path.stat().st_size == 0
            sink.path.write_bytes(b"content")
            (files,) = temporaries.finish()
        owner.close()
        hashed = xxhash.xxh3_128_hexdigest(b"content")
        assert files == [PreparedFile(temporary=sink.path.name, output="x/a\n\x1b.wav", size=7, hash=hashed)]
        assert below(folder) == [f"x/{sink.path.name}"]
        assert temporary_path(files[0]) == f"x/{sink.path.name}"

    @pytest.mark.parametrize("by_path", [False, True])
    def test_without_hashes(self, folder, by_path):
        with Temporaries(Tree(str(folder)), None, fsync=False, hashed=False) as temporaries:
            sink = temporaries.sink("a.wav")
            if by_path:
                sink.path.write_bytes(b"content")
            else:
                with sink.open() as file:
                    file.write(b"content")
            ((prepared,),) = temporaries.finish()
        assert (prepared.size, prepared.hash) == (7, "")

    def test_a_second_file_beside_it(self, folder):
        with made(folder) as temporaries:
            sink = temporaries.sink("x/a.b.wav")
            sink.path.write_bytes(b"1")
            sink.sidecar(".json").write_bytes(b"22")
            (files,) = temporaries.finish()
        assert [(file.output, file.size) for file in files] == [("x/a.b.wav", 1), ("x/a.b.json", 2)]
        assert all(TEMPORARY_NAME.fullmatch(file.temporary) for file in files)

    def test_files_are_flushed_or_not(self, folder, monkeypatch):
        flushed = []
        monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.fstat(descriptor).st_size))
        for fsync in (True, False):
            with made(folder, fsync=fsync) as temporaries:
                temporaries.sink("a").path.write_bytes(b"123")
                temporaries.finish()
        assert flushed == [3]

    def test_nothing_is_left_of_what_was_not_finished(self, folder):
        before = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
        tree = Tree(str(folder))
        with pytest.raises(ZeroDivisionError), Temporaries(tree, None, fsync=False) as temporaries:
            sink = temporaries.sink("x/a.wav")
            sink.sidecar(".json").write_text("{}")
            temporaries.sink("b.wav")
            raise ZeroDivisionError
        assert below(folder) == []
        tree.close()
        if before:
            assert len(os.listdir("/proc/self/fd")) == before

    def test_nothing_is_left_by_an_interrupt_right_after_a_file_is_made(self, folder, monkeypatch):
        def interrupted(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr(room, "lock_file", interrupted)
        tree = Tree(str(folder))
        with contextlib.suppress(KeyboardInterrupt), Temporaries(tree, None, fsync=False) as temporaries:
            temporaries.sink("a.wav")
        assert below(folder) == []
        tree.close()

    def test_files_that_are_taken_back_are_removed(self, folder):
        tree = Tree(str(folder))
        with Temporaries(tree, None, fsync=False) as temporaries:
            temporaries.sink("a.wav").path.write_bytes(b"x")
            temporaries.finish()
            temporaries.take_back()
        assert below(folder) == []
        tree.close()

    @pytest.mark.parametrize(
        ("spoil", "message"),
        [
            (lambda path: None, "the encoder wrote an empty file for x.wav"),
            (os.unlink, "the encoder wrote no x.wav"),
            (lambda path: (path.unlink(), path.mkdir()), "the encoder wrote no regular file for x.wav"),
            (lambda path: (path.unlink(), os.mkfifo(path)), "the encoder wrote no regular file for x.wav"),
            (
                lambda path: (path.unlink(), path.symlink_to("/etc/passwd")),
                "the encoder wrote no regular file for x.wav",
            ),
        ],
    )
    def test_an_encoder_that_wrote_no_file(self, folder, spoil, message):
        with pytest.raises(ItemError) as caught, made(folder) as temporaries:
            spoil(temporaries.sink("x.wav").path)
            temporaries.finish()
        assert (caught.value.code, caught.value.message) == ("nothing-written", message)

    def test_an_encoder_that_wrote_no_file_is_named(self, folder):
        with pytest.raises(ItemError, match=r"acme-writer wrote an empty file for x\.wav"), made(folder) as temporaries:
            temporaries.sink("x.wav", "acme-writer")
            temporaries.finish()

    def test_a_sidecar_that_an_encoder_left_out_is_its_fault(self, folder):
        with pytest.raises(ItemError, match=r"acme-writer wrote no x\.json"), made(folder) as temporaries:
            sink = temporaries.sink("x.wav", "acme-writer")
            sink.path.write_bytes(b"x")
            sink.sidecar(".json")
            temporaries.finish()

    def test_an_encoder_that_removed_what_it_wrote(self, folder):
        with pytest.raises(ItemError, match=r"the encoder wrote no x\.wav"), made(folder) as temporaries:
            sink = temporaries.sink("x.wav")
            with sink.open() as file:
                file.write(b"content")
            for name in below(folder):
                os.unlink(name)
            temporaries.finish()

    def test_a_name_that_is_taken_is_passed_over(self, folder, monkeypatch):
        monkeypatch.setattr(room, "_serial", iter([5, 5, 6]))
        with contextlib.closing(Owner(Tree(str(folder)))) as owner, made(folder, owner) as temporaries:
            assert [temporaries.sink(name).path.name[-13:-5] for name in "ab"] == ["00000005", "00000006"]

    def test_a_file_put_in_the_way_is_not_written(self, folder, monkeypatch):
        monkeypatch.setattr(room, "_serial", iter([7, 8]))
        owner = Owner(Tree(str(folder)))
        os.symlink("elsewhere", folder / f".tonearm-{owner.id}00000007.part")
        with contextlib.closing(owner), made(folder, owner) as temporaries:
            sink = temporaries.sink("a")
            sink.path.write_bytes(b"x")
        assert not (folder / "elsewhere").exists()

    @pytest.mark.parametrize("name", ["open", "mkdir"])
    def test_what_cannot_be_made(self, folder, monkeypatch, name):
        def refuse(path, *_, **__):
            raise PermissionError(errno.EACCES, "Permission denied", path)

        with made(folder) as temporaries, monkeypatch.context() as patch, pytest.raises(OutputError) as caught:
            patch.setattr(os, name, refuse)
            temporaries.sink("x/a.wav")
        assert (
            str(caught.value)
            == f"cannot write {folder}/x/a.wav: permission denied\n    hint: choose another output folder"
        )

    def test_what_cannot_be_flushed(self, folder, monkeypatch):
        def refuse(_):
            raise OSError(errno.EIO, "Input/output error")

        with pytest.raises(OutputError) as caught, made(folder, fsync=True) as temporaries:
            temporaries.sink("a.wav").path.write_bytes(b"x")
            monkeypatch.setattr(os, "fsync", refuse)
            temporaries.finish()
        assert caught.value.message == f"cannot write {folder}/a.wav: input/output error"
        assert below(folder) == []

    def test_a_folder_on_the_way_that_is_a_link(self, folder):
        (folder / "elsewhere").mkdir()
        os.symlink("elsewhere", folder / "X\n")
        with made(folder) as temporaries, pytest.raises(OutputError) as caught:
            temporaries.sink("X\n/y/a.wav")
        assert caught.value.message == (
            f"cannot write {folder}/X\\n/y/a.wav: X\\n is a link, and links below an output folder are not followed"
        )
        assert below(folder / "elsewhere") == []

    def test_an_encoder_that_closes_files_of_others(self, folder):
        """All but the standard streams: ours, and the folders that are open."""
        body = """
            import os
            from tonearm.run.store.temporaries import Temporaries
            from tonearm.run.store.tree import Tree

            tree = Tree("out")
            for number in range(2):
                with Temporaries(tree, None, fsync=True) as temporaries:
                    sink = temporaries.sink(f"x/{number}.wav")
                    with sink.open() as file:
                        file.write(b"content")
                    os.closerange(3, 256)
                    os.chdir("/")
                    ((file,),) = temporaries.finish()
                tree.rename(f"x/{file.temporary}", file.output)
                print(file.output, file.size, file.hash)
        """
        done = script(body, cwd=folder)
        assert (done.stderr, done.returncode) == ("", 0)
        hashed = xxhash.xxh3_128_hexdigest(b"content")
        assert done.stdout.splitlines() == [f"x/{number}.wav 7 {hashed}" for number in range(2)]
        assert below(folder) == ["out/x/0.wav", "out/x/1.wav"]

    def test_names_that_are_taken_are_given_up(self, folder, monkeypatch):
        tried = []
        monkeypatch.setattr(room, "_serial", iter(lambda: tried.append(1) or 5, 0))
        with contextlib.closing(Owner(Tree(str(folder)))) as owner, made(folder, owner) as temporaries:
            temporaries.sink("a")
            with pytest.raises(OutputError) as caught:
                temporaries.sink("b")
        assert str(caught.value) == f"cannot write {folder}/b: resource temporarily unavailable"
        assert len(tried) == 1 + 100

    @pytest.mark.parametrize(("serial", "digits"), [(0, "0" * 8), (2**32 - 1, "f" * 8), (2**32 + 5, "00000005")])
    def test_the_serial_number_has_eight_digits(self, folder, monkeypatch, serial, digits):
        monkeypatch.setattr(room, "_serial", iter([serial]))
        with made(folder) as temporaries:
            assert re.fullmatch(rf"\.tonearm-[0-9a-f]{{8}}{digits}\.part", temporaries.sink("a").path.name)

    @pytest.mark.parametrize("fails", [False, True])
    def test_what_an_encoder_put_in_its_place_is_hashed_and_closed(self, folder, fails, open_files):
        tree = Tree(str(folder))
        tree.folder("")
        before = open_files()
        with contextlib.suppress(ItemError), Temporaries(tree, None, fsync=False) as temporaries:
            sink = temporaries.sink("a.wav")
            with sink.open() as file:
                file.write(b"ours")
            sink.path.unlink()
            sink.path.write_bytes(b"theirs")
            sink.sidecar(".json").write_bytes(b"" if fails else b"beside")
            ((file, beside),) = temporaries.finish()
            assert (file.size, file.hash) == (6, xxhash.xxh3_128_hexdigest(b"theirs"))
            assert (beside.size, beside.hash) == (6, xxhash.xxh3_128_hexdigest(b"beside"))
        assert len(below(folder)) == (0 if fails else 2)
        assert open_files() == before

    def test_files_that_an_encoder_swapped(self, folder):
        """One of them has the larger number in the file system."""
        contents = (b"first", b"second")
        with contextlib.closing(Owner(Tree(str(folder)))) as owner, made(folder, owner) as temporaries:
            a, b = (temporaries.sink(name).path for name in "ab")
            a.write_bytes(contents[0])
            b.write_bytes(contents[1])
            for old, new in ((a, folder / "spare"), (b, a), (folder / "spare", b)):
                old.rename(new)
            found = [file.hash for (file,) in temporaries.finish()]
        assert found == [xxhash.xxh3_128_hexdigest(content) for content in reversed(contents)]

    @pytest.mark.parametrize(("spoil", "read"), [("", ""), ("seek", "read")])
    def test_what_a_sink_has_hashed_is_not_read_again(self, folder, monkeypatch, spoil, read):
        monkeypatch.setattr(room, "hash_descriptor", lambda *_: "read")
        with made(folder) as temporaries:
            with temporaries.sink("a").open() as file:
                file.write(b"content")
                if spoil:
                    file.seek(0)
            ((found,),) = temporaries.finish()
        assert (found.size, found.hash) == (7, read or xxhash.xxh3_128_hexdigest(b"content"))

    @pytest.mark.parametrize(
        ("name", "digits"),
        [
            (".tonearm-0123456789abcdef.part", "0123456789abcdef"),
            (".tonearm-0123456789abcdef.json.part", "0123456789abcdef"),
            (".tonearm-0123456789abcdef..part", "0123456789abcdef"),
            (".tonearm-0123456789abcde.part", None),
            (".tonearm-0123456789abcdef0.part", None),
            (".tonearm-0123456789abcdeF.part", None),
            ("xtonearm-0123456789abcdef.part", None),
            (".tonearm-0123456789abcdef.part.wav", None),
            (".tonearm-0123456789abcdefxpart", None),
        ],
    )
    def test_names_of_temporaries(self, name, digits):
        found = TEMPORARY_NAME.fullmatch(name)
        assert (found and found[1]) == digits

    @pytest.mark.parametrize(("output", "path"), [("a", ".t"), ("x/a", "x/.t"), ("x/y/a.b", "x/y/.t")])
    def test_temporaries_are_in_the_folder_of_their_output(self, output, path):
        assert temporary_path(PreparedFile(temporary=".t", output=output, size=1, hash="")) == path


class TestHolding:
    def test_files_are_held_by_their_owner_or_else_themselves(self, folder):
        with contextlib.closing(Owner(Tree(str(folder)))) as owner:
            for holder in (owner, None):
                with made(folder, holder) as temporaries:
                    sink = temporaries.sink("a.wav")
                    sink.path.write_bytes(b"1")
                    sink.sidecar(".json").write_bytes(b"2")
                    assert is_locked(sink.path) == (holder is None)
                    files = [path for file in temporaries.finish()[0] for path in folder.glob(file.temporary)]
                    assert [is_locked(path) for path in files] == [holder is None, False]
                assert not is_locked(sink.path)

    def test_what_an_encoder_put_in_the_place_of_ours_is_locked_without_an_owner(self, folder):
        with contextlib.closing(Owner(Tree(str(folder)))) as owner:
            for holder in (owner, None):
                with made(folder, holder) as temporaries:
                    path = temporaries.sink("a.wav").path
                    path.unlink()
                    path.write_bytes(b"1")
                    temporaries.finish()
                    assert is_locked(path) == (holder is None)

    @pytest.mark.parametrize("owned", [False, True])
    def test_a_file_that_somebody_else_holds_is_not_ours(self, folder, owned):
        told = None
        with contextlib.closing(Owner(Tree(str(folder)))) as owner, made(folder, owner if owned else None) as found:
            path = found.sink("a.wav", "acme-writer").path
            path.unlink()
            path.write_bytes(b"1")
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                try:
                    found.finish()
                except ItemError as error:
                    told = (error.code, error.message)
        assert told == (None if owned else ("nothing-written", "acme-writer wrote no a.wav"))

    def test_a_process_that_ends_at_once_removes_what_has_no_owner(self, folder):
        owner = Owner(Tree(str(folder)))
        with made(folder) as first, made(folder, owner) as second, made(folder) as third:
            paths = [one.sink("a.wav").path for one in (first, second, third)]
            third.__exit__()
            assert [path.exists() for path in paths] == [True, True, False]
            third._open = None  # it is not looked at again
            discard_without_owner()
            assert [path.exists() for path in paths] == [False, True, False]
            third._open = []
        owner.close()

    def test_a_file_that_was_swept_while_it_was_made_is_made_again(self, folder, monkeypatch):
        real, swept = fcntl.flock, []

        def sweep_first(descriptor, operation):
            if not swept:
                swept.append(os.readlink(f"/proc/self/fd/{descriptor}"))
                os.unlink(swept[0])
            return real(descriptor, operation)

        monkeypatch.setattr(fcntl, "flock", sweep_first)
        with made(folder) as temporaries:
            sink = temporaries.sink("a.wav")
            assert sink.path.exists()
            assert str(sink.path) not in swept


class TestUnwritable:
    """An encoder may fail without saying that the disk is full."""

    def asked(self, folder, spoil=lambda sink: None):
        with made(folder) as temporaries:
            sink = temporaries.sink("a.wav")
            spoil(sink)
            raise_if_unwritable(ItemError("no", code="plugin-failed"), sink, "out/a.wav")

    def test_a_disk_with_room_is_not_at_fault(self, folder):
        self.asked(folder)

    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/full", path)])
    def test_what_an_encoder_left_in_the_place_of_the_file_is_not_written(self, folder, make):
        def spoil(sink):
            sink.path.unlink()
            make(sink.path)

        self.asked(folder, spoil)

    FULL = OSError(errno.ENOSPC, "No space left on device")

    @pytest.mark.parametrize(
        ("error", "cause", "raises"),
        [
            (OutputError("no"), FULL, True),
            (OutputError("no"), None, False),
            (OutputError("no"), ValueError(), False),
            (ItemError("no", code="empty"), FULL, False),
        ],
    )
    def test_an_error_of_the_output_that_has_a_reason(self, folder, error, cause, raises):
        error.__cause__ = cause
        with made(folder) as temporaries, contextlib.ExitStack() as stack:
            sink = temporaries.sink("a.wav")
            if raises:
                stack.enter_context(pytest.raises(OutputError, match=r"^cannot write out/a: no space left on device"))
            raise_if_unwritable(error, sink, "out/a")
        assert sink.path.exists() is False

    @pytest.mark.parametrize(("code", "size"), [("plugin-failed", 1 + (1 << 16)), ("empty", 1)])
    def test_the_disk_is_asked_after_a_fault_of_the_plugin(self, folder, code, size):
        with made(folder) as temporaries:
            sink = temporaries.sink("a.wav")
            sink.path.write_bytes(b"x")
            raise_if_unwritable(ItemError("no", code=code), sink, "out/a.wav")
            assert sink.path.stat().st_size == size
            raise_if_unwritable(ItemError("no", code="plugin-failed"), Sink(str(folder / "b"), ".wav", -1), "out/b")
        assert below(folder) == []

    @pytest.mark.parametrize("name", ["pwrite", "fsync"])
    def test_a_full_disk(self, folder, monkeypatch, name):
        def refuse(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, name, refuse)
        with pytest.raises(OutputError, match=r"cannot write out/a\.wav: no space left on device"):
            self.asked(folder)


def test_a_child_lets_every_descriptor_of_a_call_lead_to_nothing(tmp_path):
    with Temporaries(Tree(str(tmp_path)), None, fsync=False) as temporaries:
        sink = temporaries.sink("a.wav")
        file = sink.open()
        file.write(b"buffered")
        reading, writing = os.pipe()
        if not (child := os.fork()):
            file.close()  # would write
            os.write(writing, b"%d" % len([fd for fd in os.listdir("/proc/self/fd") if _leads_to(fd, sink.path)]))
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(reading, 9) == b"0"
        assert sink.path.read_bytes() == b""
        file.close()
        assert sink.path.read_bytes() == b"buffered"
        os.close(reading)
        os.close(writing)


def _leads_to(descriptor, path):
    with contextlib.suppress(OSError):
        return os.path.samefile(f"/proc/self/fd/{descriptor}", path)
    return False
