"""Weights of ONNX models in other files: those beside the model pass, and anything else is refused unopened."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from tonearm.api import MAX_NESTING, ItemError  # noqa: E402 - behind importorskip
from tonearm_plugins.formats import onnx_external_data  # noqa: E402
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
    with pytest.raises(ItemError, match="which is no regular file in the model's folder") as raised:
        check_external_data(path)
    assert raised.value.code == "bad-model"


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\x3a\xff\xff\xff\xff\x0f", b"\x3a\x02" * 500, b"\xff" * 99])
def test_what_is_no_model_is_left_to_onnxruntime(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(data)
    check_external_data(tmp_path / "a.onnx")
    check_external_data(tmp_path / "missing.onnx")


def varint(number: int) -> bytes:
    found = b""
    while number > 127:
        found, number = found + bytes([number & 127 | 128]), number >> 7
    return found + bytes([number])


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def entry(location: str = "gone", key: str = "location") -> bytes:
    return field(13, field(1, key.encode()) + field(2, location.encode()))


def is_found(data: bytes, folder: Path) -> bool:
    """Whether the file of a model's weights is found, which is refused because it does not exist."""
    (folder / "a.onnx").write_bytes(data)
    path, refusal = folder / "a.onnx", None
    try:
        check_external_data(path)
    except ItemError as error:
        refusal = error
    if refusal is None:
        return False
    assert refusal.message == f"{path} has its weights in 'gone', which is no regular file in the model's folder"
    assert refusal.hint == "put the file of the weights beside the model, or save the model as one file"
    return True


ATTRIBUTE = (7, 1, 5)


@pytest.mark.parametrize(
    "path",
    [
        (7, 5),  # initialisers
        (7, 15, 1),  # sparse ones: values and indices
        (7, 15, 2),
        *((*ATTRIBUTE, *rest) for rest in ((5,), (10,), (22, 1), (22, 2), (23, 1), (23, 2))),
        *((*ATTRIBUTE, graph, *rest) for graph in (6, 11) for rest in ((5,), (15, 2), (1, 5, 5))),
    ],
)
def test_weights_are_found_wherever_a_model_has_tensors(path: tuple[int, ...], tmp_path: Path) -> None:
    def model_of(*numbers: int) -> bytes:
        data = entry()
        for number in reversed(numbers):
            data = field(number, data)
        return data

    assert is_found(model_of(*path), tmp_path)
    for at in range(len(path)):  # no other field leads there
        for number in (path[at] - 1, path[at] + 1):
            other = (*path[:at], number, *path[at + 1 :])
            known = other in KNOWN
            assert is_found(model_of(*other), tmp_path) == known


KNOWN = {
    *((7, 15, end) for end in (1, 2)),
    *((*ATTRIBUTE, sparse, end) for sparse in (22, 23) for end in (1, 2)),
    *((*ATTRIBUTE, end) for end in (5, 10)),
    *((*ATTRIBUTE, graph, *rest) for graph in (6, 11) for rest in ((5,), (15, 1), (15, 2), (1, 5, 5))),
}


@pytest.mark.parametrize(
    ("before", "found"),
    [
        (b"", True),
        (b"\x08\x05", True),  # a number
        (b"\x08" + b"\xff" * 9 + b"\x01", True),
        (b"\x08" + b"\xff" * 10 + b"\x01", False),
        (b"\x08\x80\x01", True),
        (b"\x11" + b"\x3a" * 8, True),
        (b"\x15" + b"\x3a" * 4, True),
        (b"\x12\x03abc", True),
        (b"\x12\x00", True),
        (b"\x92\x01\x81\x01" + bytes(129), True),  # a long one
        *((bytes([0x08 | kind]) + bytes(8), False) for kind in (3, 4, 6, 7)),
        (b"\x00\x00", False),
        (b"\x02\x00", False),
        (b"\x38\x05", True),  # a graph, but a number
    ],
)
def test_other_fields_are_skipped_by_their_sizes(before: bytes, found: bool, tmp_path: Path) -> None:
    tensor = field(7, field(5, before + entry()))
    assert is_found(tensor, tmp_path) == found
    assert is_found(before + field(7, field(5, entry())), tmp_path) == found


@pytest.mark.parametrize(("cut", "found"), [(0, True), (1, False)])
def test_a_field_may_reach_to_the_end(cut: int, found: bool, tmp_path: Path) -> None:
    data = field(7, field(5, entry()) + field(2, b"name"))
    inner = data[2:]
    assert is_found(varint(7 << 3 | 2) + varint(len(inner)) + inner[: len(inner) - cut], tmp_path) == found
    for kind, size in ((1, 8), (5, 4)):
        tail = field(7, field(5, entry())) + bytes([0x08 | kind]) + bytes(size - cut)
        assert is_found(tail, tmp_path) == found


def test_entries_of_other_keys_name_no_files(tmp_path: Path) -> None:
    for key in ("offset", "locatiom", "location2"):
        assert not is_found(field(7, field(5, entry(key=key))), tmp_path)
    (tmp_path / "x").write_bytes(b"")
    assert is_found(field(7, field(5, entry("x") + entry())), tmp_path)
    long = "l" * 200  # whose length takes two bytes
    (tmp_path / long).write_bytes(b"")
    assert not is_found(field(7, field(5, entry(long))), tmp_path)


@pytest.mark.parametrize(("more", "found"), [(0, True), (1, False)])
def test_messages_within_messages_are_bounded(more: int, found: bool, tmp_path: Path) -> None:
    depth = 8 * MAX_NESTING + more  # of the tensor
    data = [field(15, field(1, entry())), field(1, field(5, field(5, entry()))), field(5, entry())][depth % 3]
    for _ in range((depth - 2) // 3 if depth % 3 == 2 else (depth - 1) // 3 - (depth % 3 == 1)):
        data = field(1, field(5, field(6, data)))
    assert is_found(field(7, data), tmp_path) == found


def test_a_file_too_large_for_a_model_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = field(7, field(5, entry()))
    assert onnx_external_data._MAX_MODEL == 2**31 - 1
    for most in (len(data), len(data) - 1):
        monkeypatch.setattr(onnx_external_data, "_MAX_MODEL", most)
        assert is_found(data, tmp_path) == (most == len(data))
    assert not is_found(b"", tmp_path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    check_external_data(tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
