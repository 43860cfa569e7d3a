"""Exceptions carry a code, a message and remedies; pipeline errors carry every problem in the order of the file."""

import pickle

from tonearm.errors import Advice, ItemError, OptionError, PipelineError, Place, Problem, SetOption, SignalError


def test_each_class_has_a_code_of_its_own_unless_one_is_given():
    assert SignalError("x").code == "bad-signal"
    assert ItemError("x", code="empty").code == "empty"
    assert OptionError("x").code == "bad-option"


def test_advice_comes_after_the_remedies():
    error = ItemError("x", remedies=(SetOption("kind", "db"),), hint="or look at it")
    assert error.remedies == (SetOption("kind", "db"), Advice("or look at it"))
    assert str(error) == "x\n    hint: kind: db; or look at it"


def test_the_hint_follows_the_place_that_the_host_notes():
    error = ItemError("x", remedies=(SetOption("kind", "db"),))
    error.place = Place("input", "python")
    assert error.hint == '"kind": "db"'
    assert error.problem == Problem(code="item", message="x", remedies=error.remedies, place=error.place)


def test_an_error_survives_pickling():
    error = ItemError("x", code="empty", remedies=(SetOption("kind", "db"),))
    error.place = Place("steps.0", "flags", 1)
    again = pickle.loads(pickle.dumps(error))
    assert (again.code, again.hint) == ("empty", "--set steps.0.with.kind=db")


def test_problems_are_in_the_order_of_the_file():
    problems = [Problem(code="x", message=str(line), file="a.yaml", line=line, column=1) for line in (9, 2)]
    assert [problem.line for problem in PipelineError(problems).problems] == [2, 9]


def test_names_that_a_terminal_would_obey_are_escaped():
    for cls in (ItemError, OptionError):
        error = cls("no \x1b[1m\u202e\nand more", hint="not \x1b[1m")
        assert error.message == str(error.args[0]) == "no \\x1b[1m\\u202e\nand more"
        assert error.hint == r"not \x1b[1m"


def test_a_message_that_is_no_text_is_left_to_the_host():
    assert ItemError(17).message == 17
