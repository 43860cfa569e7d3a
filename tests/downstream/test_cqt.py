"""A third party's kind of array, with its own signal and options, in every decoder of arrays that tonearm has."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import soundfile
from installed_packages import run_python, tonearm
from jsonschema import Draft202012Validator

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "plugins/decoders"))
from real_formats import FORMATS, Format  # noqa: E402

pytestmark = pytest.mark.slow

RATE, HOP, OCTAVE, FMIN, BINS = 16000, 128, 24, 130.81, 120
TIME = np.arange(RATE) / RATE
SOUND = sum(
    level * np.sin(2 * np.pi * hertz * TIME + phase)
    for level, hertz, phase in ((0.3, 220.0, 0.0), (0.2, 523.25, 1.0), (0.1, 1318.5, 2.0))
)
PARTS = {"kaldi": {"key": "re", "imag": "im"}, "parquet": {"axes": ["bin", "frame", "complex"]}}
"""Options for formats without complex values: two matrices, or one with an axis of parts."""

PIPELINE = """\
tonearm: 1
input:
  use: npy-reader
  files: "*.npy"
  with: {kind: cqt, sample_rate: 16000, hop_length: 128, bins_per_octave: 24, fmin: 130.81, n_bins: 120}
steps:
  - use: icqt
outputs:
  - use: wav-writer
    file: "{stem}.wav"
"""


@pytest.fixture(scope="module")
def values() -> Any:
    made = librosa.cqt(SOUND.astype("f4"), sr=RATE, hop_length=HOP, fmin=FMIN, n_bins=BINS, bins_per_octave=OCTAVE)
    return np.ascontiguousarray(made, "c8")


@pytest.fixture(scope="module")
def expected(values: Any) -> Any:
    return librosa.icqt(values, sr=RATE, hop_length=HOP, fmin=FMIN, bins_per_octave=OCTAVE)


@pytest.fixture
def folder(tmp_path: Path, values: Any) -> Path:
    """Return a folder with a pipeline and an array."""
    (tmp_path / "cqt.yaml").write_text(PIPELINE, encoding="utf-8")
    np.save(tmp_path / "a.npy", values)
    return tmp_path


def written(one: Format, name: str, values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arrays to write in a format, and the options by which they are read."""
    if name == "kaldi":
        return {"re": values.real.copy(), "im": values.imag.copy()}, PARTS[name]
    if name == "parquet":
        return {"a": np.stack([values.real, values.imag], axis=-1)}, PARTS[name]
    dtype = "c16" if "c8" not in one.dtypes else "c8"
    return {"a": values.astype(dtype)}, {}


def test_every_decoder_of_arrays_reads_it_and_the_sound_is_that_of_librosa(
    site: Path, tmp_path: Path, values: Any, expected: Any
) -> None:
    """The samples are within 1e-6 of librosa's own inverse, whose error is 40 dB below the sines."""
    jobs = {}
    for name, one in FORMATS.items():
        arrays, options = written(one, name, values)
        (tmp_path / name).mkdir()
        one.save(tmp_path / name, arrays).rename(tmp_path / f"{name}{one.suffix}")
        jobs[f"{name}{one.suffix}"] = (one.decoder, options)
    (tmp_path / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    code = (HERE / "convert_constant_q.py").read_text(encoding="utf-8")
    done = run_python(site, code, tmp_path)
    assert json.loads(done.stdout) == {file: [1, 0] for file in jobs}
    for file in jobs:
        samples, rate = soundfile.read(tmp_path / "out" / f"{file}-0.wav", dtype="float32")
        assert rate == RATE
        np.testing.assert_allclose(samples, expected, atol=1e-6)
    inside = slice(RATE // 4, 3 * RATE // 4)
    error = np.sum((SOUND[inside] - expected[inside]) ** 2)
    assert 10 * np.log10(np.sum(SOUND[inside] ** 2) / error) > 40


def test_functions_for_a_models_code_take_its_arrays_and_its_signal(site: Path, folder: Path, expected: Any) -> None:
    code = f"import os; os.chdir({str(folder)!r})\n" + (HERE / "call_from_python.py").read_text(encoding="utf-8")
    done = json.loads(run_python(site, code).stdout)
    assert done["port"] == "cqt"
    assert done["tape"] == ["TAPE", RATE, expected.size]
    assert done["refused"] == ("bits is an option of tape-writer, which is not used here\n    hint: leave bits out")
    samples, rate = soundfile.read(folder / "signal.wav", dtype="float32")
    assert rate == RATE
    np.testing.assert_allclose(samples, expected, atol=2**-15)
    for name in ("array.wav", "implied.wav"):
        assert (folder / name).read_bytes() == (folder / "signal.wav").read_bytes()


def test_a_pipeline_with_it_is_checked_and_run(site: Path, folder: Path, expected: Any) -> None:
    assert tonearm(site, "check", folder / "cqt.yaml").returncode == 0
    done = tonearm(site, "run", folder / "cqt.yaml", "--out", folder / "out", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    samples, _ = soundfile.read(folder / "out/a.wav", dtype="float32")
    np.testing.assert_allclose(samples, expected, atol=2**-15)
    again = tonearm(site, "run", folder / "cqt.yaml", "--out", folder / "out")
    assert "0 converted, 0 failed, 1 done before" in again.stderr
    (folder / "cqt.yaml").write_text(PIPELINE.replace("130.81", "138.59"), encoding="utf-8")
    changed = tonearm(site, "run", folder / "cqt.yaml", "--out", folder / "out")
    assert "1 converted" in changed.stderr, changed.stderr


MISTAKES = {
    ("fmin: 130.81", "fmin: 0"): "5:85: bad-option: npy-reader: 'fmin' is 0; expected a number > 0",
    ("fmin", "fmim"): "5:79: unknown-option: npy-reader has no option 'fmim'\n    hint: did you mean 'fmin'?",
    ("kind: cqt", "kind: cqtt"): "5:16: unknown-plugin: npy-reader: kind: there is no kind 'cqtt'\n    hint: did you",
    (
        "kind: cqt",
        "kind: db",
    ): "npy-reader has no option 'bins_per_octave' with kind db\n    hint: leave bins_per_octave out; kind cqt has it",
    ("sample_rate: 16000, ", ""): "missing-option: npy-reader: 'sample_rate' is missing",
    ("use: icqt", "use: istft"): "port-mismatch: istft takes complex, but npy-reader gives cqt",
    ("fmin:", "axes: [mel, frame], fmin:"): "npy-reader: a cqt array has no mel axis",
    ("fmin:", "n_fft: 9, fmin:"): "npy-reader has no option 'n_fft' with kind cqt",
    ("npy-reader", "image-reader"): "image-reader: an image has real values of two axes, but kind cqt has others",
}


def test_mistakes_are_found_by_check(site: Path) -> None:
    """Each takes what stands in the pipeline for something else."""
    code = """
import json, sys
from tonearm.errors import PipelineError
from tonearm.pipeline.check import check
from tonearm.pipeline.document import read_document
from tonearm.plugins.registry import default
for text in json.loads(sys.argv[1]):
    try:
        check(read_document(text, "cqt.yaml", environ={}), "cqt.yaml", default())
    except PipelineError as error:
        print(json.dumps("\\n".join(map(str, error.problems))))
"""
    texts = [PIPELINE.replace(*change) for change in MISTAKES]
    said = [json.loads(line) for line in run_python(site, code, json.dumps(texts)).stdout.splitlines()]
    assert len(said) == len(MISTAKES)
    assert [text for text, message in zip(said, MISTAKES.values(), strict=True) if message not in text] == []


def test_an_option_of_its_own_implies_it(site: Path, folder: Path) -> None:
    (folder / "cqt.yaml").write_text(PIPELINE.replace("kind: cqt, ", ""), encoding="utf-8")
    assert tonearm(site, "check", folder / "cqt.yaml").returncode == 0


def test_convert_has_its_options_as_flags(site: Path, folder: Path, expected: Any) -> None:
    flags = ("--kind", "cqt", "--sample-rate", "16000", "--hop-length", "128", "--bins-per-octave", "24")
    done = tonearm(site, "convert", folder / "a.npy", folder / "a.wav", *flags, "--fmin", "130.81", "--n-bins", "120")
    assert done.returncode == 0, done.stderr
    samples, _ = soundfile.read(folder / "a.wav", dtype="float32")
    np.testing.assert_allclose(samples, expected, atol=2**-15)
    text = " ".join(tonearm(site, "convert", "--help").stdout.split())
    assert "Kinds: complex, cqt, db," in text
    assert "--bins-per-octave N Number of bins per octave." in text


def test_plugins_lists_and_describes_it(site: Path) -> None:
    listed = tonearm(site, "plugins").stdout
    assert "kinds\n" in listed
    (row,) = (line for line in listed.splitlines() if line.split()[:1] == ["cqt"])
    assert row.split("  ")[-1].endswith("Complex values of a constant-Q transform. [tonearm_cqt 0.3]")
    page = tonearm(site, "plugins", "cqt").stdout
    assert page.startswith("cqt: Complex values of a constant-Q transform.\nkind, → cqt, from tonearm_cqt 0.3\n")
    assert "  bins_per_octave: whole number ≥ 1, default 12\n" in page


def test_inspect_says_that_values_cannot_show_it(site: Path, folder: Path) -> None:
    shown = tonearm(site, "inspect", folder / "a.npy")
    assert shown.returncode == 0, shown.stderr
    assert "  kind:        cqt  (unknown: values cannot show it)\n" in shown.stdout


def test_the_schema_has_its_options_with_its_kind_alone(site: Path) -> None:
    import yaml

    schema = json.loads(tonearm(site, "schema").stdout)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    good = yaml.safe_load(PIPELINE)
    assert list(validator.iter_errors(good)) == []
    given = good["input"]["with"]
    for wrong in (given | {"fmin": 0}, given | {"n_fft": 512}, given | {"fmim": 1}):
        document = good | {"input": good["input"] | {"with": wrong}}
        assert len(list(validator.iter_errors(document))) == 1
