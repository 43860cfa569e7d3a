"""Limits of the sources: read from YAML, flags and Python, obeyed by decoders in every mode, and part of no output."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from msgspec.structs import replace

import tonearm
from tonearm.cli.main import main
from tonearm.pipeline.check import check
from tonearm.pipeline.document import from_plain
from tonearm.pipeline.given_limits import read_limits
from tonearm.pipeline.limits import PipelineLimits
from tonearm.pipeline.provenance import fingerprints_of
from tonearm.pipeline.schema import pipeline_schema
from tonearm.plugins import registry

REGISTRY = registry.default()
PIPELINE: dict[str, Any] = {
    "tonearm": 1,
    "input": {"use": "npz-reader", "files": "*.npz", "with": {"kind": "waveform", "sample_rate": 8000}},
    "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
}


def limits_of(limits: Any) -> PipelineLimits:
    return check(from_plain(PIPELINE | {"limits": limits}), None, REGISTRY).limits


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("given", "size"),
    [
        (2_000_000, 2_000_000),
        ("2GB", 2_000_000_000),
        ("512 MiB", 512 << 20),
        ("1.5 kB", 1500),
        ("3TiB", 3 << 40),
    ],
)
def test_sizes_are_numbers_or_text_with_a_unit(given: Any, size: int) -> None:
    assert limits_of({"memory": given}) == PipelineLimits(memory=size)
    jsonschema.validate(PIPELINE | {"limits": {"memory": given}}, pipeline_schema(REGISTRY))


def test_no_limits_are_the_default_ones() -> None:
    assert limits_of(None) == limits_of({}) == PipelineLimits(memory=1_000_000_000)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"memory": 0}, "memory"),
        ({"memory": "2 seconds"}, "memory"),
        ({"memory": "much"}, "'2 GB'"),
        ({"memroy": "2GB"}, "did you mean 'memory'"),
        (["memory"], "limits must be a mapping, but is a list"),
    ],
)
def test_wrong_limits_are_problems_of_the_pipeline(limits: Any, message: str) -> None:
    with pytest.raises(tonearm.PipelineError) as raised:
        limits_of(limits)
    assert len(raised.value.problems) == 1
    assert message in str(raised.value)
    assert list(jsonschema.Draft202012Validator(pipeline_schema(REGISTRY)).iter_errors(PIPELINE | {"limits": limits}))


def test_limits_enter_no_fingerprint_and_reach_other_processes() -> None:
    checked = check(from_plain(PIPELINE | {"limits": {"memory": "3GB"}}), None, REGISTRY)
    assert fingerprints_of(checked) == fingerprints_of(replace(checked, limits=PipelineLimits()))
    from tonearm.pipeline.converter import Converter

    assert pickle.loads(pickle.dumps(Converter(checked))).checked.limits.memory == 3e9


def test_limits_of_a_command_without_a_pipeline() -> None:
    assert read_limits(["memory=1kB", "memory=2kB"], REGISTRY).memory == 2000
    for wrong in ("memory", "memory=no", "ram=2GB", "memory.x=2"):
        with pytest.raises(tonearm.PipelineError, match=r"--limit|limits"):
            read_limits([wrong], REGISTRY)


@pytest.fixture
def deflated(tmp_path: Path) -> Path:
    """A folder with a pipeline and an archive whose array of 400 kB has to be inflated as a whole."""
    samples = np.random.default_rng(0).standard_normal(100_000).astype(np.float32) / 10
    content = io.BytesIO()
    np.save(content, samples)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("wav.npy", content.getvalue())
    (tmp_path / "p.yaml").write_text(json.dumps(PIPELINE))
    return tmp_path


@pytest.mark.parametrize("jobs", ["0", "2"])
def test_a_run_obeys_the_limit_and_its_remedy_is_enough(
    deflated: Path, capsys: pytest.CaptureFixture[str], jobs: str
) -> None:
    run = ["run", str(deflated / "p.yaml"), "--out", str(deflated / "out"), "--jobs", jobs]
    assert main([*run, "--limit", "memory=500kB"]) == 3
    said = capsys.readouterr().err
    assert "too-large" in said
    assert "one source may take 0.1GB" in said
    assert 'hint: limits: {memory: "0.1GB"} in the pipeline, or --limit memory=0.1GB, if this is intended' in said
    assert main([*run, "--limit", "memory=0.1GB"]) == 0
    assert (deflated / "out/a.wav").stat().st_size > 200_000


def test_convert_and_inspect_obey_it(deflated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = str(deflated / "a.npz"), str(deflated / "a.wav")
    convert = ["convert", source, target, "--kind", "waveform", "--sample-rate", "8000", "--timeout", "0"]
    assert main([*convert, "--limit", "memory=500kB"]) == 3
    assert "hint: --limit memory=0.1GB, if this is intended" in capsys.readouterr().err
    assert main([*convert, "--limit", "memory=0.1GB"]) == 0
    assert main(["inspect", source, "--timeout", "0", "--limit", "memory=500kB"]) == 3
    assert "one source may take" in capsys.readouterr().out
    assert main(["inspect", source, "--timeout", "0", "--limit", "memory=0.1GB"]) == 0


def test_python_obeys_it(deflated: Path) -> None:
    source = deflated / "a.npz"
    with pytest.raises(tonearm.ItemError, match=r"limits=\{\"memory\": \"0.1GB\"\}"):
        list(tonearm.load_pipeline(PIPELINE, limits={"memory": 500_000}).convert(source))
    (signal,) = tonearm.load_pipeline(PIPELINE, limits={"memory": "0.1GB"}).convert(source)
    assert signal.arrays()
    with pytest.raises(tonearm.PipelineError, match="limits has no option 'speed'"):
        tonearm.load_pipeline(PIPELINE, limits={"speed": 1})


def test_limits_never_change_and_are_named():
    with pytest.raises(FrozenInstanceError):
        PipelineLimits().memory = 1
    with pytest.raises(TypeError, match="positional"):
        PipelineLimits(1)


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("beyond", 8.5, 0),
        ("clipped", 0.5, 1.5),
        ("quiet_db", -90.0, 3),
        ("dialect", "off", "maybe"),
        ("strict", True, 2),
    ],
)
def test_each_limit_can_be_given_and_has_a_range(name: str, value: Any, wrong: Any) -> None:
    assert getattr(limits_of({name: value}), name) == value
    assert getattr(read_limits([f"{name}={value}".replace("True", "true")], REGISTRY), name) == value
    with pytest.raises(tonearm.PipelineError, match=name):
        limits_of({name: wrong})


def test_strict_is_a_limit_in_python() -> None:
    assert tonearm.load_pipeline(PIPELINE, strict=True).checked.limits.strict
    assert not tonearm.load_pipeline(PIPELINE).checked.limits.strict
