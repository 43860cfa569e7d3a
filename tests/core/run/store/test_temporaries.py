import errno
import os
import re

import pytest
import xxhash

from tonearm.errors import ItemError, OutputError
from tonearm.run.prepared import PreparedFile
from tonearm.run.store import temporaries as room
from tonearm.run.store.temporaries import TEMPORARY_NAME, Temporaries, discard, flush_folder, sweep, temporary_path


def made(root, **more):
    return Temporaries(str(root), **{"owner_id": "00070003", "fsync": False, **more})


def below(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


class TestWriting:
    def test_beside_the_final_name_and_not_derived_from_it(self, folder):
        with made(folder) as temporaries:
            sink = temporaries.sink("x/a\n\x1b.wav")
            assert re.fullmatch(r"\.tonearm-00070003[0-9a-f]{8}\.part", sink.path.name)
            assert sink.path.parent == folder / "x"
            assert sink.suffix == ".wav"
            assert sink.path.stat().st_size == 0
            sink.path.write_bytes(b"content")
            files = temporaries.finish()
        hashed = xxhash.xxh3_128_hexdigest(b"content")
        assert files == [PreparedFile(temporary=sink.path.name, output="x/a\n\x1b.wav", size=7, hash=hashed)]
        assert below(folder) == [f"x/{sink.path.name}"]
        assert temporary_path(str(folder), files[0]) == str(sink.path)

    def test_a_second_file_beside_it(self, folder):
        with made(folder) as temporaries:
            sink = temporaries.sink("x/a.b.wav")
            sink.path.write_bytes(b"1")
            sink.sidecar(".json").write_bytes(b"22")
            files = temporaries.finish()
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
        with pytest.raises(ZeroDivisionError), made(folder) as temporaries:
            sink = temporaries.sink("x/a.wav")
            sink.sidecar(".json").write_text("{}")
            temporaries.sink("b.wav")
            raise ZeroDivisionError
        assert below(folder) == []
        if before:
            assert len(os.listdir("/proc/self/fd")) == before

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

    def test_a_name_that_is_taken_is_passed_over(self, folder, monkeypatch):
        monkeypatch.setattr(room, "_serial", iter([5, 5, 6]))
        with made(folder) as temporaries:
            assert [temporaries.sink(name).path.name[-13:-5] for name in "ab"] == ["00000005", "00000006"]

    def test_a_file_put_in_the_way_is_not_written(self, folder, monkeypatch):
        monkeypatch.setattr(room, "_serial", iter([7, 8]))
        os.symlink("elsewhere", folder / ".tonearm-0007000300000007.part")
        with made(folder) as temporaries:
            sink = temporaries.sink("a")
            sink.path.write_bytes(b"x")
        assert not (folder / "elsewhere").exists()

    @pytest.mark.parametrize("name", ["open", "mkdir"])
    def test_what_cannot_be_made(self, folder, monkeypatch, name):
        def refuse(path, *_, **__):
            raise PermissionError(errno.EACCES, "Permission denied", path)

        with made(folder) as temporaries:
            monkeypatch.setattr(os, name, refuse)
            with pytest.raises(OutputError) as caught:
                temporaries.sink("x/a.wav")
            monkeypatch.undo()
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


class TestSweeping:
    NAMES = (
        ".tonearm-0001000200000003.part",
        ".tonearm-0001000200000003.json.part",
        ".tonearm-0001000300000003.part",
        ".tonearm-0002000200000003.part",
        "x/y/.tonearm-0001000200000009.part",
    )
    OTHERS = (
        ".tonearm/journal.jsonl",
        ".tonearm-x.part",
        ".tonearm-0001000200000003",
        "a.part",
        "x/b.wav",
        ".other.part",
    )

    @pytest.fixture(autouse=True)
    def fill(self, folder):
        for name in (*self.NAMES, *self.OTHERS):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        os.symlink(folder, folder / "x" / "up")

    @pytest.mark.parametrize(
        ("owner_id", "deep", "kept"),
        [
            ("", True, ()),
            ("", False, NAMES[4:]),
            ("0001", True, NAMES[3:4]),
            ("00010002", False, NAMES[2:]),
            ("00010002", True, NAMES[2:4]),
        ],
    )
    def test_only_temporaries_and_only_ours(self, folder, owner_id, deep, kept):
        sweep(str(folder), owner_id, deep=deep)
        assert below(folder) == sorted([*kept, *self.OTHERS])

    def test_a_folder_that_is_gone_raises_nothing(self):
        sweep("none", deep=True)

    def test_what_nobody_will_publish(self, folder):
        file = PreparedFile(temporary=".tonearm-0001000200000009.part", output="x/y/a.wav", size=1, hash="")
        discard(str(folder), [file, file])
        assert self.NAMES[4] not in below(folder)


def test_flushing_a_folder(folder, monkeypatch):
    flush_folder(str(folder))
    flush_folder("")
    for number, goes in ((errno.EINVAL, True), (errno.EIO, False)):

        def refuse(_, number=number):
            raise OSError(number, "no")

        monkeypatch.setattr(os, "fsync", refuse)
        if goes:
            flush_folder(str(folder))  # a file system that does not know it
        else:
            with pytest.raises(OutputError):
                flush_folder(str(folder))
