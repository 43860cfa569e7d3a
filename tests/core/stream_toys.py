"""A toy encoder that works block by block, and a registry with it beside the built-in plugins."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from core_toys import hooks, package_of

from tonearm.api import (
    BlockEncoder,
    BlockTransform,
    Context,
    Limits,
    NoOptions,
    Sink,
    Spec,
    StartedEncoder,
    StartedTransform,
    Waveform,
)
from tonearm.plugins.discovery import installed_packages
from tonearm.plugins.registry import Registry

UNKNOWN = 0xFFFFFFFF
"""Number of samples in the header of a pipe."""


@dataclass(frozen=True, kw_only=True)
class ToyOptions:
    fails_at: int = 0
    """Number of the block at which it fails; 0 for none."""


class StartedToy(StartedEncoder):
    """A header with the number of samples, then float32 samples, interleaved."""

    given_up: ClassVar[list[StartedToy]] = []

    def __init__(self, options: ToyOptions, spec: Spec, sink: Sink) -> None:
        self.options = options
        self.channels = spec.channels
        self.sink = sink
        self.file = sink.open()
        self.blocks = self.length = 0
        self.file.write(struct.pack("<4sIII", b"TOY!", spec.sample_rate or 0, spec.channels or 0, UNKNOWN))

    def write(self, block: Any) -> None:
        self.blocks += 1
        if self.blocks == self.options.fails_at:
            raise RuntimeError("the toy is broken")
        self.length += block.shape[-1]
        self.file.write(block.T.astype("<f4").tobytes())

    def finish(self) -> None:
        if self.sink.seekable:
            self.file.seek(12)
            self.file.write(struct.pack("<I", self.length))
        self.file.close()

    def abort(self) -> None:
        self.given_up.append(self)
        self.file.close()


class ToyWriter(BlockEncoder[Waveform, ToyOptions]):
    suffixes = (".toy",)
    limits = Limits(name="TOY", channels=2)
    any_blocks = True
    pipes = True

    def start(self, spec: Spec, sink: Sink, context: Context) -> StartedEncoder:
        return StartedToy(self.options, spec, sink)


class FileOnlyWriter(ToyWriter):
    """An encoder that wants the path of its file."""

    suffixes = (".fileonly",)
    pipes = False

    def start(self, spec: Spec, sink: Sink, context: Context) -> StartedEncoder:
        sink.path.touch()
        return super().start(spec, sink, context)


class _Breaking(StartedTransform):
    def __init__(self, value: float) -> None:
        self.value = value
        self.seen = 0

    def push(self, block: Any) -> Any:
        self.seen += block.shape[-1]
        return np.full_like(block, self.value) if self.seen > 1000 else block


class Nan(BlockTransform[Waveform, Waveform, NoOptions]):
    """Give NaN from the thousandth sample on."""

    any_blocks = True

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        return _Breaking(float("nan"))


def registry_with_toys() -> Registry:
    """Return a registry with the toys beside the built-in plugins."""
    toys = hooks(encoders={"toy-writer": ToyWriter, "file-only-writer": FileOnlyWriter}, transforms={"nan": Nan})
    return Registry([*installed_packages(), package_of("toys", toys)])


def toy_samples(content: bytes) -> np.ndarray:
    """Return the samples of a toy's file, of shape (channels, samples)."""
    magic, _rate, channels, _length = struct.unpack_from("<4sIII", content)
    assert magic == b"TOY!"
    return np.frombuffer(content, "<f4", offset=16).reshape(-1, channels).T


def toy_length(content: bytes) -> int:
    """Return the number of samples that the header states."""
    return int(struct.unpack_from("<I", content, 12)[0])
