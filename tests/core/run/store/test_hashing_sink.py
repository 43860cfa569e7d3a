"""However an encoder writes, the hash is that of the file, and the file is read again only where it must be."""

import os

import numpy as np
import pytest
import xxhash

from tonearm.run.store import temporaries as room
from tonearm.run.store.hashing_sink import HashingSink
from tonearm.run.store.temporaries import Temporaries
from tonearm.run.store.tree import Tree


def made(root):
    return Temporaries(Tree(str(root)), None, fsync=False)


def by_path(sink):
    sink.path.write_bytes(b"content")


def by_appending(sink):
    with sink.path.open("ab") as file:
        file.write(b"content")


def by_replacing(sink):
    other = sink.path.with_name("other")
    other.write_bytes(b"content")
    other.replace(sink.path)


def by_open(sink):
    with sink.open() as file:
        file.write(b"content")


def by_open_pieces(sink):
    with sink.open() as file:
        for piece in (b"con", b"", bytearray(b"te")):
            file.write(piece)
            file.flush()
        file.write(memoryview(b"nt"))


def by_open_wide(sink):
    with sink.open() as file:
        file.raw.write(np.frombuffer(b"content", "u1")[:, None])


def by_open_twice(sink):
    for content in (b"something longer", b"content"):
        with sink.open() as file:
            file.write(content)


def by_open_and_path(sink):
    with sink.open() as file:
        file.write(b"CONTENT")
    with sink.path.open("r+b") as file:
        file.write(b"content")


def by_path_and_open(sink):
    path = sink.path
    with sink.open() as file:
        file.write(b"CONTENT")
    path.write_bytes(b"content")


def by_seeking_back(sink):
    with sink.open() as file:
        file.write(b"CONtent")
        file.seek(0)
        file.write(b"con")


def by_writing_the_end_first(sink):
    with sink.open() as file:
        file.seek(3)
        file.write(b"tent")
        file.seek(0)
        file.write(b"con")


def by_cutting_off(sink):
    with sink.open() as file:
        file.write(b"content")
        file.truncate(3)
        file.write(b"ment")


def by_descriptor(sink):
    with sink.open() as file:
        file.write(b"CONTENT")
        file.flush()
        os.pwrite(file.fileno(), b"content", 0)


def by_a_way_that_nobody_sees(sink):
    with sink.open() as file:
        file.write(b"con")
    with open(sink._path, "ab") as file:
        file.write(b"tent")


def by_two_at_once(sink):
    with sink.open() as first, sink.open() as second:
        second.write(b"con")
        second.flush()
        first.write(b"tent")


def by_one_of_two_at_once(sink):
    with sink.open() as first:
        with sink.open() as second:
            second.write(b"CONTENT")
        first.raw.seek(0)
        first.write(b"content")


@pytest.mark.parametrize("write", [name for name in globals() if name.startswith("by_")])
def test_however_an_encoder_writes(folder, write):
    with made(folder) as temporaries:
        globals()[write](temporaries.sink("a.wav"))
        ((file,),) = temporaries.finish()
    content = (folder / file.temporary).read_bytes()
    assert content == (b"con\0\0\0\0ment" if write == "by_cutting_off" else b"content")
    assert (file.size, file.hash) == (len(content), xxhash.xxh3_128_hexdigest(content))


def test_what_was_written_straight_through_is_not_read_again(folder, monkeypatch):
    monkeypatch.setattr(room, "hash_descriptor", None)
    with made(folder) as temporaries:
        by_open_pieces(temporaries.sink("a.wav"))
        by_open_wide(temporaries.sink("b.wav"))
        files = temporaries.finish()
    assert [file.hash for (file,) in files] == [xxhash.xxh3_128_hexdigest(b"content")] * 2


def test_the_hash_is_known_for_one_size_of_a_file_that_was_opened_once(folder):
    sinks = [HashingSink(str(folder / name), ".wav", os.open(folder / name, os.O_RDWR | os.O_CREAT)) for name in "abcd"]
    for sink in sinks[1:]:
        by_open(sink)
    by_open(sinks[2])
    assert sinks[3].path == folder / "d"
    digest = xxhash.xxh3_128_hexdigest(b"content")
    assert [sink.hash(7) for sink in sinks] == ["", digest, "", ""]
    assert [sinks[1].hash(size) for size in (0, 6, 8)] == [""] * 3
    for sink in sinks:
        os.close(sink._own)


def test_a_file_is_extended_up_to_the_disk_or_left_alone_if_it_is_closed(folder, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    descriptor = os.open(folder / "a", os.O_RDWR | os.O_CREAT)
    sink = HashingSink(str(folder / "a"), ".wav", descriptor)
    by_open(sink)
    sink.extend(b"12")
    sink.extend(b"3")
    assert (folder / "a").read_bytes() == b"content123"
    os.close(descriptor)
    sink.extend(b"4")
    assert (folder / "a").read_bytes() == b"content123"
    assert flushed == [descriptor, descriptor]
