"""Guesses for mel spectrograms and their dialects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from real_arrays import DIALECTS, WAVE, confidence, guessed, long_mel, notes_of

from tonearm.findings.notes import MAX_CHOICES
from tonearm.recipes.mel.inspection import matching_dialects

RNG = np.random.default_rng(9)
LONG_MEL = long_mel()


@pytest.mark.parametrize(
    ("array", "axes"),
    [
        (LONG_MEL, "[mel, frame]"),
        (np.stack([LONG_MEL.T] * 3), "[?, frame, mel]"),
        (np.stack([LONG_MEL.T] * 2, -1), "[frame, mel, ?]"),
        (LONG_MEL[:, 60:140], "[mel, frame]"),  # as many frames as bands
        (LONG_MEL[:, 60:140].T, "[frame, mel]"),
        (LONG_MEL[:, 60:188], "[mel, frame]"),  # as many frames as others have bands
        (LONG_MEL[:, 60:160].T, "[frame, mel]"),
        (LONG_MEL[:, :513], "[mel, frame]"),  # as many frames as bins
        (np.tile((LONG_MEL - LONG_MEL.mean()) / 2.1, (1, 12)), "[mel, frame]"),  # around 0, and long as a sound
    ],
)
def test_mels(array: Any, axes: str) -> None:
    found = guessed(array)
    assert (found.value("kind"), found.value("axes"), found.options["dialect"]) == ("mel", axes, "?")
    if "?" in axes or len(set(array.shape) & {80, 100, 128}) > 1 or array.shape[0] == array.shape[1]:
        assert confidence(found, "axes") == "possible"


def test_latents_and_embeddings_have_the_shape_of_a_mel_but_not_its_smoothness() -> None:
    for shape in ((80, 150), (128, 150), (64, 1000), (8, 512)):
        found = guessed(RNG.normal(size=shape))
        assert confidence(found) == "possible"
        assert confidence(found, "dialect") == "possible"


def test_a_dialect_gives_itself_away_by_its_floor() -> None:
    values = np.maximum(LONG_MEL / 2.302585, -5).astype("f4")
    values[:, -3:] = -5.0
    found = guessed(values)
    assert found.choices["dialect"][0] == "melgan"
    assert confidence(found, "dialect") == "likely"


def test_a_sample_rate_that_is_known_leaves_the_dialects_of_that_rate() -> None:
    found = guessed(LONG_MEL, rate=(24000, "the file has sr = 24000"))
    assert found.value("sample_rate") == "24000"
    assert found.choices["dialect"]
    assert {DIALECTS.find(name).sample_rate for name in found.choices["dialect"]} == {24000}
    found = guessed(WAVE, rate=(22050, "the file has sr = 22050"))
    assert found.options == {"sample_rate": 22050}


def floored(name: str, count: int) -> Any:
    """Return an array in the range of a dialect, with a number of values at its floor."""
    dialect = DIALECTS.find(name)
    values = RNG.uniform(dialect.range.low + 0.1, dialect.range.low + 2, (dialect.n_mels, 60))
    values.flat[:count] = dialect.range.low
    return values


@pytest.mark.parametrize(("count", "rank"), [(0, 2), (2, 2), (3, 0)])
def test_three_values_at_the_floor_make_a_strong_match(count: int, rank: int) -> None:
    found = {match.name: match for match in matching_dialects(notes_of(floored("melgan", count)))}
    assert found["melgan"].rank == rank
    assert found["melgan"].bands == 80


def test_matches_are_ordered_by_rank() -> None:
    ranks = [match.rank for match in matching_dialects(notes_of(floored("melgan", 5)))]
    assert ranks == sorted(ranks)
    assert ranks[0] < ranks[-1]


def test_a_finding_names_few_dialects_and_counts_the_others() -> None:
    found = guessed(LONG_MEL)
    value = found.value("dialect")
    assert value.count(", ") == MAX_CHOICES
    assert value.endswith(" more")


def test_whole_numbers_and_constants_are_doubted() -> None:
    assert "token" in next(one.reason for one in guessed(np.full((80, 90), -3, "i2")).findings if one.what == "kind")
    assert "the same" in next(one.reason for one in guessed(np.full((80, 90), -3.0)).findings if one.what == "kind")


def test_decibels_without_a_limit_below_the_maximum_are_named_by_their_floor() -> None:
    import librosa

    mel = librosa.feature.melspectrogram(y=np.pad(WAVE, 8000), sr=22050)
    found = guessed(librosa.power_to_db(mel, top_db=None), rate=(22050, "said"))
    assert (found.value("kind"), found.value("dialect")) == ("mel", "{base: librosa-db-ref1, steps: []}")
    assert confidence(found, "dialect") == "likely"
    limited = guessed(librosa.power_to_db(mel), rate=(22050, "said"))
    assert limited.value("dialect") == "librosa-db-ref1"
    assert "steps: []" not in guessed(librosa.power_to_db(mel + 1e-9, top_db=None)).value("dialect")
