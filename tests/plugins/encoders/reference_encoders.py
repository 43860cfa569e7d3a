"""Reference encoders of the lossy codecs, as their own programs: a file with the sound, to compare ours with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import soundfile
from other_decoders import call

Reference = Callable[[Any, int, Path], Path]
"""Function from samples of shape (channels, n), a sample rate and a path without suffix to the path of the file."""


def by_oggenc(quality: float) -> Reference:
    """Vorbis by oggenc."""
    return lambda samples, rate, path: _made(path, ".ogg", samples, rate, "oggenc -Q -q", quality, "-o {out} {wav}")


def by_opusenc(bitrate: int) -> Reference:
    """Opus by opusenc, of a constrained bit rate in kbit/s for each channel, as libsndfile has it."""
    return lambda samples, rate, path: _made(
        path, ".opus", samples, rate, "opusenc --quiet --cvbr --bitrate", bitrate * len(samples), "{wav} {out}"
    )


def by_lame(*options: object) -> Reference:
    """MP3 by lame, with options such as ``"-b", 128``; it keeps the sample rate."""

    def reference(samples: Any, rate: int, path: Path) -> Path:
        return _made(path, ".mp3", samples, rate, "lame --quiet --resample", rate / 1000, *options, "{wav} {out}")

    return reference


def by_ffmpegs_aac(bitrate: int) -> Reference:
    """AAC by the ffmpeg of imageio-ffmpeg, as new as that of PyAV, of a bit rate in kbit/s for each channel."""
    return lambda samples, rate, path: _made(
        path,
        ".m4a",
        samples,
        rate,
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-nostdin -v error -y -i {wav} -c:a aac -b:a",
        f"{bitrate * len(samples)}k",
        "{out}",
    )


def _made(path: Path, suffix: str, samples: Any, rate: int, *command: object) -> Path:
    """Run a command in pieces, in which {wav} is the sound in 24 bits and {out} the file to write."""
    wav, out = path.with_suffix(".wav"), path.with_suffix(suffix)
    extensible = "WAVEX" if len(samples) > 2 else "WAV"
    soundfile.write(wav, np.asarray(samples, "f8").T, rate, subtype="PCM_24", format=extensible)
    call(*" ".join(map(str, command)).format(wav=wav, out=out).split())
    wav.unlink()
    return out
