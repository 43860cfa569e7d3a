"""A pipeline as a document: read from YAML or given from Python, and changed by ``--set``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from tonearm.errors import PipelineError, Problem, advise
from tonearm.pipeline.yaml.nodes import (
    MAX_DEPTH,
    MAX_NODES,
    Entry,
    Map,
    Mark,
    Node,
    Scalar,
    Seq,
    kind,
    measure,
    nothing,
    plain,
)
from tonearm.pipeline.yaml.scalars import Refused, checked_number, checked_text, shown

__all__ = [
    "Entry",
    "Map",
    "Mark",
    "Node",
    "Scalar",
    "Seq",
    "from_plain",
    "kind",
    "override",
    "plain",
    "read_document",
]


def read_document(text: bytes | str, file: str, *, environ: Mapping[str, str] | None = None) -> Node:
    """Return the root node of a YAML document.

    Parameters
    ----------
    text
        What is in the file.
    file
        Its name, for the problems.
    environ
        The values of ``${NAME}``; None takes the process's environment.

    Raises
    ------
    PipelineError
        With every problem that can be found; no other exception, whatever the text is.
    """
    from tonearm.pipeline.yaml.reader import read

    return read(text, file, os.environ if environ is None else environ)


def from_plain(value: object) -> Node:
    """Return the node of a mapping given from Python; its marks are None.

    Raises
    ------
    PipelineError
        With every value that YAML could not have given, each by its path: ``steps.1.with``.
    """
    builder = _Builder()
    node = builder.node(value, ())
    if builder.problems:
        raise PipelineError(builder.problems)
    return node


class _Full(Exception):  # noqa: N818 - a way out, not an error
    """A bound is passed; looking further would not end."""


class _Builder:
    """Builds nodes from Python values, and collects the problems."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._count = 0

    def node(self, value: object, path: tuple[str, ...]) -> Node:
        try:
            return self._node(value, path)
        except _Full:
            return nothing()

    def _node(self, value: object, path: tuple[str, ...]) -> Node:
        self._counted(path)
        if isinstance(value, Mapping | list | tuple):
            if len(path) >= MAX_DEPTH:
                self._full("too-deep", path, f"mappings and lists are nested deeper than {MAX_DEPTH}")
            return self._map(value, path) if isinstance(value, Mapping) else self._seq(value, path)
        try:
            return _scalar(value)
        except Refused as refused:
            self._add(path, refused.problem)
            return nothing()

    def _seq(self, values: list[object] | tuple[object, ...], path: tuple[str, ...]) -> Seq:
        return Seq(tuple(self._node(value, (*path, str(index))) for index, value in enumerate(values)), None)

    def _map(self, values: Mapping[object, object], path: tuple[str, ...]) -> Map:
        entries: dict[str, Entry] = {}
        for key, value in values.items():
            self._counted(path)
            if not isinstance(key, str):
                message = f"a key must be text, not {type(key).__name__}"
                self._add(path, Problem(code="bad-key", message=message, remedies=advise("use a str")))
                continue
            try:
                name = checked_text(str.__str__(key))
            except Refused as refused:
                self._add(path, refused.problem)
                continue
            entries[name] = Entry(None, self._node(value, (*path, name)))
        return Map(entries, None)

    def _counted(self, path: tuple[str, ...]) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            self._full("too-many-nodes", path, f"there are more than {MAX_NODES:,} values here")

    def _full(self, code: str, path: tuple[str, ...], message: str) -> None:
        self._add(path, Problem(code=code, message=message))
        raise _Full

    def _add(self, path: tuple[str, ...], problem: Problem) -> None:
        place = ".".join(path) if path else "the top level"
        self.problems.append(replace(problem, message=f"{shown(place) if path else place}: {problem.message}"))


def _scalar(value: object) -> Scalar:
    if value is None or isinstance(value, bool):
        return Scalar(value, {None: "null", True: "true", False: "false"}[value], quoted=False, mark=None)
    if isinstance(value, str):
        text = checked_text(str.__str__(value))
        return Scalar(text, text, quoted=True, mark=None)
    if isinstance(value, int):
        whole = int(value)
        if whole.bit_length() > 64:
            raise Refused("bad-number", "this integer does not fit 64 bits")
        return Scalar(checked_number(whole, str(whole)), str(whole), quoted=False, mark=None)
    if isinstance(value, float):
        number = float(value)
        return Scalar(checked_number(number, repr(number)), repr(number), quoted=False, mark=None)
    name = type(value).__name__
    raise Refused("bad-value", f"a {name} cannot stand in a pipeline", "use dict, list, str, int, float, bool or None")


def override(root: Node, assignment: str, *, environ: Mapping[str, str] | None = None) -> Node:
    """Return the tree with one value replaced or added, as ``--set steps.1.with.iterations=60`` says.

    Missing keys are created; list indexes count from 0 and must exist. The value means what it would mean in the file.

    Parameters
    ----------
    root
        The tree; it is not changed.
    assignment
        The path, ``=``, and the value as YAML: ``60``, ``text``, ``[1, 2]``, ``{a: 1}``; an empty one is null.
    environ
        The values of ``${NAME}``; None takes the process's environment.

    Raises
    ------
    PipelineError
        With the code ``bad-override``.
    """
    path, equals, text = assignment.partition("=")
    try:
        keys = [checked_text(key.strip()) for key in path.split(".")]
        if not equals or not all(keys):
            raise Refused("bad-override", "this is not an assignment", "write --set steps.1.with.iterations=60")
        if len(keys) > MAX_DEPTH:
            raise Refused("bad-override", f"the path is longer than {MAX_DEPTH} keys")
        changed = _assigned(root, keys, 0, _override_value(text, environ))
        count, depth = measure(changed)
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise Refused("bad-override", f"this passes {MAX_NODES:,} values, or a depth of {MAX_DEPTH}")
    except Refused as refused:
        problem = refused.problem
        raise PipelineError(
            [replace(problem, code="bad-override", message=f"--set {shown(assignment)}: {problem.message}")]
        ) from None
    return changed


def literal(value: Any) -> Any:
    """Return plain data to be printed as YAML, in which every ``${`` is meant as it stands."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, dict):
        return {literal(key): literal(inner) for key, inner in value.items()}
    return [literal(inner) for inner in value] if isinstance(value, list) else value


def _override_value(text: str, environ: Mapping[str, str] | None) -> Node:
    if not text.strip():
        return nothing()
    try:
        node = read_document(text, "--set", environ=environ)
    except PipelineError as error:
        first = error.problems[0]
        hint = "quote the value" if first.code in ("empty", "yaml-syntax") else first.hint
        raise Refused("bad-override", first.message, hint) from None
    if not isinstance(node, Scalar) and not re.match(r"\s*[\[{]", text):
        raise Refused(
            "bad-override", f"the value is {kind(node)} in block style", "write [a, b] or {a: 1}, or quote it"
        )
    return from_plain(plain(node))


def _assigned(node: Node, keys: list[str], done: int, value: Node) -> Node:
    """Return the node with the value at ``keys[done:]``; an empty value on the way becomes a mapping."""
    if done == len(keys):
        return value
    key = keys[done]
    if isinstance(node, Scalar) and node.value is None:
        node = Map({}, node.mark)
    if isinstance(node, Map):
        entry = node.entries.get(key, Entry(None, nothing()))
        changed = _assigned(entry.node, keys, done + 1, value)
        return replace(node, entries={**node.entries, key: replace(entry, node=changed)})
    place = shown(".".join(keys[:done])) if done else "the top level"
    if isinstance(node, Scalar):
        raise Refused("bad-override", f"{place} is {kind(node)}, and has no {shown(key)}")
    last = len(node.items) - 1
    if not re.fullmatch(r"[0-9]{1,6}", key) or int(key) > last:
        hint = f"its indexes are 0 to {last}" if node.items else "it is empty"
        raise Refused("bad-override", f"{place} is a list, and has no {shown(key)}", hint)
    index = int(key)
    items = (*node.items[:index], _assigned(node.items[index], keys, done + 1, value), *node.items[index + 1 :])
    return replace(node, items=items)
