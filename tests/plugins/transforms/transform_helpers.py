"""Functions that make a transform, apply it to a waveform, and check a pipeline with it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

import tonearm
from tonearm.api import Context, Spec, Transform, Waveform
from tonearm.plugins.blocks import Recut, canonical_length
from tonearm.plugins.ports import ports_of

SAMPLES = Path(__file__).parents[3] / "configs" / "samples"


def make(plugin: type[Any], **options: Any) -> Any:
    return plugin(ports_of(plugin).options(**options))


def apply(plugin: type[Transform[Any, Any, Any]], samples: Any, rate: int = 48000, /, **options: Any) -> Any:
    """Apply a transform; return the samples of the result, and the context with measurements and warnings.

    The input must stay as it is, the precision must stay, and the result must be what the transform declares.
    """
    transform, context = make(plugin, **options), Context()
    given = np.array(samples)
    given.setflags(write=False)
    result = transform.apply(Waveform(samples=given, sample_rate=rate), context)
    known = transform.produces(
        Spec(signals=(Waveform,), sample_rate=rate, channels=given.shape[0], length=given.shape[1])
    )
    assert known.signals == (Waveform,)
    assert known.sample_rate in (None, result.sample_rate)
    assert known.channels in (None, result.channels)
    assert known.length in (None, result.length)
    assert result.samples.dtype == given.dtype
    return result.samples, context


def problems(*steps: dict[str, Any], encoder: str = "wav-writer", **source: Any) -> str:
    """Return the problems of a pipeline with these steps, as text."""
    pipeline = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": {"sample_rate": 48000, **source}},
        "steps": list(steps),
        "outputs": [{"use": encoder, "file": "{stem}-{key}-{index}.wav"}],
    }
    try:
        tonearm.load_pipeline(pipeline)
    except tonearm.PipelineError as error:
        return str(error)
    return ""


def speech() -> Any:
    """Return real speech at 22,050 Hz, (1, samples) float32."""
    return np.load(SAMPLES / "utt01.npy").reshape(1, -1)


def streamed(transform: Any, samples: Any, rate: int, cuts: Iterable[int], context: Context | None = None) -> Any:
    """Return what a transform makes of a waveform that comes in parts, as the host pushes them.

    The memory of each part is overwritten after its call, as a host may do.

    Parameters
    ----------
    transform
        Transform that works block by block.
    samples
        Waveform of shape (channels, samples).
    rate
        Sample rate in Hz.
    cuts
        Lengths of the parts; what is left comes as one.
    context
        Context that takes measurements.
    """
    precision: Any = "double" if samples.dtype == np.float64 else "single"
    spec = Spec(signals=(Waveform,), sample_rate=rate, channels=len(samples), precision=precision)
    started = transform.start(spec, context or Context())
    recut = Recut(0 if transform.any_blocks else canonical_length(spec))
    made, at = [], 0
    for length in (*cuts, samples.shape[1]):
        part = samples[:, at : at + length].copy()
        at += part.shape[1]
        for piece in recut.push(part):
            given = piece.copy()
            given.setflags(write=False)
            made.append(started.push(given).copy())
            given.setflags(write=True)
            given[:] = np.nan
    rest = recut.rest()
    made.append(started.finish() if rest is None else started.push_last(rest))
    return np.concatenate([block for block in made if block is not None], axis=-1)
