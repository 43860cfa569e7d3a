"""Types that plugins declare options with, and what their ``Meta`` tells the host beside bounds and a description."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta

NAMES_FILE = "names_file"
"""Key in ``Meta(extra=…)``: true for an option that names a file or folder, whose content then counts for outputs."""

CHANGES_OUTPUT = "changes_output"
"""Key in ``Meta(extra=…)``: which values of an option change an output.

False for an option that changes no output: an output stays as it is when the option changes. A list of values if no
others change an output, such as ``["fix"]``.
"""

FilePath: TypeAlias = Annotated[str, Meta(min_length=1, extra={NAMES_FILE: True})]
"""Path of a file or folder, relative to the current folder. ``check`` complains if it does not exist."""
