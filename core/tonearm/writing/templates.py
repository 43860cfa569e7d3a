"""Templates of texts: literal text with fields in braces, such as ``{stem}``, whose values come from an item's source.

Names of outputs and values of tags have the same fields.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from msgspec import Struct

from tonearm.errors import OptionError, did_you_mean, one_line
from tonearm.source import Source

FIELDS: Mapping[str, str] = {
    "stem": "name of the source without folder and suffix",
    "name": "name of the source without folder",
    "parent": "name of the folder that the source lies in",
    "relative_dir": "folder of the source below the fixed part of the pattern that found it",
    "index": "position of the item within the source, from 0; {index:05} has five digits",
    "key": "name of the array within the source",
    "source_hash": "16 hex digits of the source's content (SHA-256)",
}
"""Fields of templates, each with its meaning."""

PER_ITEM = frozenset({"index", "key"})
"""Fields that distinguish the items of one source."""

Parts = tuple[str | tuple[str, int], ...]
"""Parts of a template: literal text, and fields as (name, width)."""

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_WIDTH = re.compile(r"index:0([1-9])")


def parse_parts(text: str) -> Parts:
    """Return the parts of a template, or raise `OptionError` if a field is unknown or a brace is alone."""
    parts: list[str | tuple[str, int]] = []
    for found in _PART.finditer(text):
        piece = found[0]
        if piece in ("{{", "}}"):
            parts.append(piece[0])
        elif found[1] is not None:
            parts.append(_field(found[1]))
        elif piece in "{}":
            shown = one_line(repr(text))
            raise OptionError(f"{shown} has a single {piece}", code="bad-template", hint=f"write {piece * 2} for one")
        else:
            parts.append(piece)
    return tuple(parts)


def _field(text: str) -> tuple[str, int]:
    if text in FIELDS:
        return text, 0
    width = _WIDTH.fullmatch(text)
    if width:
        return "index", int(width[1])
    name = re.split(r"\W", text)[0]
    known = ", ".join(f"{{{field}}}" for field in FIELDS)
    if name in FIELDS:
        hint = "only index has a width, as in {index:05}"
    else:
        hint = did_you_mean(text, FIELDS) or f"fields: {known}; {{{{ is a brace"
    raise OptionError(f"a template has no field {{{one_line(text)}}}", code="bad-template", hint=hint)


def field_value(field: str, source: Source) -> str:
    """Return the value of a field that follows from the source of an item.

    Raises
    ------
    ItemError
        If the source cannot be read, for ``source_hash``.
    """
    if field == "source_hash":
        return source.sha256()[:16]
    if field == "relative_dir":
        return source.relative_dir
    if field == "stem":
        return source.stem
    path = source.absolute_path or os.path.abspath(source.stem)  # noqa: PTH100
    if field == "parent":
        return os.path.basename(os.path.dirname(path)) or "root"  # noqa: PTH119, PTH120
    return os.path.basename(path)  # noqa: PTH119


class TextTemplate(Struct, frozen=True):
    """A template of a text other than a path, such as the value of a tag.

    Parameters
    ----------
    parts
        Literal text, and fields as (name, width).
    """

    parts: Parts

    @property
    def constant(self) -> str | None:
        """Text that all items have; None if there are fields."""
        texts = [part for part in self.parts if isinstance(part, str)]
        return "".join(texts) if len(texts) == len(self.parts) else None

    def render(self, source: Source | None, key: str, index: int) -> str:
        """Return the text for an item.

        Parameters
        ----------
        source
            Source of the item; None if there is none, so that its fields are empty.
        key, index
            Key and index of the item.

        Raises
        ------
        ItemError
            If the source cannot be read, for ``source_hash``.
        """
        return "".join(part if isinstance(part, str) else _value(part, source, key, index) for part in self.parts)


def _value(field: tuple[str, int], source: Source | None, key: str, index: int) -> str:
    name, width = field
    if name == "key":
        return key
    if name == "index":
        return str(index).zfill(width)
    value = field_value(name, source) if source else ""
    return "" if value == "." else value


def text_template(text: str) -> TextTemplate:
    """Return the template of a text.

    Parameters
    ----------
    text
        Text with fields such as ``{stem}``.

    Returns
    -------
    TextTemplate
        Template, whose ``render(source, key, index)`` gives the text for an item.

    Raises
    ------
    OptionError
        If it has a field that templates do not know.
    """
    return TextTemplate(parse_parts(text))
