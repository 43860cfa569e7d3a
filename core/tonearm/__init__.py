"""Turns what machine-learning models write into audio that people can hear.

One call writes a file. Its suffix selects the format, and keywords say what the array cannot::

    import tonearm

    tonearm.save(audio, "speech.wav", sample_rate=24000)
    tonearm.save(mel, "speech.mp3", dialect="hifigan")
    tonearm.save(stft, "speech.flac", sample_rate=22050, n_fft=1024, hop_length=256)
    tonearm.save(codes, "speech.wav", layout="orpheus", model="snac_24khz/decoder.onnx")

``audio``, ``mel``, ``stft`` and ``codes`` are lists, arrays or tensors of any library, device and type, such as
bfloat16. If one does not tell what it holds, the error names the keyword to write. A mel needs its ``dialect``, and
codec tokens their ``layout``: the model family that they are made for. ``help(tonearm.save)`` describes every keyword.

- `save` writes a file, `encode` returns its bytes, `to_waveform` returns a `Waveform`, and `read` reads a file as one.
- `to_tokens` returns the codes that a language model wrote as text or ids, as their codec's decoder takes them.
- `stream` writes a sound while it is made, into a file, a pipe or a socket; `stream_bytes` and `astream_bytes` yield
  its bytes, as for a server.
- `load_pipeline` loads a pipeline in YAML, or a mapping like it: `Pipeline.convert` works in memory, and `Pipeline.run`
  converts thousands of files in several processes.
- Every error is a `TonearmError`, whose message ends with what to write; every warning is a `TonearmWarning`.

Everything takes plain lists, too:

>>> import tonearm
>>> tone = [0.5, -0.5] * 4000
>>> tonearm.to_waveform(tone, sample_rate=8000)
<waveform 1×8000 at 8000 Hz>

A name is imported when it is first used, so ``import tonearm`` alone costs nothing.
"""

from __future__ import annotations

from tonearm.version import __version__

TYPE_CHECKING = False  # without importing typing: see `tonearm.startup`
if TYPE_CHECKING:
    from typing import Any

    from tonearm.conversion.saved import Saved
    from tonearm.errors import ItemError, OutputError, PipelineError, Problem, TonearmError, UsageError
    from tonearm.errors.warning import TonearmWarning
    from tonearm.plugins.progress import Progress
    from tonearm.python import AudioInput, Pipeline, encode, load_pipeline, read, save, to_waveform
    from tonearm.python.stream import Stream, stream
    from tonearm.python.stream_bytes import astream_bytes, stream_bytes
    from tonearm.python.tokens import to_tokens
    from tonearm.recipes.mel import MelDialect, MelSpectrogram
    from tonearm.recipes.tokens import TokenLayout
    from tonearm.signals import (
        CodecTokens,
        ComplexSpectrogram,
        Latents,
        MagnitudeSpectrogram,
        Signal,
        StftGrid,
        Waveform,
    )

__all__ = [
    "AudioInput",
    "CodecTokens",
    "ComplexSpectrogram",
    "ItemError",
    "Latents",
    "MagnitudeSpectrogram",
    "MelDialect",
    "MelSpectrogram",
    "OutputError",
    "Pipeline",
    "PipelineError",
    "Problem",
    "Progress",
    "Saved",
    "Signal",
    "StftGrid",
    "Stream",
    "TokenLayout",
    "TonearmError",
    "TonearmWarning",
    "UsageError",
    "Waveform",
    "__version__",
    "astream_bytes",
    "encode",
    "load_pipeline",
    "read",
    "save",
    "stream",
    "stream_bytes",
    "to_tokens",
    "to_waveform",
]

_MODULES = {
    "AudioInput": "python",
    "CodecTokens": "signals",
    "ComplexSpectrogram": "signals",
    "ItemError": "errors",
    "Latents": "signals",
    "MagnitudeSpectrogram": "signals",
    "MelDialect": "recipes.mel",
    "MelSpectrogram": "recipes.mel",
    "OutputError": "errors",
    "Pipeline": "python",
    "PipelineError": "errors",
    "Problem": "errors",
    "Progress": "plugins.progress",
    "Saved": "conversion.saved",
    "Signal": "signals",
    "StftGrid": "signals",
    "Stream": "python.stream",
    "TokenLayout": "recipes.tokens",
    "TonearmError": "errors",
    "TonearmWarning": "errors.warning",
    "UsageError": "errors",
    "Waveform": "signals",
    "astream_bytes": "python.stream_bytes",
    "encode": "python",
    "load_pipeline": "python",
    "read": "python",
    "save": "python",
    "stream": "python.stream",
    "stream_bytes": "python.stream_bytes",
    "to_tokens": "python.tokens",
    "to_waveform": "python",
}
"""Public names, each with the module that is imported when the name is first used."""


def __getattr__(name: str) -> Any:
    """Import a public name, and keep it."""
    if name not in _MODULES:
        raise AttributeError(f"module 'tonearm' has no attribute {name!r}")
    import importlib

    importlib.import_module("tonearm.forks")
    value = getattr(importlib.import_module(f"tonearm.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
