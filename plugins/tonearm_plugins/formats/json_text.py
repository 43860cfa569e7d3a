"""JSON in files: one document, JSON lines, or server-sent events, parsed within the memory of one source."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tonearm.api import WRITE_AGAIN, ItemError, check_memory, file_types, listed, quoted

MAX_JSON = 256 << 20
"""Size of a JSON file in bytes."""

MAX_LINES = 1_000_000
"""Number of lines of JSON lines or events."""

MAX_DEPTH = 64
"""Levels of lists and mappings that are searched for sound."""

LEAST_TEXT = 64
"""Number of letters from which on a text may be sound in base64."""

LEAST_ENCODED = 256
"""Number of letters from which on a text beside arrays is taken for base64 of a file."""

LEAST_NUMBERS = 16
"""Number of numbers from which on a list may be sound."""

_TEXT_RATIO = 3  # half of the memory that each byte of a long text takes, as it is read, parsed and decoded
_VALUE_BYTES = 50  # half of the memory that a short text, an empty list or the entry of a mapping takes
_EVENT = re.compile(rb"(?:event|id|retry)?:")  # lines of server-sent events that hold no data
_HASH = re.compile("[0-9a-f]+|[0-9A-F]+")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_MARKS = re.compile(r"[\s,;\[\]()]+")
_BASE64 = re.compile(r"(?:data:[\w/+.;=-]+,)?[A-Za-z0-9+/_=\s-]+")


class Found(NamedTuple):
    """Value of a field, with what stands beside it.

    Parameters
    ----------
    value
        Value.
    beside
        Mappings that lead to it, the innermost first.
    """

    value: Any
    beside: tuple[Mapping[str, Any], ...]


def parse_json(data: bytes, name: str) -> Any:
    """Parse JSON whose values fit into the memory of one source: a list of empty lists takes thirty times its bytes.

    Parameters
    ----------
    data
        Text.
    name
        Name of the file, for messages.

    Raises
    ------
    ItemError
        ``too-large``.
    ValueError, RecursionError
        The text is not JSON, or is nested too deeply.

    Examples
    --------
    >>> parse_json(b'{"wav": [1, 2]}', "a.json")
    {'wav': [1, 2]}
    """
    import json

    values = sum(data.count(mark) for mark in (b",", b":", b"[", b"{"))
    check_memory(name, "", _TEXT_RATIO * len(data) + _VALUE_BYTES * values)
    return json.loads(data)


def parse_documents(data: bytes, name: str) -> list[Any]:
    r"""Parse a JSON document, or one on each line, also after the ``data:`` of server-sent events.

    Parameters
    ----------
    data
        Text.
    name
        Name of the file, for messages.

    Returns
    -------
    list
        Documents, in order.

    Raises
    ------
    ItemError
        ``broken-file`` or ``too-large``.

    Examples
    --------
    >>> parse_documents(b'{"delta": "AAA="}\n{"delta": "BBB="}\n', "a.jsonl")
    [{'delta': 'AAA='}, {'delta': 'BBB='}]
    """
    if len(data) > MAX_JSON:
        raise ItemError(
            f"{quoted(name)} has {len(data):,} bytes of JSON", code="too-large", hint="save the samples alone"
        )
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return [parse_json(data, name)]
    except (ValueError, RecursionError) as error:
        first = error
    if data.count(b"\n") > MAX_LINES:
        message = f"{quoted(name)} has more than {MAX_LINES:,} lines"
        raise ItemError(message, code="too-large", hint="split it into several files")
    documents = []
    for number, line in enumerate(data.splitlines(), 1):
        text = line.strip()
        if text.startswith(b"data:"):
            text = text[5:].strip()
        elif _EVENT.match(text):
            continue
        if not text or text == b"[DONE]":
            continue
        try:
            documents.append(parse_json(text, name))
        except (ValueError, RecursionError) as error:
            if not documents:
                raise _not_json(data, name, first) from None
            message = f"line {number} of {quoted(name)} is not JSON: {quoted(str(error))}"
            raise ItemError(message, code="broken-file", hint=WRITE_AGAIN) from None
    if not documents:
        raise _not_json(data, name, first)
    return documents


def _not_json(data: bytes, name: str, error: Exception) -> ItemError:
    """Return the error for a file that is not JSON, by what it looks like."""
    found = file_types.identify(data[: file_types.HEAD])
    if found not in (file_types.JSON, file_types.JSON_LINES, file_types.TEXT, file_types.UNKNOWN, file_types.EMPTY):
        return ItemError(
            f"{quoted(name)} is not JSON; it looks like {found.name}", code="wrong-format", hint=found.hint
        )
    return ItemError(f"{quoted(name)} is not JSON: {quoted(str(error))}", code="broken-file", hint=WRITE_AGAIN)


def find_field(documents: Sequence[Any], field: str, name: str) -> list[Found]:
    """Return the values of a field, in order: one of each document and of each element of a list on the way.

    Parameters
    ----------
    documents
        Documents.
    field
        Names and positions, separated by dots: ``choices.0.audio.data``. Without a position, or with ``*`` in its
        place, each element of a list is meant.
    name
        Name of the file, for messages.

    Raises
    ------
    ItemError
        ``no-such-key`` if no document has the field.

    Examples
    --------
    >>> [found.value for found in find_field([{"chunks": [{"data": "AA"}, {"data": "BB"}]}], "chunks.data", "a.json")]
    ['AA', 'BB']
    """
    found = [Found(document, ()) for document in documents]
    walked = ""
    for part in field.split("."):
        inner = [one for outer in found for one in _inside(outer, part)]
        if not inner:
            where = f"under {quoted(walked)}" if walked else "at the top"
            raise ItemError(
                f"{quoted(name)} has no {quoted(part)} {where}",
                code="no-such-key",
                hint=f"it has {listed(dict.fromkeys(_names(found)))}",
            )
        found, walked = inner, f"{walked}.{part}" if walked else part
    return found


def _names(found: Sequence[Found]) -> Iterator[str]:
    """Yield the names and positions that are inside of some values."""
    for one in found[:100]:
        values = one.value if isinstance(one.value, list) else [one.value]
        yield from (str(name) for value in values[:100] if isinstance(value, dict) for name in value)
        if isinstance(one.value, list) and not any(isinstance(value, dict) for value in values[:100]):
            yield from map(str, range(len(values)))


def _inside(outer: Found, part: str) -> Iterator[Found]:
    """Yield what a value has under a name or a position."""
    value = outer.value
    if isinstance(value, dict) and part in value:
        yield Found(value[part], (value, *outer.beside))
    elif isinstance(value, list) and part.isascii() and part.isdigit():
        if int(part) < len(value):
            yield Found(value[int(part)], outer.beside)
    elif part == "*" and isinstance(value, str):
        yield outer
    elif isinstance(value, list):
        for inner in value:
            if part == "*":
                yield Found(inner, outer.beside)
            elif isinstance(inner, (dict, list)):
                yield from _inside(Found(inner, outer.beside), part)


def sound_fields(documents: Sequence[Any], most: int = 8) -> list[str]:
    """Return the fields that may hold sound: long base64 text, or lists of numbers.

    Parameters
    ----------
    documents
        Documents.
    most
        Largest number of fields.

    Examples
    --------
    >>> sound_fields([{"text": "hello", "audio": {"data": "UklGRiQA" * 20}}])
    ['audio.data']
    """
    found: dict[str, None] = {}
    for document in documents:
        for path in _sounds(document, "", 0):
            found[path] = None
            if len(found) == most:
                return list(found)
    return list(found)


def _sounds(value: Any, path: str, depth: int) -> Iterator[str]:
    """Yield the paths below a value that may hold sound; elements of a list have one path together."""
    value = without_positions(value)
    if isinstance(value, str):
        if _are_numbers(value):
            yield path
        elif LEAST_TEXT <= len(value) < LEAST_ENCODED and _HASH.fullmatch(value):
            return
        elif len(value) >= LEAST_TEXT and _BASE64.fullmatch(value[:1000]) and " " not in value[:1000].strip():
            yield path
    elif isinstance(value, list):
        if len(value) >= LEAST_NUMBERS and all(is_number(one) for one in value[:LEAST_NUMBERS]):
            yield path
        elif depth < MAX_DEPTH:
            for one in value[:100]:
                yield from _sounds(one, path, depth + 1)
    elif isinstance(value, dict) and depth < MAX_DEPTH:
        for name, one in value.items():
            if "." not in name:
                yield from _sounds(one, f"{path}.{name}" if path else name, depth + 1)


def without_positions(value: Any) -> Any:
    """Return the numbers of a typed array of JavaScript, which JSON has by their positions; any other value as it is.

    Numbers that are written as texts become one text.

    Examples
    --------
    >>> without_positions({"0": 0.5, "1": 0.25} | {str(place): 0 for place in range(2, 17)})[:3]
    [0.5, 0.25, 0]
    """
    if isinstance(value, list) and len(value) > LEAST_NUMBERS and all(isinstance(one, str) for one in value):
        return ",".join(value) if all(_NUMBER.fullmatch(one.strip()) for one in value) else value
    if not isinstance(value, dict) or len(value) < LEAST_NUMBERS or next(iter(value)) != "0":
        return value
    numbers = list(value.values())
    if not all(map(is_number, numbers)) or any(name != str(place) for place, name in enumerate(value)):
        return value
    return numbers


def text_of_numbers(text: str, name: str) -> list[float] | None:
    """Return the numbers of a text in which commas, semicolons or spaces stand between them; None if it is another.

    Parameters
    ----------
    text
        Text.
    name
        Name of the file, for messages.

    Examples
    --------
    >>> text_of_numbers("[" + "0.5, -1, " * 8 + "0.25]", "a.json")[-3:]
    [0.5, -1.0, 0.25]
    """
    if not _are_numbers(text):
        return None
    check_memory(name, "", _VALUE_BYTES * len(text) // 2)
    words = [word for word in _MARKS.split(text) if word]
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return [number(word) for word in words]
    return None


def _are_numbers(text: str) -> bool:
    """Return whether a text begins with so many numbers that it may be sound."""
    words = [word for word in _MARKS.split(text[:1000]) if word]
    return len(words) > LEAST_NUMBERS and all(_NUMBER.fullmatch(word) for word in words[:-1])


def is_encoded(text: str) -> bool:
    """Return whether a text is long enough for base64 of a file, and has no letters but those of base64."""
    return len(text) >= LEAST_ENCODED and _BASE64.fullmatch(text[:1000]) is not None and " " not in text[:1000].strip()


def is_number(value: Any) -> bool:
    """Return whether a value of JSON is a number, which true and false are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
