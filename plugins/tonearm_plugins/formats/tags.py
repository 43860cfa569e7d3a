"""Tags, such as title, artist and comment, as ID3 and as Vorbis comments, by mutagen.

Names of tags are those of `tonearm.api.WELL_KNOWN_TAGS`, which has their names in each format. mutagen's ``easyid3``
rejects names that it does not know, where we keep them as TXXX.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import WELL_KNOWN_TAGS, tags_by_name

if TYPE_CHECKING:
    from pathlib import Path

    from tonearm.api import Cover

_LONGEST = 1 << 16  # bytes of a chunk that is read as a text
_DATE = r"\d{4}(-|$)"  # the ID3 frame of any other form would be empty

# Names of tags that describe the source alone: its encoder, its playback gain, positions of its tracks and channels.
_BOUND = (
    r"cuesheet|coverart.*|encoder|itun.*|metadata_block_picture|r128_.*|replaygain_.*|software|waveformatextensible_.*"
)

_INFLATION = 20  # bytes of text for each compressed byte


def id3_frames(tags: Mapping[str, str], cover: Cover | None = None) -> Any:
    """Return tags and a cover as mutagen's ID3v2.4."""
    from mutagen import id3

    frames = id3.ID3()
    add_id3(frames, tags, cover)
    return frames


def add_id3(frames: Any, tags: Mapping[str, str], cover: Cover | None = None) -> None:
    """Add tags and a cover to ID3 frames."""
    from mutagen import id3

    encoding = id3.Encoding.UTF8
    for name, value in tags.items():
        frame = WELL_KNOWN_TAGS[name].id3 if name in WELL_KNOWN_TAGS else "TXXX"
        if frame in ("COMM", "USLT"):
            frames.add(getattr(id3, frame)(encoding=encoding, lang="XXX", desc="", text=value))
        elif frame == "TXXX" or (name == "date" and not re.match(_DATE, value)):
            frames.add(id3.TXXX(encoding=encoding, desc=_own_name(name), text=value))
        else:
            frames.add(getattr(id3, frame)(encoding=encoding, text=value))
    if cover:
        frames.add(id3.APIC(encoding=encoding, mime=cover.mime, type=id3.PictureType.COVER_FRONT, data=cover.content))


def _own_name(name: str) -> str:
    """Return the name under which a tag that has no place of its own is written."""
    return name.upper() if name.startswith(("replaygain_", "r128_")) else name


def id3_bytes(tags: Mapping[str, str], cover: Cover | None = None) -> bytes:
    """Return the bytes of an ID3v2.4 tag, for the start of an MP3 file or a chunk of a WAV file."""
    import io

    file = io.BytesIO()
    id3_frames(tags, cover).save(file, padding=lambda _: 0)
    return file.getvalue()


def write_id3(path: Path, tags: Mapping[str, str], cover: Cover | None = None) -> None:
    """Add tags to the ID3v2.4 tag at the start of an MP3 file and leave the rest as it is; nothing if there is none."""
    if not (tags or cover):
        return
    from mutagen import id3

    try:
        frames = id3.ID3(path)
    except id3.ID3NoHeaderError:
        frames = id3.ID3()
    add_id3(frames, tags, cover)
    frames.save(path, v1=0, padding=lambda _: 0)


def write_aiff(path: Path, tags: Mapping[str, str], cover: Cover | None = None) -> None:
    """Write an ID3v2.4 tag into a chunk of an AIFF file; nothing if there is no tag."""
    if not (tags or cover):
        return
    from mutagen.aiff import AIFF

    file = AIFF(path)
    file.add_tags()
    add_id3(file.tags, tags, cover)
    file.save(padding=lambda _: 0)


def with_comments(old: bytes, tags: Mapping[str, str], cover: Cover | None = None) -> bytes:
    """Return Vorbis comments, without a framing bit, in place of those that a library has written.

    Parameters
    ----------
    old
        Comments of the library, with padding or more behind them. Its own name in them is kept, and nothing else.
    tags
        Tags.
    cover
        Cover, written as text; None for none, or where it has a block of its own, as in FLAC.
    """
    vendor = old[4 : 4 + int.from_bytes(old[:4], "little")]
    if not (tags or cover):
        return len(vendor).to_bytes(4, "little") + vendor + bytes(4)
    from mutagen.flac import VCFLACDict

    comments = VCFLACDict()
    comments.vendor = vendor.decode(errors="replace")
    for name, value in tags.items():
        comments[WELL_KNOWN_TAGS[name].vorbis if name in WELL_KNOWN_TAGS else _own_name(name)] = value
    if cover:
        import base64

        comments["METADATA_BLOCK_PICTURE"] = base64.b64encode(flac_picture(cover)).decode()
    content: bytes = comments.write(framing=False)
    return content


def flac_picture(cover: Cover) -> bytes:
    """Return a cover as the block of FLAC that holds a picture, without its header."""
    from mutagen.flac import Picture
    from mutagen.id3 import PictureType

    picture = Picture()
    picture.type, picture.mime, picture.data = PictureType.COVER_FRONT, cover.mime, cover.content
    picture.width, picture.height, picture.depth = cover.width, cover.height, cover.depth
    content: bytes = picture.write()
    return content


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


class _BoundedZlib:
    """Module zlib as mutagen uses it for compressed frames, which would inflate without a bound."""

    error = zlib.error

    @staticmethod
    def decompress(data: bytes) -> bytes:
        """Return the inflated data; raise `zlib.error` if they are much longer than any text would be."""
        inflater = zlib.decompressobj()
        found = inflater.decompress(data, _INFLATION * len(data))
        if not inflater.eof:
            raise zlib.error("a compressed frame is cut off or too long")
        return found


def _read(file: BinaryIO, container: str, subtype: str) -> dict[str, str]:
    from mutagen import aiff, flac, id3, oggflac, oggopus, oggvorbis, wave

    vars(id3._frames)["zlib"] = _BoundedZlib  # noqa: SLF001 - mutagen has no bound of its own
    opened: Any
    if container in ("FLAC", "OGG"):
        kinds = {"VORBIS": oggvorbis.OggVorbis, "OPUS": oggopus.OggOpus}
        opened = flac.FLAC if container == "FLAC" else kinds.get(subtype, oggflac.OggFLAC)
        comments = opened(file).tags or {}
        return _with_totals({name.lower(): "; ".join(comments[name]) for name in comments.keys()})  # noqa: SIM118
    if container == "MP3":
        return _of_id3(id3.ID3(file)) if _has_id3(file) else {}
    if container == "AIFF":
        return _copyright_of(aiff.AIFFFile(file)) | _of_id3(aiff.AIFF(file).tags or {})
    opened = {"WAV": wave.WAVE, "WAVEX": wave.WAVE}.get(container)
    return {} if opened is None else _of_id3(opened(file).tags or {})


def _has_id3(file: BinaryIO) -> bool:
    """Return whether an MP3 file has an ID3 tag at its start or end, for which mutagen takes far longer."""
    has_tag = file.read(3) == b"ID3"
    size = file.seek(0, 2)
    file.seek(max(0, size - _ID3V1))
    has_tag = has_tag or b"TAG" in file.read(_ID3V1)
    file.seek(0)
    return has_tag


_ID3V1 = 131
"""Bytes at the end of a file in which mutagen looks for ID3v1."""


def _copyright_of(chunks: Any) -> dict[str, str]:
    """Return the text of the copyright chunk of an AIFF file, in which libsndfile makes dots of what is not ASCII."""
    found = [chunk for chunk in chunks.root.subchunks() if chunk.id == "(c)" and chunk.data_size <= _LONGEST]
    content = found[0].read().rstrip(b"\0") if found else b""
    try:
        return {"copyright": content.decode()}
    except UnicodeDecodeError:
        return {"copyright": content.decode("latin-1")}


def _with_totals(comments: dict[str, str]) -> dict[str, str]:
    """Return Vorbis comments by tonearm's names, with the total of tracks and discs in their number."""
    tags = tags_by_name(comments)
    for name in ("track", "disc"):
        total = tags.pop(f"{name}total", tags.pop(f"total{name}s", ""))
        if total and name in tags and "/" not in tags[name]:
            tags[name] += f"/{total}"
    return tags


def _of_id3(frames: Any) -> dict[str, str]:
    """Return the texts of ID3 frames by tonearm's names."""
    names = {tag.id3: name for name, tag in WELL_KNOWN_TAGS.items()}
    tags = {}
    for frame in frames.values():
        if frame.FrameID == "TXXX":
            name = frame.desc
        elif frame.FrameID in ("COMM", "USLT") and frame.desc:
            name = ""
        else:
            name = names.get(frame.FrameID, "")
        if name:
            tags[name] = frame.text if isinstance(frame.text, str) else "; ".join(map(str, frame.text))
    return tags_by_name(tags)


# Metadata that ffmpeg makes up, or that describes the file and not the sound.
_NO_TAG = re.compile(
    r"major_brand|minor_version|compatible_brands|creation_time|handler_name|vendor_id|language|encode[rd].*|duration|bps"
    r"|number_of_.*|software|wm.*|isvbr|devicecontentkeys|timecode|itun.*|_statistics.*|replaygain_.*|r128_.*"
)


def tags_of_ffmpeg(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the tags among the metadata of ffmpeg, with U+FFFD for bytes that are not UTF-8, which PyAV escapes."""
    utf8 = {name: text.encode(errors="surrogateescape").decode(errors="replace") for name, text in metadata.items()}
    tags = {name.lower(): text for name, text in utf8.items() if text}
    return tags_by_name({name: text for name, text in tags.items() if not _NO_TAG.fullmatch(name)})
