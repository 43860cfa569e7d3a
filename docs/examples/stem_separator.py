"""Save the stems of a separator: a batch of shape (stems, channels, time) becomes a FLAC file for each, with tags."""

import numpy as np

import tonearm

STEMS = {"drums": 110, "bass": 55, "other": 660, "vocals": 440}
"""Names of the stems, and the tone in Hz that stands for each here."""


def separate(mixture: np.ndarray, sample_rate: int) -> np.ndarray:
    """Stand in for a model such as Demucs: keep what is within 20 Hz of each stem's tone; (stems, channels, time)."""
    spectrum = np.fft.rfft(mixture)
    frequencies = np.fft.rfftfreq(mixture.shape[-1], 1 / sample_rate)
    kept = [np.where(abs(frequencies - tone) < 20, spectrum, 0) for tone in STEMS.values()]
    return np.fft.irfft(np.stack(kept), n=mixture.shape[-1]).astype(np.float32)


time = np.arange(2 * 44100) / 44100
tones = np.stack([0.15 * np.sin(2 * np.pi * tone * time) for tone in STEMS.values()])
tonearm.save(np.stack([tones.sum(0), tones.sum(0) / 2]), "song.flac", axes=["channel", "time"], sample_rate=44100)

song = tonearm.read("song.flac")  # a Waveform: samples of shape (channels, time), full scale at ±1.0
stems = separate(song.samples, song.sample_rate)

saved = tonearm.save(
    dict(zip(STEMS, stems, strict=True)),
    "stems/{key}.flac",
    key="*",
    axes=["channel", "time"],
    sample_rate=song.sample_rate,
    subtype="PCM_24",
    tags={"title": "{key}", "album": "A song in four stems"},
)
print(*saved.paths, sep="\n")
