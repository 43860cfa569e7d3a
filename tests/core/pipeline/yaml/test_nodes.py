"""Nodes: their plain values, sizes and types in words."""

import pytest

from tonearm.pipeline.document import from_plain, read_document
from tonearm.pipeline.yaml.nodes import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    MappingEntry,
    MappingNode,
    Mark,
    ScalarNode,
    SequenceNode,
    copied,
    node_size,
    node_type,
    null_node,
    to_plain,
)


def node(text):
    return read_document(text, "p.yaml", environ={})


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, {"b": True}], "c": "x"}, [], {}, [[]]])
def test_plain_values_come_back(value):
    assert to_plain(from_plain(value)) == value


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", (1, 0)), ("[]", (1, 1)), ("[1, 2]", (3, 1)), ("{a: 1, b: 2}", (5, 1)), ("{a: [1, {b: 2}]}", (7, 3))],
)
def test_the_size_counts_nodes_with_keys_and_levels(text, size):
    assert node_size(node(text)) == size


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{a: 1}", "a mapping"),
        ("[1]", "a list"),
        ("x", "text"),
        ("1.5", "a number"),
        ("7", "a number"),
        ("true", "true or false"),
        ("~", "empty"),
        ("'7'", "text"),
    ],
)
def test_types_are_named_in_words(text, name):
    assert node_type(node(text)) == name


def test_a_null_node_is_empty_and_keeps_its_mark():
    assert null_node(Mark(2, 3)) == ScalarNode(None, "", quoted=False, mark=Mark(2, 3))
    assert to_plain(null_node()) is None


def test_the_limits_of_a_document():
    assert (MAX_BYTES, MAX_DEPTH, MAX_NODES) == (1_048_576, 50, 10_000)


@pytest.mark.parametrize("text", ["{a: [1, {b: '${C:x}'}], d: 'e'}", "[]", "1"])
def test_a_copy_shares_no_node(text):
    def nodes(one):
        inner = [entry.node for entry in one.entries.values()] if isinstance(one, MappingNode) else ()
        inner = one.items if isinstance(one, SequenceNode) else inner
        return [one, *(below for child in inner for below in nodes(child))]

    given = node(text)
    made = copied(given)
    assert made == given
    assert not {id(one) for one in nodes(made)} & {id(one) for one in nodes(given)}


@pytest.mark.parametrize(
    "made",
    [Mark(1, 1), null_node(), MappingEntry(None, null_node()), MappingNode({}, None), SequenceNode((), None)],
    ids=lambda made: type(made).__name__,
)
def test_nodes_never_change(made):
    """Aliases and overridden trees share them."""
    with pytest.raises(AttributeError, match="immutable"):
        setattr(made, made.__struct_fields__[0], None)
