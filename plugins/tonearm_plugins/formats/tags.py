"""Tags: title, artist, comment, and whatever else a source says of a sound, as ID3 and as Vorbis comments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

# ID3's frames for the names that Vorbis comments, ffmpeg and libsndfile have in common; all others go into TXXX.
_FRAMES = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "albumartist": "TPE2",
    "composer": "TCOM",
    "copyright": "TCOP",
    "date": "TDRC",
    "genre": "TCON",
    "isrc": "TSRC",
    "language": "TLAN",
    "publisher": "TPUB",
    "tracknumber": "TRCK",
}
_DATE = re.compile(r"\d{4}(-|$)")  # of any other form, ID3's frame for it would stay empty
_NAME = re.compile(r"[ -<>-}]+")  # what Vorbis comments allow: ASCII that can be printed, but no = and no ~


def is_name(name: str) -> bool:
    """Say whether this can be the name of a tag in every format."""
    return _NAME.fullmatch(name) is not None


def merged(found: Mapping[str, str], given: Mapping[str, str | int]) -> dict[str, str]:
    """Return the tags of a file.

    Parameters
    ----------
    found
        What the source says; names that cannot be are left out.
    given
        What the user says, which comes first; an empty text leaves a tag out.

    Returns
    -------
    tags
        By name in lower case; no value is empty or has a NUL in it, which would end it in most formats.
    """
    both = {name.lower(): str(value) for tags in (found, given) for name, value in tags.items() if is_name(name)}
    clean = {name: value.replace("\0", " ").strip() for name, value in both.items()}
    return {name: value for name, value in clean.items() if value}


def write_id3(path: Path, tags: Mapping[str, str]) -> None:
    """Put an ID3v2.4 tag before the first frame of an MP3 file, which stays as it is; nothing if there are no tags."""
    from mutagen import id3

    if not tags:
        return
    frames = id3.ID3()
    for name, value in tags.items():
        if name == "comment":
            frames.add(id3.COMM(encoding=id3.Encoding.UTF8, lang="XXX", desc="", text=value))
        elif name in _FRAMES and (name != "date" or _DATE.match(value)):
            frames.add(getattr(id3, _FRAMES[name])(encoding=id3.Encoding.UTF8, text=value))
        else:
            frames.add(id3.TXXX(encoding=id3.Encoding.UTF8, desc=name, text=value))
    frames.save(path, v1=0, padding=lambda _: 0)


def write_flac(path: Path, tags: Mapping[str, str]) -> None:
    """Put Vorbis comments into a FLAC file; nothing if there are no tags."""
    from mutagen.flac import FLAC

    if not tags:
        return
    file = FLAC(path)
    for name, value in tags.items():
        file[name] = value
    file.save(padding=lambda _: 0)
