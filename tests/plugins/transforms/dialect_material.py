"""Every dialect with its figures, sounds, and the transforms between waveforms and mel spectrograms.

The arrays in configs/samples/mel are what the model families' own extractors computed from tests/data/speech_*.wav.
"""

from pathlib import Path

import numpy as np
import soundfile
import soxr

import tonearm
from tonearm.api import Context, MelDialect, Waveform
from tonearm.plugins import registry
from tonearm_plugins.dialects import presets
from tonearm_plugins.transforms.mel_to_wave import MelToWave, MelToWaveOptions
from tonearm_plugins.transforms.wave_to_mel import WaveToMel, WaveToMelOptions

ROOT = Path(__file__).parents[3]
EXTRACTED = {
    "bigvgan-24k": 1e-3, "cosyvoice2": 1e-3, "hifigan": 1e-3, "librosa-db": 1e-3, "matcha": 1e-3, "melgan": 1e-3,
    "nemo-fastpitch": 1e-3, "speecht5": 1e-3, "styletts2": 1e-3, "tacotron2": 1e-3, "tacotron2-rayhane": 1e-3,
    "vocos": 1e-3, "whisper": 1e-3,
    "ast": 1e-3, "clap": 1e-3, "pop2piano": 1e-3, "seamless-fbank": 1e-3, "torchaudio": 1e-3, "tortoise": 1e-3,
    "univnet": 1e-3, "voxtral-realtime": 1e-3,
    "kaldi-fbank": 3e-3,  # the extractor works in float32 on samples of 32768
}  # fmt: skip
STANDARDISED = {"fastspeech2-conformer", "mozilla-tts", "nemo-asr", "xtts-dvae"}
RECIPES = presets()
NAMES = sorted(name for name, recipe in RECIPES.items() if set(recipe) != {"base"})
USABLE = [name for name in NAMES if name != "gansynth"]
PICTURES = {"riffusion", "audio-diffusion"}  # bytes

DIALECTS = registry.default().catalogue(MelDialect)


def figures(name):
    """Return all figures of a preset as the data files have them."""
    recipe = dict(RECIPES[name])
    base = recipe.pop("base", None)
    return (figures(base) if base else {}) | recipe


def speech(rate):
    if rate == 48000:
        return soxr.resample(speech(24000), 24000, rate)
    samples, _ = soundfile.read(ROOT / f"tests/data/speech_{rate}.wav", dtype="float64")
    return samples


def sounding(rate, seconds=1.1):
    """Return something with a pitch that rises, and noise that fades."""
    time = np.arange(int(rate * seconds) + 37) / rate
    noise = np.random.default_rng(0).standard_normal(time.size)
    return 0.3 * np.sin(2 * np.pi * 220 * time * (1 + 0.1 * time)) + 0.05 * noise * np.exp(-3 * time)


def to_mel(samples, dialect):
    wave = Waveform(samples=np.atleast_2d(samples), sample_rate=dialect.sample_rate)
    return WaveToMel(WaveToMelOptions(dialect=dialect)).apply(wave, Context())


def to_wave(mel, context=None, **options):
    return MelToWave(MelToWaveOptions(**options)).apply(mel, context or Context())


def extracted(name):
    """Return what the extractor computed, (mels, frames)."""
    array = np.load(ROOT / f"configs/samples/mel/{name}.npy")
    return array if DIALECTS.find(name).layout == "mels-frames" else array.T


def distance_db(found, wanted, dialect):
    """Return the mean distance of two mel spectrograms in dB."""
    if dialect.log == "none":
        found, wanted = (20 / dialect.exponent * np.log10(np.maximum(x, 1e-5)) for x in (found, wanted))
        return np.abs(found - wanted).mean()
    return np.abs(found - wanted).mean() / dialect.range.unit * 20 * np.log10(2)


def problems_of(options, *steps):
    """Return the problems of a pipeline with these steps, ``mel-to-wave`` if there are none."""
    pipeline = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": options},
        "steps": list(steps) or [{"use": "mel-to-wave"}],
        "outputs": [{"use": "wav-writer", "file": "a.wav"}],
    }
    try:
        tonearm.load_pipeline(pipeline)
    except tonearm.PipelineError as error:
        return error.problems
    return []
