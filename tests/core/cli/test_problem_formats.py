"""Problems as JSON and as annotations of GitHub Actions."""

import pytest

from tonearm.cli.problem_formats import github_annotation, problem_fields
from tonearm.errors import Advice, Problem


def test_a_problem_in_json_has_its_place_and_hint():
    problem = Problem(code="c", message="m", file="p.yaml", line=3, column=4, remedies=(Advice("h"),))
    assert problem_fields(problem, "warning") == {
        "level": "warning", "code": "c", "message": "m", "hint": "h", "file": "p.yaml", "line": 3, "column": 4
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"file": "p.yaml", "line": 3, "column": 4}, "title=tonearm (c),file=p.yaml,line=3,col=4::m"),
        ({}, "title=tonearm (c),file=given.yaml::m"),
        ({"file": "a,b:c%.yaml"}, "title=tonearm (c),file=a%2Cb%3Ac%25.yaml::m"),
        ({"message": "100 %, a: b\r\nc"}, "title=tonearm (c),file=given.yaml::100 %25, a: b\\r%0Ac"),
        ({"remedies": (Advice("do: this"),)}, "title=tonearm (c),file=given.yaml::m%0Ahint: do: this"),
        ({"message": "x\n::error::forged"}, "title=tonearm (c),file=given.yaml::x%0A::error::forged"),
    ],
)
def test_an_annotation_escapes_what_github_would_obey(fields, expected):
    problem = Problem(**{"code": "c", "message": "m", **fields})
    assert github_annotation(problem, "error", "given.yaml") == f"::error {expected}"


def test_a_line_end_in_a_name_is_escaped():
    assert "file=a%0Db%0Ac::" in github_annotation(Problem(code="c", message="m", file="a\rb\nc"), "warning", "")
