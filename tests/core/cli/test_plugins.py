"""``tonearm plugins``."""

import json
import re

import pytest
from core_toys import hooks, package_of, registry_of, third_party, tonearm
from jsonschema import Draft202012Validator
from terminals import on_terminal

from tonearm.cli import main as cli
from tonearm.plugins import registry
from tonearm.plugins.registry import Registry


@pytest.fixture
def toys(monkeypatch):
    """The command line sees toys alone."""
    found = registry_of()
    monkeypatch.setattr(registry, "default", lambda: found)
    return found


def run(*arguments, capsys):
    status = cli.main(["plugins", *arguments])
    found = capsys.readouterr()
    return status, found.out, found.err


class TestTable:
    def test_columns(self, toys, capsys):
        status, out, err = run(capsys=capsys)
        assert (status, err) == (0, "")
        assert out == (
            "decoders\n"
            "  fog-reader   → fog       [tonearm_toys 1.2]\n"
            "  tone-reader  → waveform  Give constant sounds of levels 0.1, 0.2 and so on. [tonearm_toys 1.2]\n"
            "\ntransforms\n"
            "  fog-to-mist   fog → mist           [tonearm_toys 1.2]\n"
            "  join          waveform → waveform  Put all items of a source one after another. [tonearm_toys 1.2]\n"
            "  mist-to-wave  mist → waveform      [tonearm_toys 1.2]\n"
            "  rain-to-wave  rain → waveform      [tonearm_toys 1.2]\n"
            "  same          waveform → waveform  [tonearm_toys 1.2]\n"
            "\nencoders\n"
            "  raw-writer  waveform →  Write float32 samples and nothing else. [tonearm_toys 1.2]\n"
        )

    def test_installed_plugins(self):
        done = tonearm("plugins")
        assert (done.returncode, done.stderr) == (0, "")
        assert re.search(r"^  istft +complex → waveform +Invert a complex spectrogram", done.stdout, re.MULTILINE)
        assert "[" not in done.stdout

    @pytest.mark.parametrize("width", [40, 41, 57, 80, 109, 200])
    def test_lines_break_between_words_alone(self, width, capsys, monkeypatch):
        _, whole, _ = run(capsys=capsys)
        monkeypatch.setenv("COLUMNS", str(width))
        _, page, _ = run(capsys=capsys)
        assert max(map(len, page.splitlines())) <= width
        assert page.split() == whole.split()

    @pytest.mark.parametrize("width", [40, 66, 110])
    def test_so_do_those_about_one_plugin(self, width, capsys, monkeypatch, installed):
        for entry in installed.entries():
            monkeypatch.delenv("COLUMNS", raising=False)
            _, whole, _ = run(entry.full_name, capsys=capsys)
            monkeypatch.setenv("COLUMNS", str(width))
            _, page, _ = run(entry.full_name, capsys=capsys)
            assert page.split() == whole.split()
            assert [line for line in page.splitlines() if len(line) > width and len(line.split()) > 1] == []

    def test_a_terminal_is_as_wide_as_it_is(self):
        _, page = on_terminal("plugins", columns=52)
        assert max(map(len, page.splitlines())) in range(48, 53)

    def test_no_plugin_at_all(self, monkeypatch, capsys):
        monkeypatch.setattr(registry, "default", lambda: Registry([]))
        assert run(capsys=capsys) == (0, "\n", "")

    def test_as_json(self, toys, capsys):
        status, out, err = run("--json", capsys=capsys)
        rows = json.loads(out)
        assert (status, err, len(rows)) == (0, "", 8)
        assert rows[1] == {
            "name": "tone-reader",
            "role": "decoder",
            "takes": [],
            "gives": ["waveform"],
            "origin": "toys",
            "package": "tonearm_toys 1.2",
            "description": "Give constant sounds of levels 0.1, 0.2 and so on.",
        }


class TestOnePlugin:
    def test_the_page_for_people(self, toys, capsys):
        assert run("raw-writer", capsys=capsys) == (
            0,
            "raw-writer: Write float32 samples and nothing else.\nencoder, waveform →, from tonearm_toys 1.2\n"
            "needs the whole signal\n\n"
            "  level: number > 0 ≤ 1, required\n      Loudness.\n"
            "  most: whole number ≥ 1, default null\n      Channels at most.\n",
            "",
        )

    def test_without_options(self, toys, capsys):
        assert run("join", capsys=capsys)[1].endswith("\n\n  no options\n")

    @pytest.mark.parametrize(
        ("name", "note"),
        [
            ("gain", "works block by block, so it can stream"),
            ("trim", "needs the whole signal; in a stream, leave it out, and trim the saved file"),
            ("split", "needs the whole signal; in a stream, save the sound, and split the file"),
        ],
    )
    def test_whether_it_works_in_streams(self, name, note, installed, capsys):
        assert run(name, capsys=capsys)[1].splitlines()[2] == note

    def test_nothing_of_streams_where_it_makes_no_sense(self, installed, capsys):
        assert run("npy-reader", capsys=capsys)[1].splitlines()[2] == ""

    def test_by_its_full_name(self, toys, capsys):
        assert run("toys/join", capsys=capsys)[1] == run("join", capsys=capsys)[1]

    def test_as_json(self, toys, capsys):
        described = json.loads(run("raw-writer", "--json", capsys=capsys)[1])
        Draft202012Validator.check_schema(described["options"])
        assert described["options"]["required"] == ["level"]

    def test_every_installed_plugin(self, installed, capsys):
        for entry in installed.entries():
            status, out, err = run(entry.name, capsys=capsys)
            assert (status, err) == (0, "")
            assert out.startswith(f"{entry.name}: ")
            assert json.loads(run(entry.name, "--json", capsys=capsys)[1])["name"] == entry.name

    @pytest.mark.parametrize(
        ("name", "hint"), [("raw-writr", "did you mean 'raw-writer'?"), ("zzz", "tonearm plugins, to list all plugins")]
    )
    def test_unknown(self, name, hint, toys, capsys):
        expected = f"unknown-plugin: there is no plugin '{name}'\n    hint: {hint}\n"
        assert run(name, capsys=capsys) == (2, "", expected)

    def test_ambiguous(self, monkeypatch, capsys):
        from core_toys import RawWriter

        found = Registry([package_of(name, hooks(encoders={"raw-writer": RawWriter})) for name in ("acme", "zeta")])
        monkeypatch.setattr(registry, "default", lambda: found)
        status, out, err = run("raw-writer", capsys=capsys)
        assert (status, out) == (2, "")
        wanted = "ambiguous-plugin: 2 packages offer raw-writer\n    hint: write acme/raw-writer or zeta/raw-writer\n"
        assert err == wanted  # as check explains it
        assert run("zeta/raw-writer", capsys=capsys)[1].startswith("zeta/raw-writer: ")


def test_types_and_examples_of_options_are_shown():
    done = tonearm("plugins", "fade")
    assert "  in_ms: number ≥ 0 ≤ 3600000 or text such as 20 ms, default 10.0\n" in done.stdout
    assert "      Examples: 20, 0.5 s.\n" in done.stdout


def test_the_options_of_a_mapping_stand_below_it():
    done = tonearm("plugins", "wav-writer")
    assert "  bext: mapping, default null\n      " in done.stdout
    assert "\n      description: text, default null\n          Description of the sound" in done.stdout
    limits = "      time_reference: whole number ≥ 0 ≤ 9223372036854775807, default 0\n"
    assert limits in done.stdout


class TestThirdParties:
    def test_broken_plugins_are_warnings_and_the_others_are_listed(self, acme):
        done = tonearm("plugins", env=acme)
        assert done.returncode == 0
        assert re.search(r"^  acme-reader .* Read ACME's own. \[tonearm_acme 1.2\]$", done.stdout, re.MULTILINE)
        assert re.search(r"^  acme/npy-reader ", done.stdout, re.MULTILINE)
        assert re.search(r"^  npy-reader .* Read a .npy file", done.stdout, re.MULTILINE)
        first, clash, second = (line for line in done.stderr.splitlines() if line.startswith("warning: "))
        assert first.startswith(
            "warning: broken-plugin: 'Bad Name' in tonearm_decoders of tonearm_acme 1.2 is disabled"
        )
        assert clash == (
            "warning: name-clash: acme/npy-reader of tonearm_acme 1.2 has the name of builtin/npy-reader, which wins"
        )
        assert "    hint: write acme/npy-reader to use it\n" in done.stderr
        assert second.startswith("warning: broken-plugin: decoder 'lost' of tonearm_acme 1.2 is disabled")
        assert "Traceback" not in done.stderr

    def test_options_that_cannot_be_described(self, acme):
        done = tonearm("plugins", "odd", env=acme)
        assert (done.returncode, done.stdout) == (2, "")
        assert "broken-plugin: acme/odd is disabled: NameError: name 'NoSuchName' is not defined" in done.stderr
        assert "Traceback" not in done.stderr

    def test_debug_shows_where(self, acme):
        done = tonearm("plugins", "--debug", env=acme)
        assert done.returncode == 0
        assert done.stderr.count("Traceback (most recent call last):") == 2
        assert "ModuleNotFoundError: No module named 'no_such_module'\n" in done.stderr

    @pytest.mark.parametrize("code", ["import sys; sys.exit('no licence')", "def (", "import no_such_module", "1/0"])
    def test_a_package_that_ends_the_program_is_disabled(self, code, tmp_path):
        env = third_party(tmp_path, "broken", code, "0.9")
        done = tonearm("plugins", "istft", env=env)
        assert done.returncode == 0
        assert done.stdout.startswith("istft: ")
        assert done.stderr.startswith("warning: broken-plugin: tonearm_broken 0.9 is disabled: ")
        assert done.stderr.count("\n") == 2
