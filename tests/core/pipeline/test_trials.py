"""Remedies are kept if they help, and those that cannot be tried are kept."""

from tonearm.errors import Advice, ChooseOption, GiveOption, InsertStep, RemoveOption, SetLimit, SetOption
from tonearm.pipeline.trials import Trial


def trial(*helping, left=100):
    return Trial(lambda remedy: remedy in helping, left)


def test_what_does_not_help_is_left_out():
    good, bad = SetOption("a", 1, when="if so"), SetOption("a", 2)
    assert trial(good).kept((bad, good, RemoveOption("a"), InsertStep("mix"), SetLimit("memory", 1))) == (good,)


def test_what_only_the_user_knows_is_kept():
    remedies = (GiveOption("key", "its name"), Advice("save it again"))
    assert trial().kept(remedies) == remedies


def test_a_choice_keeps_the_values_that_help():
    choice = ChooseOption("a", (1, 2, 3), when="if so")
    assert trial(SetOption("a", 3), SetOption("a", 1)).kept((choice,)) == (ChooseOption("a", (1, 3), when="if so"),)


def test_one_value_is_no_choice():
    assert trial(SetOption("a", 2)).kept((ChooseOption("a", (1, 2), "if so"),)) == (SetOption("a", 2, "if so"),)


def test_a_choice_of_nothing_is_left_out():
    assert trial().kept((ChooseOption("a", (1, 2)),)) == ()


def test_the_number_of_trials_is_bounded():
    seen = []
    kept = Trial(lambda remedy: bool(seen.append(remedy)), left=2).kept((ChooseOption("a", (1, 2, 3, 4)),))
    assert seen == [SetOption("a", 1), SetOption("a", 2)]
    assert kept == (ChooseOption("a", (3, 4)),)
