"""Layouts that fit raw tokens, the nearest first."""

import numpy as np
import pytest

import token_oracles as oracles
from tonearm.recipes.catalogue import Catalogue, CatalogueEntry
from tonearm.recipes.tokens.fitting import MOST_TOKENS, fitting_layouts
from tonearm.recipes.tokens.layout import TokenLayout

FLOW = oracles.LAYOUTS["kani"] | {"refuses": "a flow-matching model comes before the sound"}
KNOWN = Catalogue(
    TokenLayout, [CatalogueEntry("a", name, figures) for name, figures in (oracles.LAYOUTS | {"flow": FLOW}).items()]
)


@pytest.mark.parametrize(
    ("name", "case", "first"),
    [
        ("orpheus", "ids_with_start_and_eos", "orpheus"),
        ("kani", "whole_sequence", "kani"),
        ("qwen3_tts", "talker_batch_of_2", "qwen"),
        ("musicgen_hf", "mono", "musicgen"),
        ("dia", "eos", "dia"),
        ("snac_ragged", "24k_tiny_book", "snac"),
        ("outetts", "text", "outetts"),
        ("orpheus", "text_plain", "orpheus-text"),
    ],
)
def test_the_layout_of_a_project_comes_first(name, case, first):
    assert fitting_layouts(oracles.raw_of(name, case), KNOWN)[0] == first


def test_layouts_that_would_fail_are_left_out():
    found = fitting_layouts(oracles.raw_of("kani", "whole_sequence"), KNOWN)
    assert "kani" in found
    assert not {"orpheus", "flow"} & {*found}
    assert "spark" not in fitting_layouts(oracles.raw_of("spark_bicodec", "both_streams"), KNOWN)
    assert fitting_layouts(np.array([[-5, 1]]), KNOWN) == []


def test_a_layout_that_knows_the_number_of_books_comes_before_one_that_takes_any():
    codes = np.random.default_rng(0).integers(0, 1000, (10, 30))
    codes[:, 0] = 999
    assert fitting_layouts(codes, KNOWN)[0] == "fish"


def test_sound_and_long_arrays_are_not_tried():
    assert fitting_layouts(np.zeros(MOST_TOKENS + 1, np.int64), KNOWN) == []
    assert fitting_layouts(np.array([0.5, 0.25]), KNOWN) == []
    assert fitting_layouts([[[1, 2], [3]]], KNOWN) == []


def test_an_array_may_lack_the_batch_but_one_that_lacks_nothing_comes_first():
    item = oracles.raw_of("qwen3_tts", "talker_no_stop")[0]
    assert "qwen" in fitting_layouts(item, KNOWN)
    assert fitting_layouts(oracles.raw_of("fish", "saved_npy"), KNOWN)[0] == "fish"
    assert fitting_layouts(np.zeros((1, 1, 1, 1, 1), int), KNOWN) == []


def test_lists_fit_as_arrays_do():
    ids = oracles.raw_of("kani", "whole_sequence").tolist()
    assert fitting_layouts(ids, KNOWN)[0] == "kani"
    assert fitting_layouts([ids, ids[3:]], KNOWN)[0] == "kani"
