"""Environment variables in scalars: ``${NAME}`` and ``${NAME:default}``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec.structs import replace

from tonearm.errors import Problem, advise
from tonearm.pipeline.yaml.nodes import MAX_BYTES, Value
from tonearm.pipeline.yaml.scalars import NodeError, checked_text, quote, resolve

_PROBLEMS_OF_ONE = 10  # reported for one scalar; a mebibyte of "${${${" would have many more
_VARIABLE = r"\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::([^{}]*))?\})?"
_WHOLE_VARIABLE = r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::[^{}]*)?\}"


class Variables:
    """Replaces ``${NAME}`` and ``${NAME:default}`` by values of the environment; ``$${`` is a literal ``${``.

    Parameters
    ----------
    environ
        Values by name.

    Attributes
    ----------
    names
        Names of the variables in the scalar that was read last.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.names: tuple[str, ...] = ()
        self._left = MAX_BYTES  # many references to one long value must not fill the memory

    def value(self, text: str, *, quoted: bool) -> tuple[Value, list[Problem]]:
        """Return the value of a scalar, and its problems.

        If an unquoted scalar is a single variable, its replacement is read as a scalar, so it can become a number. In
        longer and in quoted text, the replacement is text.
        """
        problems: list[Problem] = []
        self.names = ()
        replaced = self._replace(text, problems) if "${" in text else text
        if problems:
            return None, problems
        try:
            if quoted or (replaced is not text and not re.fullmatch(_WHOLE_VARIABLE, text)):
                return checked_text(replaced), []
            value = resolve(replaced)
            return (checked_text(value) if isinstance(value, str) else value), []
        except NodeError as refused:
            # What the environment holds is not shown.
            message = refused.problem.message.replace(quote(replaced), quote(text)) if self.names else ""
            return None, [replace(refused.problem, message=message) if message else refused.problem]

    def _replace(self, text: str, problems: list[Problem]) -> str:
        parts: list[str] = []
        end = 0
        for found in re.finditer(_VARIABLE, text):
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
                Problem(code="bad-variable", message=f"{quote(place)} is not a variable", remedies=advise(hint))
            )
            return ""
        self.names += (name,)
        replacement = self._environ.get(name, default)
        if replacement is None:
            hint = f"set it, or give a default: ${{{name}:…}}"
            problems.append(
                Problem(
                    code="unset-variable",
                    message=f"environment variable {quote(name)} is not set",
                    remedies=advise(hint),
                )
            )
        return replacement or ""
