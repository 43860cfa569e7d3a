"""Saying how many samples were beyond full scale: every encoder that limits them says it alike."""

from __future__ import annotations

from tonearm.api import Context


def note_clipped(context: Context, clipped: int) -> None:
    """Measure and warn of samples that were limited to full scale, if there were any."""
    if clipped:
        context.measure(clipped=clipped)
        context.warn(f"{clipped} samples were beyond full scale and clipped")
