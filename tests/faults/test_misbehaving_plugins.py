"""Plugins that misbehave in every role: each misdeed is its item's failure at most, and the run goes on.

The misdeeds of one run follow each other in the same process, between sources that are innocent.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import PATIENCE, TONEARM, run
from invariants import identities, leftover_files, rewritten_files, unrecorded_files
from misbehaving_plugins import FAILING, HARMLESS, KILLING, RAISING, ROLES, install, write_pipeline, write_sources

INNOCENT = ["a", "g", "n", "z"]

CONVERT = {
    "decoder": ["--decoder", "acme-reader", "--encoder", "wav-writer"],
    "transform": ["--step", "acme-step", "--kind", "waveform", "--sample-rate", "16000", "--encoder", "wav-writer"],
    "regroup": ["--step", "acme-group", "--kind", "waveform", "--sample-rate", "16000", "--encoder", "wav-writer"],
    "encoder": ["--encoder", "acme-writer", "--kind", "waveform", "--sample-rate", "16000"],
    "kind": ["--kind", "acme-kind", "--encoder", "wav-writer"],
}


def is_alive(process_id):
    """Whether a process goes on."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] not in "XZ"
    except FileNotFoundError:
        return False


def survivors(folder):
    """Return the programs that plugins started and that go on; end them."""
    found = []
    for text in (folder / "pids").read_text().split() if (folder / "pids").exists() else []:
        if is_alive(int(text)):
            found.append(int(text))
            os.kill(int(text), 9)
    return found


def violations(folder, role, misdeeds, failing, *arguments):
    """Run misdeeds in a role, and again, and once more without them; return the rules that were broken."""
    env = install(folder)
    write_pipeline(folder, role)
    write_sources(folder, sorted([*INNOCENT, *misdeeds]))
    out = folder / "out"
    more = {"env": env, "stdin": subprocess.DEVNULL}
    status, messages = run(folder, *arguments, **more)
    lines = [] if status == (3 if failing else 0) else [f"exits with {status}: {messages}"]
    lines += [f"printed {messages}"] if "Traceback" in messages else []
    expected = {f"{name}.wav" for name in {*INNOCENT, *misdeeds} - set(failing)}
    lines += [f"converted or not: {sorted(expected ^ set(identities(out)))}: {messages}"] * (
        set(identities(out)) != expected
    )
    lines += [name for name in expected if (out / name).exists() and (out / name).stat().st_mode & 0o777 != 0o644]
    lines += unrecorded_files(out) + leftover_files(out) + [f"goes on: {one}" for one in survivors(folder)]
    before = identities(out)
    more["env"] = {**env, "REFORMED": "1"}
    status, messages = run(folder, *arguments, **more)
    lines += [] if status == 0 else [f"then exits with {status}: {messages}"]
    found = identities(out)
    lines += [] if len(found) == len(misdeeds) + len(INNOCENT) else [f"then converted {sorted(found)}"]
    return lines + leftover_files(out) + rewritten_files(before, found)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [0, 2])
@pytest.mark.parametrize("role", ROLES)
def test_exceptions_and_changes_of_the_process(tmp_path, role, jobs):
    failing = {**RAISING, **FAILING}
    if role == "encoder":  # only an encoder can say that an output cannot be written
        del failing["output_error"]
    assert violations(tmp_path, role, {**failing, **HARMLESS}, failing, "--jobs", jobs) == []


@pytest.mark.parametrize("jobs", [0, 2])
def test_the_worst_exceptions_and_changes_of_the_process(tmp_path, jobs):
    """A few of each kind, for every day."""
    names = ("mute", "generator_exit", "interrupt", "chdir", "umask", "fork")
    failing = {name: deed for name, deed in {**RAISING, **FAILING}.items() if name in names}
    harmless = {name: HARMLESS[name] for name in ("session", "daemon", "handlers", "no_streams")}
    assert violations(tmp_path, "transform", {**failing, **harmless}, failing, "--jobs", jobs) == []


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [0, 2])
@pytest.mark.parametrize("role", ROLES)
def test_ends_of_the_process(tmp_path, role, jobs):
    assert violations(tmp_path, role, KILLING, KILLING, "--jobs", jobs) == []


@pytest.mark.one_in(2)
@pytest.mark.parametrize("jobs", [0, 2])
def test_an_exit_with_status_0(tmp_path, jobs):
    """It does not pass for the end of the run."""
    assert violations(tmp_path, "transform", ["exit"], ["exit"], "--jobs", jobs) == []


def converted(folder, role, name):
    """Convert one file; return the status, the messages, and the output folder's files."""
    env = install(folder)
    write_sources(folder, [name])
    (folder / "out").mkdir()
    command = [TONEARM, "convert", f"in/{name}.npy", "out/x.wav", *CONVERT[role]]
    done = subprocess.run(
        command, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE
    )
    return done.returncode, done.stderr, os.listdir(folder / "out")


@pytest.mark.parametrize(
    ("role", "name"),
    [("decoder", "fork"), ("transform", "exit"), ("regroup", "mute"), ("encoder", "umask"), ("kind", "chdir")],
)
def test_convert_fails(tmp_path, role, name):
    status, messages, files = converted(tmp_path, role, name)
    assert (status, files) == (3, []), messages
    assert "Traceback" not in messages


@pytest.mark.parametrize("name", ["session", "daemon"])
def test_convert_ends_with_what_a_plugin_started(tmp_path, name):
    status, messages, files = converted(tmp_path, "transform", name)
    assert (status, files) == (0, ["x.wav"]), messages
    assert survivors(tmp_path) == []


def test_a_thread_that_never_ends(tmp_path):
    """The work is done, so its status counts, and the process does not wait for ever."""
    env = install(tmp_path)
    write_pipeline(tmp_path, "transform")
    write_sources(tmp_path, ["endless"])
    site = tmp_path / "site" / "tonearm_acme.py"
    endless = "DEEDS = {'endless': 'threading.Thread(target=time.sleep, args=(600,)).start()', "
    site.write_text(site.read_text().replace("DEEDS = {", endless))
    program = (
        "from tonearm.cli import watcher; watcher.STOP_TIMEOUT = 0.5; from tonearm.cli.main import program; program()"
    )
    command = [sys.executable, "-c", program, "run", "p.yaml", "--out", "out", "--jobs", "0"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, sorted(identities(tmp_path / "out"))) == (0, ["endless.wav"]), done.stderr
