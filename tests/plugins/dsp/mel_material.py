"""A mel filter bank, and a mel spectrogram of speech."""

import librosa
import numpy as np
from dsp_material import speech


def basis(mels=80, n_fft=1024, fmax=None):
    return librosa.filters.mel(sr=22050, n_fft=n_fft, n_mels=mels, fmax=fmax).astype(float)


def speech_mel(power, weights):
    magnitude = np.abs(librosa.stft(speech(), n_fft=1024, hop_length=256))
    return (weights @ magnitude.astype(float) ** power).astype(np.float32)[None]
