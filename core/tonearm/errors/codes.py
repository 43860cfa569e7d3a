"""The registry of error codes: what each means, and what to do about it.

``codes.toml`` beside this module has every code once. It is read when somebody asks, never on the way of a conversion.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from msgspec import Struct


class ErrorCode(Struct, frozen=True):
    """One error code.

    Parameters
    ----------
    code
        The code itself: ``unknown-option``.
    group
        Title of the group that it belongs to.
    meaning
        What is wrong, in general; the message of an error has the particulars.
    remedy
        What to do about it, in general.
    """

    code: str
    group: str
    meaning: str
    remedy: str


@functools.cache
def error_codes() -> Mapping[str, ErrorCode]:
    """Return every error code of tonearm and its own plugins, by name; packages of others may have more."""
    import tomllib
    from importlib.resources import files

    text = files("tonearm.errors").joinpath("codes.toml").read_text(encoding="utf-8")
    groups = tomllib.loads(text).items()
    return {code: ErrorCode(code, group, *texts) for group, codes in groups for code, texts in codes.items()}
