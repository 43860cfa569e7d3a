"""Values are written so that a reader of YAML, a shell or Python reads the same values back."""

import ast
import shlex

import pytest
import yaml

from tonearm.errors.literals import OPEN, all_of, either, flag_value, python_literal, shell_word, yaml_literal

VALUES = (
    *("a b", "no", "ü", 'a"\\', "1e3", "", 1, -0.5, 1e-8, True, False, None),
    *([1, "a"], {"a": [1, None], "b": {"c": "d e"}}, [], {}),
)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_are_read_back(value):
    assert yaml.safe_load(yaml_literal(value)) == value
    assert ast.literal_eval(python_literal(value)) == value


def test_a_flag_needs_no_quotes_of_its_own():
    assert [flag_value(value) for value in ("no", ["bin", "frame"], [1, "a"], True)] == [
        *("no", "bin,frame", "[1, a]", "true")
    ]


@pytest.mark.parametrize("word", ["a b", "$HOME", "x;y", "a'b", "sample_rate=1", "*"])
def test_a_word_for_the_shell_stays_one(word):
    assert shlex.split(shell_word(word)) == [word]


def test_a_value_that_only_the_user_knows_has_no_quotes():
    assert {yaml_literal(OPEN), flag_value(OPEN), python_literal(OPEN), shell_word(OPEN)} == {"…"}
    assert python_literal({"a": OPEN}) == '{"a": …}'


def test_texts_are_joined_as_in_prose():
    assert [all_of("a"), all_of("abc"), either("a"), either("abc")] == ["a", "a, b and c", "a", "a, b or c"]
