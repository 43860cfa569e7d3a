"""From YAML to a checked pipeline: text with places, options, ports, templates, JSON Schema."""

RESERVED_PREFIX = ".tonearm"
"""Prefix reserved for the names of a run's own files: its journal, locks and temporaries."""
