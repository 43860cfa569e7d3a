"""The exceptions that a user can cause; anything else that reaches the command line is a bug of tonearm.

Each carries a stable ``code`` (for journals, scripts and documentation), a message, and remedies. Tracebacks name each
by the module that users import it from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tonearm.errors.place import Place
from tonearm.errors.problem import NOWHERE, Problem, advise, hint_of
from tonearm.errors.remedies import Remedy
from tonearm.errors.text import safe_message


class _ShownInNotebook:
    """An exception that a notebook shows without tonearm's own frames."""

    def _render_traceback_(self) -> list[str]:
        """Return the lines of the traceback; IPython asks for them."""
        from tonearm.errors.tracebacks import notebook_lines  # not at the top: only notebooks need it

        return notebook_lines(self)  # type: ignore[arg-type]


class TonearmError(_ShownInNotebook, Exception):
    """The root of every error that a user can cause.

    Parameters
    ----------
    message
        What is wrong, on one line.
    code
        Stable identifier; each subclass has a default.
    hint
        Advice in prose.
    remedies
        What to do about it, as data; ``hint`` comes after them.

    Attributes
    ----------
    place
        Stage of the pipeline that raised it, once the host has noted it.
    """

    __module__ = "tonearm"
    default_code = "error"

    def __init__(
        self, message: str, *, code: str | None = None, hint: str = "", remedies: tuple[Remedy, ...] = ()
    ) -> None:
        message = safe_message(message)
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.remedies = (*remedies, *advise(hint))
        self.place: Place = NOWHERE

    def __str__(self) -> str:
        hint = self.hint
        return f"{self.message}\n    hint: {hint}" if hint else self.message

    @property
    def hint(self) -> str:
        """Remedies as one line of text, in the form that the pipeline was given in."""
        return hint_of(self.remedies, self.place)

    @property
    def problem(self) -> Problem:
        """The same as a `Problem`, without a place in a file."""
        return Problem(code=self.code, message=self.message, remedies=self.remedies, place=self.place)


class UsageError(TonearmError):
    """The command or the call is wrong; nothing was touched (exit status 2)."""

    __module__ = "tonearm"
    default_code = "usage"


class PipelineError(TonearmError):
    """A pipeline is wrong; ``problems`` has everything that is, in the order of the file (exit status 2)."""

    __module__ = "tonearm"
    default_code = "pipeline"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.file or "", p.line or 0, p.column or 0)))
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[PipelineError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return self.message
        # The first line of a traceback has the name of the class in front, so the problems begin on the next.
        lines = self.message.replace("\n", "\n  ")
        return f"{len(self.problems)} problems\n  {lines}"


class ItemError(TonearmError):
    """One source or item cannot be converted; the run continues (exit status 3).

    Attributes
    ----------
    retry
        Function that reads the data at hand with other options of the decoder, and returns a signal. The host tries
        remedies by it, and then drops it with the data. None if the data cannot be read again.
    """

    __module__ = "tonearm"
    default_code = "item"
    retry: Callable[[Any], Any] | None = None


class SignalError(ItemError):
    """A signal breaks its own rules: wrong rank, wrong number of bins, a sample rate of 0."""

    __module__ = "tonearm.api"

    default_code = "bad-signal"


class OutputError(TonearmError):
    """The output side failed: a full disk, a read-only folder. The run stops (exit status 4)."""

    __module__ = "tonearm"
    default_code = "output"


class OptionError(_ShownInNotebook, ValueError):
    """Options that do not fit one another; raise it in an options class's ``__post_init__``, or in a port check.

    Parameters
    ----------
    message
        What is wrong.
    option
        Name of the option to point at, or of a value in a mapping: ``tags.title``; None points at the plugin.
    hint
        Advice in prose.
    code
        Stable identifier of the problem.
    remedies
        What to do about it, as data; ``hint`` comes after them.
    """

    __module__ = "tonearm.api"

    def __init__(
        self,
        message: str,
        *,
        option: str | None = None,
        hint: str = "",
        code: str = "bad-option",
        remedies: tuple[Remedy, ...] = (),
    ) -> None:
        message = safe_message(message)
        super().__init__(message)
        self.message = message
        self.option = option
        self.code = code
        self.remedies = (*remedies, *advise(hint))

    @property
    def hint(self) -> str:
        """Remedies as one line of text, as YAML has them."""
        return hint_of(self.remedies, NOWHERE)
