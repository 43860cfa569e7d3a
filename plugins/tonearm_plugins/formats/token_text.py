"""Raw tokens in text: marks as a model writes them, ids, and both in JSON and JSON lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tonearm.api import WRITE_AGAIN, ChooseOption, ItemError, check_memory, file_types, listed, quoted
from tonearm_plugins.formats.json_text import MAX_DEPTH, MAX_JSON, MAX_LINES, find_field, parse_json

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

HasMarks = Callable[[str], bool]
"""Function that tells whether a text holds a mark of the layout."""

LONGEST_TOKEN: Final = 40
"""Number of letters of a token: a list of texts that are no longer is the tokens of one text."""

_MOST_FIELDS: Final = 8
_LARGEST: Final = 1 << 62
_IDS = re.compile(r"[\s,;\[\]()]*[-+]?\d+(?:[\s,;\[\]()]+[-+]?\d+)*[\s,;\[\]()]*")
_ID = re.compile(r"[-+]?\d+")
_MARKS = " \t\r\n,;[]()"
_ID_BYTES: Final = 30  # half of the memory that a number takes as it is parsed
_RATIO: Final = 2  # half of the memory that a byte of text takes


class RawTokens(NamedTuple):
    """Raw tokens of one item.

    Parameters
    ----------
    place
        Place in the file, for messages, as in ``line 3``; empty for the whole file.
    raw
        Text, array of ids, or nested lists of whole numbers.
    """

    place: str
    raw: Any


def parse(data: bytes, name: str, field: str | None, has_marks: HasMarks, *, is_json: bool) -> Iterator[RawTokens]:
    """Yield the raw tokens of a file.

    Parameters
    ----------
    data
        Content of the file.
    name
        Name of the file, for messages.
    field
        Field of JSON that holds the tokens; None to find it.
    has_marks
        Function that tells whether a text holds a mark of the layout.
    is_json
        Whether the name of the file says that it is JSON.

    Raises
    ------
    ItemError
        ``empty``, ``wrong-format``, ``broken-file``, ``no-such-key``, ``several-fields`` or ``too-large``.
    """
    check_memory(name, "", _RATIO * len(data))
    text = _decoded(data, name)
    if not text.strip():
        raise ItemError(f"{quoted(name)} holds no text", code="empty", hint=WRITE_AGAIN)
    documents = _documents(data, text, name) if is_json or text.lstrip()[0] in '[{"' else None
    if documents is None and is_json:
        raise ItemError(f"{quoted(name)} is not JSON", code="broken-file", hint=WRITE_AGAIN)
    if documents is not None:
        path = _field_of(documents, name, field, has_marks)
        for place, document in documents:
            yield from _of_document(place, document, path, name)
    elif field is not None:
        raise ItemError(f"{quoted(name)} is not JSON, so it has no fields", code="wrong-format", hint="leave field out")
    elif (rows := _rows(text, name)) is not None:
        yield RawTokens("", rows)
    else:
        yield RawTokens("", text)


def _decoded(data: bytes, name: str) -> str:
    """Return the text of a file."""
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        found = file_types.identify(data[: file_types.HEAD])
        is_text = found in file_types.TEXTS
        message = f"{quoted(name)} is not {'text in UTF-8' if is_text else f'text; it looks like {found.name}'}"
        raise ItemError(message, code="wrong-format", hint=found.hint) from None


def _rows(text: str, name: str) -> list[Any] | None:
    """Return the whole numbers of a text, as rows if it has several lines of several numbers; None if it has others."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines or not all(_IDS.fullmatch(line) for line in lines):
        return None
    check_memory(name, "", _ID_BYTES * len(text) // 2)
    rows = [[_whole(word, name) for word in _ID.findall(line)] for line in lines]
    one_each, printed = all(len(row) == 1 for row in rows), any(mark in lines[0] for mark in "[(")
    if len(rows) > 1 and not one_each and not printed:
        return rows
    return [value for row in rows for value in row]


def _whole(word: str, name: str) -> int:
    """Return a whole number that fits the types of arrays."""
    if len(word) > len(str(_LARGEST)) or abs(int(word)) > _LARGEST:
        raise _no_token(quoted(name), word)
    return int(word)


def _check_ids(value: list[Any], place: str) -> None:
    """Raise `ItemError` if nested lists hold a whole number that does not fit the types of arrays."""
    for one in value:
        if isinstance(one, list):
            _check_ids(one, place)
        elif abs(one) > _LARGEST:
            raise _no_token(place, str(one))


def _no_token(place: str, word: str) -> ItemError:
    message = f"{place} holds the number {quoted(word, 30)}, which is no token"
    return ItemError(message, code="bad-token", hint="check what was saved")


def _documents(data: bytes, text: str, name: str) -> list[tuple[str, Any]] | None:
    """Return the documents of JSON with their places, or one of each line; None if it is not JSON from its first line.

    A list of mappings is taken for its elements.
    """
    if len(data) > MAX_JSON:
        raise ItemError(f"{quoted(name)} has {len(data):,} bytes of JSON", code="too-large", hint="split it")
    try:
        whole = parse_json(text.encode(), name)
    except (ValueError, RecursionError):
        return _lines(text, name)
    if isinstance(whole, list) and whole and all(isinstance(one, dict) for one in whole):
        return [(f"element {number}", one) for number, one in enumerate(whole)]
    return [("", whole)]


def _lines(text: str, name: str) -> list[tuple[str, Any]] | None:
    """Return the documents of JSON lines."""
    if text.count("\n") > MAX_LINES:
        message = f"{quoted(name)} has more than {MAX_LINES:,} lines"
        raise ItemError(message, code="too-large", hint="split it into several files")
    found: list[tuple[str, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found.append((f"line {number}", parse_json(line.encode(), name)))
        except (ValueError, RecursionError) as error:
            if not found:
                return None
            message = f"line {number} of {quoted(name)} is not JSON: {quoted(str(error), 80)}"
            raise ItemError(message, code="broken-file", hint=WRITE_AGAIN) from None
    return found


def _field_of(documents: Sequence[tuple[str, Any]], name: str, field: str | None, has_marks: HasMarks) -> str:
    """Return the field that holds the tokens: the given one, or the only one that can be meant; "" for no field."""
    if field is not None:
        return field
    found: dict[str, None] = {}
    for _, document in documents:
        if not isinstance(document, dict):
            return ""
        for path in _candidates(document, "", 0, has_marks):
            found[path] = None
            if len(found) == _MOST_FIELDS:
                break
    if len(found) == 1:
        return next(iter(found))
    if found:
        raise ItemError(
            f"{quoted(name)} has several fields that may hold tokens: {listed(found)}",
            code="several-fields",
            remedies=(ChooseOption("field", tuple(found)),),
        )
    raise ItemError(
        f"{quoted(name)} is JSON in which no field holds tokens of the layout",
        code="no-tokens",
        hint="check the layout, or name the field: field: text",
    )


def _candidates(value: Any, path: str, depth: int, has_marks: HasMarks) -> Iterator[str]:
    """Yield the paths below a value that hold marks or lists of whole numbers; elements of a list share one path."""
    if isinstance(value, str):
        if has_marks(value):
            yield path
    elif isinstance(value, list):
        if is_ids(value) or (value and all(isinstance(one, str) for one in value) and has_marks("".join(value))):
            yield path
        elif depth < MAX_DEPTH:
            for one in value[:100]:
                yield from _candidates(one, path, depth + 1, has_marks) if isinstance(one, dict) else ()
    elif isinstance(value, dict) and depth < MAX_DEPTH:
        for name, one in value.items():
            if "." not in name:
                yield from _candidates(one, f"{path}.{name}" if path else name, depth + 1, has_marks)


def is_ids(value: Any, depth: int = 0) -> bool:
    """Return whether a value is a list of whole numbers, or nested lists of them.

    Examples
    --------
    >>> is_ids([[1, 2], [3]]), is_ids([1.5]), is_ids([])
    (True, False, False)
    """
    if not isinstance(value, list) or not value or depth > 4:
        return False
    return all(type(one) is int for one in value) or all(is_ids(one, depth + 1) for one in value)


def _of_document(place: str, document: Any, path: str, name: str) -> Iterator[RawTokens]:
    """Yield the raw tokens of a document."""
    found = [one.value for one in find_field([document], path, name)] if path else [document]
    for number, value in enumerate(found):
        where = f"{place}, element {number}".removeprefix(", ") if len(found) > 1 else place
        if isinstance(value, str):
            rows = _rows(value, name)
            yield RawTokens(where, value if rows is None else rows)
        elif isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            if all(len(one) <= LONGEST_TOKEN for one in value):
                yield RawTokens(where, "".join(value))
            else:
                yield from (RawTokens(f"{where}, text {n}".removeprefix(", "), one) for n, one in enumerate(value))
        elif is_ids(value):
            _check_ids(value, f"{where}{' of ' if where else ''}{quoted(name)}")
            yield RawTokens(where, value)
        else:
            raise ItemError(
                f"{where}{' of ' if where else ''}{quoted(name)} holds neither text nor whole numbers"
                + (f" under {quoted(path)}" if path else ""),
                code="not-numbers",
                hint="name the field that holds the tokens: field: text",
            )


def items_of(tokens: RawTokens, *, is_ragged: bool) -> list[tuple[str, Any]]:
    """Return the items of raw tokens, each with its place: text, one array, or the arrays of levels.

    Nested lists of one length are one array. Others are elements of a batch, or the levels of ragged tokens.

    Parameters
    ----------
    tokens
        Raw tokens.
    is_ragged
        Whether the layout has levels of different rates.
    """
    place, raw = tokens
    if isinstance(raw, str):
        return [(place, raw)]
    if (array := _array(raw)) is not None:
        return [(place, array)]
    parts = [_array(one) for one in raw]
    if is_ragged and all(part is not None for part in parts):
        return [(place, parts)]
    return [
        item
        for number, one in enumerate(raw)
        for item in items_of(RawTokens(f"{place}, element {number}".removeprefix(", "), one), is_ragged=is_ragged)
    ]


def _array(value: Any) -> Array | None:
    """Return nested lists of one length as an array; None if their lengths differ."""
    import numpy as np

    if not isinstance(value, list) or not _is_rectangular(value):
        return None
    made: Array = np.asarray(value, np.int64)
    return made


def _is_rectangular(value: list[Any]) -> bool:
    """Return whether nested lists have one length on each level."""
    if not isinstance(value[0], list):
        return not any(isinstance(one, list) for one in value)
    if not all(isinstance(one, list) and len(one) == len(value[0]) for one in value):
        return False
    return _is_rectangular([inner for one in value for inner in one])
