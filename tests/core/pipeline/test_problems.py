"""Problems of a pipeline, each at its place."""

import pytest

from tonearm.errors import OptionError, PipelineError, Problem, SetOption, UsageError
from tonearm.pipeline.check import check
from tonearm.pipeline.document import from_plain
from tonearm.pipeline.environment import Masks
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.yaml.nodes import Mark
from tonearm.plugins import registry


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


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("bad-option", {"axes": ["\u202e"]}),
        ("not-invertible", {"kind": "mel", "dialect": {"base": "xtts-dvae", "name": "\x1b[1m"}}),
    ],
)
def test_names_that_a_terminal_would_obey_are_escaped(code, options):
    document = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": options},
        "steps": [{"use": "mel-to-wave"}] if "dialect" in options else [],
        "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
    }
    with pytest.raises(PipelineError) as raised:
        check(from_plain(document), None, registry.default())
    problem = next(one for one in raised.value.problems if one.code == code)
    assert f"{problem.message}{problem.hint}".isprintable()
    assert r"\u202e" in problem.message or r"\x1b[1m" in problem.message


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
    for number in range(3):
        problems.add(None, "x", f"{number}: hunter2")
    problems.mask(Masks({"hunter2": "${P}"}), 1)
    assert [problem.message for problem in problems.found] == ["0: hunter2", "1: ${P}", "2: ${P}"]
    problems.mask(Masks({"hunter2": "${P}"}))
    assert [problem.message for problem in problems.found] == ["0: ${P}", "1: ${P}", "2: ${P}"]
