"""The trial of compiled code: real child processes that pass, crash, hang or say nothing, and the file of results."""

import json
import sys

import pytest
from dsp_material import NARROW, only_native

from tonearm_plugins.dsp.engines.native import trial
from tonearm_plugins.dsp.engines.native.compiler import this_machine

CRASH = "import ctypes; ctypes.string_at(0)"
"""What a kernel does that the system does not let run."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache folder of the test's own, on every system."""
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    return trial.cache_file().parent


@pytest.fixture
def attempts(monkeypatch):
    """The results of the next trials, in turn; none is made."""
    results = []
    monkeypatch.setattr(trial, "attempt", lambda: results.pop(0))
    return results


@only_native
def test_it_passes_where_kernels_run_and_its_result_is_kept(folder, monkeypatch):
    assert trial.refusal_of_trial(this_machine()) == ""
    (result,) = json.loads((folder / "compiled-code.json").read_text())
    assert result["cpu"] == this_machine().cpu
    assert result["refusal"] == ""
    monkeypatch.setattr(trial, "attempt", None)  # whoever calls it fails
    assert trial.refusal_of_trial(this_machine()) == ""


def test_a_crash_is_a_reason():
    reason = trial.attempt(("-c", CRASH))
    assert reason == "compiled code does not run here: a trial was ended by SIGSEGV"


def test_whoever_hangs_is_ended():
    reason = trial.attempt(("-c", "import time; time.sleep(600)"), limit_seconds=0.2)
    assert reason == "compiled code does not run here: a trial did not end within 0.2 s"


@pytest.mark.parametrize(
    ("program", "ending"),
    [
        ("import sys; sys.exit('its STFT is wrong')", "ended with status 1 (its STFT is wrong)"),
        ("import os; os.kill(os.getpid(), 50)", "was ended by signal 50"),
        ("print('a window of another program')", "ended with status 0"),
        ("import sys; sys.stderr.buffer.write(b'\\xff' * 900); sys.exit(3)", f"ended with status 3 ({'�' * 160})"),
    ],
)
def test_only_a_trial_that_says_so_has_passed(program, ending):
    assert trial.attempt(("-c", program)) == f"compiled code does not run here: a trial {ending}"


def test_where_no_python_can_be_started_nothing_is_compiled(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert trial.attempt().endswith("no trial could be started (FileNotFoundError)")
    monkeypatch.setattr(sys, "executable", "")
    assert trial.attempt().endswith("there is no Python to try it with")
    monkeypatch.setattr(sys, "executable", "/opt/program")
    monkeypatch.setattr(sys, "frozen", True, raising=False)  # it would be the program itself that starts again
    assert trial.attempt().endswith("there is no Python to try it with")


def test_a_failure_is_tried_again_after_a_day(folder, attempts):
    attempts += ["too slow", ""]
    assert trial.refusal_of_trial(NARROW) == "too slow"
    assert trial.refusal_of_trial(NARROW) == "too slow"
    path = trial.cache_file()
    (result,) = json.loads(path.read_text())
    path.write_text(json.dumps([{**result, "tried": result["tried"] - trial.TRIED_AGAIN_AFTER}]))
    assert trial.refusal_of_trial(NARROW) == ""
    assert len(json.loads(path.read_text())) == 1


def test_each_version_and_processor_is_tried(folder, attempts, monkeypatch):
    attempts += ["", "no", "no", ""]
    other = type(NARROW)("another", NARROW.features, NARROW.lanes)
    assert trial.refusal_of_trial(NARROW) == ""
    assert trial.refusal_of_trial(other) == "no"
    assert trial.refusal_of_trial(NARROW) == ""
    monkeypatch.setattr(sys, "executable", "/another/python")
    assert trial.refusal_of_trial(NARROW) == "no"
    monkeypatch.setattr(trial, "_version", lambda package: "99.0")
    assert trial.refusal_of_trial(NARROW) == ""
    assert not attempts


def test_the_file_keeps_the_newest_results(folder, attempts):
    for lanes in range(trial.KEPT + 3):
        attempts.append("")
        trial.refusal_of_trial(type(NARROW)("one", "", lanes))
    assert [result["lanes"] for result in json.loads(trial.cache_file().read_text())] == list(range(3, trial.KEPT + 3))


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"{}", b"[1, null]", b"[" * 100_000, b'[{"tried": 0}]'],
    ids=["empty", "bytes", "object", "items", "deep", "facts"],
)
def test_a_broken_file_is_replaced(folder, attempts, content):
    path = trial.cache_file()
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    attempts.append("no")
    assert trial.refusal_of_trial(NARROW) == trial.refusal_of_trial(NARROW) == "no"


@pytest.mark.parametrize("field", [{"refusal": None}, {"tried": "yesterday"}, {"refusal": "", "tried": None}])
def test_a_result_that_is_not_well_formed_does_not_count(folder, attempts, field):
    attempts += ["", "no"]
    trial.refusal_of_trial(NARROW)
    (result,) = json.loads(trial.cache_file().read_text())
    trial.cache_file().write_text(json.dumps([{**result, **field}]))
    assert trial.refusal_of_trial(NARROW) == "no"


def test_without_a_folder_each_process_tries(tmp_path, attempts, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    attempts += ["", "no"]
    assert [trial.refusal_of_trial(NARROW) for _ in range(2)] == ["", "no"]


def test_nothing_is_left_beside_the_file(folder, attempts):
    attempts.append("")
    trial.refusal_of_trial(NARROW)
    assert [path.name for path in folder.iterdir()] == ["compiled-code.json"]


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", "XDG_CACHE_HOME", "base/tonearm/compiled-code.json"),
        ("linux", None, "home/.cache/tonearm/compiled-code.json"),
        ("darwin", None, "home/Library/Caches/tonearm/compiled-code.json"),
        ("win32", "LOCALAPPDATA", "base/tonearm/compiled-code.json"),
        ("win32", None, "home/AppData/Local/tonearm/compiled-code.json"),
    ],
)
def test_each_system_has_its_cache_folder(platform, variable, expected, tmp_path, monkeypatch):
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "base"))
    monkeypatch.setattr(sys, "platform", platform)
    assert trial.cache_file() == tmp_path / expected
