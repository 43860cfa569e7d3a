"""`tonearm.save` against what people write today: one sound after another in a process, and the first in a new one."""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import harness
import material
import numpy as np
import soundfile

import tonearm

RATE = 24_000
ROUNDS = 15
SOUNDS = 20
"""Sounds of a round."""

COLUMNS = ("", "CPU ms a file", "× soundfile")
MP3_COLUMNS = ("", "CPU ms a file", "× pydub")
FIRST = """
import numpy as np
samples = np.sin(np.arange(72000, dtype=np.float32) / 20) / 3
"""
FIRST_SAVES = {
    "`import numpy`": "",
    "`soundfile.write`": "import soundfile; soundfile.write({path!r}, samples, 24000)",
    "`tonearm.save`": "import tonearm; tonearm.save(samples, {path!r}, sample_rate=24000)",
}


def tables() -> Iterator[harness.Table]:
    with tempfile.TemporaryDirectory() as folder:
        for form, seconds in itertools.product(("wav", "flac"), (1, 3, 10)):
            for is_new in (True, False):
                yield _against_soundfile(Path(folder), form, seconds, is_new=is_new)
        yield _mp3(Path(folder))
        yield _first(Path(folder))


def _sound(seconds: int) -> np.ndarray:
    return np.ascontiguousarray(material.speech(60)[: seconds * RATE], np.float32)


def _against_soundfile(folder: Path, form: str, seconds: int, *, is_new: bool) -> harness.Table:
    """Write new files, or the same file again and again, which also frees the old content."""
    samples, count = _sound(seconds), itertools.count()

    def path() -> str:
        return str(folder / f"{next(count) if is_new else 'same'}.{form}")

    def ours() -> None:
        tonearm.save(samples, path(), sample_rate=RATE)

    def peer() -> None:
        soundfile.write(path(), samples, RATE)

    contenders = {"`soundfile.write`": peer, "`tonearm.save`": ours}
    measured = harness.compare(
        {name: functools.partial(_times, work) for name, work in contenders.items()},
        rounds=ROUNDS,
        memory=False,
        clock=harness.cpu,
    )
    kind = "new files" if is_new else "over the same file"
    return _table(f"{form.upper()}, {seconds} s at {RATE} Hz, {kind}", COLUMNS, measured, "`soundfile.write`")


def _times(work: Callable[[], object]) -> None:
    for _ in range(SOUNDS):
        work()


def _table(
    title: str, columns: tuple[str, ...], measured: dict[str, harness.Measured], peer: str, times: int = SOUNDS
) -> harness.Table:
    rows = tuple(
        (name, harness.milliseconds(one.median / times), f"{harness.times_faster(measured[peer], one):.3g}")
        for name, one in measured.items()
    )
    return harness.Table(title, columns, rows)


def _mp3(folder: Path) -> harness.Table:
    """MP3 of 128 kbit/s; the CPU time of pydub's ffmpeg counts."""
    import imageio_ffmpeg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pydub import AudioSegment

    samples = _sound(3)
    converter = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()

    def peer() -> None:
        numbers = np.rint(np.clip(samples, -1, 1) * 32767).astype(np.int16)
        segment = AudioSegment(numbers.tobytes(), sample_width=2, frame_rate=RATE, channels=1)
        segment.converter = converter
        segment.export(folder / "peer.mp3", format="mp3", bitrate="128k").close()

    def ours() -> None:
        tonearm.save(samples, folder / "ours.mp3", sample_rate=RATE, bitrate=128)

    measured = harness.compare({"pydub": peer, "`tonearm.save`": ours}, rounds=ROUNDS, memory=False, clock=harness.cpu)
    return _table(f"MP3 of 128 kbit/s, 3 s at {RATE} Hz", MP3_COLUMNS, measured, "pydub", 1)


def _first(folder: Path) -> harness.Table:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    path = str(folder / "first.wav")
    contenders = {
        name: functools.partial(
            subprocess.run, [sys.executable, "-c", FIRST + text.format(path=path)], check=True, env=environment
        )
        for name, text in FIRST_SAVES.items()
    }
    measured = harness.compare(contenders, rounds=ROUNDS, memory=False, clock=harness.cpu_of_children)
    columns = ("whole process", "CPU ms", "× `import numpy`")
    return _table("the first 3 s to WAV in a new process", columns, measured, "`import numpy`", 1)
