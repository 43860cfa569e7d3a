"""Environment variables in a pipeline: where they may stand, and what is shown in place of their values.

A pipeline file can come from anyone, and the environment holds secrets. So ``${NAME}`` is read in sources and in
options that name files. Anywhere else the user has to allow the name, and then the value reaches the plugin, but no
message, tag or record.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tonearm.errors import Remedy
from tonearm.errors.text import escape_controls
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.yaml.nodes import MappingEntry, MappingNode, Node, ScalarNode, SequenceNode

TAGS = "tags"
"""Name of the option whose texts are published as they are."""

_SHORTEST = 4
"""Characters of the shortest value that is searched for within messages; a shorter one would match by chance."""


def scalars(node: Node | None) -> Iterator[ScalarNode]:
    """Yield the scalars of a tree that have variables."""
    if isinstance(node, ScalarNode):
        if node.variables:
            yield node
    elif isinstance(node, SequenceNode):
        for item in node.items:
            yield from scalars(item)
    elif isinstance(node, MappingNode):
        for entry in node.entries.values():
            yield from scalars(entry.node)


def add_refused(node: Node | None, allowed: Set[str], problems: Problems) -> None:
    """Add a problem for each variable in a tree that is not allowed, and does not stand where a file is named."""
    for scalar in scalars(node):
        if id(scalar) in problems.paths:
            continue
        for name in dict.fromkeys(scalar.variables):
            if name not in allowed:
                problems.add(
                    scalar.mark,
                    "refused-variable",
                    f"${{{name}}} is read in sources and names of files only, because the environment may hold secrets",
                    f"write the value, or allow it: --env {name}, in Python env={{{name!r}}}",
                )


def with_hidden_tags(options: Node | None) -> Node | None:
    """Return options whose tags show variables by their names, as the values would be published with every file."""
    entry = options.entries.get(TAGS) if isinstance(options, MappingNode) else None
    if entry is None or not any(True for _ in scalars(entry.node)):
        return options
    assert isinstance(options, MappingNode)
    return replace(options, entries={**options.entries, TAGS: replace(entry, node=_hidden(entry.node))})


def _hidden(node: Node) -> Node:
    if isinstance(node, MappingNode):
        entries: Mapping[str, MappingEntry] = node.entries
        return replace(node, entries={name: replace(one, node=_hidden(one.node)) for name, one in entries.items()})
    if isinstance(node, ScalarNode) and node.variables:
        # Braces are doubled, because tags have fields in single ones.
        return replace(node, value=re.sub(r"\$\{(\w+)(?::[^{}]*)?\}", r"${{\1}}", node.text))
    return node


class Masks(dict[str, str]):
    """What is shown in place of values that come from the environment, by value.

    Examples
    --------
    >>> Masks({"hunter2": "${PASSWORD}"}).in_text("no 'hunter2' here")
    "no '${PASSWORD}' here"
    """

    @classmethod
    def of(cls, node: Node | None) -> Masks:
        """Return the masks of the variables in a tree."""
        return cls({str(one.value): one.text for one in scalars(node) if one.value is not None})

    def in_text(self, text: str) -> str:
        """Return a message without the values, also where it quotes them escaped or cut short."""
        forms = {form: shown for value, shown in self.items() for form in _forms(value) if len(form) >= _SHORTEST}
        for form in sorted(forms, key=len, reverse=True):
            text = _without_start(text.replace(form, forms[form]), form, forms[form])
        return text

    def in_remedies(self, remedies: tuple[Remedy, ...]) -> tuple[Remedy, ...]:
        """Return remedies without the values."""
        return tuple(
            replace(one, **{name: self.in_plain(getattr(one, name)) for name in one.__struct_fields__})
            if isinstance(one, Struct)
            else one
            for one in remedies
        )

    def in_plain(self, plain: Any) -> Any:
        """Return plain data without the values."""
        if isinstance(plain, Mapping):
            return {name: self.in_plain(inner) for name, inner in plain.items()}
        if isinstance(plain, (list, tuple)):
            return type(plain)(self.in_plain(inner) for inner in plain)
        if isinstance(plain, bool) or plain is None:
            return plain
        return self.get(str(plain), plain) if not isinstance(plain, str) else self.get(plain, self.in_text(plain))


def _forms(value: str) -> set[str]:
    """Return the forms in which messages quote a value: as it is, escaped, and as a path."""
    return {value, escape_controls(value), repr(value)[1:-1], os.path.normpath(value)}


def _without_start(text: str, value: str, shown: str) -> str:
    """Return a message without the start of a value that was too long for it, as in ``'hunter2-cor…'``."""
    place = text.find("…")
    while place >= 0:
        lengths = range(min(len(value), place), _SHORTEST - 1, -1)
        length = next((length for length in lengths if text.endswith(value[:length], 0, place)), 0)
        if length:
            text = text[: place - length] + shown + text[place:]
            place += len(shown) - length
        place = text.find("…", place + 1)
    return text
