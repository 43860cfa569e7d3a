"""The mel spectrogram as a signal."""

import numpy as np
import pytest

from tonearm.errors import SignalError
from tonearm.recipes.mel import MelDialect, MelSpectrogram

BASE = {"sample_rate": 22050, "n_fft": 1024, "hop_length": 256, "n_mels": 80}
DIALECT = MelDialect(**BASE, name="mine")
MASKING = MelDialect(**BASE, last_frame="mask")


def mel(values=None, dialect=DIALECT, **more):
    values = np.ones((2, 80, 5), "f4") if values is None else values
    return MelSpectrogram(values=values, dialect=dialect, **more)


def test_it_has_the_measures_of_its_dialect():
    signal = mel()
    assert (signal.channels, signal.frames, signal.sample_rate) == (2, 5, 22050)
    assert signal.grid is DIALECT.grid
    assert signal.arrays()[0] is signal.values
    assert signal.samples_expected == DIALECT.samples(5)
    assert mel(length=999).samples_expected == 999


def test_it_has_the_dialects_bands():
    with pytest.raises(SignalError, match="the mel has 81 bands, but the dialect mine has 80") as caught:
        mel(np.ones((1, 81, 5), "f4"))
    assert caught.value.code == "bins-mismatch"


def test_its_values_are_real_of_three_axes():
    with pytest.raises(SignalError, match="a mel holds float values, not complex64"):
        mel(np.ones((1, 80, 5), "c8"))
    with pytest.raises(SignalError, match=r"a mel is \(channels, mels, frames\), not an array of shape \(80, 5\)"):
        mel(np.ones((80, 5), "f4"))


def test_masked_frames_are_removed_where_the_dialect_masks():
    values = np.ones((1, 80, 5), "f4")
    values[..., 3:] = 0
    values[..., 1] = 0  # silence in the middle is no mask
    assert mel(values, MASKING).unmasked().frames == 3
    assert mel(values).unmasked().frames == 5
    assert mel(np.zeros((1, 80, 4), "f4"), MASKING).unmasked().frames == 1
    whole = mel(dialect=MASKING)
    assert whole.unmasked() is whole
