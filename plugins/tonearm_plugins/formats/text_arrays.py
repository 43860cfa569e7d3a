"""Numbers in text: columns of .csv, .tsv and .txt files, and the lists of JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from tonearm.api import ItemError, check_array_count, check_memory, file_types, quoted, reading_errors
from tonearm_plugins.formats.json_text import LEAST_NUMBERS, MAX_DEPTH, is_number, parse_documents

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

MAX_COLUMNS = 100_000
"""Number of columns, or of lists in JSON, of one file."""

_COMMENTS = (b"#", b"%", b"//")
_STATEMENT = re.compile(r"[#%/\s]*([A-Za-z][\w ]{0,30}?)\s*[:=]\s*(\d{4,8}(?:\.0*)?)\s*(?:Hz)?\s*")
_MAX_STATEMENTS = 100
_WORD = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?(?:nan|inf|infinity)|\(?[-+.\de]+j\)?", re.IGNORECASE)
_LONGEST_WORD = 100  # letters of a number: longer ones would take the pattern too long
_LINE_BYTES = 40  # half of the memory that a line takes beside its letters
_WORD_RATIO = 15  # half of the memory that a byte of a line takes as words
_TEXT_RATIO = 4  # half of the memory that a byte of text takes as lines and as numbers


class TextArrays(NamedTuple):
    """Arrays of a text.

    Parameters
    ----------
    arrays
        Arrays by name: columns by their heading, lists of JSON by their path; one without a name if there are no names.
    says
        Numbers beside them, by name: those of comments, or of JSON.
    """

    arrays: dict[str, Array]
    says: Mapping[str, Any]


def parse_text(data: bytes, name: str) -> TextArrays:
    r"""Return the arrays of numbers in a text.

    Parameters
    ----------
    data
        Content of the file.
    name
        Name of the file, for messages.

    Raises
    ------
    ItemError
        ``empty``, ``wrong-format``, ``ragged``, ``too-large``, or ``broken-file``.

    Examples
    --------
    >>> parse_text(b"# sr: 8000\ntime,wav\n0,0.5\n1,-0.5\n", "a.csv").arrays["wav"].tolist()
    [0.5, -0.5]
    """
    found = file_types.identify(data[: file_types.HEAD])
    if found is file_types.EMPTY:
        raise ItemError(f"{quoted(name)} is empty: it has 0 bytes", code="empty", hint=found.hint)
    if found in (file_types.JSON, file_types.JSON_LINES):
        return _of_json(data, name)
    if found not in (file_types.NUMBERS, file_types.TEXT, file_types.UNKNOWN, file_types.KALDI):
        message = f"{quoted(name)} is not numbers; it looks like {found.name}"
        raise ItemError(message, code="wrong-format", hint=found.hint)
    check_memory(name, "", _TEXT_RATIO * len(data) + _LINE_BYTES * data.count(b"\n"))
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ItemError(
            f"{quoted(name)} is not text; it looks like {found.name}", code="wrong-format", hint=found.hint
        ) from None
    return _columns(lines, name)


def _columns(lines: list[str], name: str) -> TextArrays:
    """Return the columns of lines of numbers."""
    says: dict[str, Any] = {}
    first = 0
    for first, line in enumerate(lines):  # noqa: B007 - the position of the first line of values, too
        text = line.strip()
        if text and not text.encode().startswith(_COMMENTS):
            break
        if len(says) < _MAX_STATEMENTS and (said := _STATEMENT.fullmatch(text)):
            says[said[1]] = said[2]
    else:
        raise ItemError(f"{quoted(name)} holds no numbers", code="empty", hint="check what was saved")
    check_memory(name, "", _WORD_RATIO * max(map(len, lines[first : first + 2])))
    mark = next((one for one in (";", "\t", ",") if one in lines[first]), None)
    names = _split(lines[first], mark)
    if _are_numbers(names, mark):
        names = []
    else:
        first += 1
    rows = [line for line in lines[first:] if line.strip()]
    if not rows:
        raise ItemError(f"{quoted(name)} holds no numbers", code="empty", hint="check what was saved")
    width = len(_split(rows[0], mark))
    check_array_count(name, width, MAX_COLUMNS)
    if not _are_numbers(_split(rows[0], mark), mark) or (names and len(names) != width):
        raise ItemError(
            f"{quoted(name)} is not a table of numbers: line {first + 1} has another form",
            code="wrong-format",
            hint="leave out columns of text, and lines that hold no values",
        )
    table = _table(rows, mark, name)
    if not names:
        return TextArrays({"": table.reshape(-1) if 1 in table.shape else table}, says)
    return TextArrays(dict(zip(_distinct(names), table.T, strict=True)), says)


def _table(rows: list[str], mark: str | None, name: str) -> Array:
    """Return rows of numbers as an array, (rows, columns)."""
    import numpy as np

    if mark == ";":  # where the decimal mark may be a comma
        rows = [row.replace(",", ".") for row in rows]
    mark = None if mark == "\t" else mark
    rows = [row.rstrip().removesuffix(mark) if mark else row for row in rows]
    dtype = np.complex128 if "j" in rows[0] else np.float64
    try:
        with reading_errors(name, "a table of numbers"):
            made: Array = np.loadtxt(rows, dtype, delimiter=mark, ndmin=2, comments=("#", "%", "//"))
    except ItemError as error:
        if "number of columns changed" in error.message:
            raise ItemError(
                f"{quoted(name)} has rows of different lengths", code="ragged", hint="pad them, or save each alone"
            ) from None
        raise
    return made


def _split(line: str, mark: str | None) -> list[str]:
    """Return the words of a line; an empty last one is that of a mark at the end."""
    words = line.strip().rstrip(mark).split(mark) if mark else line.split()
    return [word.strip().strip('"') for word in words]


def _are_numbers(words: list[str], mark: str | None) -> bool:
    words = [word.replace(",", ".") for word in words] if mark == ";" else words
    return all(len(word) <= _LONGEST_WORD and _WORD.fullmatch(word) for word in words)


def _distinct(names: list[str]) -> list[str]:
    """Return names of which none is empty or repeats another."""
    made: dict[str, None] = {}
    for position, name in enumerate(names):
        made[name if name and name not in made else f"{name}_{position}"] = None
    return list(made)


def _of_json(data: bytes, name: str) -> TextArrays:
    """Return the lists of numbers of JSON by their paths."""
    import numpy as np

    documents = parse_documents(data, name)
    arrays: dict[str, Array] = {}
    says: dict[str, Any] = {}
    content = documents[0] if len(documents) == 1 else documents
    for path, value in _lists(content, "", 0):
        if is_number(value):
            says.setdefault(path, value)
            continue
        check_array_count(name, len(arrays), MAX_COLUMNS)
        with reading_errors(name, f"an array under {path}" if path else "an array"):
            try:
                made = np.asarray(value)
            except ValueError:
                raise ItemError(
                    f"{quoted(name)}: the lists under {quoted(path)} have different lengths",
                    code="ragged",
                    hint="pad them, or save each alone",
                ) from None
        if made.dtype.kind in "iuf":
            arrays[path] = made
    if not arrays:
        raise ItemError(
            f"{quoted(name)} holds no list of {LEAST_NUMBERS} numbers or more",
            code="empty",
            hint="pcm-reader reads base64 in JSON",
        )
    return TextArrays(arrays, says)


def _lists(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the lists of numbers below a value, and single numbers, with their paths."""
    if is_number(value):
        yield path, value
    elif isinstance(value, list):
        if _depth(value) and _count(value) >= LEAST_NUMBERS:
            yield path, value
        elif depth < MAX_DEPTH:
            for position, one in enumerate(value):
                if isinstance(one, (list, dict)):
                    yield from _lists(one, f"{path}.{position}" if path else str(position), depth + 1)
    elif isinstance(value, dict) and depth < MAX_DEPTH:
        for name, one in value.items():
            yield from _lists(one, f"{path}.{name}" if path else name, depth + 1)


def _depth(value: Any) -> int:
    """Return the number of lists around the first number of a value; 0 if it does not begin with one."""
    depth = 0
    while isinstance(value, list) and value and depth < MAX_DEPTH:
        value, depth = value[0], depth + 1
    return depth if is_number(value) else 0


def _count(value: Any) -> int:
    """Return the number of values of nested lists, by their first elements."""
    count = 1
    while isinstance(value, list) and value:
        count *= len(value)
        value = value[0]
    return count
