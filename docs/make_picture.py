"""Draw docs/spectrogram.png: magnitudes as they came, and the sound that tonearm made of them. Needs matplotlib."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import librosa
import matplotlib.pyplot as plt
import numpy as np

import tonearm

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Convert the sample, and draw it before and after."""
    magnitudes = np.load(ROOT / "configs/samples/utt08-magnitude.npy")
    (sound,) = tonearm.load_pipeline(ROOT / "configs/magnitude-stft.yaml").convert(
        ROOT / "configs/samples/utt08-magnitude.npy"
    )
    recovered = np.abs(librosa.stft(sound.samples[0], n_fft=1024, hop_length=256, pad_mode="constant"))
    extent = (0, sound.duration, 0, sound.sample_rate / 2000)
    figure, (before, wave, after) = plt.subplots(
        3, 1, figsize=(8, 6.2), height_ratios=(3, 1.4, 3), layout="constrained"
    )
    for axes, values, title in (
        (before, magnitudes, "magnitudes in utt08-magnitude.npy"),
        (after, recovered, "the sound"),
    ):
        level = 20 * np.log10(np.maximum(values / values.max(), 1e-4))
        axes.imshow(level, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=-80, vmax=0)
        axes.set(title=f"{title}, dB", ylabel="kHz")
    wave.plot(np.arange(sound.length) / sound.sample_rate, sound.samples[0], linewidth=0.4, color="#56106e")
    wave.set(title="utt08-magnitude.wav", xlim=(0, sound.duration), ylim=(-1, 1))
    after.set(xlabel="seconds")
    figure.savefig(ROOT / "docs/spectrogram.png", dpi=90)


if __name__ == "__main__":
    main()
