"""What can go wrong, and how it is said: a place, what is wrong, what to do.

Every error that a user can cause is a `TonearmError`; anything else that reaches the command line is a bug of tonearm.
Each carries a stable ``code`` (for journals, scripts and documentation), a message, and a hint that says what to do.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong, with its place.

    Parameters
    ----------
    code
        Stable and short: ``unknown-option``. Scripts may rely on it.
    message
        What is wrong, in the user's words, on one line.
    hint
        What to do about it; empty if the message says it already.
    file, line, column
        Where. Lines and columns count from 1; None where the place has none (a mapping given from Python).
    """

    code: str
    message: str
    hint: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """Return the compiler's form: ``file:line:column: code: message``, the hint on a line of its own."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        text = f"{place}: {self.code}: {self.message}" if place else f"{self.code}: {self.message}"
        return f"{text}\n    hint: {self.hint}" if self.hint else text

    def at(self, *, file: str | None, line: int | None, column: int | None) -> Problem:
        """Return this problem with a place, unless it has one."""
        return self if self.line is not None else replace(self, file=file, line=line, column=column)


class TonearmError(Exception):
    """The root of every error that a user can cause.

    Parameters
    ----------
    message
        What is wrong, on one line.
    code
        Stable identifier; each subclass has a default.
    hint
        What to do about it.
    """

    default_code = "error"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n    hint: {self.hint}" if self.hint else self.message

    @property
    def problem(self) -> Problem:
        """The same as a `Problem`, without a place."""
        return Problem(code=self.code, message=self.message, hint=self.hint)


class UsageError(TonearmError):
    """The command or the call is wrong; nothing was touched (exit status 2)."""

    default_code = "usage"


class PipelineError(TonearmError):
    """A pipeline is wrong; ``problems`` has everything that is, in the order of the file (exit status 2)."""

    default_code = "pipeline"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.file or "", p.line or 0, p.column or 0)))
        super().__init__("\n".join(map(str, self.problems)))


class ItemError(TonearmError):
    """One source or item cannot be converted; the rest of a run goes on (exit status 3)."""

    default_code = "item"


class SignalError(ItemError):
    """A signal breaks its own rules: wrong rank, wrong number of bins, a sample rate of 0."""

    default_code = "bad-signal"


class OutputError(TonearmError):
    """The output side failed: a full disk, a read-only folder. The run stops (exit status 4)."""

    default_code = "output"


class OptionError(ValueError):
    """Options that do not fit one another; raise it in an options class's ``__post_init__``, or in a port check.

    Parameters
    ----------
    message
        What is wrong.
    option
        The name of the option to point at; None points at the plugin.
    hint
        What to do about it.
    code
        Stable identifier of the problem.
    """

    def __init__(self, message: str, *, option: str | None = None, hint: str = "", code: str = "bad-option") -> None:
        super().__init__(message)
        self.message = message
        self.option = option
        self.hint = hint
        self.code = code


def one_line(text: object, limit: int = 300) -> str:
    """Return any text as one printable line: control characters escaped, length bounded."""
    line = str(text)
    if not line.isprintable():
        line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the nearest of the known words, or an empty text."""
    import difflib

    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""
