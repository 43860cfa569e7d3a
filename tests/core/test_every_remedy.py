"""Every remedy is applied: the outcome is right, or it is the next, different problem.

`remedy_cases` has at least one case for each place in the source that proposes an option, a step or a limit. A new
place without a case fails `test_every_place_that_proposes_something_has_a_case`.
"""

from __future__ import annotations

import ast
import copy
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from remedy_cases import CASES, Case

from tonearm.errors import (
    ChooseOption,
    InsertStep,
    PipelineError,
    Place,
    RemoveOption,
    SetLimit,
    SetOption,
    TonearmError,
)
from tonearm.pipeline.check import check
from tonearm.pipeline.converter import Converter, as_source
from tonearm.pipeline.document import from_plain
from tonearm.plugins.registry import default
from tonearm.run.convert_one import convert_one

ROOT = Path(__file__).parents[2]
NAMES = ("SetOption", "ChooseOption", "ChoosePlugin", "RemoveOption", "InsertStep", "SetLimit")
BY_NAME = {case.name: case for case in CASES}
RIGHT_DB = 20.0


def problems_of(plain, source, folder):
    """Return the problems of a conversion, none if it succeeds."""
    try:
        checked = check(from_plain(plain), None, default())
        convert_one(Converter(checked), as_source(source), folder, force=True, on_warning=lambda _: None)
    except PipelineError as error:
        return list(error.problems)
    except TonearmError as error:
        return [error.problem]
    return []


def single(remedy):
    """Return the remedies that a choice stands for."""
    if isinstance(remedy, ChooseOption):
        return [SetOption(remedy.option, value, remedy.when) for value in remedy.values]
    return [remedy] if isinstance(remedy, (SetOption, RemoveOption, InsertStep, SetLimit)) else []


def found_at(plain, path):
    for key in path:
        plain = plain[int(key)] if isinstance(plain, list) else plain.setdefault(key, {})
    return plain


def applied(plain, remedy, place):
    """Return a pipeline after a remedy, by hand: independently of the trials that the host has made."""
    plain = copy.deepcopy(plain)
    if isinstance(remedy, SetLimit):
        plain["limits"] = {**plain.get("limits", {}), remedy.limit: remedy.value}
        return plain
    stage = getattr(remedy, "stage", "") or place.stage
    if isinstance(remedy, InsertStep):
        new = [{"use": name} for name in remedy.first] + [{"use": remedy.use, "with": dict(remedy.options)}]
        kind, _, rest = stage.partition(".")
        index = int(rest) if kind == "steps" else len(plain["steps"])
        plain["steps"][index:index] = new
        return plain
    options = found_at(plain, [*stage.split("."), "with"] if stage and stage != "limits" else [stage] if stage else [])
    if isinstance(remedy, RemoveOption):
        *above, name = remedy.option.split(".")
        found_at(options, above).pop(name)
        return plain
    options.pop(remedy.instead_of, None)
    options |= {remedy.option: remedy.value, **remedy.also}
    return plain


def is_right(path, truth):
    samples = soundfile.read(path)[0]
    length = min(len(samples), len(truth))
    if abs(len(samples) - len(truth)) > 1024:
        return False
    error = samples[:length] - truth[:length]
    return 10 * np.log10(np.sum(truth[:length] ** 2.0) / np.sum(error**2)) > RIGHT_DB


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", BY_NAME)
def test_each_remedy_leads_on(name, tmp_path):
    case: Case = BY_NAME[name]
    source = case.write(tmp_path)
    plain = case.pipeline(source)
    problems = problems_of(plain, source, tmp_path)
    assert problems, "the case has no problem"
    tried = [(one, problem) for problem in problems for remedy in problem.remedies for one in single(remedy)]
    assert tried, [str(problem) for problem in problems]
    right = []
    for remedy, problem in tried:
        after = problems_of(applied(plain, remedy, problem.place), source, tmp_path)
        assert (problem.code, problem.message) not in [(one.code, one.message) for one in after], remedy
        if not after and case.truth:
            right.append(is_right(tmp_path / f"out.{case.suffix}", case.truth()))
            assert right[-1] or remedy.when or len(tried) > 1, remedy
    assert not right or any(right)


@pytest.mark.parametrize("name", BY_NAME)
def test_each_remedy_is_data_in_every_form(name, tmp_path):
    case: Case = BY_NAME[name]
    source = case.write(tmp_path)
    for problem in problems_of(case.pipeline(source), source, tmp_path):
        assert len(str(problem).splitlines()) <= 3
        for remedy in (one for each in problem.remedies for one in single(each)):
            if not isinstance(remedy, SetOption) or remedy.stage or remedy.instead_of or remedy.also:
                continue
            bare, wanted = SetOption(remedy.option, remedy.value), {remedy.option: plain_of(remedy.value)}
            assert yaml.safe_load(bare.text(Place("input"))) == wanted
            assert ast.literal_eval(f"{{{bare.text(Place('input', 'python'))}}}") == wanted
            (keyword,) = ast.parse(f"save({bare.text(Place('input', 'call'))})", mode="eval").body.keywords
            assert {keyword.arg: ast.literal_eval(keyword.value)} == wanted


def plain_of(value):
    return list(value) if isinstance(value, tuple) else value


ON_THE_COMMAND_LINE = [
    case.name for case in CASES
    if case.decoder == "npy-reader" and not case.plain and len(case.steps) <= 1 and "file" not in case.output
]  # fmt: skip


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", ON_THE_COMMAND_LINE)
def test_each_hint_of_convert_is_a_command_line(name, tmp_path, monkeypatch, capsys):
    from tonearm.cli.main import main

    case: Case = BY_NAME[name]
    source = case.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    plain = case.pipeline(source)
    argv = ["convert", str(source), f"out.{case.suffix}", "--force", "--encoder", case.output["use"]]
    for option, value in case.options.items():
        argv += [f"--{option.replace('_', '-')}", yaml_flow(value)]
    for step in plain["steps"]:
        sets = ";".join(f"{option}={yaml_flow(value)}" for option, value in step.get("with", {}).items())
        argv += ["--step", f"{step['use']}:{sets}" if sets else step["use"]]
    for option, value in case.output.get("with", {}).items():
        argv += ["--set", f"outputs.0.with.{option}={yaml_flow(value)}"]

    def said(extra=()):
        status = main([*argv, *extra])
        return status, capsys.readouterr().err

    _, first = said()
    for problem in problems_of(plain, source, tmp_path):
        if problem.message not in first:
            continue  # convert adds the steps that lack
        for remedy in (one for each in problem.remedies for one in single(each)):
            text = remedy.text(Place(problem.place.stage, "flags")).removesuffix(f", {getattr(remedy, 'when', '')}")
            if not text.startswith("--") or text.endswith("before it"):
                continue
            assert f"{problem.code}: {problem.message}\n" not in said(shlex.split(text))[1], text


def yaml_flow(value):
    return yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()


ELSEWHERE = {
    "arrays/axes.py:arrange": "test_axes: axes in another order",
    "arrays/array_decoder.py:decode": "test_array_decoder: a second array of an array in memory",
    "pipeline/inference.py:_by_content": "test_inference: no decoder has the suffix, and there is no pipeline yet",
    "pipeline/inference.py:_other_suffixes": "test_convert: the encoder for any suffix, and there is no pipeline yet",
    "pipeline/inference.py:plugin_by_suffix": "test_convert: two decoders of a suffix",
    "recipes/tokens/undo_axes.py:_batch_or_segments": "test_undo_axes: a batch or segments, both of which help",
    "run/reading_problem.py:_fitting_layouts": "test_reading_problem: layouts that fit beside a missing rate",
    "pipeline/structure.py:_output_file": "test_structure: an output without a file, whose place is not known",
    "signals/windows.py:checked_values": "test_windows: a window of another length",
    "transforms/filter.py:check_blocks": "test_streaming_transforms: filtering backwards in a stream",
    "transforms/librosa_effects.py:analysis_length": "test_librosa_effects: NaN that was kept",
    "encoders/png_writer.py:write": "test_png_writer: a spectrogram of a class that is known only from the data",
    "pipeline/check.py:_check_precision": "test_check: a step of another package",
    "inspect/files.py:keyed_arrays": "test_files: no pipeline, the choice is among the arrays of the file",
    "encoders/mp3_writer.py:preflight": "test_mp3_writer: a lameenc that hides LAME",
    "encoders/sound_tags.py:check_blocks": "a stream, and these cases are of whole sounds",
    "encoders/wav_writer.py:check_pipe": "test_wav_writer: a pipe",
    "encoders/mp3_writer.py:check_pipe": "test_mp3_writer: an engine that cannot write into a pipe",
    "cli/pipe_sources.py:told_by_content": "test_pipe_sources: no pipeline, the first bytes tell no decoder",
    "conversion/chunks.py:_axes_of": "test_chunks: a stream, and these cases are of whole sounds",
    "formats/lame.py:improper_mp3": "test_lame: LAME writes no such file",
    "writing/tagging_encoder.py:check_blocks": "a stream, and these cases are of whole sounds",
    "networks/onnx_session.py:_session": "test_onnx_session: a device that does not start",
    "networks/onnx_session.py:providers_of": "test_onnx_session: a device that is not installed",
    "networks/onnx_transform.py:check_blocks": "test_onnx_vocoder: a model that cannot be cut in a stream",
    "networks/onnx_transform.py:warnings": "test_onnx_codec: warnings of a pipeline that works",
    "networks/options.py:problems": "test_options: chunks of a model's frames",
    "networks/planning/__init__.py:_check_sizes": "test_planning: a model of fixed sizes",
    "networks/planning/faults.py:check": "test_planning: a model of unknown inputs and outputs",
    "networks/planning/figures.py:sample_rate_of": "test_planning: a model of tokens",
    "networks/planning/figures.py:samples_per_frame_of": "test_planning: a model of tokens",
    "networks/batches.py:batch_warnings": "test_batches: warnings of a pipeline that works",
    "networks/signal_checks.py:_raise_for": "test_transformers_codec: a model of transformers",
    "networks/spectrum.py:check_bins": "test_spectrum: a model whose bins only its output tells",
    "networks/signal_checks.py:agreed_rate": "test_signal_checks: a model of transformers or of TorchScript",
    "networks/torch_device.py:choose_device": "test_torch_device: a machine without a device",
    "networks/torchscript.py:_laid": "test_torchscript: a TorchScript program",
    "networks/trained_dialect.py:conversion_remedies": "test_trained_dialect: a model of transformers",
    "transforms/torchscript_codec.py:problems": "test_torchscript_codec: a TorchScript program",
}
"""Places whose remedies the tests of a module apply, because they need a model, a file or a program of their own."""


def places():
    """Return the places of the source that propose something: file and function, with the lines of the calls."""
    found = {}
    for package in ("core/tonearm", "plugins/tonearm_plugins"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = str(path.relative_to(ROOT / package))
            if name.startswith("errors/") or name.endswith("trials.py"):
                continue
            for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(function, ast.FunctionDef):
                    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
                    lines = {node.lineno for node in calls if getattr(node.func, "id", "") in NAMES}
                    if lines:
                        found[f"{name}:{function.name}"] = (str(path), function.name, lines)
    return found


def test_every_place_that_proposes_something_has_a_case(tmp_path):
    wanted = places()
    by_line: dict[str, dict[int, str]] = {}
    for place, (path, _, lines) in wanted.items():
        by_line.setdefault(path, {}).update(dict.fromkeys(lines, place))
    seen: set[str] = set()

    def on_call(frame, event, _):
        known = by_line.get(frame.f_code.co_filename)
        if known is None:
            return None

        def on_line(frame, event, _):
            if frame.f_lineno in known:
                seen.add(known[frame.f_lineno])
            return on_line

        return on_line

    before = sys.gettrace()
    for case in CASES:
        folder = tmp_path / case.name.replace(" ", "-")
        folder.mkdir()
        source = case.write(folder)
        sys.settrace(on_call)
        try:
            problems_of(case.pipeline(source), source, folder)
        finally:
            sys.settrace(before)
    missing = sorted(set(wanted) - seen - set(ELSEWHERE))
    assert not missing, "\n".join(["no case, nor a place among those tested elsewhere:", *missing])
    assert sorted(set(ELSEWHERE) - set(wanted)) == []
