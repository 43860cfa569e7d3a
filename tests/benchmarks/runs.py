"""Runs: whole processes over many files, start-up and all, against the scripts that people write; and resuming one."""

from __future__ import annotations

import functools
import itertools
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import evaluator
import harness
import material
import numpy as np

SECONDS = 3
FILES, SPECTRA, MAGNITUDES, DONE = 1_000, 300, 48, 10_000
SCRIPT = """
import glob, os, sys
import numpy as np
{imports}
from scipy.io import wavfile
os.makedirs(sys.argv[2])
for path in sorted(glob.glob(sys.argv[1] + "/*.npy")):
    signal = {signal}
    name = os.path.basename(path)[:-4] + ".wav"
    wavfile.write(os.path.join(sys.argv[2], name), 22050, (np.clip(signal, -1, 1) * 32767).astype(np.int16))
"""
# The least that makes these files, and gives each its name when it is whole: nothing is checked, hashed or noted.
LEAST = """
import os, sys
import numpy as np
source, out = sys.argv[1:]
os.makedirs(out)
for name in sorted(os.listdir(source)):
    with open(os.path.join(source, name), "rb") as file:
        content = file.read()
    samples = np.rint(np.clip(np.frombuffer(content, np.float32, offset=128), -1, 1) * 32767).astype(np.int16)
    temporary = os.path.join(out, name)
    with open(temporary, "xb") as file:
        file.write(bytes(44) + samples.tobytes())
    os.rename(temporary, temporary[:-4] + ".wav")
"""
PIPELINE = """
tonearm: 1
input:
  use: npy-reader
  with: {{{options}}}
{steps}
outputs:
  - {{use: wav-writer, file: "{{relative_dir}}/{{stem}}.wav"}}
"""
GRID = "n_fft: 1024, hop_length: 256"
Command = Callable[[Path], list[str]]
_numbers = itertools.count()


def tables() -> Iterator[harness.Table]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = list(itertools.islice(material.clips(SECONDS), FILES))
        yield _waveforms(folder, clips)
        yield _spectra(folder, clips[:SPECTRA])
        yield _workers(folder, clips[:MAGNITUDES])
        yield _nothing_to_do(folder, clips[0])


def _saved(folder: Path, arrays: list[np.ndarray]) -> Path:
    folder.mkdir()
    for number, array in enumerate(arrays):
        np.save(folder / f"{number:05}.npy", array)
    return folder


def _spectrum(clip: np.ndarray) -> np.ndarray:
    return evaluator.spectra(clip, 1024, 256).T.astype(np.complex64)


def _script(source: Path, imports: str, signal: str) -> Command:
    code = SCRIPT.format(imports=imports, signal=signal)
    return lambda out: [sys.executable, "-c", code, str(source), str(out)]


def _tonearm(source: Path, options: str, steps: str = "", flags: tuple[str, ...] = ()) -> Command:
    """Return the command of a run; with one worker, unless the flags say otherwise."""
    pipeline = source.with_suffix(".yaml")
    pipeline.write_text(PIPELINE.format(options=f"sample_rate: {material.SAMPLE_RATE}, {options}", steps=steps))
    program = shutil.which("tonearm", path=Path(sys.executable).parent)
    assert program
    return lambda out: [program, "run", str(pipeline), str(source), "--out", str(out), "--jobs", "1", "--quiet", *flags]


def _compare(
    folder: Path, commands: Mapping[str, Command], rounds: int
) -> tuple[dict[str, harness.Measured], dict[str, harness.Measured]]:
    """Run each command into a new folder every time; return CPU and wall seconds.

    Nothing is removed before all is done: ext4 passes over inodes that were freed lately, and that can outweigh `cp`.
    """
    walls = {one: harness.Measured() for one in commands}

    def work(one: str, command: Command) -> None:
        out = folder / f"out{next(_numbers)}"
        taken: list[float] = []
        with harness.timed(taken):
            subprocess.run(command(out), check=True)
        walls[one].seconds += taken

    contenders = {one: functools.partial(work, one, command) for one, command in commands.items()}
    cpu = harness.compare(contenders, rounds=rounds, memory=False, clock=harness.cpu_of_children)
    return cpu, walls


def _rows(
    cpu: Mapping[str, harness.Measured], walls: Mapping[str, harness.Measured], files: int, peers: tuple[str, ...]
) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            one,
            harness.milliseconds(m.median / files),
            harness.milliseconds(walls[one].median / files),
            *(f"{harness.times_faster(m, cpu[peer]):.3g}" for peer in peers),
        )
        for one, m in cpu.items()
    )


def _waveforms(folder: Path, clips: list[np.ndarray]) -> harness.Table:
    source = _saved(folder / "waveforms", clips)
    outputs = folder / "outputs"
    by_scipy = _script(source, "", "np.load(path)")
    subprocess.run(by_scipy(outputs), check=True)
    options = "kind: waveform"
    commands = {
        "librosa and scipy": _script(source, "import librosa", "librosa.to_mono(np.load(path))"),
        "scipy": by_scipy,
        "the least that reads, rounds and renames": lambda out: [sys.executable, "-c", LEAST, str(source), str(out)],
        "`cp` of the outputs": lambda out: ["cp", "-r", str(outputs), str(out)],
        "tonearm, one worker": _tonearm(source, options),
        "tonearm, one worker, `--fsync none`": _tonearm(source, options, flags=("--fsync", "none")),
        "tonearm, `--jobs 0 --fsync none`": _tonearm(source, options, flags=("--fsync", "none", "--jobs", "0")),
    }
    cpu, walls = _compare(folder, commands, rounds=5)
    columns = ("whole process", "CPU ms a file", "wall ms a file", "× librosa and scipy", "× scipy", "× `cp`")
    rows = _rows(cpu, walls, FILES, ("librosa and scipy", "scipy", "`cp` of the outputs"))
    return harness.Table(f"{FILES:,} .npy files of {SECONDS} s to WAV of 16 bits", columns, rows)


def _spectra(folder: Path, clips: list[np.ndarray]) -> harness.Table:
    source = _saved(folder / "spectra", [_spectrum(clip) for clip in clips])
    options, steps = f"kind: complex, {GRID}", "steps: [{use: istft}]"
    commands = {
        "librosa and scipy": _script(source, "import librosa", "librosa.istft(np.load(path), hop_length=256)"),
        "tonearm, one worker": _tonearm(source, options, steps),
        "tonearm, one worker, `--fsync none`": _tonearm(source, options, steps, ("--fsync", "none")),
    }
    cpu, walls = _compare(folder, commands, rounds=3)
    columns = ("whole process", "CPU ms a file", "wall ms a file", "× librosa and scipy")
    rows = _rows(cpu, walls, SPECTRA, ("librosa and scipy",))
    return harness.Table(f"{SPECTRA} complex STFTs of {SECONDS} s to WAV", columns, rows)


def _workers(folder: Path, clips: list[np.ndarray]) -> harness.Table:
    source = folder / "magnitudes"
    source.mkdir()
    halves = [_saved(source / str(half), [np.abs(_spectrum(clip)) for clip in clips[half::2]]) for half in range(2)]
    options, steps = f"kind: magnitude, {GRID}", "steps: [{use: griffin-lim, with: {preset: best}}]"
    apart = [_tonearm(half, options, steps) for half in halves]

    def side_by_side(out: Path) -> list[str]:
        """Return a command that runs both halves at once: what the machine itself gives for its second core."""
        both = [shlex.join(command(out / str(half))) for half, command in enumerate(apart)]
        return ["sh", "-c", f"{both[0]} & first=$!; {both[1]} && wait $first"]

    commands = {
        "tonearm, 1 worker": _tonearm(source, options, steps),
        "tonearm, 2 workers": _tonearm(source, options, steps, ("--jobs", "2")),
        "two runs of half the files each, side by side": side_by_side,
    }
    _, walls = _compare(folder, commands, rounds=3)
    one = next(iter(walls.values()))
    rows = tuple(
        (name, harness.milliseconds(wall.median / len(clips)), f"{harness.times_faster(wall, one):.3g}")
        for name, wall in walls.items()
    )
    columns = ("whole process", "wall ms a file", "× one worker")
    return harness.Table(f"Griffin-Lim, `best`, over {len(clips)} magnitudes of {SECONDS} s", columns, rows)


def _nothing_to_do(folder: Path, clip: np.ndarray) -> harness.Table:
    """Files that are links to one, as only their number matters."""
    source = _saved(folder / "many", [clip[:100]])
    first = source / "00000.npy"
    for number in range(1, DONE):
        os.link(first, source / f"{number:05}.npy")
    command = _tonearm(source, "kind: waveform", flags=("--fsync", "none"))(folder / "done")
    taken: dict[str, list[float]] = {"the first run": [], "the second, with nothing to do": []}
    for seconds in taken.values():
        for _ in range(1 if seconds is taken["the first run"] else 5):
            with harness.timed(seconds):
                subprocess.run(command, check=True)
    rows = tuple((name, f"{statistics.median(seconds):.3g}") for name, seconds in taken.items())
    return harness.Table(f"{DONE:,} files, resumed", ("whole process", "wall s"), rows)
