"""The transforms that tonearm ships, one plugin a file."""
