"""What onnxruntime can load, as the header tells it."""

from __future__ import annotations

import onnx
import onnxruntime
import pytest

from tonearm_plugins.networks.onnx_operators import IR_VERSION, OPSETS, loading_refusals
from tonearm_plugins.networks.plan import NetworkHeader


def of(**fields: object) -> NetworkHeader:
    return NetworkHeader(inputs=(), outputs=(), **fields)  # type: ignore[arg-type]


def test_what_is_known_is_not_refused() -> None:
    operators = {"Conv": 1, "com.microsoft/Gelu": 1, "ai.onnx.ml/Scaler": 1, "com.acme/Snake": 1}
    known = of(operators=operators, functions=("com.acme/Snake",), opsets={"": 17, "com.acme": 9}, ir_version=8)
    assert list(loading_refusals(known)) == []


def test_a_newer_opset_is_refused() -> None:
    assert list(loading_refusals(of(opsets={"": OPSETS[""]}))) == []
    assert list(loading_refusals(of(opsets={"": 99, "ai.onnx.ml": 99}))) == [
        ("it needs opset 99, and the newest known is 28", "export it with opset 17"),
        ("it needs opset 99 of ai.onnx.ml, and the newest known is 6", "export it with opset 6"),
    ]


def test_a_newer_format_is_refused() -> None:
    assert list(loading_refusals(of(ir_version=IR_VERSION))) == []
    ((reason, advice),) = loading_refusals(of(ir_version=IR_VERSION + 1))
    assert reason == "its file has version 15 of the format, and the newest known is 14"
    assert advice == "export it with an older release of onnx"


def test_operators_of_others_are_named() -> None:
    ((reason, _),) = loading_refusals(of(operators={"com.acme/B": 1, "com.acme/A": 2, "Conv": 1}))
    assert reason == "it has operators that onnxruntime does not know: com.acme/A, com.acme/B"
    ((reason, _),) = loading_refusals(of(operators={f"com.acme/{name}": 1 for name in "ABCDE"}))
    assert reason.endswith("com.acme/A, com.acme/B, com.acme/C and 2 more")


def loads(opset: int, ir_version: int) -> bool:
    """Return whether onnxruntime loads a graph of one node."""
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["x"], ["y"])], "g", values[:1], values[1:])
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=ir_version)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception:
        return False
    return True


@pytest.mark.skipif(onnxruntime.__version__[:4] != "1.32", reason="the versions are those of onnxruntime 1.32")
def test_the_newest_versions_are_those_of_onnxruntime() -> None:
    assert loads(OPSETS[""], 10)
    assert not loads(OPSETS[""] + 1, 10)
    assert loads(17, IR_VERSION)
    assert not loads(17, IR_VERSION + 1)
