"""Lines that break between words alone, for pages and tables on narrow terminals."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST_TEXT = 30
"""Least number of columns in which text stands beside other columns."""


def wrap(text: str, width: int | None, indent: str = "", hang: str | None = None) -> list[str]:
    """Return text in lines that break between words alone.

    Parameters
    ----------
    text
        Text on one line.
    width
        Largest number of columns; None for a single line.
    indent
        Beginning of the first line.
    hang
        Beginning of the others; ``indent`` if None.
    """
    if width is None or len(indent) + len(text) <= width:
        return [f"{indent}{text}"]
    import textwrap

    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent if hang is None else hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def wrap_cells(lines: Sequence[str], texts: Sequence[str], width: int | None) -> list[str]:
    """Return the lines of a table whose last column has texts, which break between words alone.

    Parameters
    ----------
    lines
        Other columns, which are aligned.
    texts
        Texts of the last column.
    width
        Largest number of columns; None for no limit. If it leaves little room, texts stand below their lines.
    """
    start = max(map(len, lines), default=0) + 2
    found: list[str] = []
    for line, text in zip(lines, texts, strict=True):
        if width is not None and width - start < _LEAST_TEXT:
            found += wrap(" ".join(line.split()), width, "", "    ")
            found += wrap(text, width, "    ") if text else []
        else:
            found += wrap(text, width, line.ljust(start), " " * start) if text else [line.rstrip()]
    return found


def stack_cells(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return a table that is too wide row by row: the first cell, and below it the others with the heads.

    Lines break between cells, and within a cell where it alone is wider.

    Parameters
    ----------
    rows
        Cells, row by row; the first row has the heads.
    width
        Largest number of columns.
    """
    (_, *heads), *others = rows
    found: list[str] = []
    for name, *cells in others:
        figures = [f"{head} {cell}".replace(" ", "\0") for head, cell in zip(heads, cells, strict=True)]
        lines = (line.replace("\0", " ").strip() for line in wrap(", ".join(figures), width, "    "))
        found += [name, *(part for line in lines for part in wrap(line, width, "    ", "      "))]
    return found
