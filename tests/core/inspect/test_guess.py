"""Guesses: certain only of what was counted or declared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from core_toys import hooks, package_of
from real_arrays import WAVE, certain, confidence, guessed

from tonearm.api import Claim, Context, Kind, MagnitudeSpectrogram, NoOptions, Notes
from tonearm.findings.notes import Finding
from tonearm.inspect import Guess, compute_statistics, guess
from tonearm.inspect.guess import describe_sound_file, describe_tokens
from tonearm.plugins.discovery import installed_packages
from tonearm.plugins.registry import Registry
from tonearm.signals import CodecTokens, OriginalSound


@pytest.mark.parametrize("seed", range(60))
def test_nothing_is_certain_but_what_was_counted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (*rng.choice([1, 2, 4], rng.integers(0, 3)), *rng.choice([1, 2, 80, 100, 128, 257, 513, 3000], 2))
    array = (rng.normal(size=shape) * 10 ** rng.uniform(-2, 4)).astype(rng.choice(["f4", "i2", "u1", "i8", "c8"]))
    found = guessed(array)
    parts = np.stack([array.real, array.imag]) if array.dtype.kind == "c" else array
    allowed = {f"{parts.min():.6g} to {parts.max():.6g}", "complex", "constant"}
    assert {one.what for one in found.findings if one.confidence == "certain"} == {"values"}
    assert {one.value for one in found.findings if one.confidence == "certain"} <= allowed


def test_nan_and_constants_are_findings() -> None:
    found = guessed(np.array([0.5, np.nan, np.inf, -0.5]))
    assert "2 NaN or infinite" in [one.value for one in found.findings]
    assert certain(guessed(np.full(3, np.nan))) == {"values": "none"}
    reasons = {
        one.value: one.reason for array in ([0.5, np.nan], [0.5, 0.5]) for one in guessed(np.array(array)).findings
    }
    assert reasons["constant"] == "every value is the same"
    (reason,) = (one.reason for one in guessed(np.array([0.5, np.nan])).findings if one.value == "constant")
    assert reason == "every value that is finite is the same"
    assert "constant" not in [one.value for one in guessed(np.array([1 + 2j, 1 + 2j])).findings]


def test_a_recipe_that_the_file_names_decides_the_kind() -> None:
    found = guessed(np.zeros((80, 90)), declared={"kind": "mel", "dialect": "riffusion"}, rate=(44100, "from the file"))
    assert (found.value("kind"), found.value("dialect"), found.value("sample_rate")) == ("mel", "riffusion", "44100")
    assert found.options == {"kind": "mel"}


def test_a_sample_rate_beside_the_array_is_an_answer_and_otherwise_it_is_asked_for() -> None:
    assert guessed(WAVE, rate=(8000, "the file has sr = 8000")).options["sample_rate"] == 8000
    found = guessed(WAVE)
    assert (found.options["sample_rate"], confidence(found, "sample_rate")) == ("?", "unknown")


def test_a_sound_file_needs_no_options() -> None:
    found = describe_sound_file(compute_statistics(WAVE[None]), 22050)
    assert found.options == {}
    assert certain(found)["sample_rate"] == "22050"
    assert describe_sound_file(None, 8000).value("values") == "?"


def test_a_subject_without_a_finding_is_unknown() -> None:
    assert guessed(WAVE).value("dialect") == "?"


class Cepstrum(Kind[MagnitudeSpectrogram, NoOptions]):
    """A third party's kind that says nothing of values."""

    axes = ("quefrency", "frame")

    def read(self, values: Any, context: Context) -> MagnitudeSpectrogram:
        raise NotImplementedError


class Chroma(Cepstrum):
    """A third party's kind of twelve rows."""

    @classmethod
    def claim(cls, notes: Notes) -> Claim | None:
        def note(notes: Notes, rival: int | None) -> None:
            notes.add("kind", "chroma", "likely", f"12 rows, and bins along {rival}")
            notes.options["kind"] = "chroma"

        return Claim(strong=True, rival="chroma has 12 rows", note=note) if 12 in notes.shape else None


class Faulty(Cepstrum):
    """A third party's kind whose claim fails."""

    @classmethod
    def claim(cls, notes: Notes) -> Claim | None:
        raise RuntimeError("no idea")


ROWS = np.random.default_rng(2).uniform(-3, 3, (12, 300))


def kinds(array: Any, **offered: type[Kind[Any, Any]]) -> Guess:
    registry = Registry([*installed_packages(), package_of("acme", hooks(kinds=offered))])
    return guess(compute_statistics(array), registry)


def test_a_kind_without_claims_is_named_as_one_that_values_cannot_show() -> None:
    for array in (WAVE, ROWS, ROWS + 1j):
        found = kinds(array, cepstrum=Cepstrum)
        assert Finding("kind", "cepstrum", "unknown", "values cannot show it") in found.findings
        assert found.value("kind") != "cepstrum"
    two = kinds(WAVE, cepstrum=Cepstrum, other=Cepstrum)
    assert Finding("kind", "cepstrum, other", "unknown", "values cannot show them") in two.findings
    assert "cannot show" not in str(guessed(WAVE).findings)


def test_a_kind_claims_an_array() -> None:
    found = kinds(ROWS, chroma=Chroma)
    assert (found.value("kind"), found.options["kind"]) == ("chroma", "chroma")
    assert "cannot show" not in str(found.findings)
    assert kinds(ROWS[:11], chroma=Chroma).value("kind") == "?"


def test_a_claim_that_fails_is_named_and_costs_nothing_else() -> None:
    found = kinds(ROWS, chroma=Chroma, faulty=Faulty)
    assert found.value("kind") == "chroma"
    reason = next(one.reason for one in found.findings if one.value == "faulty")
    assert "acme/faulty" in reason
    assert "RuntimeError: no idea" in reason


def test_a_file_of_tokens_tells_what_was_encoded() -> None:
    original = OriginalSound(sample_rate=16000, length=1234, loudness=-23.46)
    tokens = CodecTokens(codes=np.zeros((1, 3, 9), "i4"), original=original)
    (found,) = (one for one in describe_tokens(tokens).findings if one.what == "length")
    assert found == Finding(
        "length", "1,234 samples at 16000 Hz", "certain", "of the sound that was encoded, at -23.5 LUFS"
    )
    silent = CodecTokens(codes=tokens.codes, original=OriginalSound(sample_rate=16000, length=1234))
    assert "LUFS" not in str(describe_tokens(silent).findings)
