"""Files that a call reads: by path, open, or as content."""

import io
import os
from pathlib import Path

import pytest

from tonearm import ItemError, UsageError
from tonearm.conversion.file_source import file_source


def refused(installed, given, kind=None, error=UsageError):
    with pytest.raises(error) as caught:
        file_source(given, kind, installed)
    return str(caught.value)


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sound.wav").write_bytes(b"RIFF")
    return "sound.wav"


def test_a_path(installed, file):
    for given in (file, Path(file)):
        found = file_source(given, None, installed)
        assert (found.source.path_text, found.decoder) == (file, "audio-reader")
    assert file_source(file, "npz", installed).decoder == "npz-reader"
    assert file_source(file, "raw-reader", installed).decoder == "raw-reader"


def test_an_open_file(installed, file):
    with Path(file).open("rb") as opened:
        found = file_source(opened, None, installed)
        assert (found.source.file, found.source.name, found.decoder) == (opened, "sound.wav", "audio-reader")
        assert file_source(opened, ".NPZ", installed).decoder == "npz-reader"


def test_content(installed):
    for given in (b"RIFF", bytearray(b"RIFF"), memoryview(b"RIFF")):
        found = file_source(given, "wav", installed)
        assert found.source.file.read() == b"RIFF"
        assert found.source.name == "<file>"


def test_a_pipe_is_read_first(installed):
    reading, writing = os.pipe()
    os.write(writing, b"RIFF")
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        found = file_source(pipe, "wav", installed).source.file
        assert (found.read(), found.seekable()) == (b"RIFF", True)


def test_a_layout_makes_text_one_of_tokens(installed, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("<custom_token_12>")
    assert file_source(path, None, installed).decoder == "text-reader"
    assert file_source(path, None, installed, has_layout=True).decoder == "tokens-reader"


def test_refusals(installed, file):
    hint = '\n    hint: name it, as in format="mp3"'
    assert refused(installed, b"RIFF") == f"bytes do not tell the format{hint}"
    assert refused(installed, io.BytesIO()) == f"an open file does not tell the format{hint}"
    assert (
        refused(installed, io.StringIO(), "wav")
        == 'the file is one of text; sound is binary\n    hint: open it with "rb"'
    )
    assert refused(installed, [0.5], "wav") == (
        "read takes a file, not list\n    hint: to_waveform takes arrays, tensors and signals"
    )
    assert refused(installed, file, "wave") == "there is no format 'wave'\n    hint: did you mean 'wav'?"
    assert refused(installed, file, "").startswith("there is no format ''\n    hint: formats are ")
    assert refused(installed, file, 3) == 'format is text, not int\n    hint: as in format="mp3"'
    assert refused(installed, "https://x/y.wav").startswith("https://x/y.wav is an address; ")
    missing = refused(installed, "sonud.wav", error=ItemError)
    assert missing == "cannot read sonud.wav: no such file or directory\n    hint: did you mean 'sound.wav'?"
