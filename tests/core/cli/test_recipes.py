"""``tonearm recipes``: the table, and one recipe."""

import json

from tonearm.cli import main as cli
from tonearm.cli.listing import find_listing
from tonearm.plugins.registry import default


def test_the_table_has_every_recipe(capsys):
    assert cli.main(["recipes"]) == 0
    page = capsys.readouterr().out
    catalogue = default().catalogue(find_listing("recipes").cls)
    assert [name for name in catalogue if name not in page] == []
    assert page.splitlines()[0].split()[:3] == ["name", "Hz", "n_fft"]
    assert page.endswith("\ntonearm recipes NAME shows all figures of one recipe\n")


def test_one_recipe(capsys):
    assert cli.main(["recipes", "tacotron-keithito"]) == 0
    assert "\nrecipe:\n  sample_rate: 20000\n" in capsys.readouterr().out
    assert cli.main(["recipes", "tacotron-keithito", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sample_rate"] == 20000


def test_a_mistyped_name(capsys):
    assert cli.main(["recipes", "tacotron-keitito"]) == 2
    assert capsys.readouterr().err == (
        "unknown-recipe: there is no recipe 'tacotron-keitito'\n    hint: did you mean 'tacotron-keithito'?\n"
    )
