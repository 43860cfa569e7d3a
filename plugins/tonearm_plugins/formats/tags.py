"""Tags, such as title, artist and comment, as ID3 and as Vorbis comments, by mutagen.

Names of tags are those of Vorbis comments. The table that maps them to frames of ID3 is tonearm's own, since mutagen's
``easyid3`` rejects names that it does not know, where we keep them as TXXX.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

if TYPE_CHECKING:
    from pathlib import Path

# Frames of ID3 for the names that Vorbis comments, ffmpeg and libsndfile share; all others go into TXXX.
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
_DATE = r"\d{4}(-|$)"  # the ID3 frame of any other form would be empty

# True of the source alone: its encoder, its playback gain, the places of its tracks and channels.
_BOUND = (
    r"cuesheet|coverart.*|encoder|itun.*|metadata_block_picture|r128_.*|replaygain_.*|software|waveformatextensible_.*"
)


def id3_frames(tags: Mapping[str, str]) -> Any:
    """Return tags as mutagen's ID3v2.4."""
    from mutagen import id3

    frames = id3.ID3()
    add_id3(frames, tags)
    return frames


def add_id3(frames: Any, tags: Mapping[str, str]) -> None:
    """Add tags to ID3 frames."""
    from mutagen import id3

    for name, value in tags.items():
        if name == "comment":
            frames.add(id3.COMM(encoding=id3.Encoding.UTF8, lang="XXX", desc="", text=value))
        elif name in _FRAMES and (name != "date" or re.match(_DATE, value)):
            frames.add(getattr(id3, _FRAMES[name])(encoding=id3.Encoding.UTF8, text=value))
        else:
            frames.add(id3.TXXX(encoding=id3.Encoding.UTF8, desc=name, text=value))


def id3_bytes(tags: Mapping[str, str]) -> bytes:
    """Return the bytes of an ID3v2.4 tag, for the start of an MP3 file or a chunk of a WAV file."""
    import io

    file = io.BytesIO()
    id3_frames(tags).save(file, v1=0, padding=lambda _: 0)
    return file.getvalue()


def write_id3(path: Path, tags: Mapping[str, str]) -> None:
    """Insert an ID3v2.4 tag at the start of an MP3 file and leave the rest as it is; nothing if there are no tags."""
    if tags:
        id3_frames(tags).save(path, v1=0, padding=lambda _: 0)


def write_aiff(path: Path, tags: Mapping[str, str]) -> None:
    """Write an ID3v2.4 tag into a chunk of an AIFF file; nothing if there are no tags."""
    from mutagen.aiff import AIFF

    if not tags:
        return
    file = AIFF(path)
    file.add_tags()
    add_id3(file.tags, tags)
    file.save(padding=lambda _: 0)


def write_comments(path: Path, tags: Mapping[str, str], container: Literal["flac", "vorbis", "opus"]) -> None:
    """Write Vorbis comments into a FLAC or Ogg file and leave the sound as it is; nothing if there are no tags."""
    if not tags:
        return
    file: Any
    if container == "flac":
        from mutagen.flac import FLAC

        file = FLAC(path)
    elif container == "vorbis":
        from mutagen.oggvorbis import OggVorbis

        file = OggVorbis(path)
    else:
        from mutagen.oggopus import OggOpus

        file = OggOpus(path)
    for name, value in tags.items():
        file[name] = value
    file.save(padding=lambda _: 0)


def read_more(file: BinaryIO, container: str, subtype: str) -> dict[str, str]:
    """Return the tags of a sound file, including those unknown to libsndfile; none if they cannot be read.

    Parameters
    ----------
    file
        Binary file, at any position.
    container, subtype
        Format and subtype, by libsndfile's names.

    Returns
    -------
    tags
        Tags by name in lower case; several values of one name are joined by ``; ``. Tags that would be wrong for
        another file are left out: encoder, playback gain, pictures.
    """
    import struct

    import mutagen

    file.seek(0)
    try:
        found = _read(file, container, subtype)
    except (mutagen.MutagenError, ValueError, LookupError, TypeError, AttributeError, EOFError, struct.error, OSError):
        return {}  # the sound can be read without them
    return {name: text for name, text in found.items() if text and not re.fullmatch(_BOUND, name)}


def _read(file: BinaryIO, container: str, subtype: str) -> dict[str, str]:
    from mutagen import aiff, flac, id3, oggflac, oggopus, oggvorbis, wave

    opened: Any
    if container in ("FLAC", "OGG"):
        kinds = {"VORBIS": oggvorbis.OggVorbis, "OPUS": oggopus.OggOpus}
        opened = flac.FLAC if container == "FLAC" else kinds.get(subtype, oggflac.OggFLAC)
        comments = opened(file).tags or {}
        return {name.lower(): "; ".join(comments[name]) for name in comments.keys()}  # noqa: SIM118
    if container == "MP3":
        return _of_id3(id3.ID3(file))
    opened = {"AIFF": aiff.AIFF, "WAV": wave.WAVE, "WAVEX": wave.WAVE}.get(container)
    return {} if opened is None else _of_id3(opened(file).tags or {})


def _of_id3(frames: Any) -> dict[str, str]:
    names = {frame: name for name, frame in _FRAMES.items()}
    tags = {}
    for frame in frames.values():
        if frame.FrameID == "TXXX":
            name = frame.desc.lower()
        elif frame.FrameID == "COMM" and not frame.desc:
            name = "comment"
        else:
            name = names.get(frame.FrameID, "")
        if name:
            tags[name] = "; ".join(map(str, frame.text))
    return tags
