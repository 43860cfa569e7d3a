"""Recipes by which model families compute mel spectrograms, and the conversion of values by them."""

from __future__ import annotations

from tonearm.recipes.catalogue import LISTING_HINT, Catalogue, Recipe
from tonearm.recipes.mel.dialect import MelDialect
from tonearm.recipes.mel.spectrogram import MelSpectrogram
from tonearm.recipes.steps import MelStep

__all__ = ["LISTING_HINT", "Catalogue", "MelDialect", "MelSpectrogram", "MelStep", "Recipe"]
