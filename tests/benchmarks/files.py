"""Files: WAV against one raw write of the same bytes, MP3 against pydub; CPU time, that of ffmpeg included."""

from __future__ import annotations

import functools
import itertools
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import harness
import material
import numpy as np
import soundfile
from scipy.io import wavfile

import tonearm
from tonearm.api import Context, Item, Sink, Waveform
from tonearm_plugins.encoders.wav_writer import WavOptions, WavWriter

FILES = 200
SECONDS = 3
WAV_COLUMNS = ("", "CPU ms", "× one raw write")
MP3_COLUMNS = ("whole conversion", "CPU ms a file", "× pydub, Debian's ffmpeg", "× pydub, a static ffmpeg")


def tables() -> Iterator[harness.Table]:
    with tempfile.TemporaryDirectory() as folder:
        for seconds, channels in ((3, 1), (60, 1), (60, 2), (600, 2)):
            yield _wav(Path(folder), seconds, channels)
        yield _mp3(Path(folder))


def _wav(folder: Path, seconds: int, channels: int) -> harness.Table:
    """Write new files, as overwriting one hides everything else."""
    signal = material.speech(min(seconds, 60))
    samples = np.tile(signal, (channels, -(-seconds // 60)))
    rate = material.SAMPLE_RATE
    item = Item(signal=Waveform(samples=samples, sample_rate=rate))
    writer = WavWriter(WavOptions())
    count = itertools.count()

    def name() -> Path:
        return folder / f"{next(count)}.wav"

    def ours() -> Path:
        path = name()
        writer.encode(item, Sink(path, ".wav"), Context())
        return path

    def raw() -> Path:
        path = name()
        with path.open("wb") as file:
            file.write(content)
        return path

    def by_soundfile() -> Path:
        path = name()
        soundfile.write(path, samples.T, rate, subtype="PCM_16")
        return path

    def by_scipy() -> Path:
        path = name()
        wavfile.write(path, rate, (np.clip(samples.T, -1, 1) * 32767).astype(np.int16))
        return path

    content = ours().read_bytes()
    contenders: dict[str, Callable[[], Path]] = {
        "one raw write": raw,
        "tonearm, `wav-writer`": ours,
        "scipy, as tutorials have it": by_scipy,
        "soundfile, floats": by_soundfile,
    }
    repeated = {one: functools.partial(_repeat, work, max(1, 240 // seconds)) for one, work in contenders.items()}
    measured = harness.compare(repeated, rounds=15, memory=False, clock=harness.cpu)
    times = max(1, 240 // seconds)
    rows = tuple(
        (one, harness.milliseconds(m.median / times), f"{harness.times_faster(measured['one raw write'], m):.3g}")
        for one, m in measured.items()
    )
    title = f"WAV, 16 bits, {seconds} s, {channels} channel{'s' * (channels > 1)} at {rate} Hz"
    return harness.Table(title, WAV_COLUMNS, rows)


def _repeat(work: Callable[[], Path], times: int) -> None:
    paths = [work() for _ in range(times)]
    for path in paths:
        path.unlink()


def _mp3(folder: Path) -> harness.Table:
    """From .npy to MP3 of 128 kbit/s, in one process, as a script with pydub does it, and as tonearm does."""
    import imageio_ffmpeg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pydub import AudioSegment

    whole = material.speech(60)
    rng = np.random.default_rng(3)
    sources = []
    for number in range(FILES):
        start = int(rng.integers(0, len(whole) - SECONDS * material.SAMPLE_RATE))
        sources.append(folder / f"{number:03}.npy")
        np.save(sources[-1], whole[start : start + SECONDS * material.SAMPLE_RATE])

    def by_pydub(converter: str) -> None:
        out = folder / "out"
        out.mkdir()
        for source in sources:
            samples = np.rint(np.clip(np.load(source), -1, 1) * 32767).astype(np.int16)
            segment = AudioSegment(samples.tobytes(), sample_width=2, frame_rate=material.SAMPLE_RATE, channels=1)
            segment.converter = converter
            segment.export(out / f"{source.stem}.mp3", format="mp3", bitrate="128k").close()
        shutil.rmtree(out)

    def by_tonearm(engine: str) -> None:
        pipeline = tonearm.load_pipeline(
            {
                "tonearm": 1,
                "input": {"use": "npy-reader", "with": {"sample_rate": material.SAMPLE_RATE}},
                "outputs": [{"use": "mp3-writer", "file": "{stem}.mp3", "with": {"bitrate": 128, "engine": engine}}],
            }
        )
        report = pipeline.run(sources, out=folder / "out", jobs=0)
        assert report.converted == FILES, report.errors
        shutil.rmtree(folder / "out")

    contenders: dict[str, harness.Work] = {}
    debian, static = "pydub, Debian's ffmpeg", "pydub, a static ffmpeg"
    system = shutil.which("ffmpeg")
    if system:
        contenders[debian] = functools.partial(by_pydub, system)
    contenders[static] = functools.partial(by_pydub, imageio_ffmpeg.get_ffmpeg_exe())
    contenders["tonearm"] = functools.partial(by_tonearm, "auto")
    contenders["tonearm, `engine: soundfile`"] = functools.partial(by_tonearm, "soundfile")
    measured = harness.compare(contenders, rounds=3, memory=False, clock=harness.cpu)
    rows = []
    for one, m in measured.items():
        ratios = [
            f"{harness.times_faster(m, measured[peer]):.3g}" if peer in measured else "" for peer in (debian, static)
        ]
        rows.append((one, harness.milliseconds(m.median / FILES), *ratios))
    title = f"{FILES} .npy files of {SECONDS} s to MP3 of 128 kbit/s, in one process"
    return harness.Table(title, MP3_COLUMNS, tuple(rows))
