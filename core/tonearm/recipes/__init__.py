"""Recipes: the processing of a spectrogram's values by a model family, and its inverse."""
