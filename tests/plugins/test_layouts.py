"""Layouts of codec tokens that tonearm ships: each is whole, has its source, and names the weights that it needs."""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from importlib import resources
from typing import Any

import pytest

from tonearm.api import MelDialect, TokenLayout
from tonearm.plugins.registry import default
from tonearm_plugins import layouts

FIGURES: Mapping[str, Any] = layouts.layouts()
CATALOGUE = default().catalogue(TokenLayout)
ALIASES = {name: str(figures["base"]) for name, figures in FIGURES.items() if set(figures) == {"base"}}
OWN = sorted(FIGURES.keys() - ALIASES.keys())

FAMILIES = (
    *("encodec-hf", "encodec-original", "encodec-ecdc-file", "musicgen-audiocraft", "musicgen-hf", "parler-tts-dac44"),
    *("dac-hf", "dac-file", "snac-24k", "orpheus-snac24", "moshi-mimi", "moshi-hf", "csm-mimi", "csm-hf"),
    *("higgs-audio-v2", "dia-dac44", "dia-hf", "zonos-dac44", "yue-stage1", "yue-stage2", "bark-encodec24"),
    *("qwen3-tts-12hz", "kani-nanocodec", "fish-speech-s1-codes", "neutts-neucodec", "llasa-xcodec2"),
    *("outetts-dac-speech", "spark-bicodec", "s3-chatterbox-cosyvoice", "wavtokenizer", "speechtokenizer"),
    "moss-ttsd-xy",
)
"""Families of models, each with a layout of its name."""

TYPED = (
    *("orpheus", "musicgen", "snac", "dac", "mimi", "moshi", "csm", "dia", "zonos", "parler", "bark", "qwen3-tts"),
    *("kani", "fish-speech", "fish", "neutts", "llasa", "outetts", "spark", "chatterbox", "cosyvoice", "wavtokenizer"),
    *("speechtokenizer", "moss-ttsd", "yue", "higgs", "encodec", "audiogen"),
)
"""Names that people type."""


def test_every_family_has_a_layout_of_its_name_and_short_names_lead_to_one() -> None:
    assert len(set(FAMILIES)) == 32
    assert set(FAMILIES) <= set(OWN)
    assert set(TYPED) <= set(FIGURES)


def test_no_name_is_given_twice() -> None:
    """No name stands for two layouts: TOML or a merge of files would keep only one of them."""
    names: Counter[str] = Counter()
    for file in layouts.FILES:
        text = resources.files(layouts).joinpath(f"{file}.toml").read_text("utf-8")
        for name, figures in tomllib.loads(text).items():
            names.update([name, *figures.get("aliases", ())])
    assert [name for name, count in names.items() if count > 1] == []
    assert set(names) == set(FIGURES)


def test_every_file_of_the_folder_is_read() -> None:
    found = {path.name for path in resources.files(layouts).iterdir() if path.name.endswith(".toml")}
    assert found == {f"{file}.toml" for file in layouts.FILES}


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_every_name_is_a_layout_with_its_source(name: str) -> None:
    layout = CATALOGUE.find(name)
    assert re.match(r"(tf:|[\w.-]+/[\w.-]+ )\S+", layout.source), "a file of a repository, or of transformers"
    assert not layout.source.endswith(".")
    assert not layout.notes.endswith(".")


@pytest.mark.parametrize("name", OWN)
def test_a_layout_names_its_codec_and_weights_or_why_there_is_no_sound(name: str) -> None:
    layout = CATALOGUE.find(name)
    if not layout.refuses:
        assert layout.codec
        assert layout.weights
    assert "huggingface.co" not in layout.weights, "the hub's name is enough"
    assert layout.size is not None or layout.streams_text


OPEN_RATES = {"dac-file", "encodec-ecdc-file", "wavtokenizer", "wavtokenizer-three-axes", "bark-encodec24-semantic"}
"""Layouts whose codes do not tell the rate of frames: files do, and models of several rates write one form."""


@pytest.mark.parametrize("name", OWN)
def test_frames_have_a_rate(name: str) -> None:
    layout = CATALOGUE.find(name)
    known = layout.sample_rate is not None and layout.samples_per_frame is not None
    assert known == (name not in OPEN_RATES)
    if layout.sample_rate and layout.samples_per_frame:
        assert 10 < layout.sample_rate / layout.samples_per_frame <= 150


@pytest.mark.parametrize("name", [name for name in OWN if CATALOGUE.find(name).other_form])
def test_the_other_form_points_back_and_is_of_the_same_codec(name: str) -> None:
    layout = CATALOGUE.find(name)
    other = CATALOGUE.find(layout.other_form)
    assert other.other_form == name
    assert {layout.form, other.form} == {"text", "flat"}
    assert other.known_codebooks == layout.known_codebooks
    assert (other.codec, other.weights) == (layout.codec, layout.weights)


@pytest.mark.parametrize(("alias", "name"), sorted(ALIASES.items()))
def test_an_alias_is_the_layout_by_another_name(alias: str, name: str) -> None:
    assert name in OWN
    found, meant = CATALOGUE.find(alias), CATALOGUE.find(name)
    fields = (field for field in TokenLayout.figure_names() if field != "name")
    assert [field for field in fields if getattr(found, field) != getattr(meant, field)] == []


REFUSED = {
    "bark-encodec24-semantic": "two more models",
    "s3-chatterbox-cosyvoice": "flow-matching model",
    "s3-cosyvoice1": "flow-matching model",
    "s3-cosyvoice2": "flow-matching model",
    "s3-cosyvoice3": "flow-matching model",
    "spark-bicodec": "two streams",
}
"""Layouts whose codes alone give no sound, each with what its reason says."""


def test_what_codes_alone_do_not_give_is_refused_with_its_reason() -> None:
    reasons = {name: CATALOGUE.find(name).refusal for name in OWN if CATALOGUE.find(name).refusal}
    assert set(reasons) == set(REFUSED)
    assert [name for name, words in REFUSED.items() if words not in reasons[name]] == []


def test_a_dialect_that_a_reason_names_is_one() -> None:
    named = {match for name in OWN for match in re.findall(r"the dialect (\S+)", CATALOGUE.find(name).refusal)}
    assert named
    assert named <= set(default().catalogue(MelDialect))


def test_layouts_that_notes_name_are_there() -> None:
    pattern = re.compile(r"\b(?:musicgen|audiogen|wavtokenizer|moshi|higgs|dia|bark|snac)-[a-z0-9-]+")
    named = {
        match
        for name in OWN
        for match in pattern.findall(f"{CATALOGUE.find(name).notes} {CATALOGUE.find(name).refuses}")
    }
    assert len(named) > 5
    assert named <= set(FIGURES)


@pytest.mark.parametrize(
    ("name", "kbits"),
    [
        ("encodec-hf-32khz", 2.2), ("snac-24k", 0.98), ("snac-32k", 1.9), ("snac-44k", 2.6), ("outetts", 1.5),
        ("kani", 0.6), ("moss-ttsd", 1.0), ("moshi", 1.1), ("moss-ttsd-v1", 4.0), ("yue", 4.0),
    ],
)  # fmt: skip
def test_rate_and_books_give_the_bit_rate_that_the_project_names(name: str, kbits: float) -> None:
    layout = CATALOGUE.find(name)
    books = layout.known_codebooks
    counts = books.codes_per_frame or (1,) * len(books.sizes)
    bits = sum(count * math.log2(size) for count, size in zip(counts, books.sizes, strict=True))
    assert layout.sample_rate is not None
    assert layout.samples_per_frame is not None
    assert bits * layout.sample_rate / layout.samples_per_frame / 1000 == pytest.approx(kbits, rel=0.02)
