"""Doubts about a recipe: what exact floors, spans and standardised values show."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tonearm
from tonearm.errors import Place
from tonearm.errors.problem import hint_of
from tonearm.plugins import registry
from tonearm.recipes.doubts import doubt_of, exact_match, is_floor
from tonearm.recipes.linear import LinearRecipe
from tonearm.recipes.mel import MelDialect

CATALOGUE = registry.default().catalogue
DIALECTS = CATALOGUE(MelDialect)


def values(low: float, high: float, repeated: int = 5, *, bands: int = 80, mean: float | None = None) -> Any:
    """Return values between two ends, of which some have the lowest value."""
    made = np.random.default_rng(0).uniform(low, high, (1, bands, 50)).astype(np.float32)
    made = np.maximum(made, np.float32(low + 0.01 * (high - low)))
    made[0, :repeated, 0] = low
    made[0, 0, 1] = high
    return made


def doubt(name: str, array: Any) -> tuple[str, str] | None:
    """Return the message of the doubt about values in a dialect, and its hint; None if there is none."""
    recipe = DIALECTS.find(name)
    found = doubt_of(recipe, array, float(array.min()), float(array.max()), CATALOGUE)
    return found and (found.message, hint_of(found.remedies, Place()))


def test_the_exact_floor_of_another_family_is_a_doubt_which_proposes_it() -> None:
    found = doubt("hifigan", values(-5, 1))
    assert found == ("5 values are exactly -5, the floor of melgan, but the floor of hifigan is -11.5129",
                     "dialect: melgan")  # fmt: skip
    assert doubt("melgan", values(-5, 1)) is None


@pytest.mark.parametrize("repeated", [1, 2])
def test_one_lowest_value_is_no_floor(repeated: int) -> None:
    assert doubt("hifigan", values(-5, 1, repeated)) is None


@pytest.mark.parametrize("low", [-5.001, -4.9, -11.5129])
def test_repeated_values_at_no_floor_or_at_their_own_are_no_doubt(low: float) -> None:
    assert doubt("hifigan", values(low, 1)) is None


def test_whole_numbers_are_a_doubt() -> None:
    array = values(-11, 2)
    assert doubt("hifigan", np.rint(array)) == (
        "all values are whole numbers, but those of hifigan are not: they seem to be rounded",
        "",
    )
    array[:, :, 1:] = np.rint(array[:, :, 1:])
    assert doubt("hifigan", array) is None


def test_a_constant_is_no_doubt() -> None:
    assert doubt("hifigan", np.full((1, 80, 5), -5, np.float32)) is None


def test_dialects_of_the_same_rate_come_alone_and_another_rate_is_said() -> None:
    given, melgan = DIALECTS.find("hifigan"), DIALECTS.find("melgan")
    slow = melgan.replace(sample_rate=16000, fmax=8000.0)
    low, high, array = -5.0, 1.0, values(-5, 1)
    for known, hint in (
        ({"slow": slow, "melgan": melgan}, "dialect: melgan"),
        ({"slow": slow}, "dialect: slow, at 16000 Hz"),
        ({"a": melgan, "b": melgan}, "dialect: a; dialect: b"),
        ({"long": melgan.replace(hop_length=275)}, "dialect: long, with hop_length 275 for 256"),
    ):
        found = doubt_of(given, array, low, high, lambda _, known=known: SimpleNamespace(usable=known.items))
        assert found is not None
        assert hint_of(found.remedies, Place()) == hint


@pytest.mark.parametrize("name", ["hifigan", "melgan", "bigvgan-24k"])
def test_standardised_values_are_a_doubt_in_a_dialect_of_others(name: str) -> None:
    bands = DIALECTS.find(name).n_mels
    array = np.random.default_rng(1).standard_normal((1, bands, 400)).astype(np.float32).clip(-4, 1.9)
    array = (array - array.mean()) / array.std()
    message, hint = doubt(name, array) or ("", "")
    assert message.startswith("values with a mean of ")
    assert message.endswith(f"but those of {name} are not")
    assert hint == f"dialect: … ({{base: {name}, mean: …, std: …}} with the statistics of the model)"
    assert doubt(name, array - 2) is None
    assert doubt(name, array * 0.8) is None


def test_values_in_a_standardised_dialect_are_beyond_doubt() -> None:
    given = DIALECTS.find("hifigan").replace(mean=0.0, std=1.0)
    array = values(-5, 1)
    assert doubt_of(given, array, -5.0, 1.0, CATALOGUE) is None


def test_linear_recipes_are_doubted_too() -> None:
    grid = {"n_fft": 16, "win_length": 16, "hop_length": 4, "sample_rate": 8000}
    given = LinearRecipe(log="log10", log_factor=20.0, floor=1e-5, **grid)
    other = given.replace(floor=1e-3)
    array = values(-60, 20, bands=9)
    found = doubt_of(given, array, -60.0, 20.0, lambda _: SimpleNamespace(usable={"other": other}.items))
    assert found is not None
    assert found.message.startswith("5 values are exactly -60, the floor of other, but the floor of")
    assert hint_of(found.remedies, Place()) == "recipe: other"


def test_a_floor_is_exact_and_a_span_too() -> None:
    melgan, librosa = DIALECTS.find("melgan"), DIALECTS.find("librosa-db")
    assert [is_floor(melgan, low) for low in (-5.0, -5.00001, -4.999, -5.001)] == [True, True, False, False]
    assert exact_match(melgan, -5, 1, 3) == "3 values are exactly its floor of -5"
    assert exact_match(melgan, -5, 1, 2) == ""
    assert exact_match(melgan, -5, -5, 9) == ""
    span = librosa.range.span
    assert exact_match(librosa, -span, 0, 4).startswith(("values span exactly", "4 values are exactly"))


class TestInPipelines:
    """A doubt is a warning, or an error by the limits; the sound is as without it."""

    @pytest.fixture
    def outcome(self, tmp_path: Any) -> Any:
        def run(array: Any, **limits: Any) -> tuple[list[str], list[str]]:
            pipeline = tonearm.load_pipeline(
                {
                    "tonearm": 1,
                    "input": {"use": "npy-reader", "with": {"dialect": "hifigan", "axes": ["mel", "frame"]}},
                    "steps": [{"use": "mel-to-wave", "with": {"iterations": 0}}],
                    "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
                    "limits": {"beyond": 1e9, "clipped": 1, **limits},
                }
            )
            results: list[Any] = []
            pipeline.run([array], out=tmp_path, force=True, observe=results.append)
            (result,) = results
            return [one.split(":")[0] for one in result.warnings], [one.code for one in result.failures]

        return run

    @pytest.mark.parametrize(
        ("limits", "warned", "failed"),
        [
            ({}, True, []),
            ({"dialect": "off"}, False, []),
            ({"dialect": "error"}, False, ["dialect-doubtful"]),
            ({"strict": True}, False, ["dialect-doubtful"]),
        ],
    )
    def test_the_limits_decide(self, outcome: Any, limits: Any, warned: bool, failed: list[str]) -> None:
        warnings, failures = outcome(values(-5, -1)[0], **limits)
        assert (("dialect-doubtful" in warnings), failures) == (warned, failed)


def test_linear_values_are_a_doubt_where_a_dialect_has_logarithms() -> None:
    array = np.random.default_rng(0).exponential(0.5, (1, 80, 50)).astype(np.float32) ** 2
    message = "no value is below 0, and most are small, but those of {} are logarithms"
    assert doubt("hifigan", array) == (
        message.format("hifigan"),
        "dialect: {base: hifigan, log: none}, if these are linear",
    )
    assert doubt("coqui", np.minimum(array, 4)) == (message.format("coqui"), "")  # its steps would remain
    assert doubt("librosa", array) is None
    loud = np.random.default_rng(0).normal(4, 0.5, (1, 80, 50)).astype(np.float32)  # logarithms of loud noise
    assert doubt("f5-tts", loud) is None
