from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from core_toys import hooks, package_of

from tonearm.api import FROM_PYTHON, Executor, Meta, OptionError, Requirement, UsageError
from tonearm.errors import PipelineError, TonearmError
from tonearm.names import BUILTIN
from tonearm.plugins.registry import PluginError, Registry, default
from tonearm.run.options import RunOptions
from tonearm.run.workers.choice import ChosenExecutor


@dataclass(frozen=True)
class MoonOptions:
    rockets: Annotated[int, Meta(ge=1, description="Number of rockets.")] = 1
    fuel: str = "hydrogen"
    suit: Annotated[Any, Meta(extra={FROM_PYTHON: "run(suit=Suit())"})] = None

    def problems(self):
        if self.fuel == "coal":
            yield OptionError("coal does not burn there", option="fuel")


class Moon(Executor[MoonOptions]):
    """Work on the moon."""

    def open(self, work, slots): ...
    def submit(self, chunk): ...
    def wait(self, seconds): ...
    def cancel(self, handle): ...
    def close(self): ...


class Mars(Moon, Executor[MoonOptions]):
    isolates = True


class Far(Mars, Executor[MoonOptions]):
    requires = (Requirement(name="warp_drive", hint="pip install warp-drive"),)


class Unready(Mars, Executor[MoonOptions]):
    def preflight(self):
        raise UsageError("no launch window")


class Exploding(Mars, Executor[MoonOptions]):
    def __init__(self, options):
        raise SystemExit(3)


@pytest.fixture(scope="module")
def registry():
    builtin = [entry for entry in default().entries("executor") if entry.origin == BUILTIN]
    space = {"moon": Moon, "mars": Mars, "far": Far, "unready": Unready, "exploding": Exploding}
    return Registry(
        [
            package_of(BUILTIN, hooks(executors={entry.name: entry.target for entry in builtin})),
            package_of("space", hooks(executors=space)),
        ]
    )


def choose(registry, cores=4, **options):
    return ChosenExecutor(RunOptions(out="out", **options), cores, registry)


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({}, ("InProcessExecutor", "", 1, 0, None)),
        ({"jobs": 2}, ("LocalExecutor", "", 2, 2, 600.0)),
        ({"jobs": None}, ("LocalExecutor", "", 4, 4, 600.0)),
        ({"jobs": 2, "timeout": 5.0}, ("LocalExecutor", "", 2, 2, 5.0)),
        ({"jobs": 2, "timeout": 0.0}, ("LocalExecutor", "", 2, 2, None)),
        ({"executor": "local"}, ("LocalExecutor", "", 1, 1, 600.0)),
        ({"executor": "in-process", "jobs": None}, ("InProcessExecutor", "", 1, 0, None)),
        ({"executor": "in-process", "timeout": 0.0}, ("InProcessExecutor", "", 1, 0, None)),
        ({"executor": "moon", "jobs": None}, ("Moon", "moon", 4, 4, None)),
        ({"executor": "moon"}, ("Moon", "moon", 4, 4, None)),  # 0 jobs: nobody has given a number
        ({"executor": "space/mars", "jobs": 3}, ("Mars", "mars", 3, 3, 600.0)),
    ],
)
def test_an_executor_that_is_given_wins_over_the_number_of_jobs(registry, options, chosen):
    found = choose(registry, **options)
    assert (type(found.plugin).__name__, found.name, found.slots, found.jobs, found.timeout) == chosen


@pytest.mark.parametrize(
    ("options", "slots", "follows"),
    [
        ({"executor": "moon", "jobs": None}, 4, True),
        ({"executor": "moon", "jobs": 0}, 4, True),  # the default of Python, which means this process
        ({"executor": "moon", "jobs": 3}, 3, False),
        ({"executor": "local", "jobs": 3}, 3, False),
    ],
)
def test_chunks_in_flight_are_up_to_an_executor_unless_a_number_is_given(registry, options, slots, follows):
    found = choose(registry, **options)
    assert (found.slots, found.follows_capacity) == (slots, follows)


@pytest.mark.parametrize("options", [{"jobs": 0}, {"executor": "moon"}])
def test_a_timeout_needs_an_executor_that_can_keep_it(registry, options):
    with pytest.raises(UsageError) as caught:
        choose(registry, timeout=1.0, **options)
    name = options.get("executor", "in-process")
    assert caught.value.message == (
        f"the executor {name} cannot keep a timeout, because it cannot stop a source that hangs"
    )
    assert caught.value.hint == "use the executor local, or no timeout"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("lokal", "did you mean 'local'?"), ("sun", "dask, exploding, far, in-process, local, mars, moon, unready")],
)
def test_one_that_does_not_exist(registry, name, hint):
    with pytest.raises(UsageError) as caught:
        choose(registry, executor=name)
    assert caught.value.message == f"there is no executor {name!r}"
    assert (caught.value.code, caught.value.hint) == ("unknown-executor", hint)


class TestItsOptions:
    @pytest.mark.parametrize("given", [{"rockets": 7}, ["rockets=7"], ["rockets=3", "rockets= 7"]])
    def test_are_typed(self, registry, given):
        found = choose(registry, executor="moon", executor_options=given)
        assert found.plugin.options == MoonOptions(rockets=7, fuel="hydrogen")

    def test_have_their_problems_reported_at_once_as_those_of_a_pipeline(self, registry):
        with pytest.raises(PipelineError) as caught:
            choose(registry, executor="moon", executor_options=["rocket=7", "rockets=0", "fuel=2"])
        assert [str(problem) for problem in caught.value.problems] == [
            "unknown-option: moon has no option 'rocket'\n    hint: did you mean 'rockets'?",
            "bad-option: moon: 'rockets' is 0; expected a whole number >= 1\n    hint: Number of rockets.",
            "bad-option: moon: 'fuel' is 2; expected text",
        ]

    def test_may_be_objects_from_python(self, registry):
        suit = object()
        found = choose(registry, executor="moon", executor_options={"suit": suit, "rockets": 2})
        assert found.plugin.options.suit is suit
        assert found.plugin.options.rockets == 2

    def test_that_are_objects_cannot_be_given_as_text(self, registry):
        with pytest.raises(PipelineError) as caught:
            choose(registry, executor="moon", executor_options=["suit=white"])
        assert str(caught.value) == (
            "bad-option: moon: 'suit' is an object, which only Python can give\n    hint: run(suit=Suit())"
        )

    def test_may_contradict_each_other(self, registry):
        with pytest.raises(PipelineError) as caught:
            choose(registry, executor="moon", executor_options={"fuel": "coal"})
        assert str(caught.value) == "bad-option: moon: coal does not burn there"

    @pytest.mark.parametrize(
        ("assignment", "message"),
        [
            ("rockets", "--executor-option rockets is not an assignment"),
            ("=7", "bad-override: --executor-option '=7': this is not an assignment"),
        ],
    )
    def test_that_are_no_assignments(self, registry, assignment, message):
        with pytest.raises(TonearmError) as caught:
            choose(registry, executor="moon", executor_options=[assignment])
        assert str(caught.value).startswith(message)

    def test_of_executors_without_any(self, registry):
        with pytest.raises(PipelineError, match="local has no option 'rockets'\n    hint: it has none"):
            choose(registry, executor="local", executor_options={"rockets": 7})


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("far", UsageError, "far needs the package 'warp_drive', which is not installed"),
        ("unready", UsageError, "no launch window"),
        ("exploding", PluginError, "space/exploding is disabled: SystemExit: it calls sys.exit(3)"),
    ],
)
def test_one_that_cannot_work_is_refused_beforehand(registry, name, error, message):
    with pytest.raises(error) as caught:
        choose(registry, executor=name)
    assert caught.value.message == message
