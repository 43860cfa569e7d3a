"""Exceptions carry a code, a message and remedies; pipeline errors carry every problem in the order of the file."""

import pickle

import pytest

import tonearm
import tonearm.api
from tonearm.errors import (
    Advice,
    ItemError,
    OptionError,
    OutputError,
    PipelineError,
    Place,
    Problem,
    SetOption,
    SignalError,
    TonearmError,
    UsageError,
)


def test_each_class_has_a_code_of_its_own_unless_one_is_given():
    classes = (TonearmError, UsageError, ItemError, SignalError, OutputError)
    assert [cls("x").code for cls in classes] == ["error", "usage", "item", "bad-signal", "output"]
    assert PipelineError([]).code == "pipeline"
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
    error.place = Place("steps.0", "flags")
    again = pickle.loads(pickle.dumps(error))
    assert (again.code, again.hint) == ("empty", "--set steps.0.with.kind=db")


def test_a_pipelines_problems_survive_pickling():
    error = PipelineError([Problem(code="x", message="y", remedies=(SetOption("kind", "db"),))])
    again = pickle.loads(pickle.dumps(error))
    assert (again.problems, str(again)) == (error.problems, "x: y\n    hint: kind: db")


def test_several_problems_begin_on_a_line_of_their_own():
    problems = [Problem(code="x", message=text, remedies=(SetOption("kind", "db"),)) for text in "ab"]
    assert str(PipelineError(problems)) == ("2 problems\n  x: a\n      hint: kind: db\n  x: b\n      hint: kind: db")


def test_a_traceback_names_the_module_that_an_error_is_imported_from():
    for cls in (TonearmError, UsageError, PipelineError, ItemError, OutputError):
        assert getattr(tonearm, cls.__name__) is cls
        assert cls.__module__ == "tonearm"
    for cls in (SignalError, OptionError):
        assert getattr(tonearm.api, cls.__name__) is cls
        assert cls.__module__ == "tonearm.api"


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


@pytest.mark.parametrize("error", [ItemError("x"), OptionError("x")])
def test_without_advice_an_error_is_its_message(error):
    assert (str(error), error.message, error.hint, error.remedies) == ("x", "x", "", ())


def test_what_an_option_error_points_at():
    assert OptionError("x").option is None
    assert OptionError("x", option="kind").option == "kind"
    error = OptionError("x", code="mine", remedies=(SetOption("kind", "db"),), hint="or look at it")
    assert (error.code, error.hint) == ("mine", "kind: db; or look at it")
    assert error.remedies == (SetOption("kind", "db"), Advice("or look at it"))


def test_problems_without_a_place_come_first_and_those_of_one_place_keep_their_order():
    places = [
        ("b", 1, 1), ("a", 1, 1), ("a", 1, 2), ("a", 1, None), ("a", 2, 1), ("a", None, None), (None, 7, 1),
        (None, 1, 9), (None, None, None), ("a", 1, 1),
    ]  # fmt: skip
    problems = [
        Problem(code="x", message=str(number), file=file, line=line, column=column)
        for number, (file, line, column) in enumerate(places)
    ]
    error = PipelineError(iter(problems))
    assert [problem.message for problem in error.problems] == list("8765319240")
    assert error.message == "\n".join(map(str, error.problems))


@pytest.mark.parametrize("cls", [ItemError, OptionError])
def test_only_the_message_needs_no_name(cls):
    assert cls(message="x").message == "x"
    with pytest.raises(TypeError, match="positional"):
        cls("x", "code")
