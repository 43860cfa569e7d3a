"""HTML for notebooks: text that is escaped, content that is embedded, figures and tables.

Text and lines have the colour of the page, so that they read well on a dark one too.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from tonearm.errors.text import escape_controls

MAX_EMBEDDED = 5_000_000
"""Largest size in bytes of a sound or picture that a notebook embeds."""

_FIGURE = "margin: 0.5em 0; max-width: 60em"
_TABLE = "border-collapse: collapse; margin: 0.5em 0"
_CELL = "text-align: left; vertical-align: top; padding: 0.2em 1em 0.2em 0"


def escape_html(text: object) -> str:
    """Return any text as HTML shows it: markup and quotes escaped, and what a terminal or a browser obeys."""
    import html

    return html.escape(escape_controls(str(text)))


def data_uri(content: bytes, media_type: str) -> str:
    """Return content as an address that holds it.

    Parameters
    ----------
    content
        Content of a file.
    media_type
        Type of the content: ``audio/wav``.
    """
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def audio_html(address: str, name: str) -> str:
    """Return a player.

    Parameters
    ----------
    address
        Address of the sound, such as one by `data_uri`.
    name
        Name of the sound for people who use a screen reader.
    """
    return (
        f'<audio controls preload="metadata" style="width: 100%; max-width: 30em" aria-label="{escape_html(name)}"'
        f' src="{escape_html(address)}">{escape_html(name)}</audio>'
    )


def image_html(address: str, name: str) -> str:
    """Return a picture, with a name for people who do not see it."""
    return f'<img style="max-width: 100%" alt="{escape_html(name)}" src="{escape_html(address)}">'


def link_html(path: PurePath, reason: str) -> str:
    """Return a link to a file.

    Parameters
    ----------
    path
        Path of the file.
    reason
        Why the file itself is not shown; empty if it needs no reason.
    """
    from urllib.parse import quote

    address = quote(os.fsencode(path.as_posix()))
    more = f" ({escape_html(reason)})" if reason else ""
    return f'<div><a href="{address}">{escape_html(path)}</a>{more}</div>'


def figure_html(parts: Iterable[str], caption: Iterable[str]) -> str:
    """Return a figure.

    Parameters
    ----------
    parts
        Pictures and players, as HTML.
    caption
        Lines of the caption, as plain text.
    """
    lines = "".join(f"<div>{escape_html(line)}</div>" for line in caption)
    return f'<figure style="{_FIGURE}">{"".join(parts)}<figcaption>{lines}</figcaption></figure>'


def table_html(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table.

    Parameters
    ----------
    header
        Names of the columns.
    rows
        Cells, row by row, as plain text or numbers.
    """
    head = "".join(f'<th scope="col" style="{_CELL}">{escape_html(name)}</th>' for name in header)
    cells = ("".join(f'<td style="{_CELL}">{escape_html(cell)}</td>' for cell in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
