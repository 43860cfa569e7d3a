"""``tonearm dialects``, ``tonearm recipes`` and ``tonearm layouts``."""

import contextlib
import json
import re

import pytest
import yaml
from core_toys import hooks, package_of, tonearm

from tonearm import load_pipeline
from tonearm.api import MelDialect
from tonearm.cli.listing import find_listing, print_listing
from tonearm.errors import OptionError, UsageError
from tonearm.plugins.discovery import installed_packages
from tonearm.plugins.registry import Registry, default


def test_the_table_has_every_dialect_with_its_figures():
    done = tonearm("dialects", env={"COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line and not line.startswith(" ")}
    assert rows["hifigan"] == [
        "hifigan", "22050", "1024", "256", "1024", "80", "0", "8000", "slaney", "magnitudes", "ln",
        "-11.51", "…", "5.7",
    ]  # fmt: skip
    assert rows["librosa-db"][-3:] == ["-80", "…", "0"]
    assert "  whisper: whisper-80" in done.stdout
    assert "  gansynth: the dialect gansynth is refused: " in done.stdout
    assert "  nemo-asr: values in the dialect nemo-asr are standardised by each utterance's own" in done.stdout


def test_a_broken_name_of_another_dialect_is_listed_as_broken(capsys):
    dialects = {"one": {"base": "whispr"}, "two": {"base": "whisper"}}
    print_listing(
        find_listing("dialects"), Registry([*installed_packages(), package_of("acme", hooks(dialects=dialects))]),
        as_json=False,
    )  # fmt: skip
    lines = capsys.readouterr().out.splitlines()
    assert "  whisper: two, whisper-80" in lines
    assert not any("whispr: one" in line for line in lines)
    assert lines[lines.index("broken") + 1].startswith("  one: the dialect one of acme is broken: there is no dialect")


def test_all_dialects_as_json():
    done = tonearm("dialects", "--json")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["f5-tts"]["figures"]["sample_rate"] == 24000
    assert rows["f5-tts"]["refused"] is None
    assert rows["hifigan-v1"]["alias_of"] == "hifigan"
    assert rows["whisper"]["figures"]["steps"] == [
        {"op": "below-max", "below": 8.0}, {"op": "affine", "scale": 0.25, "offset": 1.0},
    ]  # fmt: skip
    assert rows["gansynth"]["refused"].startswith("the dialect gansynth is refused")


PIPELINE = """
tonearm: 1
input:
  use: npy-reader
  with:
    kind: mel
{dialect}
outputs: [{{use: npy-writer, file: a.npy}}]
"""


def test_the_page_of_a_dialect_is_that_dialect_in_yaml(capsys, tmp_path):
    registry = default()
    file = tmp_path / "pipeline.yaml"
    usable = 0
    for name in registry.catalogue(MelDialect):
        try:
            dialect = registry.catalogue(MelDialect).find(name)
        except OptionError:
            continue
        assert print_listing(find_listing("dialects"), registry, name=name, as_json=False) == 0
        figures = "\n".join(f"    {line}" for line in capsys.readouterr().out.splitlines())
        file.write_text(PIPELINE.format(dialect=figures))
        found = load_pipeline(file).checked.decoder.plugin.options.kind.options.dialect
        assert dialect.differences(found) == [], name
        usable += 1
    assert usable > 54


def test_the_page_of_a_dialect_names_its_source():
    done = tonearm("dialects", "styletts2", env={"COLUMNS": "400"})
    lines = done.stdout.splitlines()
    assert lines[0].startswith("# yl4579/StyleTTS2 meldataset.py")
    assert lines[1].startswith("# MelSpectrogram built without sample_rate")
    assert lines[2:4] == ["dialect:", "  sample_rate: 24000"]
    done = tonearm("dialects", "nemo-asr", env={"COLUMNS": "400"})
    assert "# values in the dialect nemo-asr are standardised by each utterance's own statistics" in done.stdout
    done = tonearm("dialects", "whisper", "--json")
    assert json.loads(done.stdout)["steps"][0] == {"op": "below-max", "below": 8.0}


@pytest.mark.parametrize("width", [40, 63, 110])
@pytest.mark.parametrize("command", ["dialects", "recipes", "layouts"])
def test_every_page_breaks_between_words_alone_and_is_yaml_still(command, width, capsys, monkeypatch):
    registry, listing = default(), find_listing(command)
    for name in [None, *registry.catalogue(listing.cls)]:
        pages = []
        for columns in ("100000", str(width)):
            monkeypatch.setenv("COLUMNS", columns)
            with contextlib.suppress(UsageError):
                print_listing(listing, registry, name=name, as_json=False)
            pages.append(capsys.readouterr().out)
        whole, page = pages
        assert [line for line in page.splitlines() if len(line) > width and len(line.split()) > 2] == []
        if name is not None:
            assert yaml.safe_load(page) == yaml.safe_load(whole)
            assert re.sub(r"\n#", "", page).split() == re.sub(r"\n#", "", whole).split()


@pytest.mark.parametrize(
    ("name", "stderr"),
    [
        ("hifi-gan", "unknown-dialect: there is no dialect 'hifi-gan'\n    hint: did you mean 'hifigan'?\n"),
        ("gansynth", "refused-dialect: the dialect gansynth is refused: it holds phases beside the magnitudes"),
    ],
)
def test_unknown_and_refused_dialects(name, stderr):
    done = tonearm("dialects", name)
    assert done.returncode == 2
    assert done.stderr.startswith(stderr)


def test_a_plugin_without_dialects():
    done = tonearm("plugins", "istft", "--dialects")
    assert done.returncode == 2
    assert done.stderr == "no-dialect: istft takes no dialect\n"


def test_recipes_of_linear_spectrograms_are_listed_likewise():
    done = tonearm("recipes", env={"COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line and not line.startswith(" ")}
    assert rows["tacotron-keithito"][1:] == ["20000", "2048", "250", "1000", "0.97", "1", "20", "log10", "0", "…", "1"]
    assert rows["power"][1:6] == ["any", "any", "any", "any", "none"]
    assert "  tacotron-keithito: tacotron-r9y9" in done.stdout
    done = tonearm("recipes", "dc-tts")
    assert done.stdout.splitlines()[2:5] == ["recipe:", "  sample_rate: 22050", "  n_fft: 2048"]
    done = tonearm("recipes", "dctts")
    assert done.stderr == "unknown-recipe: there is no recipe 'dctts'\n    hint: did you mean 'dc-tts'?\n"


def test_one_listing_at_a_time():
    done = tonearm("plugins", "--recipes", "--layouts")
    assert done.returncode == 2
    assert "exclude each other" in done.stderr
