"""Templates for names of output files, which cannot leave the output folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Sequence

from msgspec import Struct

from tonearm.addresses import refuse_address
from tonearm.errors import ItemError, OptionError, UsageError, one_line
from tonearm.pipeline import RESERVED_PREFIX
from tonearm.system import is_file_name
from tonearm.writing.templates import Parts, parse_parts

MAX_NAME = 255
"""Largest length of a file's name in bytes."""

MAX_PATH = 4095
"""Largest length of a path in bytes."""

_PLAIN_NAME = re.compile(r"[0-9A-Za-z_](?:[0-9A-Za-z_-]|\.(?!\.)){0,99}")
"""Names in which there is nothing to check: most names of most programs."""


class Template(Struct, frozen=True):
    """A validated template for file names.

    Parameters
    ----------
    text
        Template as written.
    parts
        Literal text, and fields as (name, width).
    """

    text: str
    parts: Parts

    @property
    def fields(self) -> frozenset[str]:
        """Names of its fields."""
        return frozenset(part[0] for part in self.parts if isinstance(part, tuple))

    def folder(self, late: Container[str]) -> Template | None:
        """Return the template of the folder with a placeholder name in it; None if it has one of the late fields."""
        parts = list(self.parts)
        while parts and _is_in_name(parts[-1]):
            parts.pop()
        if any(part[0] in late for part in parts if isinstance(part, tuple)):
            return None
        return Template(self.text, (*parts, "x"))

    def render(self, value: Callable[[str], str]) -> str:
        """Return the path below the output folder.

        Parameters
        ----------
        value
            Function that returns the value of a field.

        Raises
        ------
        ItemError
            If the path would leave the output folder, or is not a file name.
        """
        if _PLAIN_NAME.fullmatch(self.text):
            return self.text
        pieces = []
        for part in self.parts:
            if isinstance(part, str):
                pieces.append(part)
                continue
            name, width = part
            text = value(name).zfill(width)
            _check_value(name, text)
            pieces.append(text)
        joined = "".join(pieces)
        names = joined.split("/")
        if _is_no_file(names) or not names[0] or ".." in names or "\0" in joined:
            raise ItemError(
                f"{self.text} becomes {one_line(joined)!r}, which is not a name below the output folder",
                code="unsafe-name",
            )
        return "/".join(name for name in names if name not in ("", "."))


def _is_in_name(part: str | tuple[str, int]) -> bool:
    """Return whether a part of a template never contains a slash."""
    return "/" not in part if isinstance(part, str) else part[0] != "relative_dir"


def _is_no_file(names: Sequence[str]) -> bool:
    """Return whether names are not those of folders, and of a file that tonearm does not need for itself."""
    if names[-1] in ("", "."):
        return True
    return any(name.startswith(RESERVED_PREFIX) or not (name == "." or is_file_name(name)) for name in names)


def _check_value(name: str, text: str) -> None:
    if not text:
        raise ItemError(f"the item has no {name} to put into the output's name", code="unsafe-name")
    if text.startswith("/") or ".." in text.split("/") or "\0" in text or (name != "relative_dir" and "/" in text):
        raise ItemError(f"{{{name}}} is {one_line(text)!r}, which is not a file name", code="unsafe-name")


def parse_template(text: str) -> Template:
    """Return a template, or raise `OptionError` if it is invalid or could leave the output folder."""
    if _PLAIN_NAME.fullmatch(text) and is_file_name(text):
        return Template(text, (text,))
    parts = parse_parts(text)
    shown = one_line(repr(text))
    literal = "".join(part if isinstance(part, str) else "x" for part in parts)
    names = literal.split("/")
    try:
        refuse_address(text, written=True)
    except UsageError as error:
        raise OptionError(error.message, code=error.code, hint=error.hint) from None
    if literal.startswith(("/", "~")):
        raise OptionError(f"{shown} is absolute", code="bad-template", hint="write it relative to the output folder")
    if ".." in names:
        raise OptionError(f"{shown} would leave the output folder", code="bad-template", hint="write it without ..")
    if _is_no_file(names) or not literal.isprintable():
        raise OptionError(f"{shown} is not a file name", code="bad-template", hint='as in "audio/{stem}.wav"')
    _check_lengths(text, parts)
    return Template(text, parts)


def _check_lengths(text: str, parts: Parts) -> None:
    """Raise `OptionError` if every file would have a name or a path that is too long."""
    shortest = "".join(part if isinstance(part, str) else "x" * _shortest(*part) for part in parts)
    encoded = os.fsencode(shortest)
    longest = max(map(len, encoded.split(b"/")))
    if longest > MAX_NAME or len(encoded) > MAX_PATH:
        what, limit = ("name", MAX_NAME) if longest > MAX_NAME else ("path", MAX_PATH)
        raise OptionError(
            f"every {what} from {one_line(repr(text), 60)} has more than {limit} bytes",
            code="name-too-long",
            hint="shorten the text between the fields",
        )


def _shortest(field: str, width: int) -> int:
    """Return the smallest number of bytes of a field's value."""
    return 16 if field == "source_hash" else max(width, 1)
