"""Patterns that are written for a shell or another system get a hint."""

import json

import numpy as np
import pytest

from tonearm.cli import main as cli
from tonearm.run.sources.pattern_hints import pattern_hint

HINTS = [
    ("~/mels/*.npy", "write ${HOME} for ~, which shells alone replace"),
    ("~me/a.npy", "write ${HOME} for ~, which shells alone replace"),
    ("$DATA/*.npy", "write ${DATA} for $DATA"),
    ("a/$x.npy", "write ${x} for $x"),
    ("C:\\data\\*.npy", "write / for \\"),
    ("*.{npy,npz}", "give a list of patterns for the words in { }"),
    ("*.npy ", "leave out the space at its end"),
    (" *.npy", "leave out the space at its start"),
]


@pytest.mark.parametrize(("pattern", "hint"), HINTS)
def test_what_a_shell_would_replace(pattern, hint):
    assert pattern_hint(pattern) == hint


@pytest.mark.parametrize("pattern", ["*.npy", "a b/*.npy", "a$/1.npy", "{a}.npy", "a~/x.npy", "x.{npy}", "**"])
def test_ordinary_patterns_have_no_hint(pattern):
    assert pattern_hint(pattern) == ""


@pytest.mark.parametrize(("pattern", "hint"), HINTS)
def test_check_and_run_say_so(pattern, hint, tmp_path, capsys):
    np.save(tmp_path / "a.npy", np.zeros(9, np.float32))
    source = {"use": "npy-reader", "files": pattern, "with": {"kind": "waveform", "sample_rate": 8000}}
    outputs = [{"use": "wav-writer", "file": "{stem}.wav"}]
    (tmp_path / "p.yaml").write_text(json.dumps({"tonearm": 1, "input": source, "outputs": outputs}))
    assert cli.main(["check", str(tmp_path / "p.yaml")]) == 0
    assert f"    hint: {hint}\n" in capsys.readouterr().err
    assert cli.main(["run", str(tmp_path / "p.yaml"), "--out", str(tmp_path / "out"), "-j", "0"]) == 2
    err = capsys.readouterr().err
    assert "no-source" in err
    assert hint in err
    assert len(err.splitlines()) <= 3


def test_values_of_variables_get_no_hint(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SECRET", "~\\{a,b}")
    source = {"use": "npy-reader", "files": "${SECRET}/x*.npy", "with": {"kind": "waveform", "sample_rate": 8000}}
    outputs = [{"use": "wav-writer", "file": "{stem}.wav"}]
    (tmp_path / "p.yaml").write_text(json.dumps({"tonearm": 1, "input": source, "outputs": outputs}))
    cli.main(["check", str(tmp_path / "p.yaml")])
    cli.main(["run", str(tmp_path / "p.yaml"), "--out", str(tmp_path / "out"), "-j", "0"])
    assert "write ${HOME}" not in capsys.readouterr().err
