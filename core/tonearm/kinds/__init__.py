"""The kinds of array that tonearm has itself, except mel spectrograms: each is imported when a pipeline needs it."""
