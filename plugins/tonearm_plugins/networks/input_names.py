"""Names of the files that options give for inputs of a network, in which fields stand for the source of an item."""

from __future__ import annotations

from tonearm.api import OptionError, text_template

FIELDS = ("stem", "name", "parent", "relative_dir")
"""Fields of the name of a file that each item has; all of them follow from its source."""


def name_problem(file: str) -> tuple[str, str]:
    """Return what is wrong with the name of a file that each item has, and a hint; empty if nothing is."""
    try:
        parts = text_template(file).parts
    except OptionError as error:
        return error.message, error.hint
    for part in parts:
        if not isinstance(part, str) and part[0] not in FIELDS:
            known = ", ".join(f"{{{field}}}" for field in FIELDS)
            return f"the name of an input's file has no field {{{part[0]}}}", f"fields: {known}"
    return "", ""
