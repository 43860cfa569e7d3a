"""``tonearm dialects``: the table, at any width, and one dialect."""

import json

import pytest
from core_toys import tonearm

from tonearm.cli import main as cli
from tonearm.cli.listing import find_listing
from tonearm.plugins.registry import default


def names(page):
    return [line.split()[0] for line in page.split("\n\n")[0].splitlines()[1:]]


def test_the_table_has_all_dialects(capsys):
    assert cli.main(["dialects"]) == 0
    found = names(capsys.readouterr().out)
    assert len(found) == 55
    assert found == sorted(found)
    assert {"hifigan", "melgan", "librosa-db", "whisper"} <= set(found)


def test_a_narrow_terminal_gets_each_dialect_below_its_name(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    assert cli.main(["dialects"]) == 0
    page = capsys.readouterr().out
    assert (
        "hifigan\n    Hz 22050, n_fft 1024, hop 256, win 1024,\n    mels 80, from 0, to Hz 8000, bands slaney,\n"
        "    sums magnitudes, log ln, values -11.51 … 5.7\n"
    ) in page
    assert max(map(len, page.splitlines())) <= 50


def test_one_dialect_and_the_old_flag(capsys):
    assert cli.main(["dialects", "hifigan"]) == 0
    page = capsys.readouterr().out
    assert "dialect:\n  sample_rate: 22050\n" in page
    assert cli.main(["plugins", "hifigan", "--dialects"]) == 0
    assert capsys.readouterr().out == page
    assert "--dialects" not in tonearm("plugins", "--help").stdout


def test_json(capsys):
    assert cli.main(["dialects", "--json"]) == 0
    listed = [row["name"] for row in json.loads(capsys.readouterr().out)]
    assert listed == list(default().catalogue(find_listing("dialects").cls))
    assert cli.main(["dialects", "hifigan", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sample_rate"] == 22050


@pytest.mark.parametrize("name", ["hifgan", "hifi-gan"])
def test_a_mistyped_name(name, capsys):
    assert cli.main(["dialects", name]) == 2
    assert capsys.readouterr().err == (
        f"unknown-dialect: there is no dialect {name!r}\n    hint: did you mean 'hifigan'?\n"
    )


def test_no_similar_name(capsys):
    assert cli.main(["dialects", "qqqqqqq"]) == 2
    assert capsys.readouterr().err.endswith("\n    hint: tonearm dialects lists all\n")
