"""What the benchmarks work on: speech of a neural voice, and music made here, the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

SAMPLE_RATE = 22_050
SAMPLES = Path(__file__).parents[2] / "configs" / "samples"


def speech(seconds: float) -> np.ndarray:
    """The samples of configs/samples, one after the other, again and again, each time a little later and louder."""
    voices = [np.load(path).ravel() for path in sorted(SAMPLES.glob("utt[0-9][0-9].npy"))]
    wanted = int(seconds * SAMPLE_RATE)
    rng = np.random.default_rng(7)
    parts: list[np.ndarray] = []
    total = 0
    while total < wanted:
        for voice in voices:
            silence = np.zeros(int(rng.integers(500, 6000)), np.float32)
            parts += [silence, voice * np.float32(rng.uniform(0.6, 1.0))]
            total += silence.size + voice.size
    return np.concatenate(parts)[:wanted].astype(np.float32)


def clips(seconds: int) -> Iterator[np.ndarray]:
    """Yield clips out of speech, the same in every run and without end."""
    whole = speech(60)
    rng = np.random.default_rng(3)
    length = seconds * SAMPLE_RATE
    while True:
        start = int(rng.integers(0, len(whole) - length))
        yield whole[start : start + length]


def wide_speech(seconds: float) -> np.ndarray:
    """The same speech at 44,100 Hz, with noise above 10.5 kHz that follows its envelope, for bands to describe."""
    import scipy.signal
    import soxr

    voice = soxr.resample(speech(seconds), SAMPLE_RATE, 2 * SAMPLE_RATE)
    noise = np.random.default_rng(5).standard_normal(voice.size)
    high = scipy.signal.sosfilt(scipy.signal.butter(8, 10_500, "highpass", fs=2 * SAMPLE_RATE, output="sos"), noise)
    envelope = scipy.signal.sosfilt(scipy.signal.butter(2, 20, fs=2 * SAMPLE_RATE, output="sos"), np.abs(voice))
    return (voice + 0.05 * np.maximum(envelope, 0) * high).astype(np.float32)


def music(seconds: float) -> np.ndarray:
    """Four chords over a bass, a melody with vibrato, hi-hat and drum: decaying partials and bursts of noise."""
    rng = np.random.default_rng(11)
    length = int(seconds * SAMPLE_RATE)
    out = np.zeros(length + SAMPLE_RATE * 4)
    beat = SAMPLE_RATE // 2
    chords = ((57, 60, 64, 67), (53, 57, 60, 64), (48, 52, 55, 60), (55, 59, 62, 65))
    for number, begin in enumerate(range(0, length, beat)):
        chord = chords[number // 4 % 4]
        if number % 2 == 0:
            for note in chord:
                _add(out, begin, _note(note, 1.8, 12, 2.2, rng))
        _add(out, begin, 1.5 * _note(chord[0] - 24, 1.0, 8, 3.0, rng))
        _add(out, begin, 1.2 * _note(int(rng.choice(chord)) + 12, 0.9, 10, 3.5, rng, vibrato=5.5))
        _add(out, begin, _noise(0.18, 18.0, rng) * (1.0 if number % 2 else 0.4))
        for eighth in (0, beat // 2):
            _add(out, begin + eighth, 0.15 * np.diff(_noise(0.06, 60.0, rng)))
    out = out[:length]
    return (0.7 * out / np.abs(out).max()).astype(np.float32)


def _note(
    midi: int, seconds: float, partials: int, decay: float, rng: np.random.Generator, *, vibrato: float = 0.0
) -> np.ndarray:
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = 440 * 2 ** ((midi - 69) / 12)
    turns = pitch * time + (0.0015 * pitch * np.sin(2 * np.pi * vibrato * time) / vibrato if vibrato else 0)
    tone = np.zeros_like(time)
    for k in range(1, partials + 1):
        if k * pitch < SAMPLE_RATE / 2.1:
            stretched = k * np.sqrt(1 + 2e-4 * k * k)
            tone += np.exp(-decay * time * (1 + 0.3 * k)) / k * np.sin(2 * np.pi * (turns * stretched + rng.random()))
    return tone * np.minimum(1, time / 0.005) * np.minimum(1, (seconds - time) / 0.05)


def _noise(seconds: float, decay: float, rng: np.random.Generator) -> np.ndarray:
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return rng.standard_normal(time.size) * np.exp(-decay * time)


def _add(out: np.ndarray, begin: int, part: np.ndarray) -> None:
    out[begin : begin + part.size] += part[: max(0, out.size - begin)]
