"""Whether a mel spectrogram is in the recipe that a vocoder was trained for."""

from __future__ import annotations

from tonearm.api import Advice, InsertStep, MelDialect, OptionError

NAMED = 4
"""Largest number of differences between recipes that an error names."""


def check_trained_dialect(trained: MelDialect, given: MelDialect) -> None:
    """Raise `OptionError` if a mel spectrogram is in another recipe than the one that a vocoder was trained for."""
    differences = trained.differences(given)
    if not differences:
        return
    more = f" and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
    options = {"dialect": trained.name} if trained.name else {}
    raise OptionError(
        f"the vocoder takes the recipe {trained.label}, but the mel spectrogram is in {given.label}:"
        f" {', '.join(differences[:NAMED])}{more}",
        option="dialect",
        code="dialect-mismatch",
        remedies=(
            InsertStep("wave-to-mel", options, first=("mel-to-wave",), when="to convert one recipe into the other"),
            Advice("check both recipes"),
        ),
    )
