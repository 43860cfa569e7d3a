"""Scalar values of options, with units, paths and files, and what a type expects in words."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Annotated, Any, get_args

import msgspec

from tonearm.errors import one_line
from tonearm.errors.text import with_article
from tonearm.pipeline.option_messages import expected_in_words
from tonearm.plugins.option_types import (
    UNIT_EXAMPLES,
    alternatives,
    bare,
    choices,
    container,
    extra_of,
    is_mapping,
    is_path,
    is_plain,
    is_plugin,
    is_record,
    may_be_name,
    names_each,
    names_file,
    quantity,
    unit_of,
)
from tonearm.plugins.options import plugin_type
from tonearm.recipes.catalogue import Named

_WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
_TEXT = Annotated[str, msgspec.Meta(min_length=1)]


def scalar_value(hint: Any, value: object) -> Any:
    """Return a scalar as the value of one alternative of a type.

    Raises
    ------
    msgspec.ValidationError
        If the value has another type, or is out of bounds.
    """
    unit = unit_of(hint)
    if unit and isinstance(value, str):
        number = quantity(value, unit)
        if number is None:
            raise msgspec.ValidationError(f"Expected {words_of(hint)}")
        value = number
    if is_path(hint):
        return bare(hint)(msgspec.convert(value, _TEXT, strict=True))
    return msgspec.convert(value, hint, strict=True)


def is_scalar(hint: Any) -> bool:
    """Return whether an alternative of a type is a scalar other than None."""
    if bare(hint) is type(None):
        return False
    return not (is_plugin(hint) or is_record(hint) or container(hint) is not None)


def is_named(hint: Any) -> bool:
    """Return whether an alternative of a type is a struct that may be given by name."""
    return is_record(hint) and issubclass(bare(hint), Named)


def in_folder(hint: Any, value: Any, folder: str) -> Any:
    """Return a value of an alternative of a type; if it names a file, by the path from a folder."""
    if not folder or not names_file(hint, value):
        return value
    path = os.path.join(folder, value)  # noqa: PTH118 - pathlib takes 6 ms
    return value if may_be_name(hint, value) and not os.path.lexists(path) else bare(hint)(path)


def missing_file(hint: Any, value: Any) -> str | None:
    """Return the name of the file that a value names, if it does not exist; None if it does, or names none."""
    if not names_file(hint, value) or may_be_name(hint, value) or names_each(extra_of(hint), value):
        return None
    if os.path.lexists(value) and os.path.exists(value):  # noqa: PTH110 - pathlib takes 6 ms
        return None
    return one_line(str(value))


def words_of(hint: Any) -> str:
    """Return what an alternative of a type expects, in words: ``a whole number``."""
    inner = bare(hint)
    if unit := unit_of(hint):
        return f"a number, or text such as '{UNIT_EXAMPLES[unit]}'"
    if is_plugin(hint):
        kind = plugin_type(hint)
        return f"the name of {with_article(kind.role)}" if kind else "the name of a plugin"
    if is_named(hint):
        return f"the name of {with_article(inner.noun)}"
    if is_record(hint) or is_mapping(hint):
        return "a mapping"
    if container(hint) is not None:
        return "a list"
    return _WORDS.get(inner, "text")


def expected(hint: Any, reasons: Iterable[tuple[Any, str]] = ()) -> list[str]:
    """Return what each alternative of a type expects, in words, without those that are choices.

    Parameters
    ----------
    hint
        Type of the option.
    reasons
        Alternatives that were tried, each with the message of msgspec.
    """
    tried = {id(one): reason for one, reason in reasons}
    words: dict[str, None] = {}
    for one in alternatives(hint):
        if bare(one) is type(None) or choices(bare(one)):
            continue
        reason = tried.get(id(one), "")
        is_worded = not reason or (unit_of(one) and "such as" in reason)
        words[words_of(one) if is_worded else expected_in_words(reason).removeprefix("expected ")] = None
    return list(words)


def takes(hint: Any, value: Any) -> bool:
    """Return whether a type takes a plain value, without looking names up."""
    if is_plain(hint):
        return _converts(hint, value)
    if isinstance(value, list):
        lists = (one for one in alternatives(hint) if container(one) is not None and not is_mapping(one))
        return any(all(takes(part, item) for item in value) for one in lists for part in get_args(bare(one))[:1])
    return any(_fits(one, value) for one in alternatives(hint) if is_scalar(one))


def takes_list(hint: Any) -> bool:
    """Return whether a type takes lists."""
    return any(container(one) is not None and not is_mapping(one) for one in alternatives(hint))


def _converts(hint: Any, value: Any) -> bool:
    try:
        msgspec.convert(value, hint, strict=True)
    except msgspec.ValidationError:
        return False
    return True


def _fits(hint: Any, value: Any) -> bool:
    try:
        scalar_value(hint, value)
    except msgspec.ValidationError:
        return False
    return True
