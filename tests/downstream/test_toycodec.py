"""A third party that wraps a codec's own decoder as a transform, with the layout of its language model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from installed_packages import run_python, tonearm
from write_toycodec import write

pytestmark = pytest.mark.slow

PIPELINE = """\
tonearm: 1
input: {use: npy-reader, files: "*.npy", with: {layout: toy-lm}}
steps: [{use: toy-codec, with: {model: toy.npz}}]
outputs: [{use: wav-writer, file: "{stem}.wav", with: {subtype: FLOAT}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "toy.yaml").write_text(PIPELINE, encoding="utf-8")
    return tmp_path


def test_tokens_become_what_the_codec_decodes(site: Path, folder: Path) -> None:
    books, codes = write(folder)
    done = tonearm(site, "run", folder / "toy.yaml", "--out", folder)
    assert done.returncode == 0, done.stderr
    samples, rate = soundfile.read(folder / "speech.wav", dtype="float32")
    expected = sum(book[rows] for book, rows in zip(books, codes, strict=True)).reshape(-1)
    assert rate == 16000
    np.testing.assert_array_equal(samples, expected)
    assert np.abs(samples).max() > 0.1


def test_convert_and_python_take_it_by_name(site: Path, folder: Path) -> None:
    _, codes = write(folder)
    np.save(folder / "plain.npy", codes)
    step = f"toy-codec:model={folder / 'toy.npz'}"
    done = tonearm(site, "convert", folder / "speech.npy", folder / "a.wav", "--layout", "toy-lm", "--step", step)
    assert done.returncode == 0, done.stderr
    code = f"""
import os, numpy, tonearm
os.chdir({str(folder)!r})
steps = [("toy-codec", {{"model": "toy.npz"}})]
wave = tonearm.to_waveform(numpy.load("speech.npy"), layout="toy-lm", steps=steps)
plain = tonearm.to_waveform(numpy.load("plain.npy"), layout={{"base": "toy-lm", "delays": []}}, steps=steps)
print(wave.length, wave.sample_rate, bool((wave.samples == plain.samples).all()))
"""
    assert run_python(site, code).stdout.split() == ["4800", "16000", "True"]
    assert soundfile.info(folder / "a.wav").frames == 4800


def test_tokens_of_another_codec_are_refused_by_check(site: Path, folder: Path) -> None:
    write(folder)
    (folder / "toy.yaml").write_text(PIPELINE.replace("toy-lm", "{base: toy-lm, size: 32}"), encoding="utf-8")
    done = tonearm(site, "check", folder / "toy.yaml")
    assert done.returncode == 2
    assert "toy.yaml:3:15: bad-option: toy-codec: the toy codec has 4 books of 64 codes" in done.stderr
    assert "hint: use layout: toy-lm" in done.stderr


def test_a_worker_loads_the_codec_once(site: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process notes that it opens the file; the run's own does so for the fingerprint."""
    write(folder)
    for index in range(20):
        (folder / f"{index}.npy").write_bytes((folder / "speech.npy").read_bytes())
    notes = folder / "notes"
    notes.mkdir()
    (notes / "sitecustomize.py").write_text(
        f"""\
import os, sys
def note(event, given):
    if event == "open" and str(given[0]).endswith("toy.npz"):
        with open({str(notes)!r} + f"/{{os.getpid()}}.txt", "a") as file:
            file.write("opened\\n")
sys.addaudithook(note)
""",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(notes))
    changes = f"import os; open({str(notes / 'run')!r}, 'w').write(str(os.getpid()))"
    done = tonearm(site, "run", folder / "toy.yaml", "--out", folder / "out", "--jobs", "2", changes=changes)
    assert done.returncode == 0, done.stderr
    assert len(list((folder / "out").glob("*.wav"))) == 21
    own = (notes / "run").read_text()
    opened = [path.read_text().splitlines() for path in notes.glob("*.txt") if path.stem != own]
    assert opened in ([["opened"]], [["opened"]] * 2)


def test_it_is_listed_with_its_layout(site: Path) -> None:
    page = tonearm(site, "plugins", "toy-codec").stdout
    assert page.startswith(
        "toy-codec: Decode tokens by the toy codec.\ntransform, tokens → waveform, from tonearm_toycodec"
    )
    code = (
        "import json\n"
        "from tonearm.api import TokenLayout\n"
        "from tonearm.plugins.registry import default\n"
        "layout = default().catalogue(TokenLayout).find('toy-lm')\n"
        "print(json.dumps([layout.codec, layout.delays, layout.size]))\n"
    )
    assert json.loads(run_python(site, code).stdout) == ["the toy codec", [0, 1, 2, 3], 64]
