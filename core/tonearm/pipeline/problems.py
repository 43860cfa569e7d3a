"""The collection of everything that is wrong with one pipeline, each problem with its place."""

from __future__ import annotations

import os
from collections.abc import Container
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tonearm.errors import Form, OptionError, Place, Problem, Remedy, TonearmError, advise
from tonearm.pipeline.yaml.nodes import Mark

if TYPE_CHECKING:
    from tonearm.pipeline.environment import Masks


class Problems:
    """The problems of one pipeline.

    Parameters
    ----------
    file
        Name of the pipeline's file in messages; None for a mapping given from Python.
    form
        Form in which remedies are written; YAML for a file and Python for a mapping, if None.
    put_in
        Paths of the steps that the user has not asked for; they were put in between two ports.

    Attributes
    ----------
    place
        Stage that is being checked; problems that are added belong to it.
    paths
        Identities of the nodes that name files.
    warnings
        Warnings of a pipeline that works.
    """

    def __init__(self, file: str | None, form: Form | None = None, put_in: Container[str] = ()) -> None:
        self.file = file
        self.put_in = put_in
        self.found: list[Problem] = []
        self.warnings: list[Problem] = []
        self.paths: set[int] = set()
        self.place = Place(form=form or ("yaml" if file else "python"))

    @property
    def folder(self) -> str:
        """Folder of the pipeline's file, to which the paths in it are relative; empty for the current folder."""
        return os.path.dirname(self.file or "")  # noqa: PTH120 - pathlib takes 6 ms

    def add(
        self, mark: Mark | None, code: str, message: str, hint: str = "", *, remedies: tuple[Remedy, ...] = ()
    ) -> None:
        """Add one problem at a place; ``hint`` is advice in prose, after the remedies."""
        line, column = (mark.line, mark.column) if mark else (None, None)
        if mark and mark.assignment:
            line, column, message = None, None, f"{mark.assignment}: {message}"
        self.found.append(
            Problem(
                code=code,
                message=message,
                remedies=(*remedies, *advise(hint)),
                place=self.place,
                file=self.file,
                line=line,
                column=column,
            )
        )

    def mask(self, masks: Masks, start: int = 0) -> None:
        """Show what masks show in place of values, from the problem number ``start`` on."""
        if masks:
            self.found[start:] = [
                replace(one, message=masks.in_text(one.message), remedies=masks.in_remedies(one.remedies))
                for one in self.found[start:]
            ]

    def add_error(self, mark: Mark | None, error: TonearmError | OptionError, *, whose: str = "") -> None:
        """Add an error as a problem at a place."""
        message = f"{whose}: {error.message}" if whose else error.message
        self.add(mark, error.code, message, remedies=error.remedies)

    def add_warning(self, mark: Mark | None, error: OptionError, *, whose: str) -> None:
        """Add a plugin's warning at a place."""
        self.add_error(mark, error, whose=whose)
        self.warnings.append(self.found.pop())
