"""HiFi-GAN's recipe for mel spectrograms, written out, for tests that change figures of it."""

from tonearm.api import MelDialect

FIGURES = {
    "sample_rate": 22050,
    "n_fft": 1024,
    "hop_length": 256,
    "n_mels": 80,
    "fmax": 8000.0,
    "padding": "half-overlap",
    "pad_mode": "reflect",
}


def dialect(**changes):
    """Return the recipe with some figures changed, under the name ``mine``."""
    return MelDialect(**{**FIGURES, "name": "mine", **changes})
