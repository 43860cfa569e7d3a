"""The problem of reading the first source comes together with the options that are missing."""

import numpy as np
import pytest

from tonearm.cli.main import main
from tonearm.run.reading_problem import first_file

PIPELINE = """tonearm: 1
input:
  use: npy-reader
  files: "sounds/*.npy"
outputs:
  - use: wav-writer
    file: "{stem}.wav"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "sounds").mkdir()
    (tmp_path / "p.yaml").write_text(PIPELINE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems_of(capsys, *arguments):
    assert main(["run", *arguments, "--out", "out"]) != 0
    return [line for line in capsys.readouterr().err.splitlines() if not line.startswith(" ")]


RATE = "p.yaml:3:8: missing-option: npy-reader: 'sample_rate' is missing"


def test_a_missing_kind_comes_with_the_missing_rate(folder, capsys):
    np.save("sounds/a.npy", np.ones((513, 40), "f4"))
    unknown = "p.yaml:3:8: unknown-kind: cannot tell what a real array of shape (513, 40) holds"
    assert problems_of(capsys, "p.yaml") == [RATE, unknown]
    assert problems_of(capsys, "p.yaml", "sounds/a.npy") == [RATE, unknown]


def test_layouts_of_tokens_are_named_whatever_their_rate(folder, capsys):
    """The rate that stands in for the missing one contradicts those of all layouts."""
    codes = np.random.default_rng(0).integers(0, 2048, (4, 25))
    codes[:, 0], codes[0, 9] = 2048, 2047
    np.save("sounds/a.npy", codes)
    assert main(["run", "p.yaml", "--out", "out"]) != 0
    said = capsys.readouterr().err
    assert "unknown-kind: cannot tell what a real array of shape (4, 25) holds" in said
    assert "musicgen-hf" in said


def test_a_source_without_a_problem_of_its_own_adds_none(folder, capsys):
    np.save("sounds/a.npy", np.zeros(90, "f4"))
    assert problems_of(capsys, "p.yaml") == [RATE]


@pytest.mark.parametrize("sources", [(), ("nothing.npy",), ("sounds",)])
def test_without_a_file_the_option_alone_is_missing(folder, sources, capsys):
    assert problems_of(capsys, "p.yaml", *sources) == [RATE]


def test_other_problems_leave_the_source_unread(folder, capsys):
    np.save("sounds/a.npy", np.ones((513, 40), "f4"))
    (folder / "p.yaml").write_text(PIPELINE.replace("wav-writer", "wave-writer"))
    found = problems_of(capsys, "p.yaml")
    assert any("unknown-plugin" in line for line in found)
    assert not any("unknown-kind" in line for line in found)


def test_the_first_file_is_found_by_patterns_relative_to_a_folder(folder):
    (folder / "sounds" / "b.npy").touch()
    assert first_file(["none/*", "*", "sounds/*.npy"], str(folder)).path.name == "p.yaml"
    assert first_file(["sounds/*.npy"], str(folder)).path == folder / "sounds" / "b.npy"
    assert first_file(["sounds"], str(folder)) is None
    assert first_file([], str(folder)) is None


@pytest.mark.parametrize("shape", [(84,), (12, 7)])
def test_whole_numbers_may_be_tokens_of_the_layouts_that_fit_at_any_rate(folder, shape, capsys):
    """The sample rate is missing, and one that stands in for it is not that of a layout."""
    ids = 128266 + 4096 * (np.arange(84) % 7) + np.arange(84)
    ids[-1] = 156937
    np.save("a.npy", ids.reshape(shape))
    assert main(["convert", "a.npy", "a.wav"]) != 0
    found = capsys.readouterr().err
    assert "--layout orpheus-snac24" in found
    assert "if these are tokens; --kind waveform" in found


def test_latents_have_no_layouts(folder, capsys):
    np.save("a.npy", np.linspace(-1, 1, 64 * 40, dtype="f4").reshape(64, 40))
    assert main(["convert", "a.npy", "a.wav"]) != 0
    assert "--layout" not in capsys.readouterr().err
