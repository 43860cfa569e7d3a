"""Decoders that tonearm ships, one plugin a file."""
