"""A mel filter bank, and a mel spectrogram of speech."""

import numpy as np
from dsp_material import speech_magnitude

from tonearm.recipes.mel.filter_bank import mel_filter_bank


def basis(mels=80, n_fft=1024, fmax=None):
    filters = {"fmin": 0.0, "fmax": fmax or 11025.0, "scale": "slaney", "norm": "slaney", "triangles": "hz"}
    return mel_filter_bank(sample_rate=22050, n_fft=n_fft, n_mels=mels, **filters).copy()


def speech_mel(power, weights):
    return (weights @ speech_magnitude()[0].astype(float) ** power).astype(np.float32)[None]
