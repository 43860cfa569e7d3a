"""The recipes of spectrograms: what was done to their values."""
