"""Nodes: their plain values, sizes and types in words."""

import pytest

from tonearm.pipeline.document import from_plain, read_document
from tonearm.pipeline.yaml.nodes import Mark, ScalarNode, node_size, node_type, null_node, to_plain


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
