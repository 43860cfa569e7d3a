"""Recipes: what a model family does to the values of a spectrogram, and how it is undone."""
