import os
import stat
from pathlib import Path

import pytest

from tonearm.errors import ItemError
from tonearm.run.store import memory_sink as room
from tonearm.run.store.memory_sink import MemorySink


@pytest.fixture(params=["in memory", "on the disk"])
def system(request, monkeypatch, tmp_path):
    """A system that has files in memory, or one that has none, such as macOS."""
    monkeypatch.setattr(room.tempfile, "tempdir", str(tmp_path))
    if request.param == "on the disk":
        monkeypatch.delattr(os, "memfd_create")
    yield tmp_path
    assert os.listdir(tmp_path) == [], "nothing is left behind"


def written(sink, *, by_path):
    if by_path:
        sink.path.write_bytes(b"content")
    else:
        with sink.open() as file:
            file.write(b"content")


@pytest.mark.parametrize("by_path", [False, True])
def test_the_content(system, by_path):
    with MemorySink(".wav") as sink:
        written(sink, by_path=by_path)
        assert sink.content("it") == sink.content("it") == b"content"


def test_a_path_comes_after_an_open_file(system):
    with MemorySink(".mp3") as sink:
        written(sink, by_path=False)
        assert sink.path.read_bytes() == b"content"
        with sink.path.open("ab") as file:
            file.write(b" and tags")
        assert sink.content("it") == b"content and tags"
        with sink.open() as file:
            file.write(b"again")
        assert sink.content("it") == sink.path.read_bytes() == b"again"


def test_an_encoder_replaces_the_file(system):
    with MemorySink(".mp3") as sink:
        other = sink.path.with_name("other")
        other.write_bytes(b"content")
        other.replace(sink.path)
        assert sink.content("it") == b"content"


def test_sidecars_go_with_the_sink(system):
    with MemorySink(".raw") as sink:
        written(sink, by_path=False)
        sink.sidecar(".json").write_text("{}")
        assert sink.sidecar(".json").parent == sink.path.parent
        assert sink.content("it") == b"content"


def test_nobody_else_may_read_the_folder(system):
    with MemorySink(".wav") as sink:
        assert stat.S_IMODE(sink.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("by_path", [False, True])
def test_an_encoder_that_writes_nothing(system, by_path):
    with MemorySink(".wav") as sink:
        if by_path:
            assert sink.path.exists()
        with pytest.raises(ItemError, match="it wrote nothing") as caught:
            sink.content("it")
        assert caught.value.code == "nothing-written"


def test_beyond_what_one_system_call_reads(system, monkeypatch):
    """The kernel reads at most 2 GB at once; a smaller step stands for it."""
    content = os.urandom(3 << 20)
    with MemorySink(".wav") as sink:
        with sink.open() as file:
            file.write(content)
        assert sink.content("it") == content


def test_a_folder_whose_name_is_taken(system, monkeypatch):
    names = iter([b"1", b"1", b"2"])
    monkeypatch.setattr(room.os, "urandom", lambda _: next(names))
    with MemorySink(".wav") as one, MemorySink(".wav") as other:
        assert Path(one.path).parent != Path(other.path).parent
