"""The line of a file that a problem is about, with a caret below the place."""

import pytest
from terminals import on_terminal

from tonearm.cli.excerpts import columns, render_problem
from tonearm.errors import Advice, Problem

BAD = "tonearm: 1\ninput: {use: npy-reader}\nsteps: [{use: normalise}]\noutputs: [{use: wav-writer, file: a.wav}]\n"


@pytest.fixture
def render(tmp_path):
    path = tmp_path / "p.yaml"

    def render(text, line, column, width=80):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        problem = Problem(
            code="bad", message="it is wrong", file=str(path), line=line, column=column, remedies=(Advice("mend it"),)
        )
        shown = render_problem(problem, color=False, width=width)
        head, *lines, hint = shown.split("\n")
        assert head == f"{path}:{line}:{column}: bad: it is wrong"
        assert hint == "    hint: mend it"
        return lines

    return render


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("a: 1\nb: hello # x\n", 2, 4, ["  2 | b: hello # x", "    |    ^^^^^"]),
        ("b: hello\n", 1, 1, ["  1 | b: hello", "    | ^"]),
        ("b: 'a b'\n", 1, 4, ["  1 | b: 'a b'", "    |    ^^^^^"]),
        ('b: "a \\" b"\n', 1, 4, ['  1 | b: "a \\" b"', "    |    ^^^^^^^^"]),
        ("b: [1, 2]\n", 1, 4, ["  1 | b: [1, 2]", "    |    ^"]),
        ("b: ${HOME}/x\n", 1, 4, ["  1 | b: ${HOME}/x", "    |    ^^^^^^^"]),
        ("b: 1:30\n", 1, 4, ["  1 | b: 1:30", "    |    ^^^^"]),
        ("b:\n", 1, 3, ["  1 | b:", "    |   ^"]),
        ("\tb: 1\n", 1, 2, ["  1 |     b: 1", "    |     ^"]),
        ("\t\tb: 1\n", 1, 1, ["  1 |         b: 1", "    | ^^^^"]),
        ("日本: 語 # x\n", 1, 5, ["  1 | 日本: 語 # x", "    |       ^^"]),
        ("e\u0301: x\n", 1, 5, ["  1 | e\u0301: x", "    |    ^"]),
        ("\ufeffa: x\n", 1, 4, ["  1 | a: x", "    |    ^"]),
        ("a: 1\r\nb: 2\r\n", 2, 4, ["  2 | b: 2", "    |    ^"]),
        ("a: 1\rb: 2\n", 2, 4, ["  2 | b: 2", "    |    ^"]),
        ("a: 1\u2028b: 2\n", 2, 4, ["  2 | b: 2", "    |    ^"]),
        ("a: \x1b[31m\n", 1, 4, [r"  1 | a: \x1b[31m", r"    |    ^^^^"]),
        (b"a: \xff\n", 1, 4, ["  1 | a: \ufffd", "    |    ^"]),
        ("x\n" * 99 + "b: 1\n", 100, 4, ["  100 | b: 1", "      |    ^"]),
    ],
)
def test_the_caret_stands_below_the_place(text, line, column, expected, render):
    assert render(text, line, column) == expected


@pytest.mark.parametrize(("line", "column"), [(2, 1), (9, 1), (1, 7)])
def test_a_place_that_the_file_no_longer_has_gets_no_excerpt(line, column, render):
    expected = ["  2 |", "    | ^"] if (line, column) == (2, 1) else []
    assert render("b: 1\n", line, column) == expected


@pytest.mark.parametrize("width", [40, 41, 60, 80, 200])
@pytest.mark.parametrize("before", [0, 10, 35, 100, 5000])
@pytest.mark.parametrize("letters", ["word", "字" * 9, "x" * 500])
@pytest.mark.parametrize("filler", ["- ", "語"])
def test_a_long_line_is_cut_around_the_place(width, before, letters, filler, render):
    line = filler * before + f"'{letters}' " + filler * 3000
    excerpt, caret = render(line, 1, len(filler) * before + 1, width)
    assert columns(excerpt) < width
    assert columns(caret) < width
    start = caret.index("^")
    seen = 0
    for place, letter in enumerate(excerpt):
        if seen == start:
            assert excerpt[place : place + 2] == f"'{letters[0]}"
            break
        seen += columns(letter)
    assert excerpt.endswith("…")


def test_a_line_of_a_mebibyte_is_cut_as_well(render):
    excerpt, caret = render("x" * (1 << 20), 1, 1)
    assert excerpt.endswith("x…")
    assert caret.endswith("^")


def test_a_file_that_has_gone_gets_no_excerpt(tmp_path):
    for file in (str(tmp_path / "no.yaml"), str(tmp_path), "a\0b", None):
        problem = Problem(code="bad", message="it is wrong", file=file, line=1, column=1)
        assert render_problem(problem, color=False, width=80) == str(problem)


def test_every_problem_on_a_terminal_has_its_line_and_an_override_has_none(tmp_path):
    (tmp_path / "bad.yaml").write_text(BAD)
    _, text = on_terminal("check", "bad.yaml", "--color", "never", "--set", "input.with.kind=x", cwd=tmp_path)
    lines = text.splitlines()
    place = next(number for number, line in enumerate(lines) if "unknown-plugin: there is no transform" in line)
    assert lines[place + 1 : place + 3] == ["  3 | steps: [{use: normalise}]", "    |               ^^^^^^^^^"]
    place = next(number for number, line in enumerate(lines) if "--set 'input.with.kind=x'" in line)
    assert not lines[place + 1].endswith("|")
    assert " | " not in lines[place + 1]


def test_a_run_shows_them_too(tmp_path):
    (tmp_path / "bad.yaml").write_text(BAD)
    status, text = on_terminal("run", "bad.yaml", "--color", "never", cwd=tmp_path)
    assert status == 2
    assert "  3 | steps: [{use: normalise}]\n    |               ^^^^^^^^^\n    hint: did you mean" in text
