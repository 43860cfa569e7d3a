"""Faults of a network, in one error."""

from __future__ import annotations

import pytest
from network_headers import header

from tonearm.api import Advice, OptionError, SetOption
from tonearm_plugins.networks.planning.faults import Faults

HEADER = header("mel float32 (1, 80, 24)")


def raised(faults: Faults) -> OptionError:
    with pytest.raises(OptionError) as found:
        faults.check(HEADER)
    return found.value


def test_no_fault_is_no_error() -> None:
    Faults({}, {}).check(HEADER)


def test_an_error_has_all_faults_and_the_signature() -> None:
    faults = Faults({}, {})
    faults.add("it is new", Advice("wait"))
    faults.add("batch is 2", SetOption("batch", 1), code="model-mismatch", option="batch")
    faults.add("it is new", Advice("really"))
    error = raised(faults)
    assert error.message == (
        "it is new; batch is 2: the model takes mel float32 (1, 80, 24), and gives wav float32 (batch, 1, samples)"
    )
    assert (error.code, error.option) == ("bad-model", "model")
    assert error.remedies == (Advice("wait"), SetOption("batch", 1), Advice("really"))


def test_one_fault_points_at_its_option() -> None:
    faults = Faults({}, {})
    faults.add("batch is 2", code="model-mismatch", option="batch")
    assert (raised(faults).code, raised(faults).option) == ("model-mismatch", "batch")


def test_what_inputs_and_outputs_lack_is_one_remedy() -> None:
    faults = Faults({"sid": 3}, {})
    faults.ask("f0 is missing", "inputs", {"f0": 0})
    faults.ask("g is missing", "inputs", {"g": 1}, Advice("or not"))
    faults.ask("what is a", "outputs", {"a": "waveform"})
    error = raised(faults)
    assert error.remedies == (
        SetOption("inputs", {"sid": 3, "f0": 0, "g": 1}, also={"outputs": {"a": "waveform"}}),
        Advice("or not"),
    )
    assert error.code == "unclear-model"
