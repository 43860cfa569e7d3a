"""Numbers in text: columns of .csv, .tsv and .txt files, and the lists of JSON."""

from __future__ import annotations

import codecs
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from tonearm.api import (
    LOWEST_RATE,
    USUAL_RATES,
    Advice,
    ItemError,
    check_array_count,
    check_memory,
    file_types,
    has_name_of_lengths,
    listed,
    quoted,
    rate_among,
    reading_errors,
)
from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.formats.json_text import (
    LEAST_NUMBERS,
    MAX_DEPTH,
    is_number,
    parse_documents,
    sound_fields,
    without_positions,
)

if TYPE_CHECKING:
    from tonearm_plugins.dsp.progress import OnProgress
    from tonearm_plugins.dsp.typing import Array

MAX_COLUMNS = 100_000
"""Number of columns, or of lists in JSON, of one file."""

_LIST_WITHOUT_COMMAS = re.compile(rb"\s*\[[\s\[]*[-+.\d][-+.\de]*\s+[-+.\d]")  # as NumPy prints arrays
_COMMENTS = (b"#", b"%", b"//")
_STATEMENT = re.compile(r"[#%/\s]*([A-Za-z][\w ]{0,30}?)\s*[:=]\s*(\d{4,8}(?:\.0*)?)\s*(?:Hz)?\s*")
_MAX_STATEMENTS = 100
_ROW_OF_RATE = re.compile(r'"?([A-Za-z][\w ]{0,30}?)"?\s*[,;\t:=]\s*"?(\d{4,8}(?:\.0*)?)"?\s*(?:Hz)?')
_PRINTED = re.compile(r"\s*(?:array|tensor|Tensor|DeviceArray|Array)?\(?\s*\[+\s*[-+.\d]")
_CHECK = "check what was saved"
_TOKEN = re.compile(r"<[^<>\s]{1,40}?\d{1,7}\|?>")
_TOKENS = "if it holds codec tokens, give their layout: tonearm inspect FILE names it; tokens-reader reads them"
_SEPARATOR = re.compile(r"(?i)sep=([,;\t])")
_MARKS = re.compile(r'[\s,;"]+')
_LONGEST_HEADING = 10_000  # letters by which a heading is told
_SAMPLED = 1000  # lines by which the form of all is told
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:,\d+)?|,\d+)(?:[eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"-0,\d+|[+-]?\d*,(?:0\d+|\d+[eE][+-]?\d+)")  # no two columns look like that
_UNEVEN = 0.6  # of a step, by which times that are rounded may be off
_RATE_ERROR = 5e-4
_WHOLE = 0.01  # Hz by which a rate may miss a whole number
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


def parse_text(data: bytes, name: str, on_progress: OnProgress | None = None) -> TextArrays:
    r"""Return the arrays of numbers in a text.

    Parameters
    ----------
    data
        Content of the file.
    name
        Name of the file, for messages.
    on_progress
        Function called with the lines of a table that are read, and with the number of all.

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
    if found in (file_types.JSON, file_types.JSON_LINES) and not _LIST_WITHOUT_COMMAS.match(data[:1000]):
        return _of_json(data, name)
    if found not in (file_types.JSON, file_types.NUMBERS, file_types.TEXT, file_types.UNKNOWN, file_types.KALDI):
        message = f"{quoted(name)} is not numbers; it looks like {found.name}"
        raise ItemError(message, code="wrong-format", hint=found.hint)
    check_memory(name, "", _TEXT_RATIO * len(data) + _LINE_BYTES * data.count(b"\n"))
    try:
        is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # as Excel writes Unicode text
        lines = data.decode("utf-16" if is_wide else "utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ItemError(
            f"{quoted(name)} is not text; it looks like {found.name}", code="wrong-format", hint=found.hint
        ) from None
    return _columns(lines, name, on_progress)


def _head(lines: list[str], name: str) -> tuple[int, dict[str, Any]]:
    """Return the position of the first line of a table, and what the lines above it say."""
    says: dict[str, Any] = {}
    for first, line in enumerate(lines):
        text = line.strip()
        row = _ROW_OF_RATE.fullmatch(text)
        is_row = row is not None and rate_among({row[1]: row[2]}) is not None and first + 1 < len(lines)
        if text and not text.encode().startswith(_COMMENTS) and not is_row:
            return first, says
        said = row if is_row else _STATEMENT.fullmatch(text)
        if said and len(says) < _MAX_STATEMENTS:
            says[said[1]] = said[2]
    raise ItemError(f"{quoted(name)} holds no numbers", code="empty", hint=_CHECK)


def _columns(lines: list[str], name: str, on_progress: OnProgress | None) -> TextArrays:
    """Return the columns of lines of numbers."""
    import numpy as np

    first, says = _head(lines, name)
    if _PRINTED.match(lines[first]):
        raise ItemError(
            f"{quoted(name)} is an array that was printed",
            code="wrong-format",
            hint="save the array instead, with all its values: np.save(path, np.asarray(array))",
        )
    if said := _SEPARATOR.fullmatch(lines[first].strip()):  # Excel's
        first += 1
    check_memory(name, "", _WORD_RATIO * max(map(len, lines[first : first + 2]), default=0))
    rows = [line for line in lines[first:] if line.strip()]
    form = _form_of(rows, said[1] if said else None, name) if rows else _Form(None)
    names = _split(rows[0], form) if rows else []
    if _are_numbers(names):
        names = []
    else:
        rows = rows[1:]
    if not rows:
        has_marks = _TOKEN.search(lines[first]) is not None
        raise ItemError(f"{quoted(name)} holds no numbers", code="empty", hint=_TOKENS if has_marks else _CHECK)
    width = len(_split(rows[0], form))
    check_array_count(name, width, MAX_COLUMNS)
    if not _are_numbers(_split(rows[0], form)) or (names and len(names) != width):
        raise ItemError(
            f"{quoted(name)} is not a table of numbers: line {lines.index(rows[0]) + 1} has another form",
            code="wrong-format",
            hint="leave out columns of text, and lines that hold no values",
        )
    table = _table(rows, form, name, on_progress)
    if (step := _step(table)) is not None:
        table, names = table[:, 1:], names[1:]
        if (rate := _rate_of(step)) is not None:
            says.setdefault("sample_rate", rate)
    for place in reversed([place for place, one in enumerate(names) if rate_among({one: table[0, place]}) is not None]):
        if table.shape[1] > 1 and (table[:, place] == table[0, place]).all():
            says.setdefault(names.pop(place), table[0, place])
            table = np.delete(table, place, 1)
    if not names:
        return TextArrays({"": table.reshape(-1) if 1 in table.shape else table}, says)
    return TextArrays(dict(zip(_distinct(names), table.T, strict=True)), says)


class _Form(NamedTuple):
    """Form of the lines of a table: the mark between columns, which is None for spaces, and that of decimals."""

    mark: str | None
    has_commas: bool = False
    is_quoted: bool = False


def _form_of(rows: list[str], mark: str | None, name: str) -> _Form:
    """Return the form of lines: a comma is a decimal mark behind semicolons, tabs or spaces, and in numbers like 0,05.

    Raises
    ------
    ItemError
        ``wrong-format`` if commas stand between columns and within numbers.
    """
    words = [word for word in _MARKS.split(rows[0][:_LONGEST_HEADING]) if word]
    has_heading = not _are_numbers(words[:-1] if len(rows[0]) > _LONGEST_HEADING else words)
    sample = [row.strip() for row in (rows[1:_SAMPLED] if has_heading and len(rows) > 1 else rows[:_SAMPLED])]
    first = sample[0]
    mark = mark or next((one for one in (";", "\t") if one in first), None)
    is_quoted = '"' in first
    if mark is not None:
        return _Form(mark, has_commas=mark != ",", is_quoted=is_quoted)
    if is_quoted:
        return _Form(",", has_commas=True, is_quoted=True)
    if "," not in first:
        return _Form(None)
    words = [row.removesuffix(",").split() for row in sample]
    if all(_DECIMAL.fullmatch(word) for row in words for word in row) and (
        any(len(row) > 1 for row in words) or any(_DECIMAL_COMMA.fullmatch(row[0]) for row in words if row)
    ):
        return _Form(None, has_commas=True)
    pairs = [row.removesuffix(",").split(",") for row in sample]
    fractions = [word.strip() for row in pairs for word in row[1::2]]
    if (
        all(len(row) % 2 == 0 and len(row) > 2 for row in pairs)
        and all(word.isdecimal() for word in fractions)
        and any(len(word) > 1 and word[0] == "0" for word in fractions)
    ):
        raise ItemError(
            f"{quoted(name)} has commas between its columns, and in its numbers",
            code="wrong-format",
            hint="export it with semicolons or tabs between columns, or with decimal points",
        )
    return _Form(",")


def _table(rows: list[str], form: _Form, name: str, on_progress: OnProgress | None) -> Array:
    """Return rows of numbers as an array, (rows, columns)."""
    import numpy as np

    mark = form.mark
    if form.is_quoted:
        rows, mark = ["\t".join(_split(row, form)) for row in rows], "\t"
    elif form.has_commas:
        rows = [(row.rstrip().removesuffix(",") if mark is None else row).replace(",", ".") for row in rows]
    mark = None if mark == "\t" else mark
    rows = [row.rstrip().removesuffix(mark) if mark else row for row in rows]
    dtype = np.complex128 if "j" in rows[0] else np.float64
    blocks = (rows[part] for part in block_slices(len(rows), on_progress=on_progress))
    each = itertools.chain.from_iterable(blocks)
    try:
        with reading_errors(name, "a table of numbers"):
            made: Array = np.loadtxt(each, dtype, delimiter=mark, ndmin=2, comments=("#", "%", "//"))
    except ItemError as error:
        if "number of columns changed" in error.message:
            raise ItemError(
                f"{quoted(name)} has rows of different lengths", code="ragged", hint="pad them, or save each alone"
            ) from None
        if "could not convert" in error.message:
            raise ItemError(error.message, code=error.code, hint="leave out lines that hold no numbers") from None
        raise
    return made


def _split(line: str, form: _Form) -> list[str]:
    """Return the words of a line, with decimal points; an empty last one is that of a mark at the end."""
    mark = form.mark
    if form.is_quoted and mark:
        import csv

        words = next(csv.reader([line.strip().rstrip(mark)], delimiter=mark))
    elif mark:
        words = line.strip().rstrip(mark).split(mark)
    else:
        words = (line.strip().removesuffix(",") if form.has_commas else line).split()
    words = [word.strip().strip('"') for word in words]
    return [word.replace(",", ".") for word in words] if form.has_commas else words


def _are_numbers(words: list[str]) -> bool:
    return all(len(word) <= _LONGEST_WORD and _WORD.fullmatch(word) for word in words)


def _step(table: Array) -> float | None:
    """Return the step of the first column if it counts the rows or tells their times; None for any other."""
    import numpy as np

    if table.shape[1] < 2 or len(table) < LEAST_NUMBERS or table.dtype.kind != "f":
        return None
    column = table[:, 0]
    step = float(column[-1] - column[0]) / (len(column) - 1)
    if not step > 0 or not np.isfinite(step):
        return None
    even = np.abs(column - (column[0] + step * np.arange(len(column)))) <= _UNEVEN * step
    return step if even.all() else None


def _rate_of(step: float) -> int | None:
    """Return the sample rate of times with a step in seconds; None if they do not tell one."""
    rate = 1 / step
    if rate < LOWEST_RATE:
        return None
    usual = min(USUAL_RATES, key=lambda one: abs(one - rate))
    if abs(usual - rate) <= _RATE_ERROR * rate:
        return usual
    return round(rate) if abs(round(rate) - rate) <= _WHOLE else None


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
        raise _no_lists(documents, name)
    return TextArrays(arrays, says)


def _no_lists(documents: list[Any], name: str) -> ItemError:
    """Return the error for JSON without lists of numbers, which may hold sound as text."""
    fields = sound_fields(documents)
    if not fields:
        message = f"{quoted(name)} holds no list of {LEAST_NUMBERS} numbers or more"
        return ItemError(message, code="empty", hint="look at it with a text editor")
    field = fields[0] or "'*'"
    return ItemError(
        f"{quoted(name)} is JSON with sound as text under {listed(fields, 3)}",
        code="wrong-format",
        remedies=(
            Advice(
                f"read it by pcm-reader with field: {field} (--decoder pcm-reader --field {field})",
                in_call=f"read it by pcm-reader with field: {field}, in a pipeline",
            ),
        ),
    )


def _lists(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the lists of numbers below a value, and single numbers, with their paths."""
    value = without_positions(value)
    if is_number(value):
        yield path, value
    elif isinstance(value, list):
        least = 2 if has_name_of_lengths(path.rpartition(".")[2]) else LEAST_NUMBERS
        if _depth(value) and _count(value) >= least:
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
