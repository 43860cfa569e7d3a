"""Segments of codec tokens and their factors that a file states beside the codes, as ``safetensors-writer`` does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tonearm.errors import SignalError
from tonearm.signals import CodecTokens


def with_stated_segments(tokens: CodecTokens, says: Mapping[str, Any]) -> CodecTokens:
    """Return tokens with the ``segments`` and ``scales`` that their file states, where tokens lack them and they fit.

    Parameters
    ----------
    tokens
        Tokens that were read.
    says
        What the file says about their array, by name; lists may be JSON.
    """
    found = {name: _numbers(says.get(name)) for name in ("segments", "scales") if getattr(tokens, name) is None}
    stated: dict[str, Any] = {name: values for name, values in found.items() if values}
    if not stated:
        return tokens
    try:
        return replace(tokens, **stated)
    except SignalError:  # of something else
        return tokens


def _numbers(value: Any) -> tuple[float, ...]:
    """Return a list of numbers, or the text of one, as numbers; nothing of anything else."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return ()
    if not isinstance(value, (list, tuple)) or any(type(one) not in (int, float) for one in value):
        return ()
    return tuple(value)
