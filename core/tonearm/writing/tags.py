"""Tags of a file: their names in each format, valid texts, and the tags of a source together with those of the user."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

OWN = "tonearm_"
"""Prefix of the tags that hold the provenance of a file."""


class WellKnownTag(Struct, frozen=True, kw_only=True):
    """The names of a tag in each format. A format without a name keeps the tag under its own name, if it can.

    Parameters
    ----------
    id3
        Frame of ID3v2.4, in MP3, AIFF and WAV.
    vorbis
        Field of Vorbis comments, in FLAC, Ogg Vorbis and Opus.
    mp4
        Atom of iTunes in MP4; a tag without one becomes a free-form atom.
    info
        Chunk of a RIFF INFO list, in WAV.
    aiff
        Chunk of AIFF, which libsndfile writes.
    aliases
        Other names that mean the same.
    """

    id3: str
    vorbis: str
    mp4: str = ""
    info: str = ""
    aiff: str = ""
    aliases: tuple[str, ...] = ()


WELL_KNOWN_TAGS: Mapping[str, WellKnownTag] = {
    "title": WellKnownTag(id3="TIT2", vorbis="TITLE", mp4="\xa9nam", info="INAM", aiff="NAME"),
    "artist": WellKnownTag(id3="TPE1", vorbis="ARTIST", mp4="\xa9ART", info="IART", aiff="AUTH"),
    "album": WellKnownTag(id3="TALB", vorbis="ALBUM", mp4="\xa9alb", info="IPRD"),
    "album_artist": WellKnownTag(id3="TPE2", vorbis="ALBUMARTIST", mp4="aART", aliases=("albumartist", "album artist")),
    "track": WellKnownTag(id3="TRCK", vorbis="TRACKNUMBER", mp4="trkn", info="ITRK", aliases=("tracknumber",)),
    "disc": WellKnownTag(id3="TPOS", vorbis="DISCNUMBER", mp4="disk", aliases=("discnumber", "disk")),
    "date": WellKnownTag(id3="TDRC", vorbis="DATE", mp4="\xa9day", info="ICRD", aliases=("year",)),
    "genre": WellKnownTag(id3="TCON", vorbis="GENRE", mp4="\xa9gen", info="IGNR"),
    "comment": WellKnownTag(id3="COMM", vorbis="COMMENT", mp4="\xa9cmt", info="ICMT", aiff="ANNO"),
    "copyright": WellKnownTag(id3="TCOP", vorbis="COPYRIGHT", mp4="cprt", info="ICOP", aiff="(c) "),
    "composer": WellKnownTag(id3="TCOM", vorbis="COMPOSER", mp4="\xa9wrt"),
    "lyrics": WellKnownTag(id3="USLT", vorbis="LYRICS", mp4="\xa9lyr", aliases=("unsyncedlyrics",)),
    "bpm": WellKnownTag(id3="TBPM", vorbis="BPM", mp4="tmpo", aliases=("tbpm",)),
    "isrc": WellKnownTag(id3="TSRC", vorbis="ISRC"),
    "language": WellKnownTag(id3="TLAN", vorbis="LANGUAGE", info="ILNG"),
    "publisher": WellKnownTag(id3="TPUB", vorbis="PUBLISHER"),
}
"""Tags that formats have places for, by tonearm's name, which is ffmpeg's too."""

_ALIASES = {alias: name for name, tag in WELL_KNOWN_TAGS.items() for alias in tag.aliases}

_NAME = r"[ -<>-}]+"  # allowed in Vorbis comments: printable ASCII without = and ~


def is_tag_name(name: str) -> bool:
    """Return whether a name is valid for a tag in every format.

    Parameters
    ----------
    name
        Name.

    Returns
    -------
    bool
        True for printable ASCII without ``=`` and ``~``.

    Examples
    --------
    >>> is_tag_name("title"), is_tag_name("tïtle")
    (True, False)
    """
    return re.fullmatch(_NAME, name) is not None


def tag_name(name: str) -> str:
    """Return tonearm's name of a tag: in lower case, and the usual one of several that mean the same.

    Parameters
    ----------
    name
        Name as the user or a file has it.

    Returns
    -------
    str
        Name in lower case.

    Examples
    --------
    >>> tag_name("Title")
    'title'
    """
    name = name.lower()
    return _ALIASES.get(name, name)


def tags_by_name(found: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a file by `tag_name`. If a tag has several names, its own takes precedence over its aliases.

    Parameters
    ----------
    found
        Texts by the names that the file has.

    Returns
    -------
    dict
        Texts by tonearm's names.

    Examples
    --------
    >>> tags_by_name({"DATE": "2024-05-01", "YEAR": "2024"})
    {'date': '2024-05-01'}
    """
    own_names_last = sorted(found, key=lambda name: name.lower() not in _ALIASES)
    return {tag_name(name): found[name] for name in own_names_last}


def repeated_tags(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of names that mean the same tag, such as year and date."""
    first: dict[str, str] = {}
    repeated = []
    for name in names:
        other = first.setdefault(tag_name(name), name)
        if other != name:
            repeated.append((other, name))
    return repeated


def merged_tags(found: Mapping[str, str], given: Mapping[str, str | int | float]) -> dict[str, str]:
    """Return the tags of a file.

    Parameters
    ----------
    found
        Tags of the source. Invalid names and the provenance of the source are left out.
    given
        Tags of the user, which take precedence; an empty text removes a tag.

    Returns
    -------
    tags
        Tags by `tag_name`. No value is empty or contains a NUL, which would end it in most formats.
    """
    found = {name: value for name, value in found.items() if not name.lower().startswith(OWN)}
    merged = {name: valid_tag(value) for name, value in tags_by_name(found).items() if is_tag_name(name)}
    merged |= {tag_name(name): valid_tag(str(value)) for name, value in given.items() if is_tag_name(name)}
    return {name: value for name, value in merged.items() if value}


def valid_tag(text: str) -> str:
    """Return a text in the form that every format can hold.

    Parameters
    ----------
    text
        Text of a tag.

    Returns
    -------
    str
        Text that is valid UTF-8, without NUL and without space around it.

    Examples
    --------
    >>> valid_tag(" me ")
    'me'
    """
    return text.replace("\0", " ").strip().encode("utf-8", "backslashreplace").decode()


def number_and_total(text: str) -> tuple[int, int] | None:
    """Return the numbers in the tag of a track or a disc.

    Parameters
    ----------
    text
        Text of the tag.

    Returns
    -------
    tuple of int or None
        Number and total; the total is 0 if it is not given. None if the text is neither ``3`` nor ``3/9``.

    Examples
    --------
    >>> number_and_total("3/9"), number_and_total("third")
    ((3, 9), None)
    """
    found = re.fullmatch(r"(\d{1,5})(?:/(\d{1,5}))?", text)
    return (int(found[1]), int(found[2] or 0)) if found else None


def number_expected(name: str, text: str) -> str:
    """Return the form of the number that a tag must be, for a text that is none.

    Parameters
    ----------
    name
        Name of the tag.
    text
        Text of the tag.

    Returns
    -------
    str
        Examples of the form. Empty if the text has it, and for tags that are no numbers.

    Examples
    --------
    >>> number_expected("track", "third"), number_expected("bpm", "99.5")
    ('3 or 3/9', '')
    """
    pattern, examples = _NUMBERS.get(tag_name(name), (".*", ""))
    return "" if re.fullmatch(pattern, text.strip(), re.DOTALL) else examples


_COUNTED = (r"(\d{1,5}(/\d{1,5})?)?", "3 or 3/9")
_NUMBERS = {"track": _COUNTED, "disc": _COUNTED, "bpm": (r"(\d{1,5}(\.\d+)?)?", "120 or 99.5")}
