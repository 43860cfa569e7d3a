"""Whether a mel spectrogram is in the recipe that a vocoder was trained for."""

from __future__ import annotations

from tonearm.api import Advice, InsertStep, MelDialect, OptionError, Remedy

NAMED = 4
"""Largest number of differences between recipes that an error names."""


def trained_mismatch(trained: MelDialect | None, given: MelDialect) -> str:
    """Return how a mel spectrogram differs from the recipe that a vocoder was trained for; empty if it does not."""
    differences = trained.differences(given) if trained is not None else []
    if not differences or trained is None:
        return ""
    more = f" and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
    return (
        f"the vocoder takes the recipe {trained.label}, but the mel spectrogram is in {given.label}:"
        f" {', '.join(differences[:NAMED])}{more}"
    )


def conversion_remedies(trained: MelDialect | None) -> tuple[Remedy, ...]:
    """Return the remedies for a mel spectrogram in another recipe than the one that a vocoder was trained for."""
    options = {"dialect": trained.name} if trained is not None and trained.name else {}
    return (
        InsertStep("wave-to-mel", options, first=("mel-to-wave",), when="to convert one recipe into the other"),
        Advice("check both recipes"),
    )


def check_trained_dialect(trained: MelDialect | None, given: MelDialect) -> None:
    """Raise `OptionError` if a mel spectrogram is in another recipe than the one that a vocoder was trained for."""
    if reason := trained_mismatch(trained, given):
        raise OptionError(reason, option="dialect", code="dialect-mismatch", remedies=conversion_remedies(trained))
