"""The values of scalars by the core schema of YAML 1.2."""

from __future__ import annotations

import math
import re

from tonearm.errors import Problem, advise, one_line
from tonearm.pipeline.yaml.nodes import Value

_WORDS: dict[str, bool | None] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)


_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_ZERO_LED = re.compile(r"[-+]?0[0-9]+")
_NUMBER_START = frozenset("+-.0123456789")
_NUMBER_LENGTH = 64  # in characters; longer numbers are too expensive to convert
PLAIN_OR_QUOTED = "quote it, or write the plain value"
FINITE = "options take finite numbers; quote it if it is meant as text"
SHORTER_OR_QUOTED = "quote it if it is meant as text"


class NodeError(ValueError):
    """A node has an invalid value; ``problem`` explains it, without a place."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message, remedies=advise(hint))


def quote(text: str) -> str:
    """Return text quoted for messages: on one line, and shortened."""
    return f"'{one_line(text[:100], 60)}'"


def resolve(text: str) -> Value:
    """Return the value of an unquoted scalar.

    Raises
    ------
    NodeError
        If the scalar is a number that is ambiguous (``0123``), not finite, or too large.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    if _NOT_FINITE.fullmatch(text):
        raise NodeError("bad-number", f"{quote(text)} is not a finite number", FINITE)
    whole = _INT.fullmatch(text) is not None
    if not whole and not _FLOAT.fullmatch(text):
        return text
    if _ZERO_LED.fullmatch(text):
        raise NodeError("ambiguous-number", f"{quote(text)} looks octal, but could mean decimal", PLAIN_OR_QUOTED)
    if len(text) > _NUMBER_LENGTH:
        raise NodeError("bad-number", f"{quote(text)} is too long for a number", SHORTER_OR_QUOTED)
    return checked_number(int(text, _base(text)) if whole else float(text), text)


def _base(text: str) -> int:
    return {"0o": 8, "0x": 16}.get(text[:2], 10)


def checked_number(number: float, text: str) -> int | float:
    """Return a number.

    Raises
    ------
    NodeError
        If the number is an integer of more than 64 bits, or not finite.
    """
    if isinstance(number, int):
        if not -(2**63) <= number < 2**64:
            raise NodeError("bad-number", f"{quote(text)} does not fit 64 bits", SHORTER_OR_QUOTED)
    elif not math.isfinite(number):
        raise NodeError("bad-number", f"{quote(text)} is not a finite number", FINITE)
    return number


def checked_text(text: str) -> str:
    r"""Return text with surrogate pairs (``"\ud83d\ude00"`` in JSON) joined to characters.

    Raises
    ------
    NodeError
        If the text has an unpaired surrogate or a NUL, which file systems, tags and terminals do not accept.
    """
    if "\0" in text:
        raise NodeError("bad-text", "this text has a NUL character in it", "leave it out")
    try:
        text.encode()
    except UnicodeEncodeError:
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise NodeError(
                "bad-text", "this text has half of a surrogate pair in it", "write the character itself"
            ) from None
    return text
