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
