"""Exit statuses, stdout against stderr, and streams that are closed, full or odd."""

import os
import subprocess
import sys

import pytest
from core_toys import tonearm

RIGHT = """\
tonearm: 1
input: {use: npy-reader, files: "*.npy", with: {kind: waveform, sample_rate: 8000}}
outputs: [{use: wav-writer, file: "{stem}.wav"}]
"""
SCRIPT = "import sys; from tonearm.cli.main import main; sys.exit(main())"
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
