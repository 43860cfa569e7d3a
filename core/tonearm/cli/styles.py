"""Styles of text on a terminal: where they are used, and how wide a terminal is."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

CHOICES = ("auto", "always", "never")
"""Values of ``--color``."""

_CODES: Mapping[str, str] = {
    "error": "1;31",
    "warning": "1;33",
    "hint": "1;36",
    "place": "1",
    "gutter": "1;34",
    "heading": "1;32",
    "name": "36",
}
"""Parameters of the escape sequence of each style."""

# Patterns are compiled when they are first used: most commands print no message.
_LABELS = r"(?m)^((?:.*?: )?)(warning|error)(?=: )|^( +)(hint)(?=: )"
_HEADINGS = r"(?m)^(usage|[A-Z][\w ]*)(?=:)"
_NAMES = r"(?m)^  (-\S+(?: \S+)*?|[a-z]+|[A-Z]+)(?=  |$)"

_choice = "auto"


def choose(words: Sequence[str]) -> None:
    """Note the value of ``--color`` on a command line; what argparse refuses stands for auto here."""
    global _choice
    _choice = "auto"
    for place, word in enumerate(words):
        if word == "--":
            return
        if word == "--color":
            _choice = "".join(words[place + 1 : place + 2])
        elif word.startswith("--color="):
            _choice = word.partition("=")[2]


def has_color(stream: TextIO) -> bool:
    """Return whether text for a stream is coloured.

    ``--color`` counts first, then NO_COLOR, then FORCE_COLOR and CLICOLOR_FORCE, as for uv and ruff. Without any of
    them, a terminal that is not dumb has colours.
    """
    environ = os.environ
    if _choice in ("always", "never"):
        return _choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return is_terminal(stream) and environ.get("CLICOLOR") != "0"


def is_terminal(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that can move the cursor and has colours."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def paint(text: str, style: str) -> str:
    """Return text in a style; empty text stays empty."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if text else text


def paint_labels(text: str) -> str:
    """Return a message with its ``warning:``, ``error:`` and ``hint:`` in their styles."""
    return re.sub(_LABELS, lambda found: (found[1] or found[3] or "") + _label(found[2] or found[4]), text)


def _label(word: str) -> str:
    return paint(word, word)


def paint_help(text: str) -> str:
    """Return a help page with its headings, arguments, flags and commands in their styles."""
    text = re.sub(_HEADINGS, lambda found: paint(found[0], "heading"), text)
    return re.sub(_NAMES, lambda found: f"  {paint(found[1], 'name')}", text)


def terminal_width(stream: TextIO) -> int | None:
    """Return the number of columns of a terminal, at least 40; None where a stream is no terminal.

    The variable COLUMNS counts first. It is measured without shutil, which costs as much as argparse itself.
    """
    given = os.environ.get("COLUMNS", "")
    if given.isascii() and given.isdigit() and int(given) > 0:
        return max(int(given), 40)
    try:
        columns = os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except (OSError, ValueError):
        return None
    return max(columns, 40) if columns else None
