"""The layouts that have the shape and the range of an array."""

import numpy as np
import pytest

from tonearm.api import TokenLayout
from tonearm.findings.tokens import can_be_codes, matching_layouts
from tonearm.plugins import registry
from tonearm.recipes.catalogue import Catalogue, CatalogueEntry

RNG = np.random.default_rng(7)


def matches(array, catalogue=None, **more):
    found = catalogue or registry.default().catalogue(TokenLayout)
    return matching_layouts(found, array.shape, float(array.min()), float(array.max()), **more)


def best(array, **more):
    found = matches(array, **more)
    return [one.name for one in found if one.rank == found[0].rank]


def codes(size, *shape, greatest=None):
    """Random codes, the greatest of which is there."""
    made = RNG.integers(0, size, shape)
    made.flat[-1] = size - 1 if greatest is None else greatest
    made.flat[0] = 0
    return made


def frames_of(offset, per_position, positions, size):
    ids = offset + per_position * (np.arange(positions * 12) % positions) + RNG.integers(0, size, positions * 12)
    ids[-1] = offset + per_position * (positions - 1) + size - 1
    return ids


@pytest.mark.parametrize(
    ("array", "name"),
    [
        (frames_of(128266, 4096, 7, 4096), "orpheus-snac24"),
        (np.concatenate([[1000, 128257], frames_of(128266, 4096, 7, 4096)]), "orpheus-snac24"),
        (frames_of(64410, 4032, 4, 4032), "kani-nanocodec"),
        (frames_of(10000, 1024, 2, 1024), "bark-encodec24"),
        (codes(2048, 40, 32), "csm-mimi"),
        (codes(2048, 4, 25, greatest=2048), "musicgen-hf"),
        (codes(1024, 80, 9, greatest=1026), "dia-dac44"),
        (codes(1024, 9, 60, greatest=1024), "parler-tts-dac44"),
        (codes(4096, 10, 30), "fish-speech-s1-codes"),
        (codes(1024, 8, 39, greatest=1025), "higgs-audio-v2"),
        (codes(2048, 1, 30, 16), "qwen3-tts-12hz"),
        (codes(2048, 2, 8, 25, greatest=2048), "musicgen-audiocraft-stereo"),
        (codes(1024, 12, 60), "dac-hf"),
        (codes(2048, 8, 25, greatest=2048), "musicgen-hf-stereo"),
    ],
)
def test_a_family_is_among_the_best_of_its_own_arrays(array, name):
    assert name in best(array)


@pytest.mark.parametrize(
    "array",
    [
        codes(64, 9, 60),
        codes(1 << 15, 3000),
        np.array([[3]]),
        np.arange(700),  # ids of a text
        codes(1024, 60, 60, 60, 9),
    ],
)
def test_no_layout(array):
    assert matches(array) == []


def test_a_known_sample_rate_leaves_others_out():
    array = codes(2048, 4, 25, greatest=2048)
    assert {"audiogen", "musicgen-hf"} <= set(best(array))
    assert "audiogen" not in best(array, sample_rate=32000)
    assert set(best(array, sample_rate=12345)) == set(best(array))


def one_layout(**figures):
    return Catalogue(TokenLayout, [CatalogueEntry("acme", "one", TokenLayout(name="one", **figures))])


def ranks(array, **figures):
    return [one.rank for one in matches(array, one_layout(**figures))]


def test_the_rank_falls_with_marks_and_with_books_that_are_missing_or_open():
    axes = ("book", "frame")
    assert ranks(codes(1024, 4, 30), axes=axes, size=1024, codebooks=4) == [0]
    assert ranks(codes(1024, 4, 30), axes=axes, size=1024) == [1]
    assert ranks(codes(1024, 4, 30), axes=axes, size=1024, codebooks=8) == [2]
    assert ranks(codes(1024, 9, 30), axes=axes, size=1024, codebooks=8) == []
    assert ranks(codes(1024, 33, 60), axes=axes, size=1024) == []
    marked = codes(1024, 4, 30, greatest=1025)
    assert ranks(marked, axes=axes, size=1024, codebooks=4) == []
    assert ranks(marked, axes=axes, size=1024, delays=(0, 1, 2, 3)) == [0]
    assert ranks(codes(1024, 4, 30), axes=axes, size=1024, delays=(0, 1, 2, 3)) == [1]
    assert ranks(marked, axes=axes, size=1024, codebooks=4, pad=1025) == [1]


def test_axes_of_size_1_may_be_missing_and_frames_are_more_than_books():
    figures = {"axes": ("batch", "frame", "book"), "size": 1024, "codebooks": 4}
    assert ranks(codes(1024, 30, 4), **figures) == ranks(codes(1024, 1, 30, 4), **figures) == [0]
    assert ranks(codes(1024, 2, 30, 4), **figures) == [0]
    assert ranks(codes(1024, 4, 30), **figures) == [2]  # a batch of one book
    stereo = {"axes": ("(book channel)", "frame"), "size": 1024, "codebooks": 4}
    assert ranks(codes(1024, 8, 30), **stereo) == [0]
    assert ranks(codes(1024, 7, 30), **stereo) == []


def test_a_level_alone_is_the_weakest_match():
    assert ranks(codes(4096, 200), ragged=True, size=4096, strides=(4, 2, 1)) == [2]
    assert ranks(codes(4096, 2, 200), ragged=True, size=4096, strides=(4, 2, 1)) == []


def test_rows_that_may_be_a_batch_are_a_weaker_match():
    assert ranks(codes(1024, 4, 30), stacked=4, size=1024) == [0]
    assert ranks(codes(1024, 8, 30), stacked=4, size=1024) == [1]
    assert ranks(codes(1024, 6, 30), stacked=4, size=1024) == []


def test_layouts_of_text_and_of_files_have_no_arrays():
    assert ranks(codes(1024, 30), pattern=r"<(\d+)>", size=1024) == []
    assert ranks(codes(1024, 4, 30), file="dac", size=1024) == []


@pytest.mark.parametrize(
    ("low", "high", "whole", "can"),
    [
        (0, 1023, True, True),
        (-1, 1023, True, True),
        (-2, 1023, True, False),
        (0, 0, True, False),
        (0, 1 << 20, True, False),
        (0, 1, False, False),
    ],
)
def test_what_can_be_codes(low, high, whole, can):
    assert can_be_codes(low, high, whole=whole) is can
