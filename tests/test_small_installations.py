"""Installations without dependencies, as README.md lists them: each does its work with the packages that it names."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tonearm.health.packages import USES

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| ([^|]+) \| `pip install ([^`]+)` \| \d+ \|$", README, re.M))
"""Packages by what they are for."""

BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
from tonearm.cli.main import main
sys.exit(main(sys.argv[1:]))
"""

GRID = ["--n-fft", "512", "--hop-length", "128", "--sample-rate", "22050"]


def command_lines():
    wave, rate = "wave.npy", ["--sample-rate", "22050"]
    return {
        "arrays of samples to WAV": ([wave, "a.wav", *rate], [wave, "a.raw", *rate]),
        "spectrograms and mels, loudness": (
            ["magnitude.npy", "b.wav", "--kind", "magnitude", *GRID],
            ["complex.npy", "c.wav", "--kind", "complex", *GRID],
            ["mel.npy", "d.wav", "--dialect", "hifigan"],
            [wave, "e.wav", *rate, "--step", "loudness:target_lufs=-23"],
        ),
        "MP3": ([wave, "f.mp3", *rate],),
        "other sound files, as outputs": ([wave, "g.flac", *rate], [wave, "h.opus", "--sample-rate", "24000"]),
        "`resample`": ([wave, "j.wav", *rate, "--step", "resample:sample_rate=16000"],),
        "tags, and sound files as sources": ([wave, "k.flac", *rate, "--tags", "{title: a}"], ["a.wav", "i.ogg"]),
    }


def test_each_row_of_the_readme_is_tried():
    assert set(ROWS) == set(command_lines())


@pytest.mark.slow
def test_each_row_works_with_its_packages_and_those_of_the_rows_above(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "wave.npy", (rng.standard_normal(22050) / 8).astype("f4"))
    spectrum = rng.standard_normal((257, 90)) + 1j * rng.standard_normal((257, 90))
    np.save(tmp_path / "complex.npy", spectrum.astype("c8"))
    np.save(tmp_path / "magnitude.npy", abs(spectrum).astype("f4") / 20)
    np.save(tmp_path / "mel.npy", rng.uniform(-9, -2, (80, 90)).astype("f4"))
    installed: set[str] = set()
    for row, lines in command_lines().items():
        installed |= set(ROWS[row].split())
        blocked = {use.module.partition(".")[0] for name, use in USES.items() if name not in installed}
        for line in lines:
            command = [sys.executable, "-c", BLOCKED.format(blocked=blocked), "convert", *line]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
            assert done.returncode == 0, (row, line, done.stderr)
