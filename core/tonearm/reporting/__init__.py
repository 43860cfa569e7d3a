"""Showing the progress of conversions: a bar on stderr, or calls of the user's own function."""

from tonearm.reporting.reports import Reports, reporting

__all__ = ["Reports", "reporting"]
