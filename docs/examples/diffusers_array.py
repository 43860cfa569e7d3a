"""Save what a pipeline of diffusers returns: ``.audios`` of shape (batch, T), or (batch, 2, T) in stereo."""

from types import SimpleNamespace

import numpy as np

import tonearm


class AudioPipeline:
    """A stand-in for AudioLDM2Pipeline or StableAudioPipeline: it makes tones in place of what the prompt asks for."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self.sample_rate, self.channels = sample_rate, channels

    def __call__(self, _prompt: str, audio_end_in_s: float, num_waveforms_per_prompt: int = 1) -> SimpleNamespace:
        """Return sounds of 440 Hz on the left, and 660 Hz on the right; each further one is half as loud."""
        time = np.arange(round(audio_end_in_s * self.sample_rate)) / self.sample_rate
        one = np.stack([np.sin(2 * np.pi * 220 * (channel + 2) * time) for channel in range(self.channels)])
        audios = np.stack([0.4 * one / 2**number for number in range(num_waveforms_per_prompt)]).astype(np.float32)
        return SimpleNamespace(audios=audios[:, 0] if self.channels == 1 else audios)


mono = AudioPipeline(sample_rate=16000, channels=1)
audio = mono("a hammer on an anvil", audio_end_in_s=2.0).audios[0]  # (T,)
tonearm.save(audio, "hammer.wav", sample_rate=mono.sample_rate)

stereo = AudioPipeline(sample_rate=44100, channels=2)
audio = stereo("rain on a tin roof", audio_end_in_s=3.0).audios[0]  # (2, T)
tonearm.save(audio, "rain.flac", axes=["channel", "time"], sample_rate=stereo.sample_rate)

audios = stereo("rain on a tin roof", audio_end_in_s=3.0, num_waveforms_per_prompt=3).audios  # (3, 2, T)
tonearm.save(audios, "rain-{index}.ogg", axes=["batch", "channel", "time"], sample_rate=stereo.sample_rate)
