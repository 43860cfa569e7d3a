"""Make speech of a mel spectrogram without a vocoder: HiFi-GAN's, in bfloat16, becomes an MP3 file of -16 LUFS."""

import librosa
import torch

import tonearm


class Acoustic(torch.nn.Module):
    """A stand-in for an acoustic model: it gives the mel spectrogram of a tone of 500 Hz with harmonics.

    The figures are those of HiFi-GAN: 80 bands to 8,000 Hz, of magnitudes at 22,050 Hz, and their natural logarithm.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("bands", torch.from_numpy(librosa.filters.mel(sr=22050, n_fft=1024, n_mels=80, fmax=8000)))

    def forward(self, seconds: float) -> torch.Tensor:
        """Return a mel spectrogram of shape (1, 80, frames)."""
        time = torch.arange(round(seconds * 22050)) / 22050
        sound = sum(0.2 / number * torch.sin(2 * torch.pi * 500 * number * time) for number in (1, 2, 3))
        padded = torch.nn.functional.pad(sound[None], (384, 384), mode="reflect")
        stft = torch.stft(padded, 1024, 256, window=torch.hann_window(1024), center=False, return_complex=True)
        return torch.log(torch.clamp(self.bands @ stft.abs(), min=1e-5))


mel = Acoustic()(seconds=3.0).to(torch.bfloat16)  # (1, 80, 258)

saved = tonearm.save(
    mel,
    "speech.mp3",
    dialect="hifigan",  # `tonearm dialects` lists 55
    steps=[("loudness", {"target_lufs": -16, "true_peak_db": -1})],
    bitrate=128,
    tags={"title": "A tone"},
)
print(f"{saved.path}: {saved.measured['loudness_lufs']} LUFS")
