"""Sounds that encoders get block by block, as in a stream: into files, and into pipes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from other_decoders import program

from tonearm.api import Context, Sink, Spec, StartedEncoder, Waveform
from tonearm.run.store.memory_sink import MemorySink
from tonearm.run.store.pipe_sink import PipeSink


def stream_of(samples: Any, rate: int, suffix: str) -> Spec:
    """What an encoder knows of a sound that comes block by block."""
    precision = "double" if samples.dtype == "f8" else "single"
    return Spec(signals=(Waveform,), sample_rate=rate, channels=samples.shape[0], suffix=suffix, precision=precision)


def blocks_by(samples: Any, cuts: Iterable[int]) -> Iterator[Any]:
    """Blocks of these lengths, and the rest of a sound. Each lies in memory that is spoilt after it."""
    at = 0
    for cut in (*cuts, samples.shape[1]):
        block = samples[:, at : at + cut].copy()
        if block.size:
            yield block
            block[:] = np.nan
        at += cut


def started(plugin: Any, samples: Any, rate: int, sink: Sink, context: Context | None = None) -> StartedEncoder:
    spec = stream_of(samples, rate, sink.suffix)
    plugin.accepts(spec)
    plugin.check_blocks(spec)
    if not sink.seekable:
        plugin.check_pipe(spec)
    return plugin.start(spec, sink, context or Context())  # type: ignore[no-any-return]


def write_all(plugin: Any, samples: Any, rate: int, sink: Sink, cuts: Iterable[int] = ()) -> Context:
    context = Context()
    encoder = started(plugin, samples, rate, sink, context)
    for block in blocks_by(samples, cuts):
        encoder.write(block)
    encoder.finish()
    return context


def streamed(plugin: Any, samples: Any, rate: int, cuts: Iterable[int] = ()) -> bytes:
    """The file that a stream becomes."""
    with MemorySink(plugin.suffixes[0]) as sink:
        write_all(plugin, samples, rate, sink, cuts)
        return sink.content(type(plugin).__name__)


def piped(plugin: Any, samples: Any, rate: int, cuts: Iterable[int] = ()) -> bytes:
    """What a stream passes through a pipe."""
    out = bytearray()
    write_all(plugin, samples, rate, PipeSink(out.extend, plugin.suffixes[0]), cuts)
    return bytes(out)


def through(content: bytes, name: str, *arguments: str) -> bytes:
    """What a program makes of its standard input."""
    done = subprocess.run([program(name), *arguments], input=content, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def ffmpeg_hears(content: bytes, channels: int, kind: str = "f4") -> Any:
    formats = {"f4": "f32le", "i2": "s16le"}
    raw = through(content, "ffmpeg", "-v", "error", "-i", "-", "-f", formats[kind], "-")
    return np.frombuffer(raw, f"<{kind}").reshape(-1, channels).T


def spy(pieces: list[bytes], suffix: str) -> PipeSink:
    """A pipe that keeps its pieces."""
    return PipeSink(lambda data: pieces.append(bytes(data)), suffix)
