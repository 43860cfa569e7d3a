"""Weights of ONNX models in other files: those beside the model pass, and anything else is refused unopened."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from tonearm.api import ItemError  # noqa: E402 - behind importorskip
from tonearm_plugins.formats.onnx import open_session  # noqa: E402
from tonearm_plugins.formats.onnx_external_data import check_external_data  # noqa: E402


def model(path: Path, *, nested: bool = False, location: str = "a.data") -> Path:
    """Write a model whose only weights are in another file; the file itself is written beside the model."""
    weights = onnx.numpy_helper.from_array(np.ones((4, 4), "f4"), "w")
    raw = weights.raw_data
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(len(raw)))):
        entry = weights.external_data.add()
        entry.key, entry.value = key, value
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [4, 4])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [4, 4])
    if nested:
        nodes = [
            onnx.helper.make_node("Constant", [], ["w"], value=weights),
            onnx.helper.make_node("MatMul", ["x", "w"], ["y"]),
        ]
        graph = onnx.helper.make_graph(nodes, "g", [x], [y])
    else:
        graph = onnx.helper.make_graph([onnx.helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [x], [y], [weights])
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    path.mkdir(exist_ok=True)
    (path / "a.onnx").write_bytes(made.SerializeToString())
    (path / "a.data").write_bytes(raw)
    return path / "a.onnx"


def test_weights_beside_a_model_pass(tmp_path: Path) -> None:
    path = model(tmp_path / "m")
    check_external_data(path)
    assert open_session(path, ["CPUExecutionProvider"], 1).get_inputs()[0].name == "x"


def test_models_and_weights_that_a_cache_links_pass(tmp_path: Path) -> None:
    model(tmp_path / "blobs")
    (tmp_path / "snapshot").mkdir()
    for name in ("a.onnx", "a.data"):
        (tmp_path / "snapshot" / name).symlink_to(tmp_path / "blobs" / name)
    check_external_data(tmp_path / "snapshot/a.onnx")


def a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "a.data")


def a_device(folder: Path) -> None:
    (folder / "a.data").symlink_to("/dev/zero")


def a_link_out(folder: Path) -> None:
    (folder / "a.data").symlink_to("../secret")


def nothing(folder: Path) -> None:
    assert not (folder / "a.data").exists()


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("place", [a_pipe, a_device, a_link_out, nothing], ids=lambda one: one.__name__)
def test_anything_but_a_file_is_refused_unopened(place: Callable[[Path], None], nested: bool, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(64))
    path = model(tmp_path / "m", nested=nested)
    (tmp_path / "m/a.data").unlink()
    place(tmp_path / "m")
    with pytest.raises(ItemError, match="weights in 'a\\.data', which is no regular file") as raised:
        open_session(path, ["CPUExecutionProvider"], 1)
    assert raised.value.code == "bad-model"


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "b/../../secret", "link/secret", "a\0b"])
def test_files_elsewhere_are_refused(location: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(64))
    path = model(tmp_path / "m", location=location)
    (tmp_path / "m/link").symlink_to("..")
    with pytest.raises(ItemError) as raised:
        open_session(path, ["CPUExecutionProvider"], 1)
    assert raised.value.code == "bad-model"


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\x3a\xff\xff\xff\xff\x0f", b"\x3a\x02" * 500, b"\xff" * 99])
def test_what_is_no_model_is_left_to_onnxruntime(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(data)
    check_external_data(tmp_path / "a.onnx")
    check_external_data(tmp_path / "missing.onnx")
