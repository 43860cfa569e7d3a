"""Tags of a file: valid names and values, and the tags of a source together with those of the user.

Names of tags are those of Vorbis comments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

OWN = "tonearm_"
"""Prefix of the tags that hold the provenance of a file."""

_NAME = r"[ -<>-}]+"  # allowed in Vorbis comments: printable ASCII without = and ~


def is_tag_name(name: str) -> bool:
    """Return whether a name is valid for a tag in every format."""
    return re.fullmatch(_NAME, name) is not None


def merged_tags(found: Mapping[str, str], given: Mapping[str, str | int]) -> dict[str, str]:
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
        Tags by name in lower case. No value is empty or contains a NUL, which would end it in most formats.
    """
    found = {name: value for name, value in found.items() if not name.lower().startswith(OWN)}
    both = {name.lower(): str(value) for tags in (found, given) for name, value in tags.items() if is_tag_name(name)}
    clean = {name: valid_tag(value) for name, value in both.items()}
    return {name: value for name, value in clean.items() if value}


def valid_tag(text: str) -> str:
    """Return a text in the form that every format can hold: UTF-8 without NUL, and without space around it."""
    return text.replace("\0", " ").strip().encode("utf-8", "backslashreplace").decode()
