"""What a scalar means: YAML 1.2's core schema, and the environment's variables."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from tonearm.errors import Problem, advise, one_line
from tonearm.pipeline.yaml.nodes import MAX_BYTES, Value

_WORDS: dict[str, bool | None] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_ZERO_LED = re.compile(r"[-+]?0[0-9]+")
_NUMBER_START = frozenset("+-.0123456789")
_NUMBER_LENGTH = 64  # characters; longer ones cost more to convert than they can mean

_PROBLEMS_OF_ONE = 10  # told about one scalar; a mebibyte of "${${${" has no more to say
_VARIABLE = re.compile(r"\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::([^{}]*))?\})?")
_WHOLE_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::[^{}]*)?\}")

PLAIN_OR_QUOTED = "quote it, or write the plain value"
FINITE = "options take finite numbers; quote it if it is meant as text"
SHORTER_OR_QUOTED = "quote it if it is meant as text"


class Refused(ValueError):  # noqa: N818 - it is caught and turned into a problem with a place, never shown
    """A value that cannot be taken; ``problem`` says why, without a place."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message, remedies=advise(hint))


def shown(text: str) -> str:
    """Return text as it is quoted in messages: on one line, bounded."""
    return f"'{one_line(text[:100], 60)}'"


def resolve(text: str) -> Value:
    """Return the value of an unquoted scalar.

    Raises
    ------
    Refused
        For numbers that are ambiguous (``0123``), not finite, or too large.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    if _NOT_FINITE.fullmatch(text):
        raise Refused("bad-number", f"{shown(text)} is not a finite number", FINITE)
    whole = _INT.fullmatch(text) is not None
    if not whole and not _FLOAT.fullmatch(text):
        return text
    if _ZERO_LED.fullmatch(text):
        raise Refused("ambiguous-number", f"{shown(text)} looks octal, but could mean decimal", PLAIN_OR_QUOTED)
    if len(text) > _NUMBER_LENGTH:
        raise Refused("bad-number", f"{shown(text)} is too long for a number", SHORTER_OR_QUOTED)
    return checked_number(int(text, _base(text)) if whole else float(text), text)


def _base(text: str) -> int:
    return {"0o": 8, "0x": 16}.get(text[:2], 10)


def checked_number(number: float, text: str) -> int | float:
    """Return the number.

    Raises
    ------
    Refused
        If it is an integer beyond 64 bits, or not finite.
    """
    if isinstance(number, int):
        if not -(2**63) <= number < 2**64:
            raise Refused("bad-number", f"{shown(text)} does not fit 64 bits", SHORTER_OR_QUOTED)
    elif not math.isfinite(number):
        raise Refused("bad-number", f"{shown(text)} is not a finite number", FINITE)
    return number


def checked_text(text: str) -> str:
    r"""Return the text, its surrogate pairs (JSON's ``"\ud83d\ude00"``) made characters.

    Raises
    ------
    Refused
        If half a pair is left, or there is a NUL: no file system, tag or terminal takes them.
    """
    if "\0" in text:
        raise Refused("bad-text", "this text has a NUL character in it", "leave it out")
    try:
        text.encode()
    except UnicodeEncodeError:
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise Refused(
                "bad-text", "this text has half of a surrogate pair in it", "write the character itself"
            ) from None
    return text


class Variables:
    """Replaces ``${NAME}`` and ``${NAME:default}`` by the environment's values; ``$${`` stands for a literal ``${``.

    Parameters
    ----------
    environ
        The values by name.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._left = MAX_BYTES  # many references to one long value must not fill the memory

    def value(self, text: str, *, quoted: bool) -> tuple[Value, list[Problem]]:
        """Return a scalar's value, and what is wrong with it.

        A whole unquoted scalar that is one variable means what its replacement means, so it can become a number; in
        longer and in quoted text the replacement stays text.
        """
        problems: list[Problem] = []
        replaced = self._replace(text, problems) if "${" in text else text
        if problems:
            return None, problems
        try:
            if quoted or (replaced is not text and not _WHOLE_VARIABLE.fullmatch(text)):
                return checked_text(replaced), []
            value = resolve(replaced)
            return (checked_text(value) if isinstance(value, str) else value), []
        except Refused as refused:
            return None, [refused.problem]

    def _replace(self, text: str, problems: list[Problem]) -> str:
        parts: list[str] = []
        end = 0
        for found in _VARIABLE.finditer(text):
            parts += (text[end : found.start()], self._replacement(found, problems))
            end = found.end()
            self._left -= len(parts[-1])
            if len(problems) >= _PROBLEMS_OF_ONE:
                break
            if self._left < 0:
                problems.append(Problem(code="too-large", message=f"variables replaced by more than {MAX_BYTES} bytes"))
                break
        return "".join((*parts, text[end:]))

    def _replacement(self, found: re.Match[str], problems: list[Problem]) -> str:
        if found[0] == "$${":
            return "${"
        name: str | None = found[1]
        default: str | None = found[2]
        if name is None:
            place = found.string[found.start() : found.start() + 20]
            hint = "write ${NAME} or ${NAME:default}; a literal ${ is written $${"
            problems.append(
                Problem(code="bad-variable", message=f"{shown(place)} is not a variable", remedies=advise(hint))
            )
            return ""
        replacement = self._environ.get(name, default)
        if replacement is None:
            hint = f"set it, or give a default: ${{{name}:…}}"
            problems.append(
                Problem(
                    code="unset-variable",
                    message=f"environment variable {shown(name)} is not set",
                    remedies=advise(hint),
                )
            )
        return replacement or ""
