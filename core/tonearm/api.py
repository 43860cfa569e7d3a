"""Everything that a plugin author may import, and nothing else."""

from __future__ import annotations

from tonearm.errors import ItemError, OptionError, OutputError, SignalError

__all__ = ["ItemError", "OptionError", "OutputError", "SignalError"]
