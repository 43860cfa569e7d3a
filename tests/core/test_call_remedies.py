"""Every remedy of a call is arguments in Python; with them the call succeeds, or has the next, different problem."""

from __future__ import annotations

import ast
import copy

import pytest
from remedy_cases import CASES, Case
from test_every_remedy import single

import tonearm
from tonearm.errors import PipelineError, RemoveOption, TonearmError

CALLS = {
    case.name: case for case in CASES
    if case.decoder == "npy-reader" and not case.plain and "file" not in case.output
}  # fmt: skip


def arguments_of(case: Case):
    """Return the arguments of `tonearm.save` that stand for the pipeline of a case."""
    steps = [one if isinstance(one, str) else (one["use"], one.get("with", {})) for one in case.steps]
    more = {"steps": steps, "encoder": dict(case.output.get("with", {})), "format": case.output["use"]}
    return copy.deepcopy({**case.options, **more})


def problems_of(array, target, arguments):
    try:
        tonearm.save(array, target, **arguments)
    except PipelineError as error:
        return list(error.problems)
    except TonearmError as error:
        return [error.problem]
    return []


def arguments_in(text):
    """Return the arguments that a remedy is: ``sample_rate=22050, kind="mel"``."""
    call = ast.parse(f"save({text})", mode="eval").body
    assert isinstance(call, ast.Call)
    assert not call.args
    return {one.arg: ast.literal_eval(one.value) for one in call.keywords}


def followed(arguments, remedy, problem):
    """Return the arguments after a remedy, as somebody types them who reads its text."""
    changed = copy.deepcopy(arguments)
    if isinstance(remedy, RemoveOption):
        name, _, inner = remedy.option.partition(".")
        homes = [changed, changed["encoder"], *(one[1] for one in changed["steps"] if isinstance(one, tuple))]
        home = next(one for one in homes if name in one)
        (home[name].pop(inner) if inner else home.pop(name))
        return changed
    text = remedy.text(problem.place).removesuffix(f", {remedy.when}")
    text, _, instead = text.partition(" in place of ")
    for name, value in arguments_in(text.removesuffix(" before it")).items():
        if name == "encoder":
            changed["encoder"].pop(instead, None)
            changed["encoder"] |= value
        elif name == "steps":
            changed["steps"] = with_steps(changed["steps"], value, instead, problem.place.use)
        else:
            changed.pop(instead, None)
            changed[name] = value
    return changed


def name_of(step):
    return step if isinstance(step, str) else step[0]


def with_steps(steps, new, instead, use):
    """Return steps with others: options of one that is there, or more before the one with the problem or at the end."""
    places = [index for index, one in enumerate(steps) if name_of(one) == use]
    if len(new) == 1 and name_of(new[0]) == use and places:
        old = dict(steps[places[0]][1]) if isinstance(steps[places[0]], tuple) else {}
        old.pop(instead, None)
        return [*steps[: places[0]], (use, old | new[0][1]), *steps[places[0] + 1 :]]
    place = places[0] if places else len(steps)
    return [*steps[:place], *new, *steps[place:]]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", CALLS)
def test_each_remedy_of_a_call_leads_on(name, tmp_path, recwarn):
    case = CALLS[name]
    array, target, arguments = case.make(), tmp_path / f"out.{case.suffix}", arguments_of(case)
    for problem in problems_of(array, target, arguments):
        assert problem.place.form == "call"
        for remedy in (one for each in problem.remedies for one in single(each)):
            after = problems_of(array, target, followed(arguments, remedy, problem))
            assert (problem.code, problem.message) not in [(one.code, one.message) for one in after], remedy
