"""Formats by name: suffixes, and names of encoders and decoders."""

import pytest

from tonearm import UsageError
from tonearm.conversion.formats import format_of, suffixes_of

LISTED = (
    "aac, aif, aifc, aiff, bwf, ffmpeg-writer, flac, jsonl, m4a, m4b, mp3, npy, oga, ogg, opus, pcm, png, raw, rf64, "
)


def refused(installed, name, role):
    with pytest.raises(UsageError) as caught:
        format_of(name, role, installed)
    return str(caught.value)


@pytest.mark.parametrize("name", ["mp3", ".mp3", "MP3", ".Mp3"])
def test_a_suffix_in_any_form(installed, name):
    for role, plugin in (("encoder", "mp3-writer"), ("decoder", "audio-reader")):
        found = format_of(name, role, installed)
        assert (found.plugin, found.suffix, found.is_suffix) == (plugin, ".mp3", True)


@pytest.mark.parametrize(
    ("name", "role", "suffix"),
    [
        ("mp3-writer", "encoder", ".mp3"),
        ("builtin/wav-writer", "encoder", ".wav"),
        ("ffmpeg-writer", "encoder", ""),
        ("npz-reader", "decoder", ".npz"),
        ("builtin/npy-reader", "decoder", ".npy"),
    ],
)
def test_the_name_of_a_plugin(installed, name, role, suffix):
    found = format_of(name, role, installed)
    assert (found.plugin, found.suffix, found.is_suffix) == (name, suffix, False)


def test_a_plugin_of_the_other_role_is_none(installed):
    assert refused(installed, "mp3-writer", "decoder").startswith("there is no format 'mp3-writer'\n")
    assert refused(installed, "npz", "encoder").startswith("there is no format 'npz'\n")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("xyz", f"there is no format 'xyz'\n    hint: formats are {LISTED}safetensors, txt, w64, wav"),
        ("", f"there is no format ''\n    hint: formats are {LISTED}safetensors, txt, w64, wav"),
        ("mp", "there is no format 'mp'\n    hint: did you mean 'mp3'?"),
        (3, 'format is text, not int\n    hint: as in format="mp3"'),
    ],
)
def test_others_are_refused(installed, name, message):
    assert refused(installed, name, "encoder") == message


def test_what_can_be_read_is_listed(installed):
    listed = refused(installed, "", "decoder").partition("formats are ")[2].split(", ")
    assert {"npy", "npz", "wav", "mp3"} < set(listed)
    assert listed == sorted(set(listed))


def test_the_main_suffix_is_first(installed):
    assert suffixes_of("wav-writer", "encoder", installed)[0] == ".wav"
    assert suffixes_of("ffmpeg-writer", "encoder", installed) == ()
