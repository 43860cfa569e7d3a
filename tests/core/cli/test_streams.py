"""Exit statuses, stdout against stderr, and streams that are closed, full or odd."""

import os
import re
import signal
import subprocess
import sys

import pytest
from core_toys import tonearm

from tonearm.cli import console
from tonearm.cli import main as cli
from tonearm.errors import ItemError, OutputError, PipelineError, Problem, TonearmError, UsageError
from tonearm.startup import Terminated
from tonearm.version import __version__

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


class TestHelp:
    def test_version(self):
        done = tonearm("--version")
        assert (done.returncode, done.stdout, done.stderr) == (0, f"tonearm {__version__}\n", "")

    @pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
    def test_help_names_every_command(self, arguments):
        done = tonearm(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.findall(r"^    (\w+)  ", done.stdout, re.MULTILINE) == list(cli.COMMANDS)

    @pytest.mark.parametrize("command", cli.COMMANDS)
    def test_help_of_a_command(self, command):
        done = tonearm(command, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"usage: tonearm {command} ")
        assert all(len(line) <= 100 for line in done.stdout.splitlines())

    def test_every_command_in_process(self, capsys):
        for command in cli.COMMANDS:
            with pytest.raises(SystemExit) as caught:
                cli.main([command, "--help"])
            assert caught.value.code == 0
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["chekc"], "usage: argument COMMAND: invalid choice: 'chekc' (choose from "),
            (["check"], "usage: the following arguments are required: PIPELINE\n    hint: tonearm check --help\n"),
            (["check", "--nope", "x"], "usage: unrecognized arguments: --nope\n    hint: tonearm check --help\n"),
            (["plugins", "a", "b"], "usage: unrecognized arguments: b\n"),
            (["convert", "a"], "usage: the following arguments are required: DST\n    hint: tonearm convert --help\n"),
            (["--nope"], "usage: unrecognized arguments: --nope\n"),
        ],
    )
    def test_what_is_no_command(self, arguments, said):
        done = tonearm(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(said)


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
    def test_nobody_reads_what_is_printed(self, arguments, env):
        assert self.run("stdout", *arguments, env=env) == (0, "")

    @pytest.mark.parametrize("env", [BUFFERED, {"PYTHONUNBUFFERED": "1"}])
    def test_nobody_reads_what_is_wrong(self, env, right):
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
    def test_no_stream_at_all(self, command, redirection, status):
        done = subprocess.run(
            ["bash", "-c", f"'{sys.executable}' -c '{SCRIPT}' {command} {redirection}"], capture_output=True, text=True
        )
        assert done.returncode == status
        assert done.stderr == ("output: cannot write: no space left on device\n" if status else "")

    def test_what_is_said_never_ends_on_stdout(self, right):
        done = subprocess.run(
            ["bash", "-c", f"'{sys.executable}' -c '{SCRIPT}' check '{right}' 2>&-"], capture_output=True, text=True
        )
        assert (done.returncode, done.stdout) == (0, "")

    def test_what_cannot_be_encoded_is_escaped(self, right):
        done = tonearm("check", right, env={"PYTHONIOENCODING": "ascii"})
        assert done.returncode == 0
        assert done.stderr.endswith("right.yaml: ok: npy-reader \\u2192 wav-writer\n")


class TestGuard:
    @pytest.mark.parametrize(
        ("error", "status", "said"),
        [
            (UsageError("no", hint="do"), 2, "usage: no\n    hint: do\n"),
            (PipelineError([Problem(code="a", message="b", file="f", line=1, column=2)]), 2, "f:1:2: a: b\n"),
            (ItemError("no", code="x"), 3, "x: no\n"),
            (OutputError("no"), 4, "output: no\n"),
            (TonearmError("no", code="locked"), 11, "locked: no\n"),
            (KeyboardInterrupt(), 130, "interrupted\n"),
            (Terminated(), 143, "terminated\n"),
            (ZeroDivisionError("x"), 1, "bug: ZeroDivisionError: x\n    hint: this is a mistake in tonearm;"
             " --debug shows where\n"),
            (OSError(28, "No space left on device"), 4, "output: cannot write: no space left on device\n"),
        ],
    )  # fmt: skip
    def test_what_goes_wrong_has_its_status(self, error, status, said, capsys, monkeypatch):
        monkeypatch.setattr(console, "forget", lambda _: None)
        monkeypatch.setattr(signal, "signal", lambda *_: None)

        def command():
            raise error

        assert console.guarded(command, debug=False) == status
        assert capsys.readouterr().err == said

    def test_debug_shows_where_and_keeps_the_status(self, capsys):
        def command():
            raise UsageError("no")

        assert console.guarded(command, debug=True) == 2
        said = capsys.readouterr().err
        assert said.startswith("Traceback (most recent call last):")
        assert said.endswith("usage: no\n")

    def test_sigterm_passes_through_a_plugin(self):
        from tonearm.pipeline.stages import blamed

        with pytest.raises(Terminated), blamed(None):
            raise Terminated
