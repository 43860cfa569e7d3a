"""The parser: help, the version, and mistakes on the command line."""

import re

import numpy as np
import pytest
from core_toys import tonearm

from tonearm.cli import main as cli
from tonearm.cli.commands import COMMANDS
from tonearm.cli.parser import parse
from tonearm.version import __version__


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version(flag):
    done = tonearm(flag)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"tonearm {__version__}\n", "")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_help_lists_every_command(arguments):
    done = tonearm(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^  (\w+)  ", done.stdout, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(command):
    done = tonearm(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: tonearm {command} ")
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


@pytest.mark.parametrize("width", [40, 47, 59, 60, 80, 133])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_breaks_between_words_alone(command, width, monkeypatch, capsys):
    pages = []
    for columns in ("100000", str(width)):
        monkeypatch.setenv("COLUMNS", columns)
        with pytest.raises(SystemExit):
            cli.main([*([command] if command else []), "--help"])
        pages.append(capsys.readouterr().out)
    assert pages[0].split() == pages[1].split()
    long = [line for line in pages[1].splitlines() if len(line) > width]
    assert [line for line in long if len(line.split()) > 1 or len(line.strip()) <= width - 8] == []


def test_the_help_of_every_command_needs_no_process_of_its_own(capsys):
    for command in COMMANDS:
        with pytest.raises(SystemExit) as caught:
            cli.main([command, "--help"])
        assert caught.value.code == 0
    assert capsys.readouterr().err == ""


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chekc"], "usage: there is no command 'chekc'\n    hint: did you mean 'check'?\n"),
        (["zzz", "x"], "usage: there is no command 'zzz'\n    hint: tonearm --help\n"),
        (["chekc", "--help"], "usage: there is no command 'chekc'\n    hint: did you mean 'check'?\n"),
        (["convert", "a.npy", "b.wav", "--dialcet", "hifigan"],
         "usage: unrecognized arguments: --dialcet hifigan\n    hint: did you mean '--dialect'?\n"),
        (["convert", "a.npy", "--smaple-rate=1", "b.wav"],
         "usage: unrecognized arguments: --smaple-rate=1\n    hint: did you mean '--sample-rate'?\n"),
        (["check"], "usage: the following arguments are required: PIPELINE\n    hint: tonearm check --help\n"),
        (["check", "--nope", "x"], "usage: unrecognized arguments: --nope\n    hint: tonearm check --help\n"),
        (["plugins", "a", "b"], "usage: unrecognized arguments: b\n"),
        (["convert", "a"], "usage: the following arguments are required: DST\n    hint: tonearm convert --help\n"),
        (["convert", "a", "b", "--zzzz"], "usage: unrecognized arguments: --zzzz\n    hint: tonearm convert --help\n"),
        (["run", "p.yaml", "--fsync", "fiel"],
         "usage: --fsync is 'fiel'; expected file or none\n    hint: did you mean 'file'?\n"),
        (["check", "p.yaml", "--format", "xml"],
         "usage: --format is 'xml'; expected text or json or github\n    hint: tonearm check --help\n"),
        (["--nope"], "usage: unrecognized arguments: --nope\n"),
        (["run", "p.yaml", "--wrkers", "3"],
         "usage: unrecognized arguments: --wrkers 3\n    hint: did you mean '--jobs'?\n"),
        (["run", "p.yaml", "--overwrite"],
         "usage: unrecognized arguments: --overwrite\n    hint: did you mean '--force'?\n"),
        (["convert", "a.npy", "a.wav", "-sr", "8000"],
         "usage: unrecognized arguments: -sr 8000\n    hint: did you mean '--sample-rate'?\n"),
        (["convert", "a.npy", "-o", "a.wav"],
         "usage: unrecognized arguments: -o\n    hint: DST is the second name: tonearm convert SRC DST\n"),
        (["run", "p.yaml", "-j", "two"],
         "usage: -j/--jobs is 'two'; expected a whole number\n    hint: tonearm run --help\n"),
        (["run", "p.yaml", "--timeout=x"],
         "usage: --timeout is 'x'; expected a number\n    hint: tonearm run --help\n"),
        (["run", "p.yaml", "--out"], "usage: -o/--out needs a value\n    hint: tonearm run --help\n"),
        (["check", "p.yaml", "--json", "--format=text"],
         "usage: --format and --json exclude each other\n    hint: tonearm check --help\n"),
        (["completion"], "usage: the following arguments are required: SHELL\n    hint: tonearm completion --help\n"),
        (["run", "p.yaml", "--out", ""],
         "usage: -o/--out is an empty name\n    hint: a variable of the shell may be unset\n"),
        (["run", "p.yaml", "--quarantine="],
         "usage: --quarantine is an empty name\n    hint: a variable of the shell may be unset\n"),
        (["inspect", ""], "usage: FILE is an empty name\n"),
        (["convert", "a.npy", ""], "usage: DST is an empty name\n"),
        (["run", "p.yaml", "--force=yes"], "usage: --force takes no value\n    hint: tonearm run --help\n"),
        (["convert", "a.npy", "b.npy", "c.wav"], "usage: unrecognized arguments: c.wav\n"
         "    hint: one command converts one SRC to one DST; tonearm run converts many files\n"),
        (["help"], "usage: there is no command 'help'\n    hint: tonearm --help\n"),
        (["-v"], "usage: unrecognized arguments: -v\n    hint: tonearm --version\n"),
    ],
)  # fmt: skip
def test_a_mistake_exits_2_with_a_hint(arguments, message):
    done = tonearm(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("a.npy b.wav", "convert a.npy b.wav"),
        ("a.npy", "inspect a.npy"),
        ("p.yaml --out x", "run p.yaml --out x"),
        ("p.YML", "run p.YML"),
    ],
)
def test_a_file_in_place_of_a_command(words, meant, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / words.split()[0]).touch()
    with pytest.raises(SystemExit):
        parse(words.split(), words.split()[0])
    assert capsys.readouterr().err.endswith(f"\n    hint: did you mean tonearm {meant}?\n")


def test_options_may_stand_between_and_after_the_sources():
    parsed = parse(["run", "p.yaml", "a", "--jobs", "2", "b", "--out", "x"], "run")
    assert (parsed.pipeline, parsed.sources, parsed.jobs, parsed.out) == ("p.yaml", ["a", "b"], 2, "x")


def test_short_flags_of_a_run():
    parsed = parse(["run", "p.yaml", "-nqj2", "-o", "x", "a"], "run")
    assert (parsed.sources, parsed.jobs, parsed.out, parsed.dry_run, parsed.quiet) == (["a"], 2, "x", True, True)


@pytest.mark.parametrize(
    ("words", "sources", "force"),
    [
        ("run p.yaml -- -x.npy --force -q", ["-x.npy", "--force", "-q"], False),
        ("run --force p.yaml a -- -x.npy", ["a", "-x.npy"], True),
        ("run p.yaml --force -- a -- b", ["a", "--", "b"], True),
        ("run -- p.yaml", [], False),
    ],
)
def test_words_after_two_dashes_are_names(words, sources, force):
    parsed = parse(words.split(), "run")
    assert (parsed.pipeline, parsed.sources, parsed.force) == ("p.yaml", sources, force)


def test_a_file_whose_name_begins_with_a_dash(tmp_path):
    np.save(tmp_path / "-x.npy", np.zeros(100, np.float32))
    done = tonearm("inspect", "--", "-x.npy", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("-x.npy  100 float32\n")
    done = tonearm("convert", "--sample-rate", "8000", "--", "-x.npy", "-y.wav", cwd=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "-y.wav").exists()
    done = tonearm("inspect", "-x.npy", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.endswith("\n    hint: write ./-x.npy for the file of this name\n")


def test_a_word_too_many_after_two_dashes_is_named_as_it_is():
    done = tonearm("plugins", "--", "a", "b")
    assert done.stderr.startswith("usage: unrecognized arguments: b\n")


def test_overrides_are_collected_in_their_order():
    parsed = parse(["check", "--set", "a=1", "p.yaml", "--set", "b=2"], "check")
    assert (parsed.pipelines, parsed.overrides) == (["p.yaml"], ["a=1", "b=2"])


def test_groups_and_options_of_the_help_are_described_in_sentence_case(capsys):
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            parse([command, "--help"], command)
        page = capsys.readouterr().out
        heads = re.findall(r"^(\S.*):$", page, re.MULTILINE)
        assert heads[0] in ("Arguments", "Options")
        assert all(head[0].isupper() for head in heads)
        texts = re.findall(r"^  (?:-[^ ].*?|[A-Z]+)  +(\S.*)$", page, re.MULTILINE)
        assert len(texts) > 1
        assert [text for text in texts if not (text[0].isupper() or command == "convert")] == []


@pytest.mark.parametrize(("command", "words"), [("run", ["p.yaml"]), ("convert", ["a.npy", "a.wav"])])
def test_strict_is_a_limit(command, words):
    assert parse([command, *words, "--limit", "beyond=8", "--strict"], command).limits == ["beyond=8", "strict=true"]
    assert parse([command, *words], command).limits == []
