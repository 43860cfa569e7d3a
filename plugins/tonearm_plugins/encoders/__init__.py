"""The encoders that tonearm ships, one plugin a file."""
