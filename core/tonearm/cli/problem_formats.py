"""Problems for programs: as JSON, and as annotations of GitHub Actions."""

from __future__ import annotations

from typing import Any, Literal

from tonearm.errors import Problem

FORMATS = ("text", "json", "github")
"""Values of ``--format``."""

Level = Literal["error", "warning"]
"""Severity of a problem: errors stop a pipeline, and warnings do not."""

_IN_VALUES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTIES = {**_IN_VALUES, ":": "%3A", ",": "%2C"}


def problem_fields(problem: Problem, level: Level) -> dict[str, Any]:
    """Return the fields of a problem in JSON output."""
    return {
        "level": level,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
    }


def github_annotation(problem: Problem, level: Level, file: str) -> str:
    """Return a problem as a workflow command, which GitHub shows beside the line in a pull request.

    Parameters
    ----------
    problem
        Problem.
    level
        Severity.
    file
        File of a problem that names none.

    Examples
    --------
    >>> github_annotation(Problem(code="empty", message="100 %", line=3, column=1), "error", "p.yaml")
    '::error title=tonearm (empty),file=p.yaml,line=3,col=1::100 %25'
    """
    properties = {"title": f"tonearm ({problem.code})", "file": problem.file or file}
    properties |= {"line": str(problem.line)} if problem.line is not None else {}
    properties |= {"col": str(problem.column)} if problem.column is not None else {}
    shown = ",".join(f"{name}={_escaped(value, _IN_PROPERTIES)}" for name, value in properties.items())
    text = f"{problem.message}\nhint: {problem.hint}" if problem.hint else problem.message
    return f"::{level} {shown}::{_escaped(text, _IN_VALUES)}"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(letter, letter) for letter in text)
