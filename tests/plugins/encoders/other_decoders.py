"""Other people's decoders: each turns a file into WAV, and what is in that is what they heard.

A program that is not here skips a test on somebody's machine, and fails it where TONEARM_ALL_PROGRAMS is set, as in CI.
"""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import warnings
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile

PACKAGES = {"oggdec": "vorbis-tools", "opusdec": "opus-tools", "opusinfo": "opus-tools"}
"""Those Debian packages that are not called as their program is."""


def program(name: str) -> str:
    """Path of a program, or the end of the test."""
    found = shutil.which(name)
    if found is None:
        message = f"{name} is not here: apt-get install {PACKAGES.get(name, name)}"
        if os.environ.get("TONEARM_ALL_PROGRAMS"):
            pytest.fail(message)
        pytest.skip(message)
    return found


def call(name: str, *arguments: Any) -> str:
    """Run a program, which must succeed; what it said."""
    command = [name if "/" in name else program(name), *map(str, arguments)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, f"{' '.join(command)}:\n{said}"
    return said


def by_sox(path: Path, wav: Path) -> None:
    call("sox", "-D", "-t", path.suffix[1:], path, "-t", "wav", wav)


def by_ffmpeg(path: Path, wav: Path, *options: str) -> None:
    """Debian's ffmpeg."""
    _ffmpeg(program("ffmpeg"), path, wav, *options)


def by_another_ffmpeg(path: Path, wav: Path, *options: str) -> None:
    """The ffmpeg that imageio-ffmpeg brings along, years newer."""
    _ffmpeg(imageio_ffmpeg.get_ffmpeg_exe(), path, wav, *options)


def by_ffmpeg_with_libopus(path: Path, wav: Path) -> None:
    """ffmpeg's own decoder of Opus gets some files of more than two channels wrong, opusenc's too."""
    by_ffmpeg(path, wav, "-c:a", "libopus")


def _ffmpeg(exe: str, path: Path, wav: Path, *options: str) -> None:
    call(exe, "-nostdin", "-v", "error", "-y", *options, "-i", path, "-c:a", "pcm_s32le", "-f", "wav", wav)


def by_flac(path: Path, wav: Path) -> None:
    call("flac", "--totally-silent", "-t", "--warnings-as-errors", path)
    call("flac", "--totally-silent", "-d", "-f", "-o", wav, path)


def by_mpg123(path: Path, wav: Path) -> None:
    call("mpg123", "-q", "-e", "s32", "-w", wav, path)


def by_oggdec(path: Path, wav: Path) -> None:
    call("oggdec", "-Q", "-o", wav, path)
    samples, rate = soundfile.read(wav, dtype="int16", always_2d=True)
    soundfile.write(wav, _reordered(samples.T).T, rate)


def by_opusdec(path: Path, wav: Path) -> None:
    said = call("opusinfo", path)
    assert "WARNING" not in said, said
    call("opusdec", "--quiet", "--float", "--rate", 48000, path, wav)


def by_faad(path: Path, wav: Path) -> None:
    call("faad", "-q", "-b", "4", "-o", wav, path)


def by_apples_alac(path: Path, wav: Path) -> None:
    """Apple's own code, which libsndfile has within, and opens in CAF alone."""
    caf = path.with_suffix(".caf")
    call("ffmpeg", "-nostdin", "-v", "error", "-y", "-i", path, "-c", "copy", caf)
    content = bytearray(caf.read_bytes())
    content[35] = 3  # for 24 bits: ffmpeg does not say how many bits the source had, and libsndfile wants to know
    caf.write_bytes(content)
    samples, rate = soundfile.read(caf, dtype="int32", always_2d=True)
    if samples.shape[1] == 6:
        samples = samples[:, [1, 2, 0, 5, 3, 4]]  # from ALAC's own order: C, L, R, Ls, Rs, LFE
    soundfile.write(wav, samples, rate, subtype="PCM_32")


def by_lame(path: Path, wav: Path) -> None:
    """LAME's own decoder, which removes the delay that its frame of information gives."""
    call("lame", "--quiet", "--decode", path, wav)


def by_wave_module(path: Path, wav: Path) -> None:
    """Python's ``wave``, which reads 16 bits in the plain form of the header."""
    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        soundfile.write(wav, samples, file.getframerate())


def by_aifc_module(path: Path, wav: Path) -> None:
    """Python's ``aifc``, which Python 3.13 has no longer."""
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        aifc = importlib.import_module("aifc")
    with aifc.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), ">i2").reshape(-1, file.getnchannels())
        soundfile.write(wav, samples.astype("i2"), file.getframerate())


def by_libsndfile(path: Path, wav: Path) -> None:
    samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    soundfile.write(wav, samples, rate, subtype="DOUBLE", format="WAV")


def heard(path: Path, by: Callable[[Path, Path], None], dtype: str = "float64") -> tuple[int, Any]:
    """The sample rate in Hz that a decoder gives, and the samples: (channels, n)."""
    wav = path.with_name(f"{path.name}.{by.__name__}.wav")
    by(path, wav)
    samples, rate = soundfile.read(wav, dtype=dtype, always_2d=True)
    wav.unlink()
    return rate, samples.T


COMMANDS = {
    "another ffmpeg": "{another} -v error -y -i {source} -c:a pcm_s32le -f wav {wav}",
    "ffmpeg": "ffmpeg -v error -y -i {source} -c:a pcm_s32le -f wav {wav}",
    "ffmpeg told the form": "ffmpeg -v error -y -f {form} -i {source} -c:a pcm_s32le -f wav {wav}",
    "ffmpeg with libopus": "ffmpeg -v error -y -c:a libopus -i {source} -c:a pcm_s32le -f wav {wav}",
    "flac": "flac --totally-silent -d -f -o {wav} {source}",
    "mpg123": "mpg123 -q -e s32 -w {wav} {source}",
    "oggdec": "oggdec -Q -o {wav} {source}",
    "opusdec": "opusdec --quiet --float --rate 48000 {source} {wav}",
    "sox": "sox -D -t {form} {source} -t wav {wav}",
}
"""Commands that decode a file of a format, or their stdin where the source is ``-``, to a WAV file."""


def heard_by_command(by: str, source: Path | bytes, wav: Path, form: str) -> tuple[int, Any]:
    """The sample rate in Hz and the samples, (channels, n), that one of `COMMANDS` makes of a file or piped bytes."""
    path, content = ("-", source) if isinstance(source, bytes) else (source, None)
    places = {"another": imageio_ffmpeg.get_ffmpeg_exe(), "source": path, "wav": wav, "form": form}
    name, *arguments = [part.format(**places) for part in COMMANDS[by].split()]
    command = [name if "/" in name else program(name), *arguments]
    done = subprocess.run(command, input=content or b"", capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, f"{by}:\n{said}"
    samples, rate = soundfile.read(wav, dtype="float64", always_2d=True)
    wav.unlink()
    return rate, _reordered(samples.T) if by == "oggdec" else samples.T


def _reordered(samples: Any) -> Any:
    """The last three of six channels of oggdec the right way round."""
    return samples[[0, 1, 2, 4, 5, 3]] if samples.shape[0] == 6 else samples


def whole_numbers(samples: Any, bits: int) -> Any:
    """What samples become in float64, halves to even; in the high bits of int32, as `heard` gives them."""
    top = 2.0 ** (bits - 1)
    rounded = np.clip(np.rint(samples.astype("f8") * top), -top, top - 1).astype("i8")
    return (rounded << (32 - bits)).astype("i4")
