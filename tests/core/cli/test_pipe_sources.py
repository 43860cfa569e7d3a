"""Sources that come through pipes: which decoder their first bytes tell, and what they are called."""

import os

import numpy as np
import pytest

from tonearm.cli.pipe_sources import file_name, read_source, stem_of, told_by_content, whole_source
from tonearm.cli.pipes import InputPipe
from tonearm.errors import ItemError, UsageError
from tonearm.pipeline.check import bind_decoder
from tonearm.pipeline.document import from_plain
from tonearm.plugins import registry


def piped(content):
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return InputPipe(f"/dev/fd/{reading}", lambda: None)


@pytest.fixture
def decoder():
    document = {"tonearm": 1, "input": {"use": "npy-reader", "with": {"sample_rate": 8000}}}
    return bind_decoder(from_plain(document), None, registry.default())


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"RIFF\x24\0\0\0WAVEfmt ", "audio-reader"),
        (b"\x93NUMPY\1\0", "npy-reader"),
        (b"PK\x03\x04" + bytes(40), "npz-reader"),
    ],
)
def test_the_first_bytes_tell_the_decoder(content, name):
    assert told_by_content(piped(content), registry.default()) == name


def test_bytes_that_tell_none():
    found = registry.default()
    assert told_by_content(piped(bytes(range(100))), found, otherwise="pcm-reader") == "pcm-reader"
    with pytest.raises(UsageError, match="does not tell its format") as caught:
        told_by_content(piped(bytes(range(100))), found)
    assert caught.value.remedies[0].role == "decoder"
    with pytest.raises(ItemError, match="holds nothing"):
        told_by_content(piped(b""), found)


def test_names():
    assert [stem_of(name) for name in ("-", "/dev/stdin", "/dev/fd/63", "out/voice.wav")] == ["stdin"] * 3 + ["voice"]
    assert file_name("-", "npy-reader", registry.default()) == "stdin.npy"


def test_a_pipe_is_read_as_its_file(decoder, tmp_path):
    np.save(tmp_path / "a.npy", np.ones(100, "f4"))
    named = read_source(str(tmp_path / "a.npy"), decoder)
    given = piped((tmp_path / "a.npy").read_bytes())
    whole = whole_source(given, "-", decoder)
    assert (whole.content, whole.stem, whole.name) == (named.content, "stdin", given.name)
    with whole.open() as file:
        assert file.read() == named.content
