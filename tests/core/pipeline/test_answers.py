"""Answers of plugins to the questions of a check: nonsense is refused, and says which answer it was."""

import pytest
from core_toys import Fog, Same

from tonearm.api import NoOptions, Requirement, Signal, Spec, Waveform
from tonearm.pipeline.answers import add_missing_requirements, as_grouping, as_spec, promised, requirements_of
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.yaml.nodes import Mark
from tonearm.plugins.ports import Ports

PORTS = Ports((Waveform,), (Waveform,), NoOptions)


class Unprintable:
    def __repr__(self):
        raise ZeroDivisionError


@pytest.mark.parametrize("signals", [(Waveform,), (Signal,), (Signal, Waveform)])
def test_a_spec_may_be_as_wide_as_the_port_or_wider(signals):
    spec = Spec(signals=signals, sample_rate=8000, channels=1, length=0)
    assert as_spec(spec, PORTS) is spec


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "produces() gives NoneType, not a Spec"),
        (Spec(signals=Waveform), "produces() gives a Spec whose signals are <class"),
        (Spec(signals=()), "produces() gives a Spec whose signals are (), not a tuple of classes"),
        (Spec(signals=("waveform",)), "produces() gives a Spec with the signal 'waveform', not a Signal class"),
        (Spec(signals=(Unprintable(),)), "produces() gives a Spec with the signal <Unprintable>, not a Signal class"),
        (Spec(signals=(Fog,)), "produces() gives a Spec of fog, but the plugin gives waveform"),
        (Spec(signals=(Waveform,), sample_rate=8e3), "a Spec with sample_rate=8000.0, not a whole number ≥ 1"),
        (Spec(signals=(Waveform,), channels=0), "a Spec with channels=0, not a whole number ≥ 1"),
        (Spec(signals=(Waveform,), channels=True), "a Spec with channels=True, not a whole number ≥ 1"),
        (Spec(signals=(Waveform,), length=-1), "a Spec with length=-1, not a whole number ≥ 0"),
    ],
)
def test_what_is_no_spec(given, message):
    with pytest.raises(TypeError) as caught:
        as_spec(given, PORTS)
    assert message in str(caught.value)


def test_groupings():
    assert as_grouping("key") == "key"
    with pytest.raises(TypeError, match=r"grouping\(\) gives 'items', not 'source', 'key' or 'item'"):
        as_grouping("items")


def test_requirements():
    plugin = Same(NoOptions())
    plugin.needs = lambda: [Requirement(name="numpy", hint="")]
    assert [need.name for need in requirements_of(plugin)] == ["numpy"]
    plugin.needs = lambda: ["numpy"]
    with pytest.raises(TypeError, match=r"needs\(\) gives 'numpy', not a Requirement"):
        list(requirements_of(plugin))


def test_what_is_left_of_a_spec_can_be_compared():
    compared = Spec(signals=(Waveform,), sample_rate=1, channels=2, length=3, precision="double")
    assert promised(compared.replace(several=True, suffix=".wav")) == compared
    assert promised(None) is None


def test_what_is_not_installed_is_a_problem():
    plugin = Same(NoOptions())
    plugin.needs = lambda: [Requirement(name=name, hint=f"get {name}") for name in ("no_such_a", "numpy", "no_such_b")]
    problems = Problems("p.yaml")
    add_missing_requirements(problems, Mark(3, 4), plugin, "x")
    assert [str(problem) for problem in problems.found] == [
        f"p.yaml:3:4: missing-requirement: x needs the package '{name}', which is not installed\n    hint: get {name}"
        for name in ("no_such_a", "no_such_b")
    ]
