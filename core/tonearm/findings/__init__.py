"""Findings about an array: statistics of its values, notes on what it may be, and claims of kinds."""
