"""A pipeline as a document of nodes, read from YAML or built from Python values, and changed by ``--set``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from tonearm.addresses import near_file, refuse_address
from tonearm.errors import ItemError, PipelineError, Problem, UsageError, advise, one_line
from tonearm.pipeline.yaml.nodes import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    MappingEntry,
    MappingNode,
    Mark,
    Node,
    ScalarNode,
    SequenceNode,
    node_size,
    node_type,
    null_node,
    to_plain,
)
from tonearm.pipeline.yaml.scalars import NodeError, checked_number, checked_text, quote

__all__ = [
    "MappingEntry",
    "MappingNode",
    "Mark",
    "Node",
    "ScalarNode",
    "SequenceNode",
    "from_plain",
    "node_type",
    "override",
    "read_document",
    "read_pipeline",
    "to_plain",
]


def read_pipeline(
    given: str | os.PathLike[str] | Mapping[str, object],
    overrides: Iterable[str] = (),
    limits: Iterable[str] | Mapping[str, object] = (),
) -> tuple[Node, str | None]:
    """Read a pipeline, and override values in it.

    Parameters
    ----------
    given
        Path of a YAML file, or a mapping with the same content.
    overrides
        Assignments as ``--set`` takes them: ``steps.1.with.iterations=60``.
    limits
        Assignments as ``--limit`` takes them: ``memory=4GB``; or a mapping of values by name.

    Returns
    -------
    root
        Tree of the pipeline.
    file
        Name of the file in messages; None for a mapping.

    Raises
    ------
    PipelineError
        If it cannot be parsed, or an override does not fit it.
    UsageError
        If the file cannot be read.
    """
    if isinstance(given, Mapping):
        root, name = from_plain(given), None
    else:
        name = os.fspath(given)
        root = read_document(_content(name), name)
    for assignment in overrides:
        root = override(root, assignment, mark=assignment_mark(assignment))
    return with_limits(root, limits), name


def with_limits(root: Node, limits: Iterable[str] | Mapping[str, object]) -> Node:
    """Return a copy of a tree with some limits set, as for ``--limit memory=4GB`` or ``{"memory": "4GB"}``."""
    if isinstance(limits, Mapping):
        for name, value in limits.items():
            root = _assigned(root, ["limits", name], 0, from_plain(value), None)
        return root
    for assignment in limits:
        mark = assignment_mark(assignment, "--limit")
        root = override(root, assignment, option="--limit", below="limits.", mark=mark)
    return root


def _content(name: str) -> bytes:
    """Return the content of a pipeline file, up to one byte more than a pipeline may have."""
    from tonearm.source import open_regular

    refuse_address(name)
    try:
        with open_regular(name) as file:
            return file.read(MAX_BYTES + 1)
    except (ItemError, OSError) as error:
        hint = near_file(name) if isinstance(error.__cause__, FileNotFoundError) else ""
        raise UsageError(one_line(error), code="unreadable", hint=hint) from error


def read_document(text: bytes | str, file: str, *, environ: Mapping[str, str] | None = None) -> Node:
    """Return the root node of a YAML document.

    Parameters
    ----------
    text
        Content of the file.
    file
        Name of the file in messages.
    environ
        Values of ``${NAME}``; None for the environment of the process.

    Raises
    ------
    PipelineError
        If the text has problems; it contains all that can be found. No text raises any other exception.
    """
    from tonearm.pipeline.yaml.reader import read

    return read(text, file, os.environ if environ is None else environ)


def from_plain(value: object) -> Node:
    """Return the node of Python values, with None for all marks.

    Raises
    ------
    PipelineError
        If values cannot be expressed in YAML; each is named by its path: ``steps.1.with``.
    """
    builder = _Builder()
    node = builder.node(value, ())
    if builder.problems:
        raise PipelineError(builder.problems)
    return node


class _LimitReached(Exception):  # noqa: N818 - an early exit, not an error
    """A limit on size or depth is reached."""


class _Builder:
    """Builds nodes from Python values, and collects problems."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._count = 0

    def node(self, value: object, path: tuple[str, ...]) -> Node:
        try:
            return self._node(value, path)
        except _LimitReached:
            return null_node()

    def _node(self, value: object, path: tuple[str, ...]) -> Node:
        self._counted(path)
        if isinstance(value, Mapping | list | tuple):
            if len(path) >= MAX_DEPTH:
                self._full("too-deep", path, f"mappings and lists are nested deeper than {MAX_DEPTH}")
            return self._map(value, path) if isinstance(value, Mapping) else self._seq(value, path)
        try:
            return _scalar(value)
        except NodeError as refused:
            self._add(path, refused.problem)
            return null_node()

    def _seq(self, values: list[object] | tuple[object, ...], path: tuple[str, ...]) -> SequenceNode:
        return SequenceNode(tuple(self._node(value, (*path, str(index))) for index, value in enumerate(values)), None)

    def _map(self, values: Mapping[object, object], path: tuple[str, ...]) -> MappingNode:
        entries: dict[str, MappingEntry] = {}
        for key, value in values.items():
            self._counted(path)
            if not isinstance(key, str):
                message = f"a key must be text, not {type(key).__name__}"
                self._add(path, Problem(code="bad-key", message=message, remedies=advise("use a str")))
                continue
            try:
                name = checked_text(str.__str__(key))
            except NodeError as refused:
                self._add(path, refused.problem)
                continue
            entries[name] = MappingEntry(None, self._node(value, (*path, name)))
        return MappingNode(entries, None)

    def _counted(self, path: tuple[str, ...]) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            self._full("too-many-nodes", path, f"there are more than {MAX_NODES:,} values here")

    def _full(self, code: str, path: tuple[str, ...], message: str) -> None:
        self._add(path, Problem(code=code, message=message))
        raise _LimitReached

    def _add(self, path: tuple[str, ...], problem: Problem) -> None:
        place = ".".join(path) if path else "the top level"
        self.problems.append(replace(problem, message=f"{quote(place) if path else place}: {problem.message}"))


def _scalar(value: object) -> ScalarNode:
    if value is None or isinstance(value, bool):
        return ScalarNode(value, {None: "null", True: "true", False: "false"}[value], quoted=False, mark=None)
    if isinstance(value, str):
        text = checked_text(str.__str__(value))
        return ScalarNode(text, text, quoted=True, mark=None)
    if isinstance(value, int):
        whole = int(value)
        if whole.bit_length() > 64:
            raise NodeError("bad-number", "this integer does not fit 64 bits")
        return ScalarNode(checked_number(whole, str(whole)), str(whole), quoted=False, mark=None)
    if isinstance(value, float):
        number = float(value)
        return ScalarNode(checked_number(number, repr(number)), repr(number), quoted=False, mark=None)
    if isinstance(value, os.PathLike):
        return _scalar(os.fsdecode(value))
    if hasattr(type(value), "__members__"):  # an enumeration
        return _scalar(getattr(value, "value", None))
    name = type(value).__name__
    raise NodeError(
        "bad-value", f"a pipeline cannot hold a value of type {name}", "use dict, list, str, int, float, bool or None"
    )


def assignment_mark(assignment: str, option: str = "--set") -> Mark:
    """Return the place of values that ``--set`` gives, or another option of the command line."""
    return Mark(0, 0, f"{option} {quote(assignment)}")


def override(
    root: Node,
    assignment: str,
    *,
    environ: Mapping[str, str] | None = None,
    option: str = "--set",
    below: str = "",
    mark: Mark | None = None,
) -> Node:
    """Return a copy of a tree with one value replaced or added, as for ``--set steps.1.with.iterations=60``.

    Missing keys are created. List indexes count from 0 and must exist. The value is read as in a pipeline file.

    Parameters
    ----------
    root
        Root node of the tree, which is not changed.
    assignment
        Path, ``=``, and value as YAML: ``60``, ``text``, ``[1, 2]``, ``{a: 1}``. An empty value is null.
    environ
        Values of ``${NAME}``; None for the environment of the process.
    option
        Option of the command line that takes the assignment, for messages.
    below
        Path below which the path of the assignment lies, with a dot at its end.
    mark
        Place of the new keys and values in messages.

    Raises
    ------
    PipelineError
        If the assignment is invalid; the code is ``bad-override``.
    """
    path, equals, text = assignment.partition("=")
    try:
        keys = [checked_text(key.strip()) for key in f"{below}{path}".split(".")]
        if not equals or not all(keys):
            example = "memory=4GB" if below else "steps.1.with.iterations=60"
            raise NodeError("bad-override", "this is not an assignment", f"write {option} {example}")
        if len(keys) > MAX_DEPTH:
            raise NodeError("bad-override", f"the path is longer than {MAX_DEPTH} keys")
        changed = _assigned(root, keys, 0, _marked(_override_value(text, environ), mark), mark)
        count, depth = node_size(changed)
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise NodeError("bad-override", f"this passes {MAX_NODES:,} values, or a depth of {MAX_DEPTH}")
    except NodeError as refused:
        problem = refused.problem
        raise PipelineError(
            [replace(problem, code="bad-override", message=f"{option} {quote(assignment)}: {problem.message}")]
        ) from None
    return changed


def assigned(root: Node, keys: list[str], value: Node) -> Node:
    """Return a copy of a tree with the value at a path of keys replaced or added.

    Raises
    ------
    NodeError
        If the path leads through a value that has no keys, or beyond a list.
    """
    return _assigned(root, keys, 0, value, None)


def escape_variables(value: Any) -> Any:
    """Return plain data with every ``${`` escaped, so that it can be printed as YAML and read back."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, dict):
        return {escape_variables(key): escape_variables(inner) for key, inner in value.items()}
    return [escape_variables(inner) for inner in value] if isinstance(value, list) else value


def _override_value(text: str, environ: Mapping[str, str] | None) -> Node:
    if not text.strip():
        return null_node()
    try:
        node = read_document(text, "--set", environ=environ)
    except PipelineError as error:
        first = error.problems[0]
        hint = "quote the value" if first.code in ("empty", "yaml-syntax") else first.hint
        raise NodeError("bad-override", first.message, hint) from None
    if not isinstance(node, ScalarNode) and not re.match(r"\s*[\[{]", text):
        raise NodeError(
            "bad-override", f"the value is {node_type(node)} in block style", "write [a, b] or {a: 1}, or quote it"
        )
    return node


def _marked(node: Node, mark: Mark | None) -> Node:
    """Return a node with one mark in all places."""
    if isinstance(node, MappingNode):
        return MappingNode(
            {key: MappingEntry(mark, _marked(entry.node, mark)) for key, entry in node.entries.items()}, mark
        )
    if isinstance(node, SequenceNode):
        return SequenceNode(tuple(_marked(item, mark) for item in node.items), mark)
    return replace(node, mark=mark)


def _assigned(node: Node, keys: list[str], done: int, value: Node, mark: Mark | None) -> Node:
    """Return a node with the value at ``keys[done:]``; empty values on the path become mappings.

    A text becomes ``{use: text}`` where its ``with`` is assigned: an option whose value is a plugin may be its name.
    """
    if done == len(keys):
        return value
    key = keys[done]
    if isinstance(node, ScalarNode) and node.value is None:
        node = MappingNode({}, node.mark)
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and key == "with":
        node = MappingNode({"use": MappingEntry(None, node)}, node.mark)
    if isinstance(node, MappingNode):
        entry = node.entries.get(key, MappingEntry(mark, _marked(null_node(), mark)))
        changed = _assigned(entry.node, keys, done + 1, value, mark)
        return replace(node, entries={**node.entries, key: replace(entry, node=changed)})
    place = quote(".".join(keys[:done])) if done else "the top level"
    if isinstance(node, ScalarNode):
        raise NodeError("bad-override", f"{place} is {node_type(node)}, and has no {quote(key)}")
    last = len(node.items) - 1
    if not re.fullmatch(r"[0-9]{1,6}", key) or int(key) > last:
        hint = f"its indexes are 0 to {last}" if node.items else "it is empty"
        raise NodeError("bad-override", f"{place} is a list, and has no {quote(key)}", hint)
    index = int(key)
    changed = _assigned(node.items[index], keys, done + 1, value, mark)
    return replace(node, items=(*node.items[:index], changed, *node.items[index + 1 :]))
