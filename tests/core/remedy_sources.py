"""Sources of the cases of `remedy_cases`: arrays and files that are read in a wrong way."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

RATE = 22050


@functools.cache
def sound() -> Any:
    """Return a second of something like speech, float32 in (-0.5, 0.5)."""
    rng = np.random.default_rng(7)
    time = np.arange(RATE) / RATE
    tones = sum(np.sin(2 * np.pi * 130 * n * time + n) / n for n in range(1, 20))
    loudness = np.clip(np.sin(2 * np.pi * 2.3 * time), 0, 1) ** 2
    samples = loudness * tones * 0.2 + 1e-4 * rng.standard_normal(RATE)
    return (0.45 * samples / np.abs(samples).max()).astype(np.float32)


@functools.cache
def spectrum() -> Any:
    """Return the STFT of the sound by librosa's conventions, (513, frames)."""
    import scipy.signal

    window = scipy.signal.get_window("hann", 1024)
    padded = np.pad(sound(), 512)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 1024)[::256]
    return np.fft.rfft(frames * window).T.astype(np.complex64)


def codes() -> Any:
    """Return codes of a single book of 65536, int64."""
    made = np.random.default_rng(8).integers(0, 65536, 400)
    made[7] = 65535
    return made


def late_window() -> Any:
    """Return the STFT of the sound with a window of 512 samples at the start of 1024, as TensorFlow's."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    frames = np.lib.stride_tricks.sliding_window_view(sound(), 512)[::256]
    return np.fft.rfft(frames * window, n=1024).T.astype(np.complex64)


def magnitude() -> Any:
    """Return the magnitudes of the sound's STFT."""
    return np.abs(spectrum())


def raw_spectrum(folder: Path) -> Path:
    """Write the STFT of the sound without a header, one frame after the other."""
    path = folder / "source.c8"
    spectrum().T.tofile(path)
    return path


def complex_parts(axis: int) -> Any:
    """Return real and imaginary parts of the STFT along an axis."""
    return np.stack([spectrum().real, spectrum().imag], axis)


@functools.cache
def powers() -> Any:
    """Return librosa's mel spectrogram of the sound with its defaults, (128, frames)."""
    import librosa

    return librosa.feature.melspectrogram(y=sound(), sr=RATE)


def librosa_db() -> Any:
    """Return librosa's decibels with its defaults: ref=1, top_db=80."""
    import librosa

    return librosa.power_to_db(powers()).astype(np.float32)


def stereo(channels: int = 2) -> Any:
    """Return the sound in several channels, (channels, samples)."""
    return np.stack([sound() * (channel + 1) / channels for channel in range(channels)])


def npz(**arrays: Any) -> Callable[[Path], Path]:
    """Return a function that writes arrays into an .npz file."""

    def write(folder: Path) -> Path:
        np.savez(folder / "source.npz", **{name: make() for name, make in arrays.items()})
        return folder / "source.npz"

    return write


def pcm(folder: Path) -> Path:
    """Write bytes of mu-law."""
    (folder / "source.pcm").write_bytes(bytes(range(256)) * 40)
    return folder / "source.pcm"


def json_file(**values: Any) -> Callable[[Path], Path]:
    """Return a function that writes JSON with a sound as a list of numbers."""

    def write(folder: Path) -> Path:
        import json

        (folder / "source.json").write_text(json.dumps({"audio": sound()[:4000].tolist(), **values}))
        return folder / "source.json"

    return write


def written(name: str, content: str | bytes) -> Callable[[Path], Path]:
    """Return a function that writes a file with this content."""

    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return folder / name

    return write


def latents() -> Any:
    """Return latents of 8 bands, float32."""
    return np.random.default_rng(2).standard_normal((8, 40)).astype(np.float32)


def floats_as_pcm(folder: Path) -> Path:
    """Write samples as float32."""
    (folder / "source.pcm").write_bytes(sound().astype("<f4").tobytes())
    return folder / "source.pcm"


def shard(folder: Path) -> Path:
    """Write a tar shard whose samples have two arrays each."""
    import io
    import tarfile

    with tarfile.open(folder / "source.tar", "w") as tar:
        for name in ("0.a.npy", "0.b.npy", "1.a.npy", "1.b.npy"):
            data = io.BytesIO()
            np.save(data, sound())
            member = tarfile.TarInfo(name)
            member.size = data.tell()
            data.seek(0)
            tar.addfile(member, data)
    return folder / "source.tar"


def wav_bytes() -> Any:
    """Return a WAV file as an array of bytes."""
    import io

    import soundfile

    data = io.BytesIO()
    soundfile.write(data, sound(), RATE, format="WAV")
    return np.frombuffer(data.getvalue(), np.uint8)


def tokens() -> Any:
    """Return codes of nine books, as DAC has them."""
    codes = np.random.default_rng(0).integers(0, 1000, (9, 40))
    codes[:, 0] = 1023
    return codes


def melgan() -> Any:
    """Return a mel spectrogram in the dialect melgan, at whose end silence is exactly -5, its floor."""
    values = np.log10(np.maximum(powers()[:80] ** 0.5, 1e-5)).astype(np.float32)
    values[:, -20:] = -5
    return values


def picture(colour: tuple[int, ...] = (), size: tuple[int, int] = (64, 512)) -> Callable[[Path], Path]:
    """Return a function that writes a picture of noise."""

    def write(folder: Path) -> Path:
        from PIL import Image

        noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0]), np.uint8)
        pixels = np.stack([noise // (n + 1) for n in colour], -1) if colour else noise
        Image.fromarray(pixels).save(folder / "source.png")
        return folder / "source.png"

    return write
