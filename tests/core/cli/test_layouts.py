"""``tonearm layouts``: the table, and one layout."""

import json

import pytest
import yaml

from tonearm.api import TokenLayout
from tonearm.cli import main as cli
from tonearm.cli.listing import find_listing
from tonearm.plugins.registry import default
from tonearm.recipes.catalogue import from_figures


def test_the_table_has_every_layout_with_what_the_model_writes(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")
    assert cli.main(["layouts"]) == 0
    page = capsys.readouterr().out
    catalogue = default().catalogue(find_listing("layouts").cls)
    assert [name for name in catalogue if name not in page] == []
    assert page.splitlines()[0].split() == [
        "name",
        "codec",
        "Hz",
        "frames/s",
        "books",
        "size",
        "form",
        "model",
        "writes",
    ]
    rows = {line.split()[0]: " ".join(line.split()) for line in page.split("\n\n")[0].splitlines()}
    assert rows["dia-dac44"] == (
        "dia-dac44 DAC 44.1 kHz 44100 86.1328 9 1024 array frame × book, delays 0 8 9 10 11 12 13 14 15"
    )
    assert "  orpheus-snac24: orpheus\n" in page
    assert "\ncannot be decoded by their codes alone\n  bark-encodec24-semantic: Bark's semantic tokens" in page
    assert page.endswith("\ntonearm layouts NAME shows all figures of one layout\n")


def test_one_layout_is_yaml_that_names_the_weights_and_shows_no_field_without_effect(capsys):
    assert cli.main(["layouts", "orpheus"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("# canopyai/Orpheus-TTS ")
    figures = yaml.safe_load(page)["layout"]
    assert figures["weights"].startswith("hubertsiuzdak/snac_24khz on the Hugging Face hub")
    assert figures["interleave"] == [0, 1, 2, 2, 1, 2, 2]
    assert not {"axes", "columns", "invalid", "ragged", "refuses"} & set(figures)
    assert cli.main(["layouts", "orpheus", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["offset"] == 128266


@pytest.mark.parametrize("name", sorted(default().catalogue(TokenLayout)))
def test_a_page_is_that_layout(name, capsys):
    assert cli.main(["layouts", name]) == 0
    page = capsys.readouterr().out
    found = default().catalogue(TokenLayout).find(name)
    shown = from_figures(TokenLayout, yaml.safe_load(page)["layout"])
    figures = (one for one in TokenLayout.figure_names() if one not in ("source", "notes"))
    assert [one for one in figures if getattr(shown, one) != getattr(found, one)] == []


def test_a_reason_why_codes_are_not_decoded_stands_once_in_the_page(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    assert cli.main(["layouts", "chatterbox"]) == 0
    assert capsys.readouterr().out.count("S3 tokens say what is spoken") == 1


def test_all_layouts_as_json(capsys):
    assert cli.main(["layouts", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["musicgen"]["alias_of"] == "musicgen-hf"
    assert rows["musicgen"]["figures"]["delays"] == [0, 1, 2, 3]
    assert rows["musicgen"]["refused"] is None
    assert rows["spark"]["refused"].startswith("BiCodec needs two streams")


def test_a_mistyped_name(capsys):
    assert cli.main(["layouts", "orfeus"]) == 2
    assert capsys.readouterr().err == (
        "unknown-layout: there is no layout 'orfeus'\n    hint: did you mean 'orpheus'?\n"
    )


def test_a_plugin_that_takes_none(capsys):
    assert cli.main(["plugins", "istft", "--layouts"]) == 2
    assert capsys.readouterr().err == "no-layout: istft takes no layout\n"
