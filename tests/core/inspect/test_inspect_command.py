"""``tonearm inspect`` on real arrays: kind and axes, nothing wrong said as certain, YAML that passes ``check``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import tonearm
from tonearm.cli import main
from tonearm.registry import default

SAMPLES = Path(__file__).parents[3] / "configs" / "samples"
DIALECTS = default().dialects
MELS = [path for path in sorted((SAMPLES / "mel").glob("*.npy")) if not DIALECTS.find(path.stem).standardised]
FILL = {"sample_rate": 22050, "hop_length": 256, "n_fft": 1024, "full_scale": 32768.0, "kind": "magnitude"}


def inspect(capsys: Any, *arguments: str) -> tuple[int, str, str]:
    status = main(["inspect", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def printed_yaml(out: str) -> Any:
    return yaml.safe_load(out[out.index("tonearm: 1") :])


def filled(pipeline: Any, **fill: Any) -> Any:
    options = pipeline["input"].get("with", {})
    for name, value in options.items():
        if value == "?":
            options[name] = (FILL | fill)[name]
        elif isinstance(value, list):
            options[name] = ["batch" if one == "?" else one for one in value]
    return pipeline


@pytest.mark.parametrize("path", MELS, ids=lambda path: path.stem)
def test_real_mels(path: Path, capsys: Any) -> None:
    """Each is what the extractor of the dialect that it is named after computed."""
    dialect = DIALECTS.find(path.stem)
    shape = np.load(path, mmap_mode="r").shape
    status, out, _ = inspect(capsys, "--json", str(path))
    found = json.loads(out)
    assert status == 0
    said = {one["what"]: one["value"] for one in reversed(found["findings"])}
    assert said["kind"] == "mel"
    assert said["axes"] == ("[mel, frame]" if shape[0] == dialect.n_mels else "[frame, mel]")
    assert {one["what"] for one in found["findings"] if one["confidence"] == "certain"} == {"values"}
    assert (DIALECTS.offer(path.stem).alias or path.stem) in found["dialects"]
    _, out, _ = inspect(capsys, str(path))
    pipeline = printed_yaml(out)
    assert pipeline["input"]["with"] == {"kind": "mel", "axes": said["axes"].strip("[]").split(", "), "dialect": "?"}
    checked = tonearm.load(filled(pipeline, dialect=path.stem))
    assert [step.name for step in checked.checked.steps] == ["mel-to-wave"]


@pytest.mark.parametrize(
    ("array", "steps"),
    [
        (np.zeros((1, 1, 1, 5000), "f4"), []),
        (np.zeros((2, 50_000), "i2"), []),
        (np.full(50, 5000.5), []),
        (np.ones((513, 200), "c8"), ["istft"]),
        (np.ones((513, 200, 1), "f4"), ["griffin-lim"]),
        (np.linspace(-80, 0, 513 * 200).reshape(1, 513, 200), ["griffin-lim"]),
        (np.stack([np.ones((513, 200)), -np.ones((513, 200))]), ["istft"]),
        (np.ones((77, 55)), []),
    ],
)
def test_the_yaml_passes_check_once_filled(array: Any, steps: list[str], tmp_path: Path, capsys: Any) -> None:
    np.save(tmp_path / "a.npy", array)
    status, out, _ = inspect(capsys, str(tmp_path / "a.npy"))
    assert status == 0
    pipeline = filled(printed_yaml(out), kind="waveform" if not steps else "magnitude")
    checked = tonearm.load(pipeline)
    assert [step.name for step in checked.checked.steps] == steps


def test_a_real_waveform(capsys: Any) -> None:
    sample = SAMPLES / "utt08.npy"
    _, out, _ = inspect(capsys, str(sample))
    assert "kind:        waveform  (likely: " in out
    assert "axes:        [time]  (likely: " in out
    assert "█" in out.splitlines()[1]
    waves = list(tonearm.load(filled(printed_yaml(out))).convert(sample))
    assert [wave.length for wave in waves] == [28928]


def test_every_array_of_a_file(tmp_path: Path, capsys: Any) -> None:
    np.savez(tmp_path / "a.npz", wav=np.zeros(50), text=np.array(["a"]), stft=np.zeros((513, 9), "c8"))
    status, out, _ = inspect(capsys, "--json", str(tmp_path / "a.npz"))
    assert status == 3
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(one["key"], "error" in one) for one in lines] == [("wav", False), ("", True), ("stft", False)]
    assert lines[2]["pipeline"]["input"]["with"]["key"] == "stft"


@pytest.mark.parametrize(
    ("name", "code", "status"),
    [
        ("a.xyz", "unknown-suffix", 2),
        ("a.pcm", "nothing-to-inspect", 2),
        ("a.npy", "not-npy", 3),
        ("none.npy", "unreadable", 3),
    ],
)
def test_what_cannot_be_inspected(name: str, code: str, status: int, tmp_path: Path, capsys: Any) -> None:
    if name != "none.npy":
        (tmp_path / name).write_bytes(b"nonsense")
    found, out, err = inspect(capsys, str(tmp_path / name))
    assert found == status
    assert code in err + out
    assert "Traceback" not in err


def peak_of(path: Path) -> int:
    """Peak memory in bytes of a fresh process that inspects a file."""
    # VmHWM, because getrusage knows of what this process took before the other one began.
    code = (
        "import sys; from tonearm.cli import main; assert main(['inspect', sys.argv[1]]) == 0;"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1]) << 10


@pytest.mark.slow
def test_an_hour_takes_little_more_memory_than_a_second(tmp_path: Path) -> None:
    peaks = []
    for seconds in (1, 3600):
        path = tmp_path / f"{seconds}.npy"
        made = np.lib.format.open_memmap(path, "w+", "f4", (48_000 * seconds,))
        for start in range(0, len(made), 4_800_000):
            made[start : start + 4_800_000] = np.sin(np.arange(min(4_800_000, len(made))) * 0.01) / 2
        del made
        peaks.append(peak_of(path))
    assert peaks[1] - peaks[0] < 64 << 20, peaks
