"""Places of streams: which open files can be changed, and what is written to pipes."""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import os
import socket
import sys
import tempfile
from pathlib import Path

import pytest

import tonearm
from tonearm import ItemError, OutputError
from tonearm.conversion.stream_places import OpenPlace, PipePlace, is_changeable, is_socket


@pytest.mark.parametrize(
    "make",
    [
        io.BytesIO,
        tempfile.TemporaryFile,
        tempfile.NamedTemporaryFile,
        tempfile.SpooledTemporaryFile,
        functools.partial(Path("a").open, "wb"),
        functools.partial(Path("a").open, "w+b"),
        functools.partial(Path("a").open, "wb", buffering=0),
    ],
)
def test_files_of_pythons_own_can_be_changed(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with make() as file:
        assert is_changeable(file)


@pytest.mark.parametrize(
    "make",
    [
        functools.partial(Path("a").open, "ab"),
        functools.partial(gzip.open, "a", "wb"),
        functools.partial(bz2.open, "a", "wb"),
        functools.partial(Path(os.devnull).open, "wb"),
        lambda: os.fdopen(os.pipe()[1], "wb"),
        lambda: os.fdopen(os.open("a", os.O_WRONLY | os.O_CREAT | os.O_APPEND), "wb"),
    ],
)
def test_others_go_as_pipes(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with make() as file:
        assert not is_changeable(file)


class Counting(io.RawIOBase):
    """A user's own object, which passes bytes on and keeps the file within under a name that tempfile has, too."""

    def __init__(self, file):
        self._file = self.file = file

    def writable(self):
        return True

    def write(self, data, /):
        return self._file.write(data)


def test_an_object_of_the_users_goes_as_a_pipe_whatever_it_holds():
    inner = io.BytesIO()
    assert not is_changeable(Counting(inner))
    with tonearm.stream(Counting(inner), format="wav", sample_rate=8000) as out:
        out.write([0.5, -0.5])
    assert inner.getvalue().startswith(b"RIFF")


def test_what_an_object_of_the_users_raises_is_no_fault_of_the_encoder():
    class Client:
        def write(self, data):
            raise LookupError("the client went away")

    with pytest.raises(OutputError) as caught, tonearm.stream(Client(), format="wav", sample_rate=8000) as out:
        out.write([0.5, -0.5])
    assert str(caught.value) == "cannot write to the pipe: LookupError: the client went away"


def test_sockets_are_known_without_importing_the_module():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert is_socket(ours)
    assert not is_socket(io.BytesIO())
    assert not is_socket(sys)


class TestOpenPlace:
    def test_the_part_behind_the_position_is_a_file_of_its_own(self):
        file = io.BytesIO(b"ab")
        file.seek(2)
        place = OpenPlace(file, ".wav", durable=False)
        assert place.sink.suffix == ".wav"
        assert place.sink.seekable
        with place.sink.open() as part:
            assert (part.write(b"12345"), part.tell(), part.seek(1), part.write(b"x")) == (5, 5, 1, 1)
            assert part.seek(-1, os.SEEK_END) == 4
            assert part.seek(-3, os.SEEK_CUR) == 1
            part.truncate(4)
        assert place.publish() == ()
        assert (file.getvalue(), file.tell()) == (b"ab1x34", 6)

    def test_an_encoder_may_open_it_again(self):
        file = io.BytesIO()
        place = OpenPlace(file, ".wav", durable=False)
        place.sink.open().write(b"12345")
        place.sink.open().write(b"67")
        place.publish()
        assert file.getvalue() == b"67"

    def test_nothing_written_is_an_error(self):
        with pytest.raises(ItemError, match="wrote nothing"):
            OpenPlace(io.BytesIO(), ".wav", durable=False).publish()

    def test_there_is_nothing_beside_it(self):
        place = OpenPlace(io.BytesIO(), ".wav", durable=False)
        with pytest.raises(ItemError, match="cannot write into one that is open"):
            place.sink.sidecar(".json")

    def test_it_is_cut_off_only_where_it_was_the_end(self):
        file = io.BytesIO(b"abcdef")
        place = OpenPlace(file, ".wav", durable=False)
        place.sink.open().write(b"12")
        place.discard()
        assert (file.getvalue(), file.tell()) == (b"12cdef", 0)


class TestPipePlace:
    def test_an_error_of_the_pipe_is_one_of_the_output(self):
        def take(content):
            raise OSError(5, "Input/output error")

        with pytest.raises(OutputError, match="cannot write to the pipe: input/output error") as caught:
            PipePlace(take, ".wav").sink.open().write(b"1")
        assert caught.value.code == "output"

    @pytest.mark.parametrize("error", [BrokenPipeError, ConnectionResetError, ConnectionAbortedError])
    def test_a_reader_that_left_is_told_apart(self, error):
        def take(content):
            raise error

        place = PipePlace(take, ".wav", lambda: take(b""))
        for call in (lambda: place.sink.open().write(b"1"), place.flush, place.publish):
            with pytest.raises(OutputError) as caught:
                call()
            assert caught.value.code == "reader-left"
            assert isinstance(caught.value.__cause__, error)

    def test_errors_of_other_classes_are_those_of_the_output_too(self):
        def take(content):
            raise KeyError("it")

        with pytest.raises(OutputError, match="cannot write to the pipe: KeyError: 'it'"):
            PipePlace(take, ".wav").sink.open().write(b"1")
