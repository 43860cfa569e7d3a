"""Small vocoders in ONNX files, of convolutions whose result is known, and mel spectrograms for them."""

import numpy as np
import onnx
from onnx import TensorProto, helper

from tonearm.api import MelDialect
from tonearm.plugins import registry

HIFIGAN = registry.default().catalogue(MelDialect).find("hifigan")
MELS, HOP, REACH = 80, 256, 3
RNG = np.random.default_rng(0)
KERNEL = RNG.standard_normal((4, MELS, 2 * REACH + 1), dtype="f4") / 50
VOICES = RNG.standard_normal((4, 1, HOP), dtype="f4") / 10


def model(path, shape=(1, MELS, "frames"), nodes=None, inputs=1, dtype=TensorProto.FLOAT, less=0):
    """Write a model that sees REACH frames on each side, and writes HOP samples a frame, ``less`` in all."""
    shared = [onnx.numpy_helper.from_array(KERNEL, "kernel"), onnx.numpy_helper.from_array(VOICES, "voices")]
    vocoder = [
        helper.make_node("Conv", ["x", "kernel"], ["seen"], pads=[REACH, REACH]),
        helper.make_node("Tanh", ["seen"], ["bent"]),
        helper.make_node("ConvTranspose", ["bent", "voices"], ["y"], strides=[HOP], pads=[0, less]),
    ]
    given = ["mel", *(f"more{i}" for i in range(1, inputs))]
    graph = helper.make_graph(
        (nodes or [helper.make_node("Identity", ["mel"], ["x"])]) + vocoder,
        "vocoder",
        [helper.make_tensor_value_info(name, dtype, shape) for name in given],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        shared,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, str(path))
    return str(path)


def squeeze():
    return [
        helper.make_node("Constant", [], ["axis"], value_ints=[1]),
        helper.make_node("Squeeze", ["mel", "axis"], ["x"]),
    ]


def mel(frames=300, channels=1):
    return RNG.uniform(-11, 1, (channels, MELS, frames)).astype("f4")
