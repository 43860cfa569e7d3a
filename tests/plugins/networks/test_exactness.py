"""Networks whose chunks do not give the sound of the whole, by their nodes."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

import trial_graphs as graphs
from tonearm_plugins.networks import exactness
from tonearm_plugins.networks.exactness import inexact_reason
from tonearm_plugins.networks.onnx_header import read_header
from tonearm_plugins.networks.plan import NetworkHeader

MODELS = Path(__file__).parents[2] / "data/models"


def of(*operators: str, settings: tuple[str, ...] = ()) -> NetworkHeader:
    counted = {"Conv": 3, "Softmax": 2, "ReduceMean": 1, "LayerNormalization": 1, **dict.fromkeys(operators, 1)}
    return NetworkHeader(inputs=(), outputs=(), operators=counted, settings=settings)


@pytest.mark.parametrize(
    ("operator", "reason"),
    [
        ("LSTM", "it has a recurrence over all frames (LSTM)"),
        ("GRU", "it has a recurrence over all frames (GRU)"),
        ("com.microsoft/DynamicQuantizeLSTM", "it has a recurrence over all frames (DynamicQuantizeLSTM)"),
        *((name, f"it draws random noise ({name})") for name in ("RandomNormalLike", "RandomUniform", "Bernoulli")),
        ("CumSum", "it has a running sum, such as the phase of an oscillator (CumSum)"),
        ("InstanceNormalization", "it has a normalisation over all frames (InstanceNormalization)"),
        ("com.microsoft/GroupNorm", "it has a normalisation over all frames (GroupNorm)"),
        ("GlobalAveragePool", "it has a mean over all frames (GlobalAveragePool)"),
        ("DynamicQuantizeLinear", "it has a quantisation whose scale depends on all frames (DynamicQuantizeLinear)"),
    ],
)
def test_operators_that_see_all_frames(operator: str, reason: str) -> None:
    assert inexact_reason(of(operator)) == reason


def test_others_may_be_exact() -> None:
    assert inexact_reason(of()) == ""
    assert inexact_reason(of("com.acme/LSTM")) == ""


def test_attributes_that_see_all_frames() -> None:
    reason = inexact_reason(of("Resize", settings=("Resize.coordinate_transformation_mode=align_corners",)))
    assert reason == "it has a stretch that depends on the number of frames (Resize)"
    assert inexact_reason(of("Resize", settings=("Resize.coordinate_transformation_mode=asymmetric",))) == ""
    assert "BatchNormalization" in inexact_reason(of(settings=("BatchNormalization.training_mode=1",)))
    assert inexact_reason(of(settings=("BatchNormalization.training_mode=0",))) == ""


def test_a_state_goes_on_with_recurrences_that_run_forward() -> None:
    assert inexact_reason(of("LSTM", "CumSum", settings=("LSTM.direction=forward",)), has_state=True) == ""
    backward = of("GRU", settings=("GRU.direction=bidirectional",))
    assert inexact_reason(backward, has_state=True) == "it has a recurrence over all frames (GRU)"
    assert inexact_reason(of("RandomNormal"), has_state=True) == "it draws random noise (RandomNormal)"
    assert "mean over all" in inexact_reason(of("GlobalAveragePool"), has_state=True)


def test_names_are_those_of_onnx() -> None:
    known = {schema.name for schema in onnx.defs.get_all_schemas()}
    for name in (*exactness.RECURRENT, *exactness.RANDOM, *exactness.RUNNING, *exactness.GLOBAL):
        assert name.startswith("com.microsoft/") or name in known


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.onnx")), ids=lambda path: path.stem)
def test_of_the_small_networks_one_has_a_running_phase(path: Path) -> None:
    reason = inexact_reason(read_header(path))
    assert reason == ("it has a running sum, such as the phase of an oscillator (CumSum)" if "nsf" in path.stem else "")


def test_graphs_of_trials(tmp_path: Path) -> None:
    for make, name in (
        (graphs.plain_codec, ""),
        (graphs.lstm_codec, "LSTM"),
        (graphs.noisy_codec, "RandomNormalLike"),
        (graphs.quantised_codec, "DynamicQuantizeLinear"),
    ):
        assert inexact_reason(read_header(make(tmp_path / f"{name}.onnx"))).endswith(f"({name})" if name else "")
        assert bool(inexact_reason(read_header(tmp_path / f"{name}.onnx"))) == bool(name)
