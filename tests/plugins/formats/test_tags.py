"""Tags: those of source and user are merged, and each format gives back what was written."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Literal

import mutagen.flac
import mutagen.id3
import numpy as np
import pytest
import soundfile

from tonearm_plugins.formats import tags

TAGS = {"title": "Grüße = ; 你好", "artist": "A", "comment": "c", "date": "2024", "mood": "calm", "track": "3/9"}


@pytest.mark.parametrize(
    ("container", "suffix", "kind", "subtype"),
    [("flac", "flac", "FLAC", "PCM_16"), ("vorbis", "ogg", "OGG", "VORBIS"), ("opus", "ogg", "OGG", "OPUS")],
)
def test_comments_come_back_and_the_sound_stays(
    tmp_path: Path, container: Literal["flac", "vorbis", "opus"], suffix: str, kind: str, subtype: str
) -> None:
    path = tmp_path / f"x.{suffix}"
    soundfile.write(path, np.zeros(4800), 48000, format=kind, subtype=subtype)
    tags.write_comments(path, TAGS, container)
    with path.open("rb") as file:
        assert tags.read_more(file, kind, subtype) == TAGS
    assert soundfile.info(path).frames == 4800


def test_id3_comes_back_from_mp3_and_aiff(tmp_path: Path) -> None:
    for suffix, kind, write in (("mp3", "MP3", tags.write_id3), ("aiff", "AIFF", tags.write_aiff)):
        path = tmp_path / f"x.{suffix}"
        soundfile.write(path, np.zeros(4800), 48000)
        write(path, TAGS)
        with path.open("rb") as file:
            assert tags.read_more(file, kind, "") == TAGS
        assert soundfile.info(path).frames >= 4800


def test_a_date_of_another_form_is_kept_as_text() -> None:
    frames = mutagen.id3.ID3(io.BytesIO(tags.id3_bytes({"date": "yesterday", "title": "x"})))
    assert str(frames["TXXX:date"]) == "yesterday"
    assert str(frames["TIT2"]) == "x"


def test_a_full_date_comes_back_beside_a_year(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    soundfile.write(path, np.zeros(100), 48000)
    sound = mutagen.flac.FLAC(path)
    sound["date"], sound["year"] = "2024-05-01", "2024"
    sound.save()
    with path.open("rb") as file:
        assert tags.read_more(file, "FLAC", "PCM_16") == {"date": "2024-05-01"}
    path = tmp_path / "x.mp3"
    soundfile.write(path, np.zeros(4800), 48000)
    tags.write_id3(path, {"date": "2024-05-01", "year": "2024"})
    with path.open("rb") as file:
        assert tags.read_more(file, "MP3", "") == {"date": "2024-05-01"}


@pytest.mark.parametrize("write", [tags.write_id3, tags.write_aiff])
def test_without_tags_a_file_stays_as_it_is(tmp_path: Path, write: Any) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"anything")
    write(path, {})
    tags.write_comments(path, {}, "flac")
    assert path.read_bytes() == b"anything"


def test_what_belongs_to_the_source_alone_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    soundfile.write(path, np.zeros(100), 48000)
    tags.write_comments(path, {"encoder": "e", "replaygain_track_gain": "1 dB", "mood": "calm"}, "flac")
    with path.open("rb") as file:
        assert tags.read_more(file, "FLAC", "PCM_16") == {"mood": "calm"}


def test_a_broken_tag_is_no_tag() -> None:
    assert tags.read_more(io.BytesIO(b"ID3\x04\0\0\xff\xff\xff\xff"), "MP3", "") == {}
