"""Steps after the logarithm: each does what it says, and is undone."""

import math

import numpy as np
import pytest

from tonearm.api import RecipeStep
from tonearm.errors import OptionError
from tonearm.recipes.steps import ValueRange, power

VALUES = np.linspace(-3, 5, 24).reshape(2, 4, 3)


@pytest.mark.parametrize(
    ("step", "after"),
    [
        (RecipeStep(op="affine", scale=2, offset=-1), 2 * VALUES - 1),
        (RecipeStep(op="affine", offset=7), VALUES + 7),
        (RecipeStep(op="affine", scale=-0.5), VALUES * -0.5),
        (RecipeStep(op="subtract-max", max=5.0), VALUES - 5),
        (RecipeStep(op="divide-max", max=5.0), VALUES / 5),
        (RecipeStep(op="flip"), VALUES[:, ::-1]),
    ],
)
def test_what_can_be_undone_exactly(step, after):
    done = step.apply(VALUES)
    np.testing.assert_allclose(done, after, rtol=1e-12)
    np.testing.assert_allclose(step.invert(done), VALUES, rtol=1e-12, atol=1e-12)


def test_a_power_is_undone_for_what_is_not_negative():
    step = RecipeStep(op="power", exponent=0.25)
    np.testing.assert_allclose(step.invert(step.apply(abs(VALUES))), abs(VALUES), rtol=1e-12)
    assert step.invert(np.array([[[-1.0]]])) == 0


@pytest.mark.parametrize(
    ("step", "after"),
    [
        (RecipeStep(op="clip", min=-1, max=2), np.clip(VALUES, -1, 2)),
        (RecipeStep(op="clip", min=-1), np.maximum(VALUES, -1)),
        (RecipeStep(op="below-max", below=3.0), np.maximum(VALUES, 2)),
    ],
)
def test_what_is_cut_off_stays_at_the_limit(step, after):
    np.testing.assert_array_equal(step.apply(VALUES), after)
    np.testing.assert_array_equal(step.invert(after), after)


def test_bytes_are_rounded_or_cut():
    values = np.array([[[-3.0, 0.4, 0.5, 254.7, 300.0]]])
    assert RecipeStep(op="round").apply(values).tolist() == [[[0, 0, 1, 255, 255]]]
    assert RecipeStep(op="floor").apply(values).tolist() == [[[0, 0, 0, 254, 255]]]


@pytest.mark.parametrize(
    ("step", "range_"),
    [
        (RecipeStep(op="affine", scale=-2, offset=1), ValueRange(-9, 7, span=8, unit=2)),
        (RecipeStep(op="clip", min=-1, max=9), ValueRange(-1, 5, span=4, unit=1)),
        (RecipeStep(op="below-max", below=3), ValueRange(-3, 5, span=3, unit=1)),
        (RecipeStep(op="subtract-max"), ValueRange(-4, 0, span=4, unit=1, reached=True)),
        (RecipeStep(op="divide-max"), ValueRange(0, 1)),
        (RecipeStep(op="power", exponent=2), ValueRange(0, 25)),
        (RecipeStep(op="round"), ValueRange(0, 255, span=4, unit=1)),
        (RecipeStep(op="flip"), ValueRange(-3, 5, span=4, unit=1)),
    ],
)
def test_where_values_can_lie_afterwards(step, range_):
    assert step.range(ValueRange(-3, 5, span=4, unit=1)) == range_


def test_a_power_that_no_float_holds_has_no_limit():
    assert RecipeStep(op="power", exponent=400).range(ValueRange(-3, 255)) == ValueRange(0, math.inf)
    assert power(10.0, 309) == math.inf
    assert power(10.0, -2) == 0.01


def test_decibels_below_the_greatest_value_end_there():
    decibels = RecipeStep(op="below-max", below=80).range(RecipeStep(op="subtract-max").range(ValueRange(-100, 60)))
    assert (decibels.low, decibels.high) == (-80, 0)


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ({"op": "clip"}, "the step clip needs min or max", ""),
        ({"op": "affine"}, "the step affine needs scale or offset", ""),
        ({"op": "affine", "scale": 0.0}, "a scale of 0 makes all values equal", ""),
        ({"op": "affine", "below": 1.0}, "the step affine has no below", "it takes scale and offset"),
        ({"op": "flip", "min": 1.0}, "the step flip has no min", "it takes nothing"),
        ({"op": "clip", "min": 2.0, "max": 1.0}, "min 2 is not below max 1", ""),
        ({"op": "cut"}, "there is no step 'cut'", "one of affine, clip"),
    ],
)
def test_what_is_no_step(arguments, message, hint):
    with pytest.raises(OptionError) as caught:
        RecipeStep(**arguments)
    assert caught.value.message == message
    assert caught.value.hint.startswith(hint)
