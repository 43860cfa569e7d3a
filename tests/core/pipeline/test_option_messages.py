"""The words for wrong values of options, and for plugins that do not fit one."""

from typing import Any, Literal

import pytest
from core_toys import registry_of

from tonearm.api import Transform, Waveform
from tonearm.pipeline.option_messages import add_bad_value, expected_in_words, ports_in_words, shown_value
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.yaml.nodes import MappingNode, Mark, ScalarNode, SequenceNode
from tonearm.plugins.options import Option, plugin_type


def said(hint, node, reason, description=""):
    problems = Problems(None)
    add_bad_value(problems, "x", Option("a", hint, None, description), node, reason)
    return str(problems.found[0]), (problems.found[0].line, problems.found[0].column)


def scalar(value, column=1):
    return ScalarNode(value, str(value), quoted=False, mark=Mark(1, column))


def test_types_of_msgspec_are_put_in_plain_words():
    text, _ = said(int, scalar("b"), "Expected `int | null`, got `str`", "Count.")
    assert text == "1:1: bad-option: x: 'a' is 'b'; expected a whole number\n    hint: Count."


def test_choices_are_listed():
    assert said(Literal["b", "c"], scalar("d"), "Invalid enum value 'd'")[0].endswith(
        "'a' is 'd'\n    hint: one of b, c"
    )


def test_an_item_of_a_list_has_its_own_place():
    node = SequenceNode((scalar(1, 5), scalar("b", 8)), Mark(1, 4))
    text, place = said(list[int], node, "Expected `int`, got `str` - at `$[1]`")
    assert "'a' is 'b'" in text
    assert place == (1, 8)


def test_plugins_that_do_not_fit():
    registry = registry_of()
    kind = plugin_type(Transform[Any, Waveform, Any])
    assert ports_in_words(kind, registry.find("transform", "fog-to-mist")) == (
        "a transform to waveform", "a transform from fog to mist",
    )  # fmt: skip
    assert ports_in_words(kind, registry.find("transform", "join")) == ("a Transform", "a Regroup")


def test_the_choices_of_a_list_are_those_of_its_items():
    node = SequenceNode((scalar("a", 5), scalar("d", 8)), Mark(1, 4))
    hint = list[Literal["b", "c"]] | dict[str, Literal["x"]] | Literal["y"]
    text, place = said(hint, node, "Invalid enum value 'd' - at `$[1]`")
    assert (text, place) == ("1:8: bad-option: x: 'a' is 'd'\n    hint: one of b, c", (1, 8))
    text, place = said(hint, scalar("d"), "Invalid enum value 'd' - at `$[1]`")
    assert (text, place) == ("1:1: bad-option: x: 'a' is 'd'\n    hint: one of b, c, x, y", (1, 1))
    text, place = said(hint, node, "Expected `array` of length >= 3")
    assert text.startswith("1:4: bad-option: x: 'a' is a list; expected a list of length >= 3")


def test_an_axis_for_a_list_of_axes_is_told_that_a_list_is_meant():
    text, _ = said(list[Literal["b"]], scalar("b"), "Expected `array`, got `str`")
    assert text == "1:1: bad-option: x: 'a' is 'b'; expected a list"


@pytest.mark.parametrize(
    ("node", "shown"),
    [
        (scalar("b"), "'b'"), (scalar(3), "3"), (ScalarNode(None, "", quoted=False, mark=None), "empty"),
        (ScalarNode(value=True, text="true", quoted=False, mark=None), "true"), (SequenceNode((), None), "a list"),
        (MappingNode({}, None), "a mapping"),
        (ScalarNode("s", "${S}", quoted=False, mark=None, variables=("S",)), "'${S}'"),
        (ScalarNode(7, "${S}", quoted=False, mark=None, variables=("S",)), "'${S}'"),
    ],
)  # fmt: skip
def test_values_as_a_message_shows_them(node, shown):
    assert shown_value(node) == shown


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Expected `int | float`, got `str`", "expected a whole number | a number"),
        ("Expected `bool`", "expected true or false"),
        ("Expected `str` of length >= 1", "expected text of length >= 1"),
        ("Expected `object`, got `int`", "expected a mapping"), ("Expected int or float", "expected a number"),
        ("", ""),
    ],
)  # fmt: skip
def test_reasons_in_words(reason, words):
    assert expected_in_words(reason) == words
