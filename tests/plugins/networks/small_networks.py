"""Small networks in ONNX files of the shapes that exporters make, with weights from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BANDS, HOP, BOOK, INNER = 8, 16, 32, 6
BINS = 33  # of n_fft 64
REACH = 3
"""Frames on each side that the convolutions see."""

TYPES = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "int32": TensorProto.INT32}


class Graph:
    """A graph in the making."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self._nodes: list[Any] = []
        self._weights: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def input(self, name: str, shape: tuple[Any, ...], dtype: str = "float32") -> str:
        self._inputs.append(helper.make_tensor_value_info(name, TYPES[dtype], shape))
        return name

    def output(self, value: str, name: str, shape: tuple[Any, ...]) -> None:
        self.node("Identity", [value], name)
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def node(self, operator: str, values: list[str], output: str = "", **attributes: Any) -> str:
        output = output or f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, values, [output], **attributes))
        return output

    def weight(self, *shape: int, scale: float = 0.5) -> str:
        fan = max(1, int(np.prod(shape[1:]))) ** 0.5
        return self.constant((self._rng.standard_normal(shape) * scale / fan).astype("f4"))

    def constant(self, values: Any) -> str:
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def conv(self, value: str, rows: int, made: int, reach: int = REACH, causal: bool = False) -> str:
        """Return what frames around each one make, through a tanh."""
        pads = [2 * reach, 0] if causal else [reach, reach]
        seen = self.node("Conv", [value, self.weight(made, rows, 2 * reach + 1, scale=1.5)], pads=pads)
        return self.node("Tanh", [seen])

    def upsampled(
        self, value: str, hop: int = HOP, channels: int = 1, less: tuple[int, int] = (0, 0), more: int = 0
    ) -> str:
        """Return samples, ``hop`` for each frame, less some at both ends, or more at the end."""
        kernel = self.weight(INNER, channels, hop + more)
        return self.node("ConvTranspose", [value, kernel], strides=[hop], pads=list(less))

    def summed_books(self, codes: str, books: int, axis: int = 1) -> str:
        """Return the sum of vectors for the codes of all books, (batch, rows, frames)."""
        parts = []
        for book in range(books):
            one = self.node("Gather", [codes, self.constant(np.array(book))], axis=axis)
            parts.append(self.node("Gather", [self.weight(BOOK, INNER, scale=2.0), one]))
        total = self.node("Sum", parts)
        return self.node("Transpose", [total], perm=[0, 2, 1])

    def save(self, path: Path) -> Path:
        graph = helper.make_graph(self._nodes, "g", self._inputs, self._outputs, self._weights)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(made)
        onnx.save(made, str(path))
        return path


def vocoder(
    path: Path, frames: Any = "frames", batch: Any = "batch", less: tuple[int, int] = (0, 0), more: int = 0
) -> Path:
    """A mel spectrogram to a waveform, which may have less samples at both ends, or more at the last one."""
    graph = Graph()
    seen = graph.conv(graph.input("mel", (batch, BANDS, frames)), BANDS, INNER)
    graph.output(graph.upsampled(seen, less=less, more=more), "wav", (batch, 1, None))
    return graph.save(path)


def channels_last(path: Path) -> Path:
    """A mel spectrogram (batch, frames, bands) to a waveform (batch, samples)."""
    graph = Graph()
    mel = graph.node("Transpose", [graph.input("mel", ("batch", "frames", BANDS))], perm=[0, 2, 1])
    sound = graph.upsampled(graph.conv(mel, BANDS, INNER))
    graph.output(graph.node("Squeeze", [sound, graph.constant(np.array([1]))]), "wav", ("batch", "samples"))
    return graph.save(path)


def recurrent(path: Path) -> Path:
    """A vocoder with an LSTM."""
    graph = Graph()
    turned = graph.node("Transpose", [graph.input("mel", ("batch", BANDS, "frames"))], perm=[2, 0, 1])
    weights = [graph.weight(1, 4 * INNER, BANDS, scale=3.0), graph.weight(1, 4 * INNER, INNER, scale=3.0)]
    found = graph.node("LSTM", [turned, *weights], hidden_size=INNER)
    flat = graph.node("Squeeze", [found, graph.constant(np.array([1]))])
    seen = graph.node("Transpose", [flat], perm=[1, 2, 0])
    graph.output(graph.upsampled(seen), "wav", ("batch", 1, "samples"))
    return graph.save(path)


def noisy(path: Path) -> Path:
    """A vocoder that adds random noise."""
    graph = Graph()
    sound = graph.upsampled(graph.conv(graph.input("mel", ("batch", BANDS, "frames")), BANDS, INNER))
    noise = graph.node("RandomNormalLike", [sound], scale=0.1)
    graph.output(graph.node("Add", [sound, noise]), "wav", ("batch", 1, "samples"))
    return graph.save(path)


def normalising(path: Path) -> Path:
    """A vocoder that takes the mean of all frames away, by operators that do not tell it."""
    graph = Graph()
    mel = graph.input("mel", ("batch", BANDS, "frames"))
    mean = graph.node("ReduceMean", [mel], axes=[2], keepdims=1)
    seen = graph.conv(graph.node("Sub", [mel, mean]), BANDS, INNER)
    graph.output(graph.upsampled(seen), "wav", ("batch", 1, "samples"))
    return graph.save(path)


def halving(path: Path) -> Path:
    """A vocoder that works on every second frame inside, so that it may be shifted by even numbers alone."""
    graph = Graph()
    mel = graph.input("mel", ("batch", BANDS, "frames"))
    half = graph.node("Conv", [mel, graph.weight(INNER, BANDS, 4, scale=1.5)], strides=[2], pads=[1, 1])
    graph.output(graph.upsampled(graph.node("Tanh", [half]), hop=2 * HOP), "wav", ("batch", 1, "samples"))
    return graph.save(path)


def stateful(path: Path, frames: Any = "frames") -> Path:
    """A causal vocoder that takes the last frames of before, and gives those for the next call."""
    graph = Graph()
    mel = graph.input("mel", ("batch", BANDS, frames))
    before = graph.input("state_in", ("batch", BANDS, 2 * REACH))
    both = graph.node("Concat", [before, mel], axis=2)
    seen = graph.node("Conv", [both, graph.weight(INNER, BANDS, 2 * REACH + 1, scale=1.5)])
    graph.output(graph.upsampled(graph.node("Tanh", [seen])), "wav", ("batch", 1, None))
    bounds = [graph.constant(np.array([number])) for number in (-2 * REACH, 2**31, 2)]
    graph.output(graph.node("Slice", [both, *bounds]), "state_out", ("batch", BANDS, 2 * REACH))
    return graph.save(path)


def spectral(path: Path, form: str) -> Path:
    """A mel spectrogram to the parts of a spectrum, one frame for each."""
    graph = Graph()
    mel = graph.input("mel", ("batch", BANDS, "frames"))
    one, other = graph.conv(mel, BANDS, BINS), graph.conv(mel, BANDS, BINS)
    shape = ("batch", BINS, "frames")
    if form == "real-imag":
        graph.output(one, "real", shape)
        graph.output(other, "imag", shape)
    elif form == "magnitude-phase":
        graph.output(graph.node("Exp", [one]), "mag", shape)
        graph.output(graph.node("Mul", [other, graph.constant(np.float32(np.pi))]), "phase", shape)
    elif form == "log-magnitude-phase":
        graph.output(one, "logmag", shape)
        graph.output(graph.node("Mul", [other, graph.constant(np.float32(np.pi))]), "phase", shape)
    elif form == "complex-first":
        axis = graph.constant(np.array([1]))
        parts = [graph.node("Unsqueeze", [part, axis]) for part in (one, other)]
        graph.output(graph.node("Concat", parts, axis=1), "stft", ("batch", 2, BINS, "frames"))
    elif form == "complex-last":
        axis = graph.constant(np.array([3]))
        parts = [graph.node("Unsqueeze", [part, axis]) for part in (one, other)]
        graph.output(graph.node("Concat", parts, axis=3), "stft", ("batch", BINS, "frames", 2))
    else:
        graph.output(graph.node("Concat", [one, other], axis=1), "stft", ("batch", 2 * BINS, "frames"))
    return graph.save(path)


def codec(path: Path, books: int = 4, frames: Any = "frames", channels: int = 1) -> Path:
    """Codes (batch, books, frames) to a waveform."""
    graph = Graph()
    rows = graph.summed_books(graph.input("codes", ("batch", books, frames), "int64"), books)
    sound = graph.upsampled(graph.conv(rows, INNER, INNER), channels=channels)
    graph.output(sound, "audio", ("batch", channels, None))
    return graph.save(path)


def codec_of_segments(path: Path, books: int = 2) -> Path:
    """Codes (segments, batch, books, frames) and a scale for each segment to stereo, as EnCodec at 48 kHz is exported."""
    graph = Graph()
    codes = graph.input("audio_codes", (1, "batch", books, "frames"), "int64")
    scale = graph.input("audio_scales", (1, "batch", 1))
    flat = graph.node("Squeeze", [codes, graph.constant(np.array([0]))])
    sound = graph.upsampled(graph.conv(graph.summed_books(flat, books), INNER, INNER), channels=2)
    factor = graph.node("Transpose", [scale], perm=[1, 2, 0])
    graph.output(graph.node("Mul", [sound, factor]), "audio_values", ("batch", 2, "samples"))
    return graph.save(path)


def ragged(path: Path, frames: int | None = None) -> Path:
    """Codes of three levels, each twice as fast as the one before, to a waveform."""
    graph = Graph()
    parts = []
    for level in range(3):
        length: Any = f"frames{level}" if frames is None else frames << level
        codes = graph.input(f"codes_{level}", ("batch" if frames is None else 1, length), "int64")
        found = graph.node("Gather", [graph.weight(BOOK, INNER, scale=2.0), codes])
        turned = graph.node("Transpose", [found], perm=[0, 2, 1])
        repeats = graph.weight(INNER, INNER, 4 >> level, scale=2.0)
        parts.append(graph.node("ConvTranspose", [turned, repeats], strides=[4 >> level]))
    seen = graph.conv(graph.node("Sum", parts), INNER, INNER)
    graph.output(graph.upsampled(seen, hop=HOP // 4), "audio", ("batch" if frames is None else 1, 1, None))
    return graph.save(path)


def with_more(path: Path) -> Path:
    """A vocoder that also takes lengths, a noise scale, a speaker's vector and f0."""
    graph = Graph()
    mel = graph.input("mel", ("batch", BANDS, "frames"))
    lengths = graph.input("mel_lengths", ("batch",), "int64")
    speaker = graph.input("spk_emb", (1, BANDS))
    loudness = graph.input("noise_scale", ())
    f0 = graph.input("f0", ("batch", "frames"))
    total = graph.node("Add", [mel, graph.node("Unsqueeze", [speaker, graph.constant(np.array([2]))])])
    total = graph.node("Add", [total, graph.node("Unsqueeze", [f0, graph.constant(np.array([1]))])])
    seen = graph.node("Mul", [graph.upsampled(graph.conv(total, BANDS, INNER)), loudness])
    count = graph.node("Cast", [lengths], to=TensorProto.FLOAT)
    shaped = graph.node(
        "Unsqueeze", [graph.node("Mul", [count, graph.constant(np.float32(0))]), graph.constant(np.array([1, 2]))]
    )
    graph.output(graph.node("Add", [seen, shaped]), "wav", ("batch", 1, "samples"))
    return graph.save(path)


def directly(path: Path, **feeds: Any) -> list[Any]:
    """Return what onnxruntime gives for the whole input."""
    import onnxruntime

    found: list[Any] = onnxruntime.InferenceSession(str(path)).run(None, feeds)
    return found


def mel_of(frames: int, channels: int = 1, seed: int = 1) -> Any:
    return np.random.default_rng(seed).uniform(-4, 1, (channels, BANDS, frames)).astype("f4")


def codes_of(frames: int, books: int = 4, channels: int = 1, seed: int = 2) -> Any:
    return np.random.default_rng(seed).integers(0, BOOK, (channels, books, frames)).astype("i4")
