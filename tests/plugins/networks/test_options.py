"""Options of networks, alone and in pipelines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from network_headers import options

import tonearm
from tonearm.api import OptionError, SetOption
from tonearm_plugins.networks.options import InputFile

MODELS = Path(__file__).parents[2] / "data/models"
NSF = str(MODELS / "nsf_tiny.onnx")


def problems(**given: object) -> list[OptionError]:
    return list(options(model=NSF, **given).problems())


def test_options_without_problems() -> None:
    assert problems() == []
    assert problems(inputs={"f0": InputFile(file="f0/{stem}.NPY")}, chunk=25, receptive_field=(12, 12)) == []


def test_chunks_that_leave_nothing_are_refused() -> None:
    (problem,) = problems(chunk=24, receptive_field=(12, 12))
    assert problem.message == "chunks of 24 frames leave nothing between 12 frames before and 12 after"
    assert (problem.option, problem.remedies) == ("chunk", (SetOption("chunk", 25, when="or more"),))


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"\x00")
    (problem,) = options(model=str(tmp_path / "a.onnx")).problems()
    assert (problem.code, problem.option) == ("bad-model", "model")
    assert "is no ONNX model: a field without a number at byte 0" in problem.message


def test_names_that_the_model_does_not_have_are_refused() -> None:
    first, second = problems(inputs={"pitch": 1}, outputs={"wav": "waveform"})
    assert (first.message, first.hint) == ("the model has no input 'pitch'", "its inputs are mel, f0")
    assert (second.message, second.hint) == ("the model has no output 'wav'", "its outputs are waveform")
    assert (first.option, second.option, first.code) == ("inputs", "outputs", "unclear-model")


def test_files_of_other_types_are_refused() -> None:
    (problem,) = problems(inputs={"f0": InputFile(file="f0/{stem}.wav")})
    assert problem.message == "the input f0 is given by f0/{stem}.wav, which is neither .npy nor .txt"
    assert problem.remedies == (SetOption("inputs", {"f0": {"file": "f0/{stem}.npy"}}),)


def pipeline(folder: Path, **given: object) -> Path:
    step = {"use": "onnx-vocoder", "with": {"model": NSF, "dialect": "hifigan", **given}}
    content = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": {"kind": "mel", "dialect": "hifigan"}},
        "steps": [step],
        "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
    }
    path = folder / "p.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_pipeline_names_files_beside_it_for_each_source(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    (folder / "f0").mkdir(parents=True)
    mel = np.zeros((80, 30), np.float32)
    np.save(folder / "a.npy", mel)
    np.save(folder / "f0/a.npy", np.full(30, 220, np.float32))
    made = tonearm.load_pipeline(pipeline(folder, inputs={"f0": {"file": "f0/{stem}.npy"}}))
    (wave,) = made.convert(str(folder / "a.npy"))
    (flat,) = tonearm.load_pipeline(pipeline(folder, inputs={"f0": 220})).convert(mel)
    assert np.array_equal(wave.samples, flat.samples)
    (folder / "f0/a.npy").unlink()
    with pytest.raises(tonearm.ItemError, match=r"f0/a\.npy"):
        list(made.convert(str(folder / "a.npy")))


@pytest.mark.filterwarnings("ignore:kind-doubtful")  # random weights make no speech
def test_a_run_takes_the_file_of_each_source(tmp_path: Path) -> None:
    (tmp_path / "f0").mkdir()
    for name, pitch in (("a", 110), ("b", 220)):
        np.save(tmp_path / f"{name}.npy", np.zeros((80, 30), np.float32))
        np.save(tmp_path / f"f0/{name}.npy", np.full(30, pitch, np.float32))
    made = tonearm.load_pipeline(pipeline(tmp_path, inputs={"f0": {"file": "f0/{stem}.npy"}}))
    report = made.run([tmp_path / "a.npy", tmp_path / "b.npy"], out=tmp_path / "out")
    assert report.converted == 2
    first, second = (tonearm.read(tmp_path / f"out/{name}.wav").samples for name in "ab")
    assert not np.array_equal(first, second)


def test_a_file_for_all_sources_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(tonearm.PipelineError, match="there is no file") as raised:
        tonearm.load_pipeline(pipeline(tmp_path, inputs={"f0": {"file": "f0.npy"}}))
    assert raised.value.problems[0].code == "no-such-file"
    np.save(tmp_path / "f0.npy", np.full(30, 220, np.float32))
    tonearm.load_pipeline(pipeline(tmp_path, inputs={"f0": {"file": "f0.npy"}}))


def test_what_is_missing_is_told_when_a_pipeline_is_checked(tmp_path: Path) -> None:
    with pytest.raises(tonearm.PipelineError) as raised:
        tonearm.load_pipeline(pipeline(tmp_path))
    (problem,) = raised.value.problems
    assert problem.code == "unclear-model"
    assert problem.hint == 'inputs: {f0: {file: "f0/{stem}.npy"}}'


@pytest.mark.parametrize("given", [{"f0": "values or not"}, {"f0": {"files": "a.npy"}}, {"f0": None}])
def test_other_values_of_inputs_are_refused(given: object, tmp_path: Path) -> None:
    with pytest.raises(tonearm.PipelineError):
        tonearm.load_pipeline(pipeline(tmp_path, inputs=given))
