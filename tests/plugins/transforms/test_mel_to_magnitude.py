"""Mel spectrograms into magnitudes."""

import numpy as np
from dialect_material import DIALECTS, speech, to_mel

from tonearm.api import Context
from tonearm_plugins.transforms.mel_to_magnitude import MelToMagnitude, MelToMagnitudeOptions


def test_magnitudes_have_the_given_mel_spectrogram():
    for name in ("hifigan", "whisper"):
        dialect = DIALECTS.find(name)
        mel = to_mel(speech(dialect.sample_rate), dialect)
        magnitude = MelToMagnitude(MelToMagnitudeOptions()).apply(mel, Context())
        assert magnitude.grid == dialect.grid
        assert magnitude.length == mel.length
        wanted = dialect.to_linear(mel.values)[0]
        found = dialect.mel_basis() @ magnitude.values[0].astype(float) ** dialect.exponent
        assert np.linalg.norm(found - wanted) < 0.01 * np.linalg.norm(wanted)
