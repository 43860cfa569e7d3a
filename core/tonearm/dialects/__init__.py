"""The recipes by which model families compute mel spectrograms, and how values go through one and back."""

from __future__ import annotations

from tonearm.dialects.catalogue import Catalogue, Recipe
from tonearm.dialects.dialect import MelDialect
from tonearm.dialects.signal import MelSpectrogram
from tonearm.dialects.steps import MelStep

__all__ = ["Catalogue", "MelDialect", "MelSpectrogram", "MelStep", "Recipe"]
