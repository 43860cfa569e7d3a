"""Faulty plugins beside the built-in ones: the culprit is named, and every other plugin and command goes on."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from core_toys import third_party, tonearm
from faulty_plugins import Fault
from faulty_work import FAULTS

from tonearm.api import Sink
from tonearm.cli import main as cli
from tonearm.errors import PipelineError, TonearmError
from tonearm.pipeline.check import check
from tonearm.pipeline.converter import Converter, as_source
from tonearm.pipeline.document import from_plain
from tonearm.pipeline.provenance import fingerprints_of
from tonearm.plugins import registry
from tonearm.plugins.discovery import installed_packages

GOOD = {
    "tonearm": 1,
    "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 8000}},
    "steps": [{"use": "gain", "with": {"gain_db": -6.0}}],
    "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
}
ARRAY = np.linspace(-0.5, 0.5, 800, dtype=np.float32)
BUILTIN = next(installed_packages())


@pytest.fixture(autouse=True)
def nothing_else_is_damaged():
    """The process is as it was before: the folder, the streams, and numpy's errors."""

    def state():
        return Path.cwd(), sys.stdout, sys.stderr, np.geterr(), sys.getrecursionlimit()

    before = state()
    yield
    assert state() == before


def registered(fault):
    return registry.Registry([BUILTIN, fault.package])


def second(pipeline):
    """Return another output, which shares what the steps of the pipeline gave."""
    return [{**pipeline["outputs"][0], "file": "second/{stem}.wav"}]


def faulty_pipeline(fault):
    """Return a pipeline that uses a faulty plugin in the place of its role."""
    pipeline = json.loads(json.dumps(GOOD))
    if fault.role == "decoders":
        pipeline["input"] = {"use": "acme-x"}
    elif fault.role == "encoders":
        pipeline["outputs"] = [{"use": "acme-x", "file": "{stem}.x"}, *pipeline["outputs"]]
    elif fault.role == "dialects":
        pipeline["input"]["with"] = {"dialect": "acme-x"}
        pipeline["steps"] = [{"use": "mel-to-wave"}]
    elif fault.role == "kinds":
        pipeline["input"]["with"] = {"kind": "acme-x"}
    elif fault.own:
        pipeline["outputs"] = [{**pipeline["outputs"][0], "steps": [{"use": "acme-x"}]}, *second(pipeline)]
    else:
        pipeline["steps"] = [{"use": "acme-x"}, *pipeline["steps"]]
    return pipeline


def converted(pipeline, found, folder):
    """Convert the array; return the errors of its outputs as texts, and how many files were written."""
    converter = Converter(check(from_plain(pipeline), None, found))
    errors, written = [], 0
    try:
        fingerprints_of(converter.checked)
        converter.preflight()
        for outcome in converter.items(as_source(ARRAY.copy())):
            for index, output in enumerate(converter.outputs):
                try:
                    for branch in converter.branch(output, outcome):
                        if branch.error:
                            raise branch.error
                        sink = Sink(folder / f"{index}.part", Path(output.template.text).suffix)
                        converter.encode(output, branch, sink)
                        written += 1
                except TonearmError as error:
                    errors.append(str(error.problem))
    except TonearmError as error:
        errors.append(str(error.problem))
    return errors, written


def everything_else_works(found, folder, monkeypatch, capsys):
    """List the plugins, describe one, print the schema, and convert with the built-in ones."""
    monkeypatch.setattr(registry, "default", lambda: found)
    for arguments in (["plugins", "--json"], ["plugins", "gain"], ["schema"], ["convert", "--help"]):
        try:
            status = cli.main(arguments)
        except SystemExit as exited:  # --help
            status = exited.code
        out, err = capsys.readouterr()
        assert status == 0, err
        assert "Traceback" not in err
        if arguments[-1] in ("--json", "schema"):
            assert len(json.loads(out)) > 5
    assert converted(GOOD, found, folder) == ([], 1)


def name_of(fault):
    return f"{fault.role or 'package'}-{fault.name}".replace(" ", "-")


def test_there_are_fifty():
    assert len(FAULTS) >= 50
    assert len({name_of(fault) for fault in FAULTS}) == len(FAULTS)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
def test_the_culprit_is_named_and_everything_else_works(fault: Fault, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "*")
    found = registered(fault)
    warned = [str(problem) for problem in found.problems]
    assert len(warned) == len(fault.warns), warned
    for text, start in zip(warned, fault.warns, strict=True):
        assert text.startswith(start)
    if not fault.role:
        everything_else_works(found, tmp_path, monkeypatch, capsys)
        return
    assert converted(GOOD, found, tmp_path) == ([], 1)
    pipeline = faulty_pipeline(fault)
    if fault.at == "check":
        with pytest.raises(PipelineError) as caught:
            check(from_plain(pipeline), None, found)
        texts = [str(problem) for problem in caught.value.problems]
    else:
        texts, _ = converted(pipeline, found, tmp_path)
    assert any(text.startswith(fault.says) for text in texts), texts
    assert all("acme-x" in text for text in texts), texts
    out, err = capsys.readouterr()
    assert (out, err) == ("", "")
    everything_else_works(found, tmp_path, monkeypatch, capsys)


HOOK = "from tonearm.api import *\n@hookimpl\ndef tonearm_{}(): return {}"
BROKEN = {
    "exits": "import sys\nsys.exit('no licence')",
    "prints": "import os\nprint('{')\nos.write(1, b'[')\n" + HOOK.format("decoders", "{}"),
    "syntax": "def (",
    "moves": HOOK.format("decodres", "{}"),
    "takes": HOOK.format("decoders", "{'npy-reader': 'tonearm_takes:X'}"),
    "threads": "import threading\nthreading.Thread(target=lambda: 1 / 0).start()\nraise MemoryError",
}
"""Packages of one installation, each with its module."""

RIGHT = """\
tonearm: 1
input: {use: npy-reader, files: "*.npy", with: {kind: waveform, sample_rate: 8000}}
outputs: [{use: wav-writer, file: "{stem}.wav"}]
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """An environment with all of them installed."""
    folder = tmp_path_factory.mktemp("site")
    return [third_party(folder, name, code) for name, code in BROKEN.items()][-1]


class TestProcesses:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Path("p.yaml").write_text(RIGHT)
        np.save("a.npy", np.full(800, 0.5, np.float32))

    @pytest.mark.parametrize(
        "arguments",
        [
            ["plugins", "--json"], ["schema"], ["check", "p.yaml"], ["run", "p.yaml", "--json", "--jobs", "1"],
            ["inspect", "a.npy", "--json"],
            ["convert", "a.npy", "b.wav", "--kind", "waveform", "--sample-rate", "8000"],
        ],
        ids=lambda arguments: arguments[0],
    )  # fmt: skip
    def test_every_command_works_and_names_them(self, arguments, site, folder):
        done = tonearm(*arguments, env=site)
        assert done.returncode == 0
        for line in done.stdout.splitlines() if "--json" in arguments and arguments[0] != "plugins" else [done.stdout]:
            json.loads(line or "{}")
        for text in (
            "broken-plugin: tonearm_exits 1.2 is disabled: SystemExit: it calls sys.exit('no licence')",
            "broken-plugin: tonearm_syntax 1.2 is disabled: SyntaxError",
            "unknown-hook: tonearm_decodres of tonearm_moves 1.2 is ignored: there is no hook 'tonearm_decodres'",
            "name-clash: takes/npy-reader of tonearm_takes 1.2 has the name of builtin/npy-reader, which wins",
            "broken-plugin: tonearm_threads 1.2 is disabled: MemoryError",
        ):
            assert f"warning: {text}" in done.stderr

    @pytest.mark.slow
    def test_debug_shows_where_a_plugin_fails(self, folder, tmp_path):
        code = """
from tonearm.api import *
class Late(Transform[Waveform, Waveform, NoOptions]):
    "Fail later."
    def apply(self, signal, context):
        return [][signal.sample_rate]
class Odd(Late):
    "Fail at check."
    def produces(self, spec):
        return [][spec.sample_rate]
""" + HOOK.format("transforms", "{'acme-odd': Odd, 'acme-late': Late}")
        env = third_party(tmp_path / "site", "acme", code)
        Path("q.yaml").write_text(RIGHT.replace("outputs", "steps: [{use: acme-odd}]\noutputs"))
        Path("r.yaml").write_text(RIGHT.replace("outputs", "steps: [{use: acme-late}]\noutputs"))
        flags = ["--kind", "waveform", "--sample-rate", "8000", "--step", "acme-late"]
        for arguments, status, line in (
            (["check", "q.yaml"], 2, "    return [][spec.sample_rate]"),
            (["run", "r.yaml", "--jobs", "0"], 3, "    return [][signal.sample_rate]"),
            (["run", "r.yaml", "--jobs", "1"], 3, "    return [][signal.sample_rate]"),
            (["convert", "a.npy", "b.wav", *flags], 3, "    return [][signal.sample_rate]"),
        ):
            done = tonearm(*arguments, env=env)
            assert (done.returncode, "Traceback" in done.stderr) == (status, False)
            assert "acme-" in done.stderr
            done = tonearm(*arguments, "--debug", env=env)
            assert (done.returncode, line in done.stderr) == (status, True)

    @pytest.mark.parametrize("arguments", [["plugins"], ["check", "p.yaml"], ["run", "p.yaml", "--jobs", "0"]])
    def test_debug_shows_where_they_fail(self, arguments, site, folder):
        done = tonearm(*arguments, "--debug", env=site)
        assert done.returncode == 0
        assert 'tonearm_exits.py", line 2, in <module>' in done.stderr
        assert 'tonearm_syntax.py", line 1' in done.stderr
