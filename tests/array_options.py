"""Options of decoders of arrays, from what stands flat under ``with:``, as a pipeline has it."""

from __future__ import annotations

import dataclasses
from typing import Any

from tonearm.arrays import ArrayOptions
from tonearm.plugins.options import declared_options
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import default


def array_options(cls: type[Any] = ArrayOptions, *, kind: str | None = None, **flat: Any) -> Any:
    """Return options with their kind bound to its own, unchecked."""
    own = {field.name for field in dataclasses.fields(cls)}
    name = kind or declared_options(cls)["kind"].default
    entry = default().find("kind", name)
    given = ports_of(entry.resolve()).options(**{name: value for name, value in flat.items() if name not in own})
    return cls(kind=entry.bind(given, name), **{name: value for name, value in flat.items() if name in own})
