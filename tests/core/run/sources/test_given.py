import io
from pathlib import Path

import numpy as np
import pytest

from tonearm.errors import UsageError
from tonearm.run.sources.given import checked_path, is_in_memory, keyed_sources, memory_source
from tonearm.signals import Waveform
from tonearm.source import Source


class Tensor:
    """What a library's tensor has in common with an array."""

    def __array__(self, dtype=None, copy=None):
        return np.arange(3.0)


WAVEFORM = Waveform(samples=np.zeros((1, 3), "f4"), sample_rate=8000)


@pytest.mark.parametrize(
    "given", [Tensor(), np.zeros(3), [0.0, 0.5], (24000, [0.5]), {"mel": np.zeros(3)}, WAVEFORM, object()]
)
def test_what_is_in_memory(given):
    assert is_in_memory(given)


@pytest.mark.parametrize("given", ["a.npy", b"a", Path("a"), io.BytesIO(), None, 3, 0.5, Source(name="a")])
def test_what_is_not(given):
    assert not is_in_memory(given)


def test_what_is_in_memory_is_a_source():
    source = memory_source(Tensor(), "<array 3>", "array-3")
    assert (source.name, source.stem, source.path) == ("<array 3>", "array-3", None)
    assert source.array.tolist() == [0.0, 1.0, 2.0]
    assert memory_source(WAVEFORM, "a", "a").signal is WAVEFORM
    assert list(memory_source({"mel": [0.5], "lengths": [1]}, "a", "a").arrays) == ["mel", "lengths"]


def test_what_is_no_source_is_told_with_its_place():
    with pytest.raises(UsageError) as caught:
        memory_source([None], "<array 3>", "array-3")
    assert caught.value.message == "<array 3>: the list holds None, not numbers"
    assert (caught.value.code, caught.value.hint) == ("not-an-array", "give an array, a tensor or a list of numbers")


def test_paths_of_all_types(folder):
    assert [checked_path(path) for path in ("a", b"a", folder / "a")] == ["a", "a", f"{folder}/a"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (io.BytesIO(), "an open file cannot be a source of a run: a second run could not find it again"),
        (None, "a source must be a path or an array, not NoneType"),
        (0.5, "a source must be a path or an array, not float"),
    ],
)
def test_what_cannot_be_a_source(given, message):
    with pytest.raises(UsageError) as caught:
        checked_path(given)
    assert caught.value.message == message


def test_keys_are_names_and_stems(folder):
    (folder / "a.npy").touch()
    array = np.zeros(3)
    one, two = keyed_sources({"utt1.v2": array, "utt2": "a.npy"})
    assert (one.name, one.stem, one.path_text) == ("utt1.v2", "utt1.v2", None)
    assert one.array is array
    assert (two.name, two.stem, two.path_text) == ("utt2", "utt2", "a.npy")
    assert not two.found


def test_a_file_that_does_not_exist():
    with pytest.raises(UsageError, match="there is no file none") as caught:
        list(keyed_sources({"a": "none.npy"}))
    assert caught.value.code == "no-source"


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("", "it is not a name"),
        ("..", "it is not a name"),
        ("a/b", "it has a slash, a colon, or a character that cannot be printed"),
        ("a\\b", "it has a slash, a colon, or a character that cannot be printed"),
        ("a\0b", "it has a slash, a colon, or a character that cannot be printed"),
        ("\x1b[2J", "it has a slash, a colon, or a character that cannot be printed"),
        ("\udcff", "it has a slash, a colon, or a character that cannot be printed"),
        (".tonearm", "names that start with .tonearm are for runs"),
        ("é" * 101, "it has more than 200 bytes"),
    ],
)
def test_keys_that_are_no_names_of_files(key, problem):
    with pytest.raises(UsageError) as caught:
        list(keyed_sources({key: np.zeros(3)}))
    assert caught.value.message.endswith(f"cannot be the name of a file: {problem}")
    assert caught.value.message.isprintable()


def test_a_key_that_is_no_text():
    with pytest.raises(UsageError, match="the key of a source must be a string, not int"):
        list(keyed_sources({1: np.zeros(3)}))
