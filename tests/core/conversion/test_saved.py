"""What a call has saved stands for its file, and plays in a notebook."""

import doctest
import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from notebook_page import Page, embedded, played
from PIL import Image

import tonearm
from tonearm import Saved, UsageError
from tonearm.conversion import saved as module
from tonearm.notebook import html

MEASURED = {"duration": 2.3051, "sample_rate": 22050, "channels": 1, "peak_db": -1.0}


def one(path="speech.wav", **more):
    return Saved((Path(path),), (MEASURED,), **more)


def test_one_file_is_a_path():
    saved = one("a/speech.wav")
    assert (saved.path, os.fspath(saved), Path(saved)) == (Path("a/speech.wav"), "a/speech.wav", Path("a/speech.wav"))
    assert saved.measured["peak_db"] == -1.0
    assert tonearm.Saved is Saved


@pytest.mark.parametrize(
    ("saved", "name", "message", "hint"),
    [
        (Saved(()), "path", "there is no path: an open file was written", "paths is empty then"),
        (
            Saved((Path("a"), Path("b"))),
            *("path", "path is that of one file, but there are 2", "paths has one for each file"),
        ),
        (Saved((Path("a"),)), "measured", "measured is that of one item, but there are none", ""),
        (
            Saved((Path("a"),), (MEASURED,) * 3),
            *("measured", "measured is that of one item, but there are 3", "measurements has one for each item"),
        ),
    ],
)
def test_none_or_several_are_an_error_that_names_what_to_use(saved, name, message, hint):
    with pytest.raises(UsageError) as caught:
        getattr(saved, name)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_an_open_file_is_no_path():
    with pytest.raises(UsageError, match="there is no path: an open file was written"):
        os.fspath(Saved((), (MEASURED,)))


@pytest.mark.parametrize(
    ("saved", "shown"),
    [
        (one(), "Saved('speech.wav', 2.31 s, 22050 Hz, 1 channel, peak -1.0 dBFS)"),
        (Saved((), (MEASURED,)), "Saved(an open file, 2.31 s, 22050 Hz, 1 channel, peak -1.0 dBFS)"),
        (Saved((Path("a.wav"), Path("b.wav")), (MEASURED, MEASURED)), "Saved(2 files, 2 items, 4.61 s)"),
        (Saved((Path("a.npy"),)), "Saved('a.npy')"),
        (Saved((Path("a.wav"),), ({"duration": 1.0, "channels": 2},)), "Saved('a.wav', 1.00 s, 2 channels)"),
    ],
)
def test_its_representation_is_short(saved, shown):
    assert repr(saved) == shown


def test_in_a_notebook_it_plays_the_file_itself(tmp_path):
    path = tmp_path / "<b>.wav"
    samples = np.random.default_rng(0).integers(-3000, 3000, (500, 2), np.int16)
    soundfile.write(path, samples, 16000)
    page = Page(one(path, warnings=("too-quiet: <i>",))._repr_html_())
    assert embedded(page.all("audio")[0]["src"], "audio/wav") == path.read_bytes()
    sound, rate = played(page)
    assert rate == 16000
    assert np.array_equal(sound, samples.T)
    assert page.caption() == [f"{str(path)!r}, 2.31 s, 22050 Hz, 1 channel, peak -1.0 dBFS", "too-quiet: <i>"]
    assert page.all("audio")[0]["aria-label"] == "<b>.wav"


@pytest.mark.parametrize(("suffix", "media_type"), module.MEDIA_TYPES.items())
def test_in_a_notebook_each_format_has_its_media_type(suffix, media_type, tmp_path):
    path = tmp_path / f"a{suffix.upper()}"
    path.write_bytes(b"content")
    page = Page(one(path)._repr_html_())
    (shown,) = page.all("audio") or page.all("img")
    assert embedded(shown["src"], media_type) == b"content"


def test_in_a_notebook_a_picture_is_shown(tmp_path):
    path = tmp_path / "a.png"
    Image.new("L", (3, 2), 7).save(path)
    (image,) = Page(one(path)._repr_html_()).all("img")
    assert Image.open(io.BytesIO(embedded(image["src"], "image/png"))).size == (3, 2)
    assert image["alt"] == "a.png"


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        ("large.wav", html.MAX_EMBEDDED + 1, "more than 5 MB"),
        ("missing.wav", None, "no such file or directory"),
        ("folder.wav", -1, "is a directory"),
        ("array.npy", 3, ""),
    ],
)
def test_in_a_notebook_what_cannot_be_embedded_is_a_link_with_the_reason(name, size, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if size == -1:
        Path(name).mkdir()
    elif size is not None:
        with Path(name).open("wb") as file:
            file.truncate(size)
    page = Page(one(name)._repr_html_())
    assert page.all("audio") == []
    assert page.all("a") == [{"href": name}]
    assert ("".join(page.text_in("div")).startswith(f" ({reason})")) is bool(reason)


def test_in_a_notebook_the_largest_file_is_embedded(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(bytes(html.MAX_EMBEDDED))
    assert len(Page(one(path)._repr_html_()).all("audio")) == 1


def test_in_a_notebook_a_pipe_is_not_waited_for(tmp_path):
    path = tmp_path / "pipe.wav"
    os.mkfifo(path)
    assert " (not a regular file)" in Page(one(path)._repr_html_()).text_in("div")


def test_in_a_notebook_files_are_listed_up_to_a_limit():
    saved = Saved(tuple(Path(f"{n}.npy") for n in range(30)))
    page = Page(saved._repr_html_())
    assert len(page.all("a")) == 20
    assert page.caption()[-1] == "The first 20 of 30 files are shown."


def test_its_example_is_true():
    assert doctest.testmod(module).failed == 0
