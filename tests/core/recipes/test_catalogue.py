"""Dialects by name: whose they are, what they are based on, and what becomes of a broken one."""

import pytest
from core_toys import hooks, package_of

from tonearm.api import MelDialect
from tonearm.errors import OptionError
from tonearm.plugins.registry import Registry
from tonearm.recipes.catalogue import Catalogue, CatalogueEntry
from tonearm.recipes.recipe import matching

BASE = {"sample_rate": 22050, "n_fft": 1024, "hop_length": 256, "n_mels": 80}


def catalogue(**recipes):
    return Catalogue(
        MelDialect, [CatalogueEntry("acme", name.replace("_", "-"), recipe) for name, recipe in recipes.items()]
    )


def refused(found, name):
    with pytest.raises(OptionError) as caught:
        found.find(name)
    return caught.value


class TestRecipes:
    def test_a_base_gives_what_is_not_said(self):
        found = catalogue(one=BASE | {"fmax": 8000.0, "source": "a"}, two={"base": "one", "n_mels": 100})
        two = found.find("two")
        assert (two.n_mels, two.fmax, two.name, two.source) == (100, 8000.0, "two", "")

    def test_another_name_is_the_same_recipe(self):
        found = catalogue(one=BASE | {"source": "a"}, uno={"base": "one"})
        assert found.entry("uno").alias == "one"
        assert found.find("uno").differences(found.find("one")) == []
        assert found.find("uno").source == "a"

    def test_an_object_is_taken_as_it_is(self):
        one = MelDialect(**BASE)
        assert catalogue(one=one).find("one") is one

    @pytest.mark.parametrize(
        ("recipe", "reason"),
        [
            ({"n_fft": 1024}, "Object missing required field `sample_rate`"),
            (BASE | {"n_mel": 80}, "it has no figure 'n_mel'"),
            (BASE | {"n_mels": "80"}, "Expected `int`, got `str` - at `$.n_mels`"),
            (BASE | {"hop_length": 2048}, "a hann window of 1024 cannot be inverted"),
            (BASE | {"steps": 1.5}, "Expected `array`, got `float` - at `$.steps`"),
            (BASE | {"steps": [{"op": "clip", "low": 1}]}, "it has no figure 'low'"),
            (BASE | {"steps": [{"op": "clip"}]}, "the step clip needs min or max"),
            ({"base": "nobody"}, "there is no dialect 'nobody'"),
            ({"base": "one"}, "it has more than 8 bases, or a circle of them"),
        ],
    )
    def test_a_broken_one_is_an_error_only_if_it_is_asked_for(self, recipe, reason):
        found = catalogue(one=recipe, two=BASE)
        error = refused(found, "one")
        assert error.code == "broken-dialect"
        assert error.message.startswith("the dialect one of acme is broken: ")
        assert reason in error.message
        assert error.hint
        assert found.find("two").n_mels == 80
        assert matching(found, [80], -11.5, 1.0) == ["two"]

    def test_one_that_nobody_can_use_says_why(self):
        found = catalogue(one={"refused": "it holds no sound"}, uno={"base": "one"})
        for name in ("one", "uno"):
            error = refused(found, name)
            assert (error.code, error.message) == ("refused-dialect", "the dialect one is refused: it holds no sound")

    def test_an_underscore_is_as_good_as_a_dash(self):
        found = catalogue(rvc_40k=BASE)
        assert found.find("rvc_40k").name == found.find("rvc-40k").name == found.find("acme/rvc_40k").name == "rvc-40k"

    def test_a_name_that_is_not_there(self):
        error = refused(catalogue(hifigan=BASE), "hifi-gan")
        assert (error.code, error.message) == ("unknown-dialect", "there is no dialect 'hifi-gan'")
        assert error.hint == "did you mean 'hifigan'?"
        assert refused(catalogue(), "x").hint == "tonearm dialects lists all"


class TestWhatWouldFit:
    def test_the_nearest_floor_comes_first(self):
        found = catalogue(
            deep=BASE | {"floor": 1e-7}, near=BASE, other=BASE | {"n_mels": 64}, tens=BASE | {"log": "log10"}
        )
        assert matching(found, [80, 200], -11.4, 0.5) == ["near", "deep"]
        assert matching(found, [64, 200], -11.4, 0.5) == ["other"]

    def test_other_names_and_standardised_ones_are_left_out(self):
        found = catalogue(one=BASE, uno={"base": "one"}, any=BASE | {"statistics": "utterance"})
        assert matching(found, [80], -11.4, 0.5) == ["one"]


class TestPackages:
    """Isolation is as for plugins."""

    def test_builtin_names_win_and_others_that_clash_are_told_apart(self):
        found = Catalogue(
            MelDialect,
            [
                CatalogueEntry("acme", "one", BASE | {"n_mels": 10}),
                CatalogueEntry("builtin", "one", BASE),
                CatalogueEntry("acme", "two", BASE | {"n_mels": 11}),
                CatalogueEntry("best", "two", BASE | {"n_mels": 12}),
            ],
        )
        assert found.find("one").n_mels == 80
        assert found.find("acme/one").n_mels == 10
        error = refused(found, "two")
        assert (error.code, error.message) == ("ambiguous-dialect", "two packages offer the dialect two")
        assert error.hint == "write acme/two or best/two"
        assert found.find("best/two").n_mels == 12
        assert list(found) == ["one", "acme/two", "best/two"]

    def test_a_hook_is_asked_when_a_dialect_is_first_looked_up_and_once(self):
        asked = []
        registry = Registry([package_of("acme", hooks(dialects=lambda: asked.append(1) or {"one": BASE}))])
        assert asked == []
        assert registry.catalogue(MelDialect).find("one").n_mels == 80
        assert registry.catalogue(MelDialect).find("one").n_mels == 80
        assert asked == [1]

    def test_a_name_that_a_builtin_dialect_has_warns(self):
        told = []
        registry = Registry(
            [package_of("builtin", hooks(dialects={"one": BASE, "two": BASE})),
             package_of("acme", hooks(dialects={"one": BASE | {"n_mels": 10}, "three": BASE}))]
        )  # fmt: skip
        registry.on_problem = told.append
        assert registry.catalogue(MelDialect).find("one").n_mels == 80
        (problem,) = registry.problems
        assert told == [problem]
        assert problem.code == "name-clash"
        assert problem.message == "dialect acme/one of tonearm_acme 1.2 has the name of builtin/one, which wins"
        assert problem.hint == "write acme/one to use it"
        refused(registry.catalogue(MelDialect), "four")
        assert "name" not in refused(registry.catalogue(MelDialect), "four").hint

    @pytest.mark.parametrize(
        ("hook", "reason"),
        [
            (lambda: 1 / 0, "tonearm_dialects of tonearm_bad 1.2 is disabled: ZeroDivisionError"),
            (lambda: exec("raise SystemExit(3)"), "is disabled: SystemExit: it calls sys.exit(3)"),
            (lambda: ["one"], "TypeError: it returns list, not a mapping"),
            (
                lambda: {"One": BASE},
                "'One' in tonearm_dialects of tonearm_bad 1.2 is disabled: ValueError: not",
            ),
            (lambda: {"one": 3}, "TypeError: it is int, neither a MelDialect nor a mapping of its figures"),
        ],
    )
    def test_a_broken_hook_is_set_aside_alone(self, hook, reason):
        registry = Registry(
            [package_of("bad", hooks(dialects=hook)), package_of("good", hooks(dialects={"two": BASE}))]
        )
        assert registry.problems == []
        assert registry.catalogue(MelDialect).find("two").n_mels == 80
        (problem,) = registry.problems
        assert reason in problem.message
        error = refused(registry.catalogue(MelDialect), "one")
        assert problem.message in error.hint
