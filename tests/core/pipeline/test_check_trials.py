"""A remedy of a pipeline's problem is shown only if the pipeline lacks the problem afterwards."""

import pytest

from tonearm.errors import Advice, InsertStep, Place, Problem, RemoveOption, SetLimit, SetOption
from tonearm.pipeline.check_trials import applied, try_on_pipeline
from tonearm.pipeline.document import from_plain, to_plain
from tonearm.pipeline.yaml.scalars import NodeError

PLAIN = {
    "tonearm": 1,
    "input": {"use": "npy-reader", "files": "*.npy", "with": {"kind": "mel", "tags": {"title": "a"}}},
    "steps": [{"use": "gain", "with": {"db": 3}}],
    "outputs": [
        {"use": "wav-writer", "file": "a.wav"},
        {"use": "wav-writer", "file": "b.wav", "steps": [{"use": "gain"}, {"use": "mix"}]},
    ],
}
ROOT = from_plain(PLAIN)
MIX = {"use": "mix", "with": {}}


def after(remedy, stage, **place):
    found = applied(ROOT, remedy, Place(stage, **place))
    return found if found is None else to_plain(found)


@pytest.mark.parametrize(
    ("remedy", "stage", "path", "value"),
    [
        (SetOption("kind", "db"), "input", ("input", "with", "kind"), "db"),
        (SetOption("kind", "db", stage="input"), "steps.0", ("input", "with", "kind"), "db"),
        (SetOption("axes", ["mel", "frame"]), "input", ("input", "with", "axes"), ["mel", "frame"]),
        (SetOption("db", 1.5), "steps.0", ("steps", 0, "with", "db"), 1.5),
        (SetOption("dither", "none"), "outputs.1", ("outputs", 1, "with", "dither"), "none"),
        (SetOption("to", "mono"), "outputs.1.steps.1", ("outputs", 1, "steps", 1, "with", "to"), "mono"),
        (SetOption("memory", "2GB"), "limits", ("limits", "memory"), "2GB"),
        (SetLimit("memory", "2GB"), "input", ("limits", "memory"), "2GB"),
        (SetOption("tonearm", 2), "", ("tonearm",), 2),
        (RemoveOption("kind"), "input", ("input", "with"), {"tags": {"title": "a"}}),
        (RemoveOption("tags.title"), "input", ("input", "with"), {"kind": "mel", "tags": {}}),
        (RemoveOption("none"), "steps.0", ("steps", 0, "with"), {"db": 3}),
        (InsertStep("mix"), "steps.0", ("steps",), [MIX, PLAIN["steps"][0]]),
        (InsertStep("mix", {"to": "mono"}), "outputs.0", ("steps", 1), {"use": "mix", "with": {"to": "mono"}}),
        (InsertStep("mix", first=("istft",)), "outputs.0", ("steps", 1), {"use": "istft"}),
        (InsertStep("mix"), "outputs.1.steps.1", ("outputs", 1, "steps", 1), MIX),
    ],
)
def test_a_remedy_changes_its_place_alone(remedy, stage, path, value):
    changed = after(remedy, stage)
    for key in path:
        changed = changed[key]
    assert changed == value


def test_a_step_of_an_output_comes_after_its_own_steps():
    assert after(InsertStep("mix"), "outputs.1", own_steps=True)["outputs"][1]["steps"][-1] == MIX
    assert after(InsertStep("mix"), "outputs.0", own_steps=True)["outputs"][0]["steps"] == [MIX]


@pytest.mark.parametrize(
    ("remedy", "stage"),
    [(SetOption("file", "a"), ""), (SetOption("n", 1), "executor"), (InsertStep("mix"), "input")],
)
def test_a_remedy_without_a_place_is_not_applied(remedy, stage):
    assert after(remedy, stage) is None


def test_several_options_are_set_at_once():
    changed = after(SetOption("kind", "magnitude", also={"recipe": {"log": "ln"}}), "input")
    assert changed["input"]["with"] | {"kind": "magnitude", "recipe": {"log": "ln"}} == changed["input"]["with"]


def test_a_place_that_the_pipeline_lacks():
    with pytest.raises(NodeError):
        after(SetOption("db", 1), "steps.7")


def shown(check, *remedies, stage="input", others=()):
    problem = Problem(code="wrong", message="it is wrong", remedies=remedies, place=Place(stage))
    first, *_ = try_on_pipeline(ROOT, [problem, *others], lambda root: check(to_plain(root), problem))
    return first.remedies


def test_a_remedy_helps_if_its_problem_is_gone():
    right, wrong = SetOption("kind", "db"), SetOption("kind", "power")
    advice = Advice("see the model")

    def check(plain, problem):
        return [] if plain["input"]["with"]["kind"] == "db" else [problem]

    assert shown(check, wrong, right, advice) == (right, advice)


def test_a_remedy_that_makes_another_problem_does_not_help():
    assert (
        shown(lambda *_: [Problem(code="worse", message="it is worse", place=Place("input"))], SetOption("kind", "db"))
        == ()
    )


def test_a_remedy_may_lead_to_a_question():
    asks = SetOption("kind", "db")
    assert shown(lambda *_: [Problem(code="missing-option", message="'n_fft' is missing")], asks) == (asks,)


def test_a_problem_that_occurs_twice_may_be_solved_once():
    twin = Problem(code="wrong", message="it is wrong", place=Place("steps.0"))
    remedy = SetOption("kind", "db")
    assert shown(lambda _, problem: [problem], remedy, others=[twin]) == (remedy,)
