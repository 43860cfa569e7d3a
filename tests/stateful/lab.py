"""A folder of toy sources, the pipelines that run over them, and what must be on the disk afterwards.

Samples are multiples of 1/8, so that all outputs have the same size and none is rounded.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "faults"), str(TESTS / "core" / "run"), str(TESTS / "core")]

import numpy as np  # noqa: E402
from core_toys import RATE, checked, registry_of  # noqa: E402

from tonearm.api import (  # noqa: E402
    Context,
    Decoder,
    Encoder,
    Item,
    ItemError,
    Meta,
    NoOptions,
    Sink,
    Source,
    Waveform,
)
from tonearm.python import Pipeline  # noqa: E402

LEVELS = (0.125, 0.25, 0.375, 0.5)
BAD = "bad"
"""A line of a source that is no level: its item fails."""

Files = dict[str, bytes]


class LevelReader(Decoder[Waveform, NoOptions]):
    """Read a text file, each line of which is the level of an item."""

    suffixes = (".txt",)
    reads = "content"
    after_reading: Callable[[str], None] = staticmethod(lambda name: None)

    def decode(self, source: Source, context: Context) -> Iterator[Item[Waveform] | ItemError]:
        with source.open() as file:
            lines = file.read().decode().splitlines()
        type(self).after_reading(source.name)
        for index, line in enumerate(lines):
            if line == BAD:
                yield ItemError("no level", code="no-level")
            else:
                samples = np.full((1, 10), float(line), np.float32)
                yield Item(signal=Waveform(samples=samples, sample_rate=RATE), index=index)


@dataclass(frozen=True, kw_only=True)
class GainOptions:
    gain: Annotated[float, Meta(gt=0, description="Factor.")] = 1.0


class LevelWriter(Encoder[Waveform, GainOptions]):
    """Write what LevelReader reads, so that an output looks like a source."""

    suffixes = (".txt",)

    def encode(self, item: Item[Waveform], sink: Sink, context: Context) -> None:
        sink.path.write_bytes(level_text(float(item.signal.samples[0, 0]) * self.options.gain))


class PairWriter(Encoder[Waveform, GainOptions]):
    """Write samples, and a sidecar with their level."""

    suffixes = (".raw",)

    def encode(self, item: Item[Waveform], sink: Sink, context: Context) -> None:
        level = float(item.signal.samples[0, 0]) * self.options.gain
        sink.sidecar(".json").write_bytes(level_text(level))
        sink.path.write_bytes(raw_samples(level))


def level_text(level: float) -> bytes:
    """Return a level as a line of text of fixed length."""
    return f"{level:.6f}\n".encode()


def raw_samples(level: float) -> bytes:
    """Return ten samples of a level."""
    return np.full(10, level, "<f4").tobytes()


REGISTRY = registry_of(
    decoders={"level-reader": LevelReader}, encoders={"level-writer": LevelWriter, "pair-writer": PairWriter}
)


@dataclass(frozen=True)
class Setup:
    """What the pipeline of the next run is like.

    Attributes
    ----------
    gain
        Option of the encoders, which changes every output.
    folder
        Folder of the outputs below the output root: a part of the template.
    outputs
        Outputs, of ``level`` and ``pair``.
    """

    gain: float = 1.0
    folder: str = "first"
    outputs: tuple[str, ...] = ("level",)

    def pipeline(self, sources: Path) -> Pipeline:
        """Return the pipeline, which reads all texts below a folder."""
        suffixes = {"level": ".txt", "pair": ".raw"}
        lines = ["tonearm: 1", f"input: {{use: level-reader, files: '{sources}/**/*.txt'}}", "outputs:"]
        for output in self.outputs:
            template = f"{self.folder}/{output}/{{relative_dir}}/{{stem}}-{{index}}{suffixes[output]}"
            lines.append(f"  - {{use: {output}-writer, file: '{template}', with: {{gain: {self.gain}}}}}")
        return Pipeline(checked("\n".join(lines), REGISTRY))

    def item_files(self, output: str, source: str, index: int, level: float) -> Files:
        """Return the files that an item becomes, by their paths below the output root."""
        stem = os.path.normpath(f"{self.folder}/{output}/{source.removesuffix('.txt')}-{index}")
        if output == "level":
            return {f"{stem}.txt": level_text(level * self.gain)}
        return {f"{stem}.raw": raw_samples(level * self.gain), f"{stem}.json": level_text(level * self.gain)}


ItemName = tuple[str, str, int]
"""Output, source and index of an item."""


class Lab:
    """The sources, as they are on the disk.

    Parameters
    ----------
    root
        Folder of the sources.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lines: dict[str, tuple[str, ...]] = {}
        self._clock = 1_700_000_000
        root.mkdir(parents=True)

    def write(self, source: str, lines: tuple[str, ...]) -> None:
        """Write a source. Its time moves on even where the disk's clock is coarse."""
        path = self.root / source
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))
        self.lines[source] = lines
        self.touch(source)

    def touch(self, source: str) -> None:
        """Give a source a later time."""
        self._clock += 1
        os.utime(self.root / source, (self._clock, self._clock))

    def remove(self, source: str) -> None:
        """Remove a source."""
        (self.root / source).unlink()
        del self.lines[source]

    def items(self, setup: Setup) -> dict[ItemName, Files]:
        """Return the files of each item that a run must publish."""
        return {
            (output, source, index): setup.item_files(output, source, index, float(line))
            for output in setup.outputs
            for source, lines in self.lines.items()
            for index, line in enumerate(lines)
            if line != BAD
        }

    def count_failures(self, is_selected: Callable[[str], bool]) -> int:
        """Return the number of items of the selected sources that fail."""
        return sum(lines.count(BAD) for source, lines in self.lines.items() if is_selected(source))
