"""The recipes by which model families compute mel spectrograms, and how values go through one and back."""

from __future__ import annotations

from tonearm.recipes.mel.catalogue import Catalogue, Recipe
from tonearm.recipes.mel.dialect import MelDialect
from tonearm.recipes.mel.spectrogram import MelSpectrogram
from tonearm.recipes.mel.steps import MelStep

__all__ = ["Catalogue", "MelDialect", "MelSpectrogram", "MelStep", "Recipe"]
