"""What an array seems to be, with reasons: what is certain, what is likely, and what no array can say."""

from __future__ import annotations

from tonearm.inspect.files import Inspected, inspect_file
from tonearm.inspect.guess import Guess, guess
from tonearm.inspect.measure import Measured, measure
from tonearm.inspect.notes import Finding

__all__ = ["Finding", "Guess", "Inspected", "Measured", "guess", "inspect_file", "measure"]
