"""Problems as a terminal shows them: in colour, and with the line of the file that they are about."""

from __future__ import annotations

import re
import unicodedata

from tonearm.cli import styles
from tonearm.errors import Problem
from tonearm.errors.text import escape_controls
from tonearm.named_file import read_named_file
from tonearm.pipeline.yaml.nodes import MAX_BYTES

_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""Ends of lines in YAML."""

_TOKEN = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|\$\{[^}]*\}|[^\s,:\[\]{}\"']+(?::[^\s,\[\]{}\"']+)*")
_TAB = "    "


def render_problem(problem: Problem, label: str = "", *, color: bool, width: int) -> str:
    """Return a problem with the line that it is about, and a caret below the place.

    Parameters
    ----------
    problem
        Problem.
    label
        Text before it: ``warning: ``, or nothing for an error.
    color
        Whether to use colours.
    width
        Number of columns of the terminal; longer lines are cut around the place.
    """

    def paint(text: str, style: str) -> str:
        return styles.paint(text, style) if color else text

    style = "warning" if label else "error"
    lines = str(problem).split("\n")
    place, found, message = lines[0].partition(f"{problem.code}: ")
    if found:
        lines[0] = f"{paint(place, 'place')}{paint(problem.code, style)}: {message}"
    excerpt = _excerpt(problem, width)
    if excerpt:
        line, gap, mark = excerpt
        number = str(problem.line)
        below = " " * len(number)
        lines[1:1] = [
            f"  {paint(f'{number} |', 'gutter')} {line}".rstrip(),
            f"  {paint(f'{below} |', 'gutter')} {' ' * gap}{paint(mark, style)}",
        ]
    text = label + "\n".join(lines)
    return styles.paint_labels(text) if color else text


def _excerpt(problem: Problem, width: int) -> tuple[str, int, str] | None:
    """Return the line of a problem, the columns before the mark, and the mark; None if there is no line."""
    if problem.file is None or problem.line is None or problem.column is None:
        return None
    line = _line(problem.file, problem.line)
    if line is None or problem.column > len(line) + 1:
        return None
    start = problem.column - 1
    token = _TOKEN.match(line, start)
    end = max(token.end() if token else 0, start + 1)
    parts = line[max(start - width, 0) : start], line[start:end][:width], line[end : end + width]
    before, marked, after = map(_printable, parts)
    room = width - len(f"  {problem.line} | ") - 1
    if columns(before) + columns(marked) + columns(after) > room:
        marked = _head(marked, max(room // 2, 1))
        before = _tail(before, room - columns(marked) - min(columns(after), room // 4))
        after = _head(after, room - columns(before) - columns(marked))
    return before + marked + after, columns(before), "^" * max(columns(marked), 1)


def _line(file: str, number: int) -> str | None:
    """Return a line of a file; None if it cannot be read, or has changed since and no longer has the line."""
    try:
        content = read_named_file(file, MAX_BYTES)
    except (OSError, ValueError):
        return None
    lines = _LINE_END.split((content or b"").decode("utf-8-sig", errors="replace"))
    return lines[number - 1] if number <= len(lines) else None


def columns(text: str) -> int:
    """Return how many columns a terminal needs for text: wide characters take two, and marks above others none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text
    )


def _printable(text: str) -> str:
    return escape_controls(text.replace("\t", _TAB))


def _head(text: str, room: int) -> str:
    """Return the beginning of text, with an ellipsis if it is cut."""
    if columns(text) <= room:
        return text
    while text and columns(text) >= room:
        text = text[:-1]
    return f"{text}…" if room > 0 else ""


def _tail(text: str, room: int) -> str:
    """Return the end of text, with an ellipsis if it is cut."""
    if columns(text) <= room:
        return text
    while text and columns(text) >= room:
        text = text[1:]
    return f"…{text}" if room > 0 else ""
