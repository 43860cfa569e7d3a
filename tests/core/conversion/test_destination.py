"""Where a call writes: paths, templates and open files, and their formats."""

import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from tonearm import OutputError, UsageError
from tonearm.conversion.destination import destination_of, split_template, write_all

FOLDER = "is a folder; the name of a file has a suffix, which selects the encoder\n    hint: as in "


def refused(installed, target, kind=None):
    with pytest.raises(UsageError) as caught:
        destination_of(target, kind, installed)
    return str(caught.value)


class TestTemplates:
    @pytest.mark.parametrize(
        ("path", "folder", "file"),
        [
            ("a.wav", "", "a.wav"),
            ("out/a.wav", "out", "a.wav"),
            ("/a.wav", "/", "a.wav"),
            ("../a.wav", "..", "a.wav"),
            ("out/{index}.wav", "out", "{index}.wav"),
            ("out/{stem}/n/{index:03}.wav", "out", "{stem}/n/{index:03}.wav"),
            ("/x/y/{key}/a.wav", "/x/y", "{key}/a.wav"),
            ("q{{1}}/r/t{{2}}-{index}.wav", "q{1}/r", "t{{2}}-{index}.wav"),
            ("{{}}.wav", "", "{{}}.wav"),
        ],
    )
    def test_the_folder_is_what_no_field_is_in(self, path, folder, file):
        assert split_template(path) == (folder, file)

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("take{1}/a.wav", "a template has no field {1}\n    hint: fields: {stem}, "),
            ("out/{idex}.wav", "a template has no field {idex}\n    hint: did you mean 'index'?"),
            ("a{/b.wav", "'a{/b.wav' has a single {\n    hint: write {{ for one"),
        ],
    )
    def test_a_brace_alone_and_an_unknown_field(self, path, message):
        with pytest.raises(UsageError) as caught:
            split_template(path)
        assert str(caught.value).startswith(message)


class TestPaths:
    def test_the_suffix_tells_the_format(self, installed):
        for target in ("out/a.MP3", Path("out/a.MP3")):
            found = destination_of(target, None, installed)
            assert (found.encoder, found.folder, found.file, found.opened) == ("mp3-writer", "out", "a.MP3", None)

    @pytest.mark.parametrize(
        ("target", "kind", "encoder"),
        [
            ("sound", "mp3", "mp3-writer"),
            ("sound.bin", "mp3", "mp3-writer"),
            ("a.wav", "wav", "wav-writer"),
            ("a.wav", "wav-writer", "wav-writer"),
            ("a.w64", "w64", "wav-writer"),
            ("a.wav", "mp3", "mp3-writer"),  # the check refuses it, as it does for the command
        ],
    )
    def test_a_format_beside_it(self, installed, target, kind, encoder):
        assert destination_of(target, kind, installed).encoder == encoder

    @pytest.mark.parametrize(
        ("target", "kind", "message"),
        [
            (
                *("a.wav", "w64"),
                "a.wav has the suffix .wav, but format says w64\n    hint: name it a.w64, or leave format out",
            ),
            ("sound", "w64", "sound has no suffix, but format says w64\n    hint: name it sound.w64"),
            (
                *("~/a.wav", None),
                "~/a.wav starts with ~, which only a shell expands\n"
                '    hint: write pathlib.Path("~/a.wav").expanduser()',
            ),
            (
                *("s3://b/a.wav", None),
                "s3://b/a.wav is an address; tonearm reads and writes files on this machine\n"
                "    hint: write to a local folder, and copy the files afterwards",
            ),
            (
                *("-", "wav"),
                "- is a stream, and files are expected here\n"
                "    hint: give the name of a file; a file of this name is ./-",
            ),
            ("new/", "wav", f"new/ {FOLDER}new/sound.wav"),
            ("", "wav", f"./ {FOLDER}./sound.wav"),
            ("..", "wav", f"../ {FOLDER}../sound.wav"),
            (
                *("a\nb.wav", None),
                "'a\\nb.wav' is not a file name\n    hint: leave out control characters, such as line breaks",
            ),
            (".tonearm-a.wav", None, "'.tonearm-a.wav' is not a file name\n    hint: as in \"audio/{stem}.wav\""),
            (f"{'a' * 300}.wav", None, f"every name from '{'a' * 58}… has more than 255 bytes\n    hint: shorten it"),
        ],
    )
    def test_refusals(self, installed, target, kind, message):
        assert refused(installed, target, kind) == message

    def test_letters_that_the_system_does_not_have(self, installed, monkeypatch):
        monkeypatch.setattr(os, "fsencode", lambda name: name.encode("ascii"))
        assert refused(installed, "é.wav") == (
            "file names of this system cannot have all letters of '\\xe9.wav'\n    hint: run Python with -X utf8"
        )

    def test_a_folder_that_exists(self, installed, tmp_path):
        assert refused(installed, tmp_path, "wav").startswith(f"{tmp_path} is a folder; ")


class TestOpenFiles:
    def test_the_name_of_the_file_tells_the_format(self, installed, tmp_path):
        with (tmp_path / "a.flac").open("wb") as file:
            found = destination_of(file, None, installed)
        assert (found.encoder, found.suffix, found.opened) == ("flac-writer", ".flac", file)

    def test_the_format_is_given(self, installed):
        file = io.BytesIO()
        found = destination_of(file, "w64", installed)
        assert (found.encoder, found.suffix, found.opened) == ("wav-writer", ".w64", file)

    def test_a_number_is_no_name(self, installed, tmp_path):
        with os.fdopen(os.open(tmp_path / "a", os.O_WRONLY | os.O_CREAT), "wb") as file:
            assert (
                refused(installed, file)
                == 'an open file does not tell its format\n    hint: name it, as in format="mp3"'
            )
            assert destination_of(file, "mp3", installed).encoder == "mp3-writer"

    def test_an_object_with_write_will_do(self, installed):
        class Body:
            def write(self, content):
                return None

        assert destination_of(Body(), "mp3", installed).encoder == "mp3-writer"

    def test_refusals(self, installed, tmp_path):
        text = "the target is a file of text; sound is binary\n    hint: "
        assert refused(installed, io.StringIO(), "wav") == f'{text}open it with "wb"'
        with (tmp_path / "a.wav").open("w") as file:
            assert refused(installed, file) == f"{text}give its buffer, as in sys.stdout.buffer"
        if isinstance(sys.__stdout__, io.TextIOWrapper):
            assert refused(installed, sys.__stdout__, "wav").startswith(text)
        with (tmp_path / "a.wav").open("rb") as file:
            assert refused(installed, file).startswith("the target is a file that is open for reading only")
        assert refused(installed, file).startswith("the target is a file that is closed")
        for other in (3, None, b"a.wav"):
            assert refused(installed, other, "wav") == (
                f"a target is a path or an open binary file, not {type(other).__name__}\n"
                '    hint: the name of the file has a suffix, as in save(audio, "speech.wav")'
            )

    def test_the_sound_in_place_of_the_target(self, installed):
        for sound in ([0.5], np.zeros(3)):
            assert refused(installed, sound).endswith('hint: the sound comes first, as in save(audio, "speech.wav")')


class TestWriting:
    def test_a_pipe_takes_a_part_at_a_time(self):
        class Pipe(io.RawIOBase):
            def __init__(self):
                self.parts = []

            def write(self, content):
                self.parts.append(bytes(content[:3]))
                return len(self.parts[-1])

        pipe = Pipe()
        write_all(pipe, b"abcdefgh", durable=False)
        assert pipe.parts == [b"abc", b"def", b"gh"]

    def test_an_object_may_return_nothing(self):
        class Body(list):
            def write(self, content):
                self.append(bytes(content))

        body = Body()
        write_all(body, b"abc", durable=False)
        assert body == [b"abc"]

    def test_errors(self, tmp_path):
        class Full(io.RawIOBase):
            def write(self, content):
                raise OSError(28, "No space left on device")

        class Busy(io.RawIOBase):
            def write(self, content):
                return None

        for file, reason in ((Full(), "no space left on device"), (Busy(), "it would block")):
            with pytest.raises(OutputError) as caught:
                write_all(file, b"abc", durable=False)
            assert str(caught.value) == f"cannot write to the open file: {reason}"

    def test_durable_content_is_flushed_to_the_disk(self, tmp_path, monkeypatch):
        flushed = []
        monkeypatch.setattr(os, "fsync", flushed.append)
        with (tmp_path / "a").open("wb") as file:
            write_all(file, b"abc", durable=True)
            assert (tmp_path / "a").read_bytes() == b"abc"
            assert flushed == [file.fileno()]

    def test_what_lies_on_no_disk_is_not(self, monkeypatch):
        monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("it was flushed"))
        file = io.BytesIO()
        write_all(file, b"abc", durable=True)
        assert file.getvalue() == b"abc"
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as start, os.fdopen(writing, "wb") as end:
            write_all(end, b"abc", durable=True)
            assert start.read(3) == b"abc"
