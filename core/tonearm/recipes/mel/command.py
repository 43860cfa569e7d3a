"""``tonearm dialects``: the columns of the table of dialects."""

from __future__ import annotations

from tonearm.recipes.listing import Listing, shown_logarithm, shown_range
from tonearm.recipes.mel.dialect import MelDialect


def table_figures(dialect: MelDialect) -> tuple[str, ...]:
    """Return the figures of a dialect for the columns of the table after the name."""
    grid = dialect.grid
    numbers = (dialect.sample_rate, dialect.n_fft, dialect.hop_length, grid.win_length, dialect.n_mels)
    return (
        *map(str, numbers),
        f"{dialect.fmin:g}",
        f"{dialect.top:g}",
        dialect.mel_scale
        + ("" if dialect.mel_norm == "slaney" else ", peak 1")
        + (f", as at {dialect.filterbank_sample_rate} Hz" if dialect.filterbank_sample_rate else ""),
        "magnitudes" if dialect.exponent == 1 else "powers",
        shown_logarithm(dialect),
        shown_range(dialect),
    )


LISTING = Listing(
    MelDialect,
    ("name", "Hz", "n_fft", "hop", "win", "mels", "from", "to Hz", "bands", "sums", "log", "values"),
    (0, 8, 9, 10, 11),
    table_figures,
)
"""Listing of the dialects."""
