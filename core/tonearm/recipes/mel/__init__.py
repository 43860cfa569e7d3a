"""Recipes by which model families compute mel spectrograms, and the conversion of values by them."""

from __future__ import annotations

from tonearm.recipes.mel.dialect import MelDialect
from tonearm.recipes.mel.spectrogram import MelSpectrogram

__all__ = ["MelDialect", "MelSpectrogram"]
