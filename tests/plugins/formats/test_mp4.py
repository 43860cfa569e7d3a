"""Tags of MP4 are where iTunes has them, in files and at the start of streams."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import mutagen.mp4
import numpy as np
import pytest

from tonearm.api import Cover
from tonearm_plugins.formats import mp4
from tonearm_plugins.formats.pyav_writing import PyavEncoding, file_options, fragment_options


def empty(path: Any) -> None:
    """Write a hundred zeros as ALAC."""
    options = file_options(44100) if isinstance(path, Path) else fragment_options(44100, 4096)
    encoding = PyavEncoding(path, "ipod", "alac", sample_rate=44100, channels=1, bits=16, options=options)
    encoding.write(np.zeros((1, 100), "i2"))
    encoding.finish()


def tagged(folder: Path, tags: dict[str, str], cover: Cover | None = None) -> mutagen.mp4.MP4:
    path = folder / "x.m4a"
    empty(path)
    mp4.write_tags(path, tags, cover)
    return mutagen.mp4.MP4(path)


@pytest.mark.parametrize(
    ("name", "text", "atom", "value"),
    [
        ("track", "65535", "trkn", [(65535, 0)]),
        ("track", "1/65535", "trkn", [(1, 65535)]),
        ("disc", "3/4", "disk", [(3, 4)]),
        ("track", "65536", "TRACK", b"65536"),
        ("disc", "1/65536", "DISC", b"1/65536"),
        ("track", "A3", "TRACK", b"A3"),
        ("bpm", "65535", "tmpo", [65535]),
        ("bpm", "65535.1", "BPM", b"65535.1"),
        ("bpm", "99.5", "tmpo", [100]),
        ("bpm", "0", "tmpo", [0]),
        ("bpm", "-1", "BPM", b"-1"),
        ("title", "3/4", "\xa9nam", ["3/4"]),
        ("mood", "1", "mood", b"1"),
        ("replaygain_track_gain", "-3 dB", "REPLAYGAIN_TRACK_GAIN", b"-3 dB"),
    ],
)
def test_each_tag_has_its_atom(tmp_path: Path, name: str, text: str, atom: str, value: Any) -> None:
    found = tagged(tmp_path, {name: text})
    if isinstance(value, bytes):
        (key,) = (key for key in found if key.startswith("----") and key.rpartition(":")[2] == atom)
        assert key.startswith("----:com.apple.iTunes:")
        assert bytes(found[key][0]) == value
        assert found[key][0].dataformat == mutagen.mp4.AtomDataType.UTF8
        assert not set(found) & {"trkn", "disk", "tmpo"}
    else:
        assert found[atom] == value
        assert not any(key.startswith("----") for key in found)


@pytest.mark.parametrize(("mime", "kind"), [("image/png", 14), ("image/jpeg", 13)])
def test_covers_have_their_kind_with_tags_or_without(tmp_path: Path, mime: Any, kind: int) -> None:
    for tags in ({}, {"title": "a"}):
        (found,) = tagged(tmp_path, tags, Cover(content=b"content", mime=mime))["covr"]
        assert (bytes(found), found.imageformat) == (b"content", kind)


def test_tags_are_not_padded(tmp_path: Path) -> None:
    tagged(tmp_path, {"title": "a"})
    assert mutagen.mp4.MP4(tmp_path / "x.m4a")._padding == 0


def test_tags_are_atoms_of_itunes_and_others_have_their_own_name(tmp_path: Path) -> None:
    path = tmp_path / "x.m4a"
    empty(path)
    size = path.stat().st_size
    mp4.write_tags(path, {})
    assert path.stat().st_size == size
    mp4.write_tags(path, {"title": "Grüße", "track": "3/9", "mood": "calm", "album_artist": "B"})
    found = mutagen.mp4.MP4(path)
    assert found["\xa9nam"] == ["Grüße"]
    assert found["trkn"] == [(3, 9)]
    assert found["aART"] == ["B"]
    assert bytes(found["----:com.apple.iTunes:mood"][0]) == b"calm"


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_tags_are_put_into_the_start_of_a_stream_however_it_is_cut(step: int) -> None:
    plain, tagged = bytearray(), bytearray()
    empty(plain.extend)
    cover = Cover(content=b"picture", mime="image/png")
    start = mp4.TaggedStart(tagged.extend, {"title": "Grüße", "mood": "calm"}, cover)
    for at in range(0, len(plain), step):
        start(bytes(plain[at : at + step]))
    found = mutagen.mp4.MP4(io.BytesIO(tagged))
    assert found["\xa9nam"] == ["Grüße"]
    assert bytes(found["covr"][0]) == b"picture"
    assert tagged[tagged.index(b"moof") :] == plain[plain.index(b"moof") :]
