"""What the tests of encoders share: pipelines in memory, and decoders that are not ours."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest

import tonearm
from tonearm.api import Context, Item, Sink, Waveform
from tonearm.errors import Place
from tonearm.errors.problem import hint_of
from tonearm.run.report import Report


def rates_and_channels(rates: Sequence[int]) -> list[Any]:
    """Every rate with 1, 2 and 6 channels; but for a third of them only where slow tests run."""
    pairs = [(rate, channels) for rate in rates for channels in (1, 2, 6)]
    return [
        pytest.param(*pair, marks=[] if number // 3 % 3 == number % 3 else [pytest.mark.slow])
        for number, pair in enumerate(pairs)
    ]


def noise(channels: int, length: int, loud: float = 0.1, kind: str = "f4") -> Any:
    return (np.random.default_rng(channels * 7919 + length).standard_normal((channels, length)) * loud).astype(kind)


def tone(rate: int, length: int, channels: int = 1, hertz: float = 440.0) -> Any:
    phases = np.arange(channels)[:, None]
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(length) / rate + phases)).astype("f4")


def mapping(use: str, suffix: str, rate: int | None = 22050, **options: Any) -> dict[str, Any]:
    """A pipeline from .npy waveforms to one encoder."""
    reader = {"sample_rate": rate or 22050, "kind": "waveform", "axes": ["channel", "time"]}
    return {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": reader},
        "steps": [],
        "outputs": [{"use": use, "file": f"{{stem}}{suffix}", "with": options}],
    }


def run(folder: Path, samples: Any, pipeline: Mapping[str, Any]) -> tuple[Path, Report]:
    """Run a pipeline over one array; return the file and the report."""
    np.save(folder / "sound.npy", samples)
    report = tonearm.load_pipeline(pipeline).run([folder / "sound.npy"], out=folder / "out", force=True)
    return (report.outputs[0] if report.outputs else folder), report


def encoded(
    plugin: Any,
    folder: Path,
    samples: Any,
    rate: int,
    tags: Mapping[str, str] | None = None,
    *,
    suffix: str | None = None,
) -> Any:
    """Call an encoder itself; return the file and the context."""
    if suffix is None:
        suffix = plugin.suffixes[0] if plugin.suffixes else ""
    sink, context = Sink(folder / "one.part", suffix), Context()
    item = Item(signal=Waveform(samples=samples, sample_rate=rate), tags=tags or {})
    plugin.check_signal(item.signal, suffix)
    plugin.encode(item, sink, context)
    return sink.path, context


def yaml_hint(problem: Any) -> str:
    """The remedies of a problem, as they read for a pipeline in YAML."""
    return hint_of(problem.remedies, Place(stage="outputs.0"))


def by_ffmpeg(path: Path, kind: str = "f4") -> Any:
    """Decode by ffmpeg, at the file's own rate: (samples, channels) flattened."""
    formats = {"f4": "f32le", "i2": "s16le", "i4": "s32le"}
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", formats[kind], "-"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return np.frombuffer(done.stdout, f"<{kind}")


def said_by_ffmpeg(path: Path) -> str:
    """What ffmpeg says of a file: its codec, rate, channels, tags."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(path)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).stderr.decode()


def error_db(got: Any, wanted: Any) -> float:
    """Error of a decoded sound in dB below it."""
    return float(10 * np.log10(np.mean(np.square(got - wanted, dtype="f8")) / np.mean(np.square(wanted, dtype="f8"))))
