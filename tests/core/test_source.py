"""Sources open regular files and nothing else, never wait, and notice a file that changes under them."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pytest

from tonearm.errors import ItemError
from tonearm.given_arrays import GivenArrays
from tonearm.signals import Waveform
from tonearm.source import Source, identity_of, open_regular


def source(path: Path) -> Source:
    return Source(name=str(path), path=path)


def refused(path: Path) -> ItemError:
    with pytest.raises(ItemError) as caught, source(path).open():
        pytest.fail("it was opened")
    assert caught.value.message.isprintable()
    return caught.value


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(b"123")
    with source(path).open() as file:
        assert file.read() == b"123"


def test_an_open_file_is_handed_on_and_left_open() -> None:
    file = io.BytesIO(b"123")
    with Source(name="<file>", file=file).open() as opened:
        assert opened is file
    assert not file.closed


def test_an_array_in_memory_is_no_file() -> None:
    with pytest.raises(ItemError, match="<array> is an array in memory, not a file"), Source(name="<array>").open():
        pass


def test_what_is_in_memory() -> None:
    array = np.array([0.5, 0.25], "f4")
    waveform = Waveform(samples=array[None], sample_rate=8000)
    arrays = GivenArrays({"audio": array, "sr": 8000, "model": object(), "objects": np.array([None])})
    one, several, signal = (
        Source(name="a", array=array),
        Source(name="a", arrays=arrays),
        Source(name="a", signal=waveform),
    )
    assert [source.holds_arrays for source in (one, several, signal)] == [True, True, False]
    assert [source.in_memory for source in (one, several, signal)] == [True, True, True]
    assert not Source(name="a", path="a").in_memory
    assert list(one.memory_arrays) == [""]
    assert list(several.memory_arrays) == ["audio", "sr"]  # what has no values is left out
    assert signal.memory_arrays["0"] is waveform.samples
    assert one.sha256() == hashlib.sha256(array.tobytes()).hexdigest()
    assert len({source.sha256() for source in (one, several, signal)}) == 3
    for source, what in ((several, "arrays"), (signal, "a signal")):
        with pytest.raises(ItemError, match=f"a is {what} in memory, not a file"), source.open():
            pass


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert refused(tmp_path / "pipe").message.endswith("it is not a regular file")
    assert refused(tmp_path / "pipe").code == "not-a-file"
    assert refused(tmp_path).message.endswith("it is a folder")
    assert refused(tmp_path / "gone").message.endswith("no such file or directory")
    assert refused(tmp_path / "loop").code == "unreadable"
    assert refused(Path("/dev/null")).code == "not-a-file"
    assert "null" in refused(Path("a\0b")).message


def test_a_name_is_printed_escaped(tmp_path: Path) -> None:
    assert r"a\x1b[2J\nb" in refused(tmp_path / "a\x1b[2J\nb").message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch(mode=0)
    assert refused(path).message.endswith("permission denied")


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"123")
    with pytest.raises(ItemError, match="changed while it was read") as caught, source(path).open():
        path.write_bytes(b"1234")
    assert caught.value.code == "source-changed"


def test_a_file_that_is_replaced_under_its_name_is_read_as_it_was(tmp_path: Path) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"old")
    other.write_bytes(b"new")
    with source(path).open() as file:
        other.replace(path)
        assert file.read() == b"old"


def test_an_error_within_is_not_hidden_by_a_change(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"123")
    with pytest.raises(KeyError), source(path).open():  # noqa: PT012 - both belong to it
        path.write_bytes(b"45")
        raise KeyError


@pytest.mark.parametrize(
    ("name", "path", "stem"),
    [
        ("x/a.b.npy", "x/a.b.npy", "a.b"),
        ("<array>", None, "array"),
        ("<>", None, "signal"),
        (".npy", ".npy", ".npy"),
    ],
)
def test_a_stem_names_outputs(name: str, path: str | None, stem: str) -> None:
    assert Source(name=name, path=Path(path) if path else None).stem == stem


def test_a_key_stands_for_the_stem() -> None:
    assert Source(name="utt1.v2", path="x/a.npy", key="utt1.v2").stem == "utt1.v2"


class TestContent:
    """Content that the host has read. The file is gone, so nothing can read it again."""

    @pytest.fixture
    def given(self, tmp_path: Path) -> Source:
        return Source(name="a", path=tmp_path / "gone", content=b"123")

    def test_it_is_what_a_decoder_reads(self, given: Source) -> None:
        with given.open() as file:
            assert file.read() == b"123"

    def test_it_has_a_descriptor_if_that_is_needed(self, given: Source) -> None:
        with given.open(descriptor=True) as file:
            assert os.pread(file.fileno(), 10, 0) == b"123"
            assert Path(f"/dev/fd/{file.fileno()}").read_bytes() == b"123"
            assert file.read() == b"123"

    def test_a_system_without_files_in_memory(self, given: Source, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(os, "memfd_create")
        self.test_it_has_a_descriptor_if_that_is_needed(given)

    def test_its_hash_is_that_of_the_source(self, given: Source) -> None:
        assert given.sha256() == hashlib.sha256(b"123").hexdigest()

    def test_each_reader_starts_at_its_beginning(self, given: Source) -> None:
        with given.open() as first, given.open() as second:
            assert first.read() == second.read() == b"123"


def test_the_descriptor_of_an_open_file_has_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"123"))
    with gzip.open(path) as file, Source(name="a", file=cast("BinaryIO", file)).open(descriptor=True) as opened:
        assert os.pread(opened.fileno(), 10, 0) == b"123"  # gzip's own descriptor is that of the compressed file


def test_a_file_that_is_not_the_one_that_the_host_saw(tmp_path: Path) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"old")
    other.write_bytes(b"new")
    os.utime(other, ns=(path.stat().st_mtime_ns,) * 2)
    seen = Source(name="a", path=path, identity=identity_of(path.stat()))
    with seen.open() as file:
        assert file.read() == b"old"
    other.replace(path)
    with pytest.raises(ItemError, match="changed while it was read") as caught, seen.open():
        pytest.fail("it was opened")
    assert caught.value.code == "source-changed"


def test_opening_leaks_no_descriptor(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        refused(tmp_path)
        with Source(name="a", content=b"123").open(descriptor=True):
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    with pytest.raises(ItemError):
        open_regular(tmp_path / "none")
