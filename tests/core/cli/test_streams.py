"""Exit statuses, stdout against stderr, and streams that are closed, full or odd."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from core_toys import third_party, tonearm

RIGHT = """\
tonearm: 1
input: {use: npy-reader, files: "*.npy", with: {kind: waveform, sample_rate: 8000}}
outputs: [{use: wav-writer, file: "{stem}.wav"}]
"""
SCRIPT = "import sys; from tonearm.cli.main import main; sys.exit(main())"
PROGRAM = "import sys; from tonearm.cli.main import program; sys.exit(program())"
BUFFERED = {"PYTHONUNBUFFERED": ""}


@pytest.fixture
def right(tmp_path):
    path = tmp_path / "right.yaml"
    path.write_text(RIGHT)
    return path


class TestClosedStreams:
    @staticmethod
    def run(which, *arguments, env=None):
        """Run with one stream whose reader has gone."""
        reading, writing = os.pipe()
        os.close(reading)
        other = "stderr" if which == "stdout" else "stdout"
        command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
        try:
            done = subprocess.run(
                command, text=True, env={**os.environ, **(env or {})}, **{which: writing, other: subprocess.PIPE}
            )
        finally:
            os.close(writing)
        return done.returncode, getattr(done, other)

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("env", [BUFFERED, {"PYTHONUNBUFFERED": "1"}])
    @pytest.mark.parametrize(
        "arguments", [["--help"], ["--version"], [], ["plugins"], ["plugins", "istft"], ["schema"]]
    )
    def test_a_closed_stdout_is_no_error(self, arguments, env):
        assert self.run("stdout", *arguments, env=env) == (0, "")

    @pytest.mark.parametrize("env", [BUFFERED, {"PYTHONUNBUFFERED": "1"}])
    def test_a_closed_stderr_keeps_the_exit_status(self, env, right):
        assert self.run("stderr", "check", right, env=env) == (0, "")
        assert self.run("stderr", "check", right.parent, env=env) == (2, "")
        assert self.run("stderr", "nope", env=env) == (2, "")

    def test_head(self):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", f"'{sys.executable}' -c '{SCRIPT}' schema | head -1"],
            capture_output=True, text=True,
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (0, "{\n", "")

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("redirection", "status"), [(">&-", 0), ("2>&-", 0), (">&- 2>&-", 0), (">/dev/full", 4), ("2>/dev/full", 0)]
    )
    @pytest.mark.parametrize("command", ["schema", "--version"])
    def test_missing_and_full_streams(self, command, redirection, status):
        done = subprocess.run(
            ["bash", "-c", f"'{sys.executable}' -c '{SCRIPT}' {command} {redirection}"], capture_output=True, text=True
        )
        assert done.returncode == status
        assert done.stderr == ("output: cannot write: no space left on device\n" if status else "")

    def test_messages_never_reach_stdout(self, right):
        done = subprocess.run(
            ["bash", "-c", f"'{sys.executable}' -c '{SCRIPT}' check '{right}' 2>&-"], capture_output=True, text=True
        )
        assert (done.returncode, done.stdout) == (0, "")

    def test_characters_that_cannot_be_encoded_are_escaped(self, right):
        done = tonearm("check", right, env={"PYTHONIOENCODING": "ascii"})
        assert done.returncode == 0
        assert done.stderr.endswith("right.yaml: ok: npy-reader \\u2192 wav-writer\n")


NOISY = """
import ctypes, os
from tonearm.api import *

def shout(text):
    print(text, "in Python")
    ctypes.CDLL(None).puts(text.encode() + b" in C")
    os.write(1, text.encode() + b" by write\\n")
    os.system(f"echo {text} in a program")

shout("import")

class Loud(Transform[Waveform, Waveform, NoOptions]):
    "Shout."
    def needs(self):
        shout("check")
        return ()
    def preflight(self):
        shout("preflight")
    def apply(self, signal, context):
        shout("apply")
        return signal

@hookimpl
def tonearm_transforms():
    shout("hook")
    return {"loud": Loud}
"""
WAYS = ("in Python", "in C", "by write", "in a program")


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    return third_party(tmp_path_factory.mktemp("site"), "noisy", NOISY) | BUFFERED


def shouts(done, *moments):
    """Assert that what a plugin printed at these moments is on stderr, in all ways and as often in each."""
    for moment in moments:
        counts = {way: done.stderr.count(f"{moment} {way}") for way in WAYS}
        assert len(set(counts.values())) == 1, counts
        assert counts["in C"], moment


class TestWhatPluginsPrint:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Path("p.yaml").write_text(RIGHT.replace("outputs", "steps: [{use: loud}]\noutputs"))
        np.save("a.npy", np.full(8000, 0.5, np.float32))

    @pytest.mark.parametrize(
        "arguments", [["plugins", "--json"], ["plugins", "loud", "--json"], ["schema"], ["inspect", "a.npy", "--json"]]
    )
    def test_json_stays_json(self, arguments, folder, noisy):
        done = tonearm(*arguments, env=noisy)
        assert done.returncode == 0
        json.loads(done.stdout)
        shouts(done, "import", "hook")

    def test_check_prints_no_data(self, folder, noisy):
        done = tonearm("check", "p.yaml", env=noisy)
        assert (done.returncode, done.stdout) == (0, "")
        shouts(done, "import", "hook", "check")

    @pytest.mark.parametrize("jobs", ["0", "1"])
    def test_the_lines_of_a_run(self, jobs, folder, noisy):
        done = tonearm("run", "p.yaml", "--json", "--jobs", jobs, "--out", "out", env=noisy)
        assert done.returncode == 0
        assert [json.loads(line)["status"] for line in done.stdout.splitlines()][:1] == ["converted"]
        shouts(done, "import", "check", "preflight", "apply")

    def test_convert(self, folder, noisy):
        flags = ["--kind", "waveform", "--sample-rate", "8000", "--step", "loud"]
        done = tonearm("convert", "a.npy", "a.wav", *flags, env=noisy)
        assert (done.returncode, done.stdout) == (0, "")
        shouts(done, "apply")
        done = tonearm("convert", "a.npy", "b.wav", *flags, "--yaml", env=noisy)
        assert done.returncode == 0
        assert done.stdout.startswith("tonearm: 1\n")

    def test_stderr_that_is_closed(self, folder, noisy):
        done = subprocess.run(
            ["bash", "-c", f"'{sys.executable}' -c '{PROGRAM}' check p.yaml 2>&-"],
            capture_output=True, text=True, env={**os.environ, **noisy},
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, "")

    def test_stdout_that_is_closed(self, folder, noisy):
        done = subprocess.run(
            ["bash", "-c", f"'{sys.executable}' -c '{PROGRAM}' run p.yaml --json --jobs 0 >&-"],
            capture_output=True, text=True, env={**os.environ, **noisy},
        )  # fmt: skip
        assert done.returncode == 0
        assert Path("a.wav").stat().st_size == 44 + 16000

    def test_head_ends_the_data_alone(self, folder, noisy):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", f"'{sys.executable}' -c '{PROGRAM}' schema | head -1"],
            capture_output=True, text=True, env={**os.environ, **noisy},
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, "{\n")
        assert "hook in C" in done.stderr

    def test_a_plugin_that_closes_what_it_prints_to(self, tmp_path):
        env = third_party(
            tmp_path, "rude", NOISY.replace('shout("import")', "import sys\nsys.stdout.close()\nos.close(1)")
        )
        done = tonearm("plugins", "--json", env=env)
        assert done.returncode == 0
        assert len(json.loads(done.stdout)) > 40


def test_python_redirects_nothing(tmp_path):
    code = "import tonearm; from tonearm.plugins import registry; registry.default(); print('ours')"
    env = {**os.environ, **third_party(tmp_path, "noisy", NOISY)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert "import in Python" in done.stdout
    assert "ours\n" in done.stdout
    assert done.stderr == ""
