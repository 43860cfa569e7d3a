"""`tonearm.stream` in chunks against `tonearm.save` of the whole, and against the libraries that write in chunks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import harness
import lameenc
import material
import numpy as np
import soundfile

import tonearm

RATE = 24_000
SECONDS = 30
ROUNDS = 11
FORMS = ("wav", "flac", "ogg", "opus", "mp3", "m4a")
CHUNKS = (480, 2_048, 24_000)
"""Samples of a chunk: 20 ms as telephones have it, a decoder's 85 ms, and a second."""

SUBTYPES = {"wav": ("WAV", "PCM_16"), "flac": ("FLAC", "PCM_24"), "ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS")}
"""Format and subtype for soundfile."""


def tables() -> Iterator[harness.Table]:
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMS:
            yield _in_chunks(Path(folder), form)
    yield _first_bytes()


def _sound() -> np.ndarray:
    """Speech from its first loud sample on."""
    speech = material.speech(2 * SECONDS)
    start = int(np.argmax(np.abs(speech) > 0.1))
    return np.ascontiguousarray(speech[start : start + SECONDS * RATE], np.float32)


def _cut(samples: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (samples[start : start + size] for start in range(0, samples.size, size))


def _in_chunks(folder: Path, form: str) -> harness.Table:
    samples = _sound()

    def whole() -> None:
        tonearm.save(samples, folder / f"whole.{form}", sample_rate=RATE)

    def streamed(size: int) -> None:
        with tonearm.stream(folder / f"{size}.{form}", sample_rate=RATE) as out:
            for chunk in _cut(samples, size):
                out.write(chunk)

    def by_soundfile() -> None:
        container, subtype = SUBTYPES[form]
        with soundfile.SoundFile(folder / f"peer.{form}", "w", RATE, 1, subtype, format=container) as out:
            for chunk in _cut(samples, CHUNKS[1]):
                out.write(chunk)

    def by_lameenc() -> None:
        encoder = lameenc.Encoder()
        encoder.set_bit_rate(64)
        encoder.set_in_sample_rate(RATE)
        encoder.set_channels(1)
        encoder.silence()
        with (folder / "peer.mp3").open("wb") as out:
            for chunk in _cut(samples, CHUNKS[1]):
                out.write(encoder.encode(np.rint(np.clip(chunk, -1, 1) * 32767).astype("<i2").tobytes()))
            out.write(encoder.flush())

    contenders: dict[str, harness.Work] = {"`tonearm.save`": whole}
    contenders |= {f"`tonearm.stream`, chunks of {size:,}": lambda size=size: streamed(size) for size in CHUNKS}
    if form in SUBTYPES:
        contenders[f"`soundfile.SoundFile`, chunks of {CHUNKS[1]:,}"] = by_soundfile
    if form == "mp3":
        contenders[f"`lameenc`, 64 kbit/s, chunks of {CHUNKS[1]:,}"] = by_lameenc
    measured = harness.compare(contenders, rounds=ROUNDS, memory=False, clock=harness.cpu)
    rows = tuple(
        (name, harness.milliseconds(one.median), f"{harness.times_faster(measured['`tonearm.save`'], one):.3g}")
        for name, one in measured.items()
    )
    return harness.Table(f"{form.upper()}, {SECONDS} s at {RATE} Hz", ("", "CPU ms", "× `tonearm.save`"), rows)


def _first_bytes() -> harness.Table:
    rows = []
    for form in FORMS:
        given: list[np.ndarray] = []
        next(iter(tonearm.stream_bytes(_noted(_cut(_sound(), CHUNKS[0]), given), form, sample_rate=RATE)))
        rows.append((form.upper(), f"{sum(chunk.size for chunk in given) / RATE:.2f}"))
    title = f"Sound that had been given when the first bytes left, in chunks of {CHUNKS[0]} samples at {RATE} Hz"
    return harness.Table(title, ("into a pipe", "seconds"), tuple(rows))


def _noted(chunks: Iterator[np.ndarray], given: list[np.ndarray]) -> Iterator[np.ndarray]:
    for chunk in chunks:
        given.append(chunk)
        yield chunk
