"""Problems of a pipeline, each at its place."""

from tonearm.errors import OptionError, Problem, SetOption, UsageError
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.yaml.nodes import Mark


def test_a_problem_stands_at_its_mark():
    problems = Problems("p.yaml")
    problems.add(Mark(3, 5), "bad-option", "wrong", "write it right")
    problems.add(None, "missing-key", "nothing there")
    assert [str(problem) for problem in problems.found] == [
        "p.yaml:3:5: bad-option: wrong\n    hint: write it right",
        "p.yaml: missing-key: nothing there",
    ]


def test_an_error_becomes_a_problem_with_its_subject():
    problems = Problems(None)
    problems.add_error(Mark(1, 2), OptionError("too many", code="channels", hint="use fewer"), whose="raw-writer")
    problems.add_error(None, UsageError("no", code="usage"))
    first, second = problems.found
    assert (first.code, first.message, first.hint) == ("channels", "raw-writer: too many", "use fewer")
    assert (first.line, first.column, first.file) == (1, 2, None)
    assert (second.code, second.message, second.hint) == ("usage", "no", "")


def test_remedies_are_kept():
    problems = Problems("p.yaml")
    remedy = SetOption("kind", "db")
    problems.add_error(None, OptionError("negative", remedies=(remedy,)))
    (found,) = problems.found
    assert isinstance(found, Problem)
    assert found.remedies == (remedy,)


def test_the_form_of_remedies_and_the_folder_of_files():
    assert [Problems(*given).place.form for given in (("a.yaml",), (None,), (None, "flags"), ("a.yaml", "flags"))] == [
        "yaml", "python", "flags", "flags",
    ]  # fmt: skip
    assert [Problems(file).folder for file in ("x/y/a.yaml", "a.yaml", None)] == ["x/y", "", ""]


def test_a_value_of_the_command_line_has_its_assignment_for_a_place():
    problems = Problems("p.yaml")
    problems.add(Mark(0, 0, "--set 'a=1'"), "bad-option", "wrong")
    (found,) = problems.found
    assert (found.line, found.column, found.message) == (None, None, "--set 'a=1': wrong")


def test_messages_are_masked_from_a_number_on():
    problems = Problems("p.yaml")
    for message in ("a", "b", "c"):
        problems.add(None, "x", message)
    problems.mask(str.upper, 1)
    assert [problem.message for problem in problems.found] == ["a", "B", "C"]
