"""Headers of ONNX files by the walk over their bytes, against the package onnx."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import trial_graphs as graphs
from tonearm.api import MAX_NESTING, ItemError
from tonearm_plugins.networks import onnx_header
from tonearm_plugins.networks.onnx_header import DTYPES, read_header
from tonearm_plugins.networks.plan import NetworkHeader, TensorInfo
from tonearm_plugins.networks.protobuf import MAX_FIELDS

MODELS = Path(__file__).parents[2] / "data/models"


def expected(path: Path) -> NetworkHeader:
    """Return the header as the package onnx reads it."""
    model = onnx.load(str(path), load_external_data=False)
    weights = {one.name for one in model.graph.initializer} | {
        one.values.name for one in model.graph.sparse_initializer
    }
    operators: Counter[str] = Counter()
    external = set()
    for node in nodes(model.graph, *model.functions):
        operators[f"{node.domain}/{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type] += 1
    for tensor in tensors(model):
        external |= {entry.value for entry in tensor.external_data if entry.key == "location"}
    return NetworkHeader(
        inputs=tuple(info(one) for one in model.graph.input if one.name not in weights),
        outputs=tuple(map(info, model.graph.output)),
        operators=dict(operators),
        opsets={"" if one.domain == "ai.onnx" else one.domain: one.version for one in model.opset_import},
        ir_version=model.ir_version,
        functions=tuple(f"{one.domain}/{one.name}" for one in model.functions),
        external=tuple(sorted(external)),
        metadata={one.key: one.value for one in model.metadata_props},
    )


def nodes(*graphs_: Any) -> Iterator[onnx.NodeProto]:
    for graph in graphs_:
        for node in graph.node:
            yield node
            for attribute in node.attribute:
                yield from nodes(*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs)


def tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    yield from model.graph.initializer
    for sparse in model.graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in nodes(model.graph, *model.functions):
        for attribute in node.attribute:
            yield from (*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors)
            for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from graph.initializer


def info(value: onnx.ValueInfoProto) -> TensorInfo:
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        return TensorInfo(value.name, "unknown" if kind is None else kind.removesuffix("_type"), None)
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return TensorInfo(value.name, DTYPES[tensor.elem_type], None)
    sizes = [getattr(one, one.WhichOneof("value") or "none", None) for one in tensor.shape.dim]
    return TensorInfo(value.name, DTYPES[tensor.elem_type], tuple(None if one in ("", -1) else one for one in sizes))


def without_settings(header: NetworkHeader) -> NetworkHeader:
    return NetworkHeader(**{name: getattr(header, name) for name in header.__struct_fields__ if name != "settings"})


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.onnx")), ids=lambda path: path.stem)
def test_headers_of_small_networks_are_those_that_onnx_reads(path: Path) -> None:
    assert without_settings(read_header(path)) == expected(path)


MAKERS: dict[str, Callable[[Path], Path]] = {
    name: getattr(graphs, name)
    for name in dir(graphs)
    if (name.endswith(("_codec", "_vocoder")) and name[0] != "_") or name in ("two_outputs", "custom_operator")
}


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "large_codec"])
def test_headers_of_networks_of_every_form_are_those_that_onnx_reads(name: str, tmp_path: Path) -> None:
    path = MAKERS[name](tmp_path / "a.onnx")
    assert without_settings(read_header(path)) == expected(path)


def value(name: str, shape: Any = (1,), dtype: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, shape)


def branch(*inner: onnx.NodeProto, weights: Any = ()) -> onnx.GraphProto:
    return helper.make_graph(list(inner), "branch", [], [value("z")], weights)


def rich_model() -> onnx.ModelProto:
    """Return a model with all that a header can have: branches, functions, sparse weights, sequences, metadata."""
    inner = helper.make_node(
        "If",
        ["c"],
        ["z"],
        then_branch=branch(helper.make_node("LSTM", ["x"], ["z"], direction="reverse")),
        else_branch=branch(helper.make_node("Tanh", ["x"], ["z"]), weights=[external("inner.bin", "w")]),
    )
    sparse = helper.make_sparse_tensor(
        numpy_helper.from_array(np.ones(1, "f4"), "sparse"), numpy_helper.from_array(np.zeros(1, "i8"), "at"), [4]
    )
    made_nodes = [
        helper.make_node("If", ["c"], ["z"], then_branch=branch(inner), else_branch=branch(inner)),
        helper.make_node("Snake", ["z"], ["q"], domain="own"),
        helper.make_node("Gelu", ["q"], ["y"], domain="com.microsoft"),
        helper.make_node("Constant", [], ["k"], value=external("constant.bin", "k")),
        helper.make_node("Resize", ["q", "", "k"], ["y2"], coordinate_transformation_mode="align_corners"),
        helper.make_node("BatchNormalization", ["q"], ["y3"], training_mode=1),
        helper.make_node("Tanh", ["q"], ["y4"], domain="ai.onnx"),
    ]
    inputs = [
        value("x", ("batch", None, 3, "")),
        value("weight"),
        value("sparse"),
        value("c", (), TensorProto.BOOL),
        value("any", None),
    ]
    inputs.append(helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None))
    inputs.append(value("half", (2,), TensorProto.FLOAT16))
    graph = helper.make_graph(
        made_nodes, "g", inputs, [value("y")], [external("a/b.bin", "weight")], sparse_initializer=[sparse]
    )
    body = [helper.make_node("Sin", ["x"], ["y"]), helper.make_node("GRU", ["x"], ["z"], direction="bidirectional")]
    function = helper.make_function("own", "Snake", ["x"], ["y"], body, [helper.make_opsetid("", 17)])
    opsets = [
        helper.make_opsetid("ai.onnx", 18),
        helper.make_opsetid("own", 1),
        helper.make_opsetid("com.microsoft", 1),
    ]
    made = helper.make_model(graph, opset_imports=opsets, functions=[function], ir_version=9)
    helper.set_model_props(made, {"sample_rate": "24000", "läge": "ü"})
    return made


def external(location: str, name: str) -> onnx.TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    for key, text in (("offset", "0"), ("location", location)):
        tensor.external_data.add(key=key, value=text)
    return tensor


def test_all_that_a_header_can_have(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(rich_model().SerializeToString())
    found = read_header(path)
    assert without_settings(found) == expected(path)
    assert [one.name for one in found.inputs] == ["x", "c", "any", "s", "half"]
    assert [one.shape for one in found.inputs] == [("batch", None, 3, None), (), None, None, (2,)]
    assert [one.dtype for one in found.inputs] == ["float32", "bool", "float32", "sequence", "float16"]
    assert found.external == ("a/b.bin", "constant.bin", "inner.bin")
    assert found.operators["If"] == 3
    assert found.operators["LSTM"] == 2
    assert found.operators["Tanh"] == 3
    assert found.opsets[""] == 18
    assert found.settings == (
        "BatchNormalization.training_mode=1",
        "GRU.direction=bidirectional",
        "LSTM.direction=reverse",
        "Resize.coordinate_transformation_mode=align_corners",
    )


def test_entries_of_external_data_may_be_in_any_order(tmp_path: Path) -> None:
    tensor = external("hidden.bin", "w").SerializeToString()
    swapped = tensor.replace(b"\n\x08location\x12\nhidden.bin", b"\x12\nhidden.bin\n\x08location")
    assert swapped != tensor
    made = helper.make_model(helper.make_graph([], "g", [], [], [external("hidden.bin", "w")])).SerializeToString()
    (tmp_path / "a.onnx").write_bytes(made.replace(tensor, swapped))
    assert read_header(tmp_path / "a.onnx").external == ("hidden.bin",)


def refusal(path: Path) -> str:
    with pytest.raises(ItemError) as raised:
        read_header(path)
    assert raised.value.code == "bad-model"
    return raised.value.message


def test_what_is_no_model_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    for data, reason in (
        (b"", "it is empty"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
            "it is a pointer of Git LFS in place of the model",
        ),
        (b"\x08\x08", "it has no graph"),
        (bytes(100), "a field without a number at byte 0"),
        (b"<!DOCTYPE html><html>", "a field of an unknown type at byte 0"),
        (rich_model().SerializeToString()[:-1], "it ends within the field at byte "),
    ):
        path.write_bytes(data)
        assert refusal(path).startswith(f"{path} is no ONNX model: {reason}")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.onnx") == f"{tmp_path / 'none.onnx'} cannot be read: No such file or directory"
    assert refusal(tmp_path) == f"{tmp_path} is no ONNX model: it is no regular file"
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").endswith("it is no regular file")
    assert "cannot be read" in refusal(tmp_path / "a\0b")


def test_a_file_larger_than_a_protocol_buffer_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.onnx").open("wb") as file:
        file.truncate(1 << 31)
    assert refusal(tmp_path / "a.onnx").endswith("it has 2147483648 bytes, more than a protocol buffer can")


@pytest.mark.parametrize("more", [0, 1])
def test_graphs_within_graphs_are_bounded(more: int, tmp_path: Path) -> None:
    node = helper.make_node("Tanh", ["x"], ["z"])
    for _ in range(MAX_NESTING + more):
        node = helper.make_node("If", ["c"], ["z"], then_branch=branch(node))
    made = helper.make_model(helper.make_graph([node], "g", [], []))
    (tmp_path / "a.onnx").write_bytes(made.SerializeToString())
    if more:
        assert refusal(tmp_path / "a.onnx").endswith(f"it has graphs within graphs, more than {MAX_NESTING}")
    else:
        assert read_header(tmp_path / "a.onnx").operators == {"If": MAX_NESTING, "Tanh": 1}


def test_a_header_is_read_again_when_the_file_changes(tmp_path: Path) -> None:
    path = graphs.plain_codec(tmp_path / "a.onnx")
    first = read_header(path)
    assert read_header(str(path)) is first
    graphs.lstm_codec(path)
    assert "LSTM" in read_header(path).operators


def test_weights_are_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk that reads through ten megabytes of weights looks at thousands of bytes."""
    path = graphs.large_codec(tmp_path / "a.onnx", megabytes=10)
    looked = Counter[int]()

    class Watched(bytes):
        def __getitem__(self, at: Any) -> Any:
            looked[0] += at.stop - at.start if isinstance(at, slice) else 1
            return super().__getitem__(at)

    walk = onnx_header._Walk(onnx_header.Messages(Watched(path.read_bytes())))
    assert walk.header() == read_header(path)
    assert 100 < looked[0] < 5000


def test_numpy_and_onnx_are_not_imported(tmp_path: Path) -> None:
    path = graphs.plain_codec(tmp_path / "a.onnx")
    code = (
        "import sys; from tonearm_plugins.networks.onnx_header import read_header;"
        "from tonearm_plugins.networks.planning import Wanted, plan_of;"
        "from tonearm_plugins.networks.options import NetworkOptions;"
        f"options = NetworkOptions(model={str(path)!r}); assert not list(options.problems());"
        "plan_of(read_header(options.model), Wanted(kind='tokens', books=4, sample_rate=24000), options);"
        "print(sorted({'numpy', 'onnx', 'onnxruntime'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@functools.cache
def materials() -> tuple[bytes, ...]:
    small = onnx.load(str(MODELS / "vocos_magxy_tiny.onnx"))
    for weight in small.graph.initializer:
        weight.raw_data = weight.raw_data[:4]
    return rich_model().SerializeToString(), small.SerializeToString()


def outcome(data: bytes) -> NetworkHeader | None:
    """Return the header of bytes; None if they are refused."""
    try:
        return onnx_header._Walk(onnx_header.Messages(data)).header()
    except onnx_header.WireError:
        return None


@settings(max_examples=300)
@given(st.data())
def test_bytes_of_any_kind_give_a_header_or_a_refusal(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(materials())))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    outcome(bytes(content))
    outcome(bytes(content[:cut]))


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_noise_gives_a_header_or_a_refusal(data: bytes) -> None:
    outcome(data)
    outcome(b"\x3a" + bytes([len(data) & 127]) + data[:127])


def test_a_model_that_is_cut_off_anywhere_within_its_graph_is_refused() -> None:
    for content in materials():
        graph = content.index(b"\x3a")
        assert outcome(content) is not None
        assert all(outcome(content[:cut]) is None for cut in range(graph + 1, graph + 200))


def test_a_great_number_of_fields_is_refused_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_FIELDS == 4_000_000
    monkeypatch.setattr(sys.modules["tonearm_plugins.networks.protobuf"], "MAX_FIELDS", 1000)
    (tmp_path / "a.onnx").write_bytes(b"\x08\x01" * 2000)
    assert refusal(tmp_path / "a.onnx").endswith("it has more than 1000 fields")
