"""Warnings of ``tonearm check`` about patterns that match no source."""

import pytest

from tonearm.pipeline.check import check
from tonearm.pipeline.document import read_pipeline
from tonearm.run.sources import finding
from tonearm.run.sources.missing import missing_sources

PIPELINE = """\
tonearm: 1
input: {{use: {reader}, files: {files}, with: {options}}}
outputs: [{{use: wav-writer, file: "{{stem}}-{{index}}.wav"}}]
"""
FOUND = [
    "a.npy", "*.npy", "?.npy", "[ab].npy", "sub/*.npy", "./a.npy", "**/*.npy", "**", "sub", ".", "*/b.npy", "[1].npy",
    ".hidden/*.npy", ".*.npy", "sub/../a.npy", "a.*", "link.npy", "sub/",
]  # fmt: skip
MISSING = [
    "no.npy", "*.wav", "?.wav", "no/*.npy", "**/*.wav", "empty", "empty/*", "sub*", "hidden*", "*/x.npy", "[2].npy",
    "empty/**", ".tonearm*", "no/../no.npy", "A.npy", "a.npy/x",
]  # fmt: skip


@pytest.fixture
def warn(tmp_path, installed):
    """A function that returns the warnings about a pipeline in a folder with some files."""
    for name in ("a.npy", "sub/b.npy", "[1].npy", ".hidden/c.npy", ".dot.npy", ".tonearm/journal.npy"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "link.npy").symlink_to("nowhere")

    def warn(files, reader="npy-reader", options="{kind: waveform, sample_rate: 8000}", environ=()):
        path = tmp_path / "p.yaml"
        path.write_text(PIPELINE.format(reader=reader, files=files, options=options))
        root, file = read_pipeline(str(path))
        return missing_sources(check(root, file, installed, env=environ), root)

    return warn


@pytest.mark.parametrize("pattern", FOUND)
def test_a_pattern_that_matches(pattern, warn):
    assert warn(f'["{pattern}"]') == []


@pytest.mark.parametrize("pattern", MISSING)
def test_a_pattern_that_matches_nothing(pattern, warn, tmp_path):
    (problem,) = warn(f'"{pattern}"')
    assert (problem.code, problem.message) == ("no-source", f"{pattern} matches no source in {tmp_path}")
    assert (problem.line, problem.column) == (2, 33)


@pytest.mark.parametrize("pattern", FOUND + MISSING)
def test_a_run_finds_the_same(pattern, warn, tmp_path):
    try:
        found = list(finding.find_sources([pattern], tmp_path, (".npy",), written=True))
    except finding.UsageError:
        found = []
    assert (warn(f'"{pattern}"') == []) is bool(found)


def test_an_absolute_pattern_needs_no_folder_in_its_message(warn, tmp_path):
    (problem,) = warn(f'"{tmp_path}/no/*.npy"')
    assert problem.message == f"{tmp_path}/no/*.npy matches no source"
    assert warn(f'"{tmp_path}/*.npy"') == []


def test_each_pattern_has_its_own_place(warn):
    assert [problem.column for problem in warn('["*.npy", "x", "y"]')] == [43, 48]


def test_a_variable_is_shown_by_its_name(warn, monkeypatch):
    monkeypatch.setenv("SECRET_FOLDER", "hunter2")
    (problem,) = warn("'${SECRET_FOLDER}/*.npy'")
    assert problem.message.startswith("${SECRET_FOLDER}/*.npy matches no source")


def test_a_store_is_a_source_though_it_is_a_folder(warn, tmp_path):
    pytest.importorskip("zarr")
    (tmp_path / "s.zarr").mkdir()
    assert warn('["*.zarr", "s.zarr"]', "zarr-reader") == []
    (problem,) = warn('["*.ZAR"]', "zarr-reader")
    assert problem.code == "no-source"


def test_the_usual_pattern_is_not_searched_for(warn, monkeypatch):
    """The search of a run would be half of the time that ``tonearm check`` takes."""
    monkeypatch.setattr(finding, "find_sources", lambda *_, **__: pytest.fail("it is searched for"))
    assert len(warn('["*.npy", "no.npy", "*.wav", "sub/*.npy"]')) == 2
