"""The version, defined once: the build and ``tonearm --version`` read it here."""

__version__ = "0.1.0"
"""Version of tonearm."""
