"""Inspection: what an array seems to hold, with reasons and how certain each finding is."""

from __future__ import annotations

from tonearm.findings.notes import Finding
from tonearm.findings.statistics import ArrayStatistics, compute_statistics
from tonearm.inspect.files import Inspection, inspect_file
from tonearm.inspect.guess import Guess, guess

__all__ = ["ArrayStatistics", "Finding", "Guess", "Inspection", "compute_statistics", "guess", "inspect_file"]
