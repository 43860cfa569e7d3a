"""The option ``tags`` that encoders share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from tonearm.api import Meta, OptionError
from tonearm_plugins.formats.tags import is_name

Tags = Annotated[
    dict[str, str | int],
    Meta(
        description="Tags to write: {title: …, artist: …, comment: …}, beside those that the source has and before"
        " them; an empty text leaves one out."
    ),
]


def tag_problems(tags: Mapping[str, str | int]) -> Iterator[OptionError]:
    """Yield what is wrong with the names of tags."""
    for name in tags:
        if not is_name(name):
            yield OptionError(
                f"{name!r} cannot be the name of a tag",
                option="tags",
                hint="letters of ASCII, digits and spaces, as in title, artist, album, date, comment",
            )
