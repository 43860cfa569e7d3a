"""Tags: what the source says of a sound, and what the pipeline says over it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeAlias

from tonearm.api import Item, Meta, Signal

Tags: TypeAlias = Annotated[
    dict[str, str],
    Meta(description="Tags of the file, as in {title: Groove, artist: Needle}; they go over those of the source."),
]

ID3 = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "date": "TDRC",
    "genre": "TCON",
    "copyright": "TCOP",
    "tracknumber": "TRCK",
}
"""Frames of ID3v2.4 by the name of the tag; ``comment`` is a COMM frame, anything else a TXXX frame of its name."""


def tags_of(item: Item[Signal], given: Mapping[str, str]) -> dict[str, str]:
    """Return the tags to write, by name in lower case: the item's, and over them those that the pipeline gives."""
    merged = {**item.tags, **given}
    return {name.lower(): value for name, value in merged.items() if value}


def write_id3(path: Path, tags: Mapping[str, str]) -> None:
    """Put an ID3v2.4 tag before the frames of an MP3 file; with no tags, the file stays as it is."""
    from mutagen import id3

    if not tags:
        return
    header = id3.ID3()
    for name, value in tags.items():
        if name == "comment":
            header.add(id3.COMM(encoding=id3.Encoding.UTF8, lang="und", desc="", text=[value]))
        elif name in ID3:
            header.add(getattr(id3, ID3[name])(encoding=id3.Encoding.UTF8, text=[value]))
        else:
            header.add(id3.TXXX(encoding=id3.Encoding.UTF8, desc=name, text=[value]))
    header.save(path)


def write_vorbis_comments(path: Path, tags: Mapping[str, str]) -> None:
    """Put tags into a FLAC file; with no tags, the file stays as it is."""
    from mutagen.flac import FLAC

    if not tags:
        return
    file = FLAC(path)
    file.update(tags)
    file.save()
