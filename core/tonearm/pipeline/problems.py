"""Collecting everything that is wrong with one file, each with its place."""

from __future__ import annotations

from tonearm.errors import OptionError, Problem, TonearmError
from tonearm.pipeline.yaml.nodes import Mark


class Problems:
    """What is wrong with one pipeline.

    Parameters
    ----------
    file
        Its name in messages; None for a mapping given from Python.
    """

    def __init__(self, file: str | None) -> None:
        self.file = file
        self.found: list[Problem] = []

    def add(self, mark: Mark | None, code: str, message: str, hint: str = "") -> None:
        """Note one problem at a place."""
        line, column = (mark.line, mark.column) if mark else (None, None)
        self.found.append(Problem(code=code, message=message, hint=hint, file=self.file, line=line, column=column))

    def add_error(self, mark: Mark | None, error: TonearmError | OptionError, *, whose: str = "") -> None:
        """Note an error as a problem at a place."""
        self.add(mark, error.code, f"{whose}: {error.message}" if whose else error.message, error.hint)
