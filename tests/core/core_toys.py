"""Toy plugins, a registry made of them, and pipelines read from text."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

from tonearm.api import (
    Context,
    Decoder,
    Encoder,
    Item,
    Meta,
    NoOptions,
    OptionError,
    Regroup,
    Signal,
    Sink,
    Source,
    Spec,
    Transform,
    Waveform,
    hookimpl,
)
from tonearm.errors import PipelineError
from tonearm.pipeline.check import check
from tonearm.pipeline.checked import CheckedPipeline
from tonearm.pipeline.document import read_document
from tonearm.plugins.discovery import Package
from tonearm.plugins.registry import Registry

ROOT = Path(__file__).parents[2]
RATE = 8000


class Fog(Signal):
    """A signal of a third party's own."""

    port = "fog"


class Mist(Signal):
    port = "mist"


class Rain(Signal):
    port = "rain"


@dataclass(frozen=True, kw_only=True)
class ToneOptions:
    count: Annotated[int, Meta(ge=1, le=9, description="Items.")] = 2
    channels: Annotated[int, Meta(ge=1, description="Channels.")] = 1
    nan: str = "error"


class ToneReader(Decoder[Waveform, ToneOptions]):
    """Give constant sounds of levels 0.1, 0.2 and so on."""

    suffixes = (".tone",)

    def decode(self, source: Source, context: Context) -> Iterator[Item[Waveform]]:
        for index in range(self.options.count):
            context.measure(level=index + 1)
            yield item((index + 1) / 10, index=index, channels=self.options.channels)

    def produces(self) -> Spec:
        return Spec(signals=(Waveform,), sample_rate=RATE, channels=self.options.channels)


class FogReader(Decoder[Fog, NoOptions]):
    def decode(self, source: Source, context: Context) -> Iterator[Item[Fog]]:
        yield Item(signal=Fog())


class Same(Transform[Waveform, Waveform, NoOptions]):
    def apply(self, signal: Waveform, context: Context) -> Waveform:
        return signal


class FogToMist(Transform[Fog, Mist, NoOptions]):
    def apply(self, signal: Fog, context: Context) -> Mist:
        return Mist()


class MistToWave(Transform[Mist, Waveform, NoOptions]):
    def apply(self, signal: Mist, context: Context) -> Waveform:
        return item(0.5).signal


class RainToWave(Transform[Rain, Waveform, NoOptions]):
    def apply(self, signal: Rain, context: Context) -> Waveform:
        return item(0.5).signal


class Join(Regroup[Waveform, Waveform, NoOptions]):
    """Put all items of a source one after another."""

    def regroup(self, items: Iterator[Item[Waveform]], context: Context) -> Iterator[Item[Waveform]]:
        found = [one.signal for one in items]
        samples = np.concatenate([signal.samples for signal in found], axis=1)
        yield Item(signal=Waveform(samples=samples, sample_rate=found[0].sample_rate))


@dataclass(frozen=True, kw_only=True)
class RawOptions:
    level: Annotated[float, Meta(gt=0, le=1, description="Loudness.")]
    most: Annotated[int | None, Meta(ge=1, description="Channels at most.")] = None


class RawWriter(Encoder[Waveform, RawOptions]):
    """Write float32 samples and nothing else."""

    suffixes = (".raw",)

    def encode(self, item: Item[Waveform], sink: Sink, context: Context) -> None:
        sink.path.write_bytes((item.signal.samples * self.options.level).astype("<f4").tobytes())

    def accepts(self, spec: Spec) -> None:
        most = self.options.most
        if most and spec.channels is not None and spec.channels > most:
            raise OptionError(
                f"{spec.channels} channels, but at most {most}", option="most", code="channels", hint="use fewer"
            )


def item(level: float, *, index: int = 0, key: str = "", channels: int = 1) -> Item[Any]:
    samples = np.full((channels, 100), level, np.float32)
    return Item(signal=Waveform(samples=samples, sample_rate=RATE), index=index, key=key)


def hooks(**offered: Any) -> types.SimpleNamespace:
    """Return an object with a hook for each role: a mapping to hand over, or what to call."""
    made = {}
    for role, found in offered.items():
        name = f"tonearm_{role}"

        def function(found: Any = found) -> Any:
            return found() if callable(found) else found

        hook: Any = (lambda f: lambda: f())(function)
        hook.__name__ = name
        made[name] = hookimpl(hook)
    return types.SimpleNamespace(**made)


def package_of(origin: str, plugin: Any = None, *, load: Any = None, label: str | None = None) -> Package:
    return Package(origin, load or (lambda: plugin), f"tonearm_{origin} 1.2" if label is None else label)


TOYS = {
    "decoders": {"tone-reader": ToneReader, "fog-reader": FogReader},
    "transforms": {
        "fog-to-mist": FogToMist, "join": Join, "mist-to-wave": MistToWave, "rain-to-wave": RainToWave, "same": Same,
    },
    "encoders": {"raw-writer": RawWriter},
}  # fmt: skip


def registry_of(**offered: Any) -> Registry:
    """Return a registry with the toys, and more plugins, by hook: ``transforms={"name": Class}``."""
    merged = {role: TOYS.get(role, {}) | offered.get(role, {}) for role in {**TOYS, **offered}}
    made = Registry([package_of("toys", hooks(**merged))])
    assert made.problems == []
    return made


def checked(text: str, registry: Registry | None = None) -> CheckedPipeline:
    return check(read_document(text, "p.yaml", environ={}), "p.yaml", registry or registry_of())


def problems(text: str, registry: Registry | None = None) -> list[str]:
    """Return what check says of a pipeline, each problem as a user reads it."""
    with pytest.raises(PipelineError) as caught:
        checked(text, registry)
    return [str(problem) for problem in caught.value.problems]


def pipeline(text: str = "", *, reader: str = "tone-reader", steps: tuple[str, ...] = ()) -> str:
    """Return a pipeline of toys as YAML, stage by stage: a name, or ``name, with: {…}``."""
    lines = ["tonearm: 1", f"input: {{use: {reader}}}"]
    lines += ["steps:", *(f"  - {{use: {step}}}" for step in steps)] if steps else []
    return "\n".join([*lines, "outputs:", "  - {use: raw-writer, file: '{stem}-{index}.raw', with: {level: 1}}", text])


def tonearm(*arguments: Any, env: dict[str, str] | None = None, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    command = [sys.executable, "-m", "tonearm.cli", *map(str, arguments)]
    script = Path(sysconfig.get_path("scripts")) / "tonearm"
    if script.exists():
        command[:3] = [str(script)]
    environ = {**os.environ, "COLUMNS": "100", **(env or {})}
    return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=60, **more)


def third_party(folder: Path, name: str, code: str, version: str = "1.2") -> dict[str, str]:
    """Install a package of one module into a folder; return the environment that has it on the path."""
    metadata = folder / f"tonearm_{name}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "entry_points.txt").write_text(f"[tonearm]\n{name} = tonearm_{name}\n")
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: tonearm-{name}\nVersion: {version}\n")
    (folder / f"tonearm_{name}.py").write_text(code)
    before = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{before}" if before else str(folder)}
