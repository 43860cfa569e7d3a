"""Magnitudes, powers and decibels, and values that a recipe turns into magnitudes."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from array_options import array_options
from tonearm.api import Context, ItemError, LinearRecipe, MagnitudeSpectrogram, StftGrid, read_array
from tonearm.kinds.magnitudes import DecibelKind, MagnitudeKind, MagnitudeOptions, PowerKind
from tonearm.kinds.spectrograms import SpectrogramOptions
from tonearm.plugins.registry import default

GRID = {"sample_rate": 8000, "n_fft": 4, "hop_length": 1}
LINEAR = np.array([[[0.0, 0.5], [1.0, 10.0], [2.0, 0.1]]], "f4")
KEITHITO = default().catalogue(LinearRecipe).find("tacotron-keithito")


def test_values_become_linear_magnitudes():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # silence has no logarithm
        decibels = 20 * np.log10(LINEAR)
    kinds = (
        MagnitudeKind(MagnitudeOptions(**GRID)),
        PowerKind(SpectrogramOptions(**GRID)),
        DecibelKind(SpectrogramOptions(**GRID)),
    )
    for kind, values in zip(kinds, (LINEAR, LINEAR**2, decibels), strict=True):
        found = kind.read(values, Context())
        assert isinstance(found, MagnitudeSpectrogram)
        assert found.values.dtype == np.float32
        np.testing.assert_allclose(found.values, LINEAR, rtol=1e-6)


def test_plain_magnitudes_are_not_copied():
    values = np.ones((1, 3, 2), "f4")
    assert np.shares_memory(MagnitudeKind(MagnitudeOptions(**GRID)).read(values, Context()).values, values)


@given(st.lists(st.floats(0, 1e6, width=32), min_size=1, max_size=40))
def test_the_short_forms_are_their_formulas_to_the_bit(values):
    """Squared magnitudes by a square root, and decibels by a power of ten, in the type of the values."""
    array = np.array(values, "f4").reshape(1, 1, -1).repeat(3, axis=1)
    power = PowerKind(SpectrogramOptions(**GRID)).read(array, Context()).values
    assert np.array_equal(power, np.sqrt(array))
    levels = (array / np.float32(1e4)).astype("f4")
    decibels = DecibelKind(SpectrogramOptions(**GRID)).read(levels, Context()).values
    assert np.array_equal(decibels, np.power(np.float32(10), levels / np.float32(20)))


def test_phases_make_magnitudes_complex():
    kind = MagnitudeKind(MagnitudeOptions(**GRID))
    phase = np.array([[[0.0, np.pi], [np.pi / 2, 0.3], [-1.0, 1.0]]])
    found = kind.with_phase(kind.read(np.ones((1, 3, 2), "f4"), Context()), phase)
    np.testing.assert_allclose(found.values, np.exp(1j * phase), atol=1e-6)
    assert kind.phase_gives is type(found)


class TestRecipes:
    """A recipe gives the grid, and undoes what was done to the values."""

    NATIVE = np.random.default_rng(1).uniform(0, 1, (1025, 7)).astype("f4")

    def test_its_grid_is_known_beforehand(self):
        kind = array_options(kind="magnitude", recipe=KEITHITO).kind
        assert list(kind.problems(None)) == []
        known = kind.spec()
        assert (known.sample_rate, kind.sizes()) == (20000, {"bin": 1025})
        assert known.carried[StftGrid] == KEITHITO.grid

    def test_an_open_recipe_takes_the_grid_of_the_options(self):
        scale = default().catalogue(LinearRecipe).find("librosa-power-to-db")
        kind = array_options(kind="magnitude", recipe=scale, **GRID).kind
        assert list(kind.problems(None)) == []
        found = kind.read(10 * np.log10(LINEAR[:, :, 1:] ** 2), Context())
        np.testing.assert_allclose(found.values, LINEAR[:, :, 1:], rtol=1e-6)

    def test_values_are_undone(self):
        options = array_options(kind="magnitude", recipe=KEITHITO)
        (found,) = read_array(self.NATIVE, options, Context())
        response = np.abs(np.fft.rfft([1, -0.97], 2048))[:, None]
        expected = 10 ** ((self.NATIVE.astype("f8") * 100 - 100 + 20) / 20) / response
        np.testing.assert_allclose(found.values[0], expected, rtol=1e-5)
        assert found.grid == KEITHITO.grid
        double = array_options(kind="magnitude", recipe=KEITHITO, precision="double")
        (exact,) = read_array(self.NATIVE.astype("f8"), double, Context())
        np.testing.assert_allclose(exact.values[0], expected, rtol=1e-12)

    def test_values_of_another_recipe_are_refused_with_those_that_fit(self):
        options = array_options(kind="magnitude", recipe=KEITHITO)
        context = Context(catalogue=default().catalogue)
        with pytest.raises(ItemError) as caught:
            list(read_array(self.NATIVE * 8 - 4, options, context))
        assert caught.value.code == "recipe-mismatch"
        assert "but in tacotron-keithito none is below 0" in caught.value.message
        assert caught.value.hint == (
            "recipe: tacotron2-rayhane, with sample_rate 22050 for 20000, hop_length 275 for 250"
        )

    def test_an_array_with_other_bins_is_refused_with_recipes_that_fit(self):
        coqui = default().catalogue(LinearRecipe).find("coqui")
        context = Context(catalogue=default().catalogue)
        with pytest.raises(ItemError) as caught:
            list(read_array(self.NATIVE, array_options(kind="magnitude", recipe=coqui), context))
        assert caught.value.code == "recipe-mismatch"
        assert caught.value.message == "no axis of shape (1025, 7) has 513 bins, like the recipe coqui"
        assert "tacotron-keithito" in caught.value.hint
        scale = default().catalogue(LinearRecipe).find("power")
        with pytest.raises(ItemError) as caught:
            list(read_array(self.NATIVE, array_options(kind="magnitude", recipe=scale, **GRID), context))
        assert (caught.value.code, caught.value.hint) == ("bins-mismatch", "n_fft: 2048, if the array has 1025 bins")

    def test_kept_nan_stays_nan_and_a_finite_value_may_not_become_infinite(self):
        options = array_options(kind="magnitude", recipe=LinearRecipe(), nan="keep", **GRID)
        values = np.array([[np.nan, 0.0], [0.0, 0.0], [1.0, 0.0]], "f4")
        (found,) = read_array(values, options, Context())
        assert np.isnan(found.values[0, 0, 0])
        assert np.isfinite(found.values[0, 1:]).all()
        standard = LinearRecipe(name="standard", mean=0.0, std=1.0)
        with pytest.raises(ItemError, match="values up to 1000 are too great for the recipe standard"):
            list(
                read_array(
                    values * 1000, array_options(kind="magnitude", recipe=standard, nan="keep", **GRID), Context()
                )
            )

    @pytest.mark.parametrize(
        ("options", "found"),
        [
            ({"recipe": KEITHITO, "n_fft": 1024}, [("n_fft", "'n_fft' is part of the recipe tacotron-keithito")]),
            ({"recipe": KEITHITO, "n_fft": 2048, "sample_rate": 20000}, []),
            (
                {"recipe": LinearRecipe(name="mine", statistics="stored"), **GRID},
                [
                    (
                        "recipe",
                        "values in the recipe mine are standardised by the model's statistics, which are not given",
                    )
                ],
            ),
            (
                {"recipe": LinearRecipe(mean=(1.0, 2.0), std=1.0), **GRID},
                [("recipe", "mean has 2 numbers for 3 bins")],
            ),
            ({"recipe": LinearRecipe(), "sample_rate": 8000, "n_fft": 4}, [("hop_length", "'hop_length' is missing")]),
        ],
    )
    def test_contradictions(self, options, found):
        kind = array_options(kind="magnitude", **options).kind
        assert [(error.option, error.message) for error in kind.problems(None)] == found
