"""The tree that a pipeline is read into: plain values that remember where they were written."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

MAX_BYTES = 1 << 20
MAX_DEPTH = 50
MAX_NODES = 10_000
Value: TypeAlias = str | int | float | bool | None


class Mark(Struct, frozen=True):
    """A place in a file; line and column count from 1."""

    line: int
    column: int


class ScalarNode(Struct, frozen=True):
    """A single value.

    Parameters
    ----------
    value
        What it means: text, number, truth or nothing.
    text
        How it was written, before variables were replaced (escapes and line folding resolved).
    quoted
        Whether it was quoted or a block text, and so is text whatever it looks like.
    mark
        Where it starts; None if it was given from Python or on the command line.
    """

    value: Value
    text: str
    quoted: bool
    mark: Mark | None


class MappingEntry(Struct, frozen=True):
    """One entry of a `MappingNode`: where its key is, and its value."""

    key_mark: Mark | None
    node: Node


class MappingNode(Struct, frozen=True):
    """A mapping; its entries are in the order of the file, those merged with ``<<`` last."""

    entries: dict[str, MappingEntry]
    mark: Mark | None


class SequenceNode(Struct, frozen=True):
    """A list."""

    items: tuple[Node, ...]
    mark: Mark | None


Node: TypeAlias = ScalarNode | MappingNode | SequenceNode


def null_node(mark: Mark | None = None) -> ScalarNode:
    """Return an empty value."""
    return ScalarNode(None, "", quoted=False, mark=mark)


def to_plain(node: Node) -> object:
    """Return the node as plain Python values: dict, list, str, int, float, bool, None."""
    if isinstance(node, MappingNode):
        return {key: to_plain(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, SequenceNode):
        return [to_plain(item) for item in node.items]
    return node.value


def node_size(node: Node) -> tuple[int, int]:
    """Return how many nodes (keys count too) and how many levels of mappings and lists there are."""
    if isinstance(node, ScalarNode):
        return 1, 0
    keyed = isinstance(node, MappingNode)
    children = [entry.node for entry in node.entries.values()] if isinstance(node, MappingNode) else node.items
    measures = [node_size(child) for child in children]
    count = 1 + sum(nodes + keyed for nodes, _ in measures)
    return count, 1 + max((depth for _, depth in measures), default=0)


def node_type(node: Node) -> str:
    """Return what a node is, in the user's words."""
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    return value_type(node.value)


def value_type(value: Value) -> str:
    """Return what a scalar's value is, in the user's words."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true or false"
    return "text" if isinstance(value, str) else "a number"
