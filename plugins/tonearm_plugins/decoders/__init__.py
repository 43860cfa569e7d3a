"""The decoders that tonearm ships, one plugin a file."""
