"""The nodes of a YAML document: plain values with their places in the file."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

MAX_BYTES = 1 << 20
MAX_DEPTH = 50
MAX_NODES = 10_000
INSPECT = "tonearm inspect FILE prints a pipeline for an array or a sound"
"""Hint for those who have no pipeline yet."""

Value: TypeAlias = str | int | float | bool | None


class Mark(Struct, frozen=True):
    """A place in a file; line and column count from 1.

    Values that do not stand in the file have an assignment instead, as in ``--set 'tonearm=1'``.
    """

    line: int
    column: int
    assignment: str = ""


class ScalarNode(Struct, frozen=True):
    """A single value.

    Parameters
    ----------
    value
        Value: text, number, boolean or None.
    text
        Text as written, with escapes and line folding resolved, but variables not replaced.
    quoted
        Whether the scalar is quoted or block text, and therefore text in any case.
    mark
        Start of the scalar; None if it was given from Python or on the command line.
    variables
        Names of the environment variables in the text.
    """

    value: Value
    text: str
    quoted: bool
    mark: Mark | None
    variables: tuple[str, ...] = ()


class MappingEntry(Struct, frozen=True):
    """One entry of a `MappingNode`: the place of its key, and its value."""

    key_mark: Mark | None
    node: Node


class MappingNode(Struct, frozen=True):
    """A mapping; entries are in the order of the file, those merged with ``<<`` last."""

    entries: dict[str, MappingEntry]
    mark: Mark | None


class SequenceNode(Struct, frozen=True):
    """A list."""

    items: tuple[Node, ...]
    mark: Mark | None


Node: TypeAlias = ScalarNode | MappingNode | SequenceNode


def copied(node: Node) -> Node:
    """Return a copy of a tree without shared nodes, so that what is known of one place holds for no other."""
    if isinstance(node, MappingNode):
        return MappingNode(
            {key: MappingEntry(entry.key_mark, copied(entry.node)) for key, entry in node.entries.items()}, node.mark
        )
    if isinstance(node, SequenceNode):
        return SequenceNode(tuple(map(copied, node.items)), node.mark)
    return ScalarNode(node.value, node.text, node.quoted, node.mark, node.variables)


def null_node(mark: Mark | None = None) -> ScalarNode:
    """Return the node of an empty value."""
    return ScalarNode(None, "", quoted=False, mark=mark)


def to_plain(node: Node) -> object:
    """Return a node as plain Python values: dict, list, str, int, float, bool, None."""
    if isinstance(node, MappingNode):
        return {key: to_plain(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, SequenceNode):
        return [to_plain(item) for item in node.items]
    return node.value


def node_size(node: Node) -> tuple[int, int]:
    """Return the number of nodes, including keys, and the number of levels of mappings and lists."""
    if isinstance(node, ScalarNode):
        return 1, 0
    keyed = isinstance(node, MappingNode)
    children = [entry.node for entry in node.entries.values()] if isinstance(node, MappingNode) else node.items
    measures = [node_size(child) for child in children]
    count = 1 + sum(nodes + keyed for nodes, _ in measures)
    return count, 1 + max((depth for _, depth in measures), default=0)


def node_type(node: Node) -> str:
    """Return the type of a node in words: ``a mapping``."""
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    return value_type(node.value)


def value_type(value: Value) -> str:
    """Return the type of a scalar's value in words: ``a number``."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true or false"
    return "text" if isinstance(value, str) else "a number"
