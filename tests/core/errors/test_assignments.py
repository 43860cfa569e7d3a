"""Options with their values, in each form. `test_remedies` has more of them, as remedies print them."""

import ast

import pytest

from tonearm.errors import Place
from tonearm.errors.assignments import assignment, assignments, flag, step, without

GIVEN = {"n_fft": 1024, "window": "hann"}


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        (Place("input"), "n_fft: 1024 and window: hann"),
        (Place("input", "flags"), "--n-fft 1024 --window hann"),
        (Place("steps.0", "flags"), "--set steps.0.with.n_fft=1024 --set steps.0.with.window=hann"),
        (Place("input", "python"), '"n_fft": 1024, "window": "hann"'),
        (Place("input", "call"), 'n_fft=1024, window="hann"'),
        (Place("outputs.0", "call"), 'encoder={"n_fft": 1024, "window": "hann"}'),
        (Place("steps.0", "call", use="istft"), 'steps=[("istft", {"n_fft": 1024, "window": "hann"})]'),
    ],
)
def test_several_options(place, wanted):
    assert assignments(GIVEN, place) == wanted


@pytest.mark.parametrize("stage", ["", "input", "limits", "outputs.0", "steps.0"])
def test_arguments_of_a_call_are_python(stage):
    text = assignments(GIVEN, Place(stage, "call", use="istft"))
    keywords = ast.parse(f"save({text})", mode="eval").body.keywords
    found = {one.arg: ast.literal_eval(one.value) for one in keywords}
    assert found in (GIVEN, {stage: GIVEN}, {"encoder": GIVEN}, {"steps": [("istft", GIVEN)]})


def test_one_of_several_values():
    assert assignment("a", (1, 2), Place("executor", "flags")) == "--executor-option a=1 or a=2"
    assert assignment("a", (["b", "c"],), Place("executor", "flags")) == "--executor-option 'a=[b, c]'"
    assert assignment("a", (1, 2), Place("input", "call")) == "a=1 or a=2"


def test_an_option_that_is_left_out():
    assert without("n_fft", Place("steps.0", "flags")) == " --set steps.0.with.n_fft=null"
    assert without("n_fft", Place("input", "flags")) == f" in place of {flag('n_fft')}" == " in place of --n-fft"
    assert without("n_fft", Place("steps.0", "call")) == " in place of n_fft"


def test_a_step_is_an_entry_of_steps():
    assert step("mix", {"to": "mono"}) == '("mix", {"to": "mono"})'
