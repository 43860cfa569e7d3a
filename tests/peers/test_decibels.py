"""Conversions to decibels and back, asked what the tests of librosa and torchaudio ask: reference, floor, range."""

import math

import librosa
import msgspec
import numpy as np
import pytest

from tonearm.api import ItemError, LinearRecipe, MelDialect, RecipeStep
from tonearm.errors import OptionError
from tonearm.recipes.catalogue import from_figures
from tonearm_plugins.dsp.levels import amplitude_to_db, db_to_amplitude

MEL = {"sample_rate": 16000, "n_fft": 512, "hop_length": 128, "n_mels": 40, "exponent": 2}


def powers(seed=0, channels=1):
    """Return powers over ten decades, with zeros among them: (channels, 40, 25)."""
    values = 10 ** np.random.default_rng(seed).uniform(-8, 2, (channels, 40, 25))
    values[:, ::7, ::5] = 0
    return values


def below(top_db):
    return () if top_db is None else (RecipeStep(op="below-max", below=top_db),)


def of_powers(*, ref=1.0, amin=1e-10, top_db=None, steps=()):
    """Return the dialect of power_to_db."""
    figures = {"log": "log10", "log_factor": 10.0, "reference": ref, "floor": amin, "steps": below(top_db) + steps}
    return MelDialect(**MEL, **figures)


def of_magnitudes(*, ref=1.0, amin=1e-5, top_db=None):
    """Return the recipe of amplitude_to_db."""
    return LinearRecipe(log="log10", log_factor=20.0, reference=ref, floor=amin, steps=below(top_db))


@pytest.mark.parametrize("ref", [1e-3, 1.0, 37.5])
def test_powers_become_librosas_decibels(ref):
    for amin in [1e-10, 1e-5, 0.5]:
        for top_db in [None, 20.0, 80.0]:
            expected = librosa.power_to_db(powers(), ref=ref, amin=amin, top_db=top_db)
            # librosa raises a reference to the floor.
            found = of_powers(ref=max(ref, amin), amin=amin, top_db=top_db).to_native(powers())
            assert np.abs(found - expected).max() < 1e-12


@pytest.mark.parametrize("ref", [0.01, 1.0, 5.0])
def test_magnitudes_become_librosas_decibels(ref):
    for top_db in [None, 30.0]:
        magnitudes = np.sqrt(powers(3))
        expected = librosa.amplitude_to_db(magnitudes, ref=ref, amin=1e-5, top_db=top_db)
        found = of_magnitudes(ref=ref, top_db=top_db).to_native(magnitudes)
        assert np.abs(found - expected).max() < 1e-12


def test_magnitudes_and_their_powers_have_the_same_decibels():
    values = powers(5)
    assert np.allclose(of_magnitudes(amin=1e-5).to_native(np.sqrt(values)), of_powers(amin=1e-10).to_native(values))


@pytest.mark.parametrize("ref", [np.max, np.median, np.mean], ids=["max", "median", "mean"])
def test_a_reference_that_is_a_function_is_a_number_for_one_sound(ref):
    expected = librosa.power_to_db(powers(4), ref=ref, top_db=None)
    found = of_powers(ref=float(ref(powers(4)))).to_native(powers(4))
    assert np.abs(found - expected).max() < 1e-12


@pytest.mark.parametrize("top_db", [None, 80.0, 25.0])
def test_the_loudest_as_reference_is_a_step(top_db):
    dialect = of_powers(steps=(RecipeStep(op="subtract-max"), *below(top_db)))
    expected = librosa.power_to_db(powers(6), ref=np.max, top_db=top_db)
    assert np.abs(dialect.to_native(powers(6)) - expected).max() < 1e-12


@pytest.mark.parametrize("ref", [1e-3, 1.0, 37.5])
def test_decibels_become_librosas_powers(ref):
    decibels = np.linspace(-60, 20, 40 * 25).reshape(1, 40, 25)
    found = of_powers(ref=ref).to_linear(decibels, double=True)
    assert found == pytest.approx(librosa.db_to_power(decibels, ref=ref), rel=1e-13)
    found = of_magnitudes(ref=ref).to_linear(decibels)
    assert found == pytest.approx(librosa.db_to_amplitude(decibels, ref=ref), rel=1e-13)


@pytest.mark.parametrize("ref", [0.02, 1.0, 300.0])
def test_there_and_back_is_the_same(ref):
    for kind in ["f4", "f8"]:
        values = np.maximum(powers(7), 1e-8).astype(kind)
        limit = 1e-5 if kind == "f4" else 1e-12
        dialect = of_powers(ref=ref)
        back = dialect.to_linear(dialect.to_native(values).astype(kind), double=kind == "f8")
        assert back.dtype == kind
        assert back == pytest.approx(values, rel=limit)
        recipe = of_magnitudes(ref=ref)
        back = recipe.to_linear(recipe.to_native(values).astype(kind))
        assert back.dtype == kind
        assert back == pytest.approx(np.maximum(values, 1e-5), rel=limit)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_range_hangs_from_the_loudest_of_all_channels(channels):
    """torchaudio limits the range of an item by the maximum over its channels."""
    values = powers(8, channels)
    values[0, 3, 3] = 1e3
    found = of_powers(top_db=40.0).to_native(values)
    assert found.max() == pytest.approx(30)
    assert found.min() == pytest.approx(-10)
    assert (found[values > 0.11] > -10 + 0.3).all()


def test_values_within_the_range_stay_as_they_are():
    values = np.maximum(powers(9), 1e-2)
    assert np.array_equal(of_powers(top_db=200.0).to_native(values), of_powers().to_native(values))


@pytest.mark.parametrize(
    ("log", "factor", "function"),
    [
        ("ln", 1.0, np.log),
        ("log10", 1.0, np.log10),
        ("log2", 1.0, np.log2),
        ("log10", 10.0, lambda x: 10 * np.log10(x)),
        (3.0, 2.0, lambda x: 2 * np.log(x) / np.log(3)),
    ],
)
def test_every_logarithm_there_and_back(log, factor, function):
    values = np.maximum(powers(1), 1e-6)
    recipe = LinearRecipe(log=log, log_factor=factor, floor=1e-9)
    native = recipe.to_native(values)
    assert native == pytest.approx(function(values), rel=1e-12, abs=1e-12)
    assert recipe.to_linear(native) == pytest.approx(values, rel=1e-12)


@pytest.mark.parametrize("exponent", [1, 2, 3, 0.7])
def test_every_power_of_magnitudes_is_read_as_torchaudios_spectrogram_writes_it(exponent):
    magnitudes = np.sqrt(powers(2))
    recipe = LinearRecipe(exponent=exponent, log="none")
    assert recipe.to_native(magnitudes) == pytest.approx(magnitudes**exponent, rel=1e-13)
    assert recipe.to_linear(magnitudes**exponent) == pytest.approx(magnitudes, rel=1e-13)


@pytest.mark.parametrize("bad", [{"reference": 0.0}, {"floor": 0.0}, {"floor": -1e-3}, {"log": 1.0}], ids=str)
def test_what_librosa_refuses_is_refused(bad):
    with pytest.raises((OptionError, msgspec.ValidationError)):
        from_figures(LinearRecipe, {"log": "log10", "log_factor": 20.0, **bad})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_decibels_that_are_no_numbers_are_refused(value):
    decibels = np.zeros((1, 40, 25))
    decibels[0, 5, 5] = value
    with pytest.raises(ItemError):
        of_powers().to_linear(decibels)


def test_levels_are_librosas():
    for db in [-120.0, -6.02, 0.0, 3.5, 60.0]:
        assert db_to_amplitude(db) == pytest.approx(float(librosa.db_to_amplitude(np.array(db))), rel=1e-14)
        assert amplitude_to_db(db_to_amplitude(db)) == pytest.approx(db, abs=1e-12)


def test_no_amplitude_has_no_level():
    assert amplitude_to_db(0.0) == -math.inf
    assert db_to_amplitude(-math.inf) == 0
