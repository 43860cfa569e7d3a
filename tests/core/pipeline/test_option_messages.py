"""The words for wrong values of options, and for plugins that do not fit one."""

from typing import Any, Literal

from core_toys import registry_of

from tonearm.api import Transform, Waveform
from tonearm.pipeline.option_messages import add_bad_value, ports_in_words
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.yaml.nodes import Mark, ScalarNode, SequenceNode
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
