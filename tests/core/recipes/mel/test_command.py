"""Columns of the table of dialects."""

from tonearm.recipes.mel import MelDialect
from tonearm.recipes.mel.command import LISTING


def test_a_row_names_bands_and_values():
    dialect = MelDialect(
        sample_rate=16000, n_fft=512, hop_length=128, n_mels=40, mel_norm="none", exponent=2, log="none", win_length=400
    )
    row = LISTING.row(dialect)
    assert row[:9] == ("16000", "512", "128", "400", "40", "0", "8000", "slaney, peak 1", "powers")
    assert row[9] == "none"
    assert len(LISTING.head) == 1 + len(row)
    other = dialect.replace(filterbank_sample_rate=22050)
    assert LISTING.row(other)[7] == "slaney, peak 1, as at 22050 Hz"
