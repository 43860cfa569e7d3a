"""Values as a reader would write them: in YAML, in a flag, in Python; and words for the shell and for lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

OPEN = "…"
"""Stands for a value that only the user knows."""

_PLAIN = r"[A-Za-z_][\w.*/+-]*"
_NOT_TEXT = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
_WORDS: Mapping[object, str] = {None: "null", True: "true", False: "false"}


def all_of(texts: Iterable[str]) -> str:
    """Return texts as a list in prose: ``a, b and c``."""
    *others, last = texts
    return f"{', '.join(others)} and {last}" if others else last


def either(texts: Iterable[str]) -> str:
    """Return texts as alternatives in prose: ``a, b or c``."""
    *others, last = texts
    return f"{', '.join(others)} or {last}" if others else last


def yaml_literal(value: Any) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, str):
        if value is OPEN or (re.fullmatch(_PLAIN, value) and value.lower() not in _NOT_TEXT):
            return value
        import json

        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {yaml_literal(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(yaml_literal, value))}]"
    if isinstance(value, float):  # 1e-08 is text to readers of YAML 1.1
        return re.sub(r"^(-?\d+)e", r"\1.0e", repr(value))
    return _WORDS[value] if value is None or isinstance(value, bool) else str(value)


def flag_value(value: Any) -> str:
    """Return a value as a flag takes it: a list needs no brackets, text no quotes."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(inner, str) for inner in value):
        return ",".join(value)
    return yaml_literal(value)


def python_literal(value: Any) -> str:
    """Return a value as a Python literal."""
    if value is OPEN:
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, Mapping):
        return (
            "{" + ", ".join(f"{python_literal(name)}: {python_literal(inner)}" for name, inner in value.items()) + "}"
        )
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(python_literal, value))}]"
    return repr(value)


def shell_word(word: str) -> str:
    """Return a word quoted for a shell, unless it needs no quotes."""
    if re.fullmatch(r"[\w@%+=:,./…-]+", word):
        return word
    import shlex

    return shlex.quote(word)
