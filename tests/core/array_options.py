"""Options of decoders of arrays, from what stands flat under ``with:``, as a pipeline has it."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from tonearm.arrays import ArrayOptions
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import default

Options = TypeVar("Options", bound=ArrayOptions)


def array_options(cls: type[Options] = ArrayOptions, *, kind: str = "inferred", **flat: Any) -> Options:  # type: ignore[assignment]
    """Return options with their kind bound to its own, unchecked."""
    own = {field.name for field in dataclasses.fields(cls)}
    entry = default().find("kind", kind)
    given = ports_of(entry.resolve()).options(**{name: value for name, value in flat.items() if name not in own})
    return cls(kind=entry.bind(given, kind), **{name: value for name, value in flat.items() if name in own})
