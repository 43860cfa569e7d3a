"""Encoders of AAC at work on blocks, and what ffmpeg hears in their pipes."""

from __future__ import annotations

import subprocess
from typing import Any

import imageio_ffmpeg
import numpy as np
import streamed_files
from hypothesis import strategies

from tonearm.api import Sink


def cuts_of(length: int) -> Any:
    """Places where a sound is cut, some of them after one sample."""
    return strategies.lists(strategies.integers(0, length), max_size=6).map(sorted)


def streamed(writer: Any, samples: Any, rate: int, sink: Sink, cuts: list[int]) -> None:
    streamed_files.write_all(writer, samples, rate, sink, np.diff([0, *cuts]))


def piped(writer: Any, samples: Any, rate: int, cuts: list[int]) -> bytes:
    return streamed_files.piped(writer, samples, rate, np.diff([0, *cuts]))


def from_pipe(content: bytes, channels: int, *options: str) -> tuple[Any, str]:
    """The samples (channels, n) that ffmpeg hears on its standard input, and what it says."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", *options, "-i", "-", "-map", "0:a", "-f", "f32le", "-"]
    done = subprocess.run(command, input=content, capture_output=True, check=True)
    return np.frombuffer(done.stdout, "<f4").reshape(-1, channels).T, done.stderr.decode()
