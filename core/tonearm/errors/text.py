"""Text for messages: one printable line, an exception in words, and the nearest known word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def one_line(text: object, limit: int = 300) -> str:
    """Return any text as one printable line: control characters escaped, length bounded, without credentials."""
    line = escape_controls(without_credentials(str(text)))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def escape_controls(text: str, keep: str = "") -> str:
    """Return text with its control characters and bidirectional marks escaped: it may quote what anybody has named.

    Parameters
    ----------
    text
        Text.
    keep
        Characters that are not escaped, such as a newline.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode("ascii") for c in text)


def safe_message(message: str) -> str:
    """Return the message of an error with what a terminal obeys escaped, and without credentials.

    A plugin may give anything as a message.
    """
    return escape_controls(without_credentials(message), "\n") if isinstance(message, str) else message


def without_credentials(text: str) -> str:
    """Return text without users and passwords in addresses.

    Examples
    --------
    >>> without_credentials("cannot reach tls://me:secret@example.org:8786")
    'cannot reach tls://…@example.org:8786'
    """
    if "://" not in text:
        return text
    import re  # not at the top: hardly any message needs it

    return re.sub(r"(\w://)[^\s/]*@", r"\1…@", text)


def safe_text(value: object) -> str:
    """Return a foreign object as one printable line, even if its own ``__str__`` raises an error."""
    try:
        return one_line(value)
    except Exception as error:
        return f"({type(error).__name__} in its own __str__)"


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one: ``1,000 samples``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def item_name(source: str, key: str, index: int) -> str:
    """Return the name of an item: that of its source, and its key, or its index if that is not 0, in brackets."""
    item = f" [{one_line(key)}]" if key else f" [{index}]" if index else ""
    return f"{one_line(source, 1000)}{item}"


def describe_exception(error: BaseException) -> str:
    """Return the class and the text of an exception on one line."""
    kind = one_line(type(error).__name__)
    text = f"it calls sys.exit({safe_repr(error.code)})" if isinstance(error, SystemExit) else safe_text(error)
    return f"{kind}: {text}" if text else kind


def safe_repr(value: object) -> str:
    """Return the representation of a foreign object as one printable line, even if its ``__repr__`` raises an error."""
    try:
        return one_line(repr(value))
    except Exception:
        return f"<{type(value).__name__}>"


def short_repr(value: object, most: int = 8) -> str:
    """Return the representation of a value; of a longer row of values, and of bytes, only how many there are.

    Examples
    --------
    >>> short_repr((0.0, 1.0)), short_repr(range(80)), short_repr(bytes(80))
    ('(0.0, 1.0)', '<80 values>', '<80 bytes>')
    """
    if isinstance(value, bytes):
        return f"<{counted(len(value), 'byte')}>"
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) > most:
        return f"<{counted(len(value), 'value')}>"
    return repr(value)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the nearest of the known words, or for two that begin so, or an empty text."""
    words = [other for other in known if isinstance(other, str)]
    begun = _beginning(word, words)
    near = begun if len(begun) == 2 else [nearest(word, words)]
    return f"did you mean {' or '.join(map(repr, near))}?" if near[0] is not None else ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the nearest of the known words: another name for it, or one with letters missing, wrong or transposed."""
    import difflib

    from tonearm.errors.other_names import OTHER_NAMES  # not at the top: only mistakes need it

    words = [other for other in known if isinstance(other, str)]
    meant = {other: one for one in words for other in OTHER_NAMES.get(_plain(one), ())}
    if (same := _same(word, words, meant)) is not None:
        return same
    limit = (len(word) + 1) // 4
    scored = [(edit_distance(word.lower(), other.lower(), limit), other) for other in words]
    close = [(distance, other) for distance, other in scored if distance <= limit]
    if close and len(word) > 2:
        return min(close, key=lambda one: (one[0], -difflib.SequenceMatcher(None, word, one[1]).ratio()))[1]
    begun = _beginning(word, words)
    if len(begun) == 1:
        return begun[0]
    close_others = [other for other in meant if edit_distance(_plain(word), other, limit) <= limit]
    if close_others and len(word) > 4:
        return meant[close_others[0]]
    return next(iter(difflib.get_close_matches(word, words)), None)


def nearest_name(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that a word is another name for, or another spelling of; None if there is none."""
    from tonearm.errors.other_names import OTHER_NAMES  # not at the top: only mistakes need it

    words = list(known)
    return _same(word, words, {other: one for one in words for other in OTHER_NAMES.get(_plain(one), ())})


def _same(word: str, words: Iterable[str], meant: Mapping[str, str]) -> str | None:
    """Return the word of the same letters in another case or with other hyphens, or of which it is another name."""
    same = {_plain(one): one for one in words}
    return same.get(_plain(word)) or meant.get(_plain(word))


def _beginning(word: str, words: Iterable[str]) -> list[str]:
    """Return the words whose first part a word is, as npy is that of npy-reader."""
    return [other for other in words if len(word) > 1 and _plain(other).startswith(f"{_plain(word)}_")]


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")


def edit_distance(word: str, other: str, limit: int) -> int:
    """Return how many letters must be inserted, removed, replaced or transposed to turn a word into another.

    Parameters
    ----------
    word, other
        Words.
    limit
        Largest distance of interest; a larger one is returned as ``limit + 1``.
    """
    if abs(len(word) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(word, 1):
        earlier, before, row = before, row, [place]
        for column, wanted in enumerate(other, 1):
            cost = min(before[column] + 1, row[-1] + 1, before[column - 1] + (letter != wanted))
            if place > 1 and word[place - 2 : place] == wanted + other[column - 2 : column - 1]:
                cost = min(cost, earlier[column - 2] + 1)
            row.append(cost)
        if min(before) > limit:
            return limit + 1
    return min(row[-1], limit + 1)


def with_article(noun: str) -> str:
    """Return a noun with its article: ``an encoder``."""
    return f"an {noun}" if noun.startswith("e") else f"a {noun}"
