"""A name that is the same for all sources is a problem where several sources are found."""

import numpy as np
import pytest

from tonearm.errors import PipelineError
from tonearm.pipeline.check import check
from tonearm.pipeline.document import read_document
from tonearm.plugins.registry import default

TEXT = """tonearm: 1
input: {use: npy-reader, files: FILES, with: {kind: waveform, sample_rate: 8000}}
steps: [STEPS]
outputs: [{use: wav-writer, file: NAME}]
"""


@pytest.fixture
def folder(tmp_path):
    for index in range(12):
        np.save(tmp_path / f"chunk_{index}.npy", np.zeros(3))
    return tmp_path


def problems(folder, files='"*.npy"', steps="", name="all.wav"):
    text = TEXT.replace("FILES", files).replace("STEPS", steps).replace("NAME", name)
    try:
        check(read_document(text, "p.yaml"), str(folder / "p.yaml"), default())
    except PipelineError as error:
        return [(problem.code, problem.message, problem.hint) for problem in error.problems]
    return []


def test_joining_many_sources(folder):
    ((code, message, hint),) = problems(folder, steps="use: concat")
    assert code == "same-output"
    assert message == "concat joins what lies in one source, but files matches several, which all become 'all.wav'"
    assert hint == (
        'name each output after its source, as in "{stem}.wav";'
        " to join several sources, put them into one, such as an .npz file"
    )


def test_joining_what_was_split(folder):
    found = problems(folder, steps="{use: split, with: {by: length, max_seconds: 1}}, {use: concat}")
    assert [code for code, _, _ in found] == ["same-output"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"files": '"chunk_3.npy"', "steps": "use: concat"},
        {"files": '"*_11.npy"', "steps": "use: concat"},
        {"files": '"none*.npy"', "steps": "use: concat"},
        {"files": '["chunk_1.npy", "chunk_1.*"]', "steps": "use: concat"},
        {"name": '"{stem}.wav"', "steps": "use: concat"},
        {"name": '"{key}.wav"', "steps": "use: concat"},
    ],
)
def test_what_may_be_right(folder, changes):
    assert problems(folder, **changes) == []
