"""Writes the constant-Q transform of a tone as an array for the kind ``cqt``: ``write_constant_q.py FILE``."""

import sys

import librosa
import numpy as np

TONE = 0.5 * np.sin(np.arange(16000) * 2 * np.pi * 440 / 16000).astype("f4")
np.save(sys.argv[1], librosa.cqt(TONE, sr=16000, hop_length=128, fmin=130.81, n_bins=120, bins_per_octave=24))
