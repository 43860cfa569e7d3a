"""Colours: when they are used, and what they cover."""

import io

import pytest
from core_toys import tonearm
from terminals import ESCAPE, on_terminal

from tonearm.cli import styles

BAD = "tonearm: 1\ninput: {use: npy-reader}\nsteps: [{use: normalise}]\noutputs: [{use: wav-writer, file: a.wav}]\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    yield
    styles.choose([])


@pytest.mark.parametrize(
    ("environ", "words", "terminal", "file"),
    [
        ({}, "", True, False),
        ({"TERM": "dumb"}, "", False, False),
        ({"NO_COLOR": "1"}, "", False, False),
        ({"NO_COLOR": ""}, "", True, False),
        ({"FORCE_COLOR": "1"}, "", True, True),
        ({"FORCE_COLOR": ""}, "", True, False),
        ({"FORCE_COLOR": "0"}, "", True, False),
        ({"CLICOLOR_FORCE": "1"}, "", True, True),
        ({"CLICOLOR": "0"}, "", False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, "", False, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, "", True, True),
        ({"NO_COLOR": "1"}, "--color always", True, True),
        ({"NO_COLOR": "1"}, "--color=always", True, True),
        ({"FORCE_COLOR": "1"}, "--color never", False, False),
        ({"NO_COLOR": "1"}, "--color auto", False, False),
        ({}, "-- --color always", True, False),
        ({}, "--color", True, False),
    ],
)
def test_the_flag_comes_first_and_then_the_environment(environ, words, terminal, file, monkeypatch):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    styles.choose(["check", *words.split()])
    assert styles.has_color(Terminal()) is terminal
    assert styles.has_color(io.StringIO()) is file


@pytest.mark.parametrize(("term", "shown"), [("xterm", True), ("dumb", False)])
def test_a_dumb_terminal_is_none(term, shown, monkeypatch):
    monkeypatch.setenv("TERM", term)
    assert styles.is_terminal(Terminal()) is shown
    assert not styles.is_terminal(io.StringIO())


def test_labels_of_messages_are_painted_and_nothing_else_is():
    text = "warning: a hint: b\n    hint: c\nx.npy: warning: d\nno warning here\nhint: at the margin"
    painted = styles.paint_labels(text)
    assert ESCAPE.sub("", painted) == text
    assert painted.count("\x1b[1;33mwarning\x1b[0m") == 2
    assert painted.count("\x1b[1;36mhint\x1b[0m") == 1


def test_no_text_is_no_escape_sequence():
    assert styles.paint("", "error") == ""


@pytest.mark.parametrize(
    ("given", "width"), [("60", 60), ("7", 40), ("x", None), ("", None), ("-5", None), ("٣", None)]
)
def test_the_width_is_that_of_the_variable_where_there_is_no_terminal(given, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", given)
    assert styles.terminal_width(io.StringIO()) == width


def test_help_is_painted_on_a_terminal_and_plain_in_a_pipe():
    status, page = on_terminal("check", "--help", columns=60)
    assert status == 0
    assert "\x1b[1;32mOptions\x1b[0m:" in page
    assert "\x1b[36m--json\x1b[0m" in page
    assert "\x1b[36mPIPELINE\x1b[0m" in page
    plain = tonearm("check", "--help", env={"COLUMNS": "60"}).stdout
    assert ESCAPE.sub("", page) == plain
    assert max(map(len, plain.splitlines())) <= 60


def test_problems_are_painted_as_the_flag_says(tmp_path):
    (tmp_path / "bad.yaml").write_text(BAD)
    _, text = on_terminal("check", "bad.yaml", cwd=tmp_path)
    assert "\x1b[1;31munknown-plugin\x1b[0m: " in text
    assert "    \x1b[1;36mhint\x1b[0m: did you mean" in text
    _, text = on_terminal("check", "bad.yaml", "--color", "never", cwd=tmp_path)
    assert "\x1b" not in text
    assert "\n3 | steps: [{use: normalise}]\n" in text.replace("  3", "3")  # the excerpt needs no colours
    done = tonearm("check", "bad.yaml", "--color=always", cwd=tmp_path)
    assert "\x1b[1;31munknown-plugin\x1b[0m" in done.stderr
    done = tonearm("check", "bad.yaml", cwd=tmp_path)
    assert "\x1b" not in done.stderr
    assert "|" not in done.stderr


def test_a_value_of_the_flag_that_does_not_exist():
    done = tonearm("check", "--color", "alwys", "x.yaml")
    assert done.returncode == 2
    assert "did you mean 'always'?" in done.stderr
