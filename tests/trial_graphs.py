"""Small networks in ONNX files, of random weights, in the forms in which models are exported: one function a form.

They stand for what people have: codecs with an LSTM, with noise or with states, codes of rank 4, factors of segments,
spectra in one output or in two, bands last, windows of a fixed size, and what cannot be run at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

BOOKS, SIZE, WIDTH = 4, 64, 12
HOP, RATE = 320, 24000
N_FFT, SPECTRUM_HOP = 512, 128
BINS = N_FFT // 2 + 1
REACH = 2
Shape = Sequence[int | str]
Array = NDArray[np.float32]


@dataclass
class Graph:
    """A graph under construction: its nodes, weights, inputs and outputs."""

    seed: int
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    outputs: list[onnx.ValueInfoProto] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)

    def node(self, op: str, inputs: Sequence[str], name: str = "", domain: str = "", **attributes: object) -> str:
        """Add a node with one output, and return the name of that."""
        name = name or f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], domain=domain, **attributes))
        return name

    def constant(self, values: object, dtype: str = "float32") -> str:
        """Add a weight, and return its name."""
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def normal(self, *shape: int, scale: float = 1.0) -> str:
        """Add random weights, whose variance falls with the number of values that they add up."""
        values = self.random.standard_normal(shape) * scale / np.sqrt(np.prod(shape[1:]))
        return self.constant(values)

    def give(self, name: str, shape: Shape, dtype: int = TensorProto.FLOAT) -> str:
        """Add an input."""
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def take(self, value: str, name: str, shape: Shape | None, dtype: int = TensorProto.FLOAT) -> None:
        """Name a value, and make it an output."""
        self.node("Identity", [value], name)
        self.outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def transpose(self, value: str, *order: int) -> str:
        """Reorder axes."""
        return self.node("Transpose", [value], perm=order)

    def embed(self, codes: str, books: int = BOOKS, size: int = SIZE) -> str:
        """Turn codes (batch, book, frame) into frames (batch, width, frame): the sum of one vector a book."""
        table = self.normal(books * size, WIDTH, scale=2)
        starts = self.constant(np.arange(books)[:, None] * size, "int64")
        rows = self.node("Gather", [table, self.node("Add", [codes, starts])])
        summed = self.node("ReduceSum", [rows, self.constant([1], "int64")], keepdims=0)
        return self.transpose(summed, 0, 2, 1)

    def see(self, frames: str, into: int = WIDTH, width: int = WIDTH, pads: Sequence[int] = (REACH, REACH)) -> str:
        """Convolve frames with their neighbours."""
        kernel = self.normal(into, width, 2 * REACH + 1, scale=1.5)
        return self.node("Tanh", [self.node("Conv", [frames, kernel], pads=list(pads))])

    def speak(self, frames: str, hop: int = HOP) -> str:
        """Turn frames (batch, width, frame) into a waveform (batch, 1, sample)."""
        voices = self.constant(self.random.standard_normal((WIDTH, 1, hop)) / 6)
        return self.node("Tanh", [self.node("ConvTranspose", [frames, voices], strides=[hop])])

    def spectrum(self, frames: str, rows: int = 2 * BINS) -> str:
        """Turn frames into rows (batch, rows, frame) with values around 0."""
        return self.node("Conv", [frames, self.normal(rows, WIDTH, 1, scale=1.2)])

    def split(self, value: str, axis: int = 1) -> tuple[str, str]:
        """Halve an axis."""
        names = [f"half_{len(self.nodes)}_{part}" for part in (0, 1)]
        self.nodes.append(helper.make_node("Split", [value], names, axis=axis))
        return names[0], names[1]

    def write(self, path: Path, *, domains: Sequence[str] = (), check: bool = True) -> Path:
        """Write the file."""
        graph = helper.make_graph(self.nodes, "trial", self.inputs, self.outputs, self.weights)
        opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(name, 1) for name in domains)]
        made = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        if check:
            onnx.checker.check_model(made)
        onnx.save(made, str(path))
        return path


def _codec(path: Path, between: Callable[[Graph, str], str], seed: int) -> Path:
    """Write a codec with something between its embedding and its voice."""
    graph = Graph(seed)
    codes = graph.give("audio_codes", ("batch", BOOKS, "frames"), TensorProto.INT64)
    wave = graph.speak(between(graph, graph.see(graph.embed(codes))))
    graph.take(wave, "audio_values", ("batch", 1, "samples"))
    return graph.write(path)


def plain_codec(path: Path) -> Path:
    """Write a codec of convolutions alone."""
    return _codec(path, lambda _, frames: frames, 1)


def codec_like(
    path: Path, books: int, size: int, hop: int, strides: Sequence[int] = (), dtype: int = TensorProto.INT64
) -> Path:
    """Write a codec with the figures of another: books, size, samples of a frame, and strides of its levels."""
    graph = Graph(18)
    if strides:
        frames = _levels(graph, [strides[0] // stride for stride in strides], size)
    else:
        given = graph.give("audio_codes", ("batch", books, "frames"), dtype)
        frames = graph.embed(graph.node("Cast", [given], to=TensorProto.INT64), books, size)
    graph.take(graph.speak(graph.see(frames), hop), "audio_values", ("batch", 1, "samples"))
    return graph.write(path)


def _levels(graph: Graph, counts: Sequence[int], size: int, frames: int | None = None) -> str:
    """Take codes of levels, so many of each a frame, and return their sum (batch, width, frame)."""
    levels = []
    for level, count in enumerate(counts):
        shape: Shape = ("batch", f"frames{count}") if frames is None else (1, frames * count)
        codes = graph.give(f"codes_{level}", shape, TensorProto.INT64)
        rows = graph.transpose(graph.node("Gather", [graph.normal(size, WIDTH, scale=2), codes]), 0, 2, 1)
        pooled = {"kernel_shape": [count], "strides": [count]}
        levels.append(graph.node("AveragePool", [rows], **pooled))
    return graph.node("Sum", levels)


def lstm_codec(path: Path) -> Path:
    """Write a codec with an LSTM, as EnCodec has one."""

    def between(graph: Graph, frames: str) -> str:
        gates = [graph.normal(1, 4 * WIDTH, WIDTH, scale=8) for _ in (0, 1)]
        outputs = graph.node("LSTM", [graph.transpose(frames, 2, 0, 1), *gates], hidden_size=WIDTH)
        return graph.transpose(graph.node("Squeeze", [outputs, graph.constant([1], "int64")]), 1, 2, 0)

    return _codec(path, between, 2)


def noisy_codec(path: Path) -> Path:
    """Write a codec that adds random noise, as SNAC does."""

    def between(graph: Graph, frames: str) -> str:
        noise = graph.node("RandomNormalLike", [frames], scale=1e-3)
        return graph.node("Add", [frames, noise])

    return _codec(path, between, 3)


def quantised_codec(path: Path) -> Path:
    """Write a codec with activations in 8 bits, whose scale follows from the greatest value of the whole input."""

    def between(graph: Graph, frames: str) -> str:
        names = [f"quantised_{part}" for part in ("values", "scale", "zero")]
        graph.nodes.append(helper.make_node("DynamicQuantizeLinear", [frames], names))
        return graph.node("DequantizeLinear", names)

    return _codec(path, between, 4)


def state_codec(path: Path) -> Path:
    """Write a causal codec that takes the frames before the first, and gives the last, for the next call."""
    graph = Graph(5)
    codes = graph.give("codes", (1, BOOKS, "frames"), TensorProto.INT64)
    before = graph.give("cache_in", (1, WIDTH, 2 * REACH))
    frames = graph.node("Concat", [before, graph.embed(codes)], axis=2)
    graph.take(graph.speak(graph.see(frames, pads=(0, 0))), "audio", (1, 1, "samples"))
    ends = [graph.constant([value], "int64") for value in (-2 * REACH, np.iinfo("int64").max, 2)]
    graph.take(graph.node("Slice", [frames, *ends]), "cache_out", (1, WIDTH, 2 * REACH))
    return graph.write(path)


def rank_4_codec(path: Path) -> Path:
    """Write a codec that takes codes of a segment (segment, batch, book, frame), as those of transformers."""
    graph = Graph(6)
    codes = graph.give("audio_codes", (1, "batch", BOOKS, "frames"), TensorProto.INT64)
    frames = graph.see(graph.embed(graph.node("Squeeze", [codes, graph.constant([0], "int64")])))
    graph.take(graph.speak(frames), "audio_values", ("batch", 1, "samples"))
    return graph.write(path)


def scaled_codec(path: Path) -> Path:
    """Write a codec that takes the factor of a segment as well."""
    graph = Graph(7)
    codes = graph.give("audio_codes", ("batch", BOOKS, "frames"), TensorProto.INT64)
    scales = graph.give("audio_scales", ("batch", 1))
    wave = graph.speak(graph.see(graph.embed(codes)))
    factor = graph.node("Unsqueeze", [scales, graph.constant([2], "int64")])
    graph.take(graph.node("Mul", [wave, factor]), "audio_values", ("batch", 1, "samples"))
    return graph.write(path)


def ragged_codec(path: Path, frames: int | None = None) -> Path:
    """Write a codec of three levels at one, two and four codes a frame, for any number of frames or a fixed one."""
    graph = Graph(8)
    summed = _levels(graph, (1, 2, 4), SIZE, frames)
    graph.take(graph.speak(graph.see(summed)), "audio", ("batch" if frames is None else 1, 1, "samples"))
    return graph.write(path)


def last_band_vocoder(path: Path) -> Path:
    """Write a vocoder that takes (batch, frame, band) and gives (batch, sample)."""
    graph = Graph(9)
    mel = graph.give("mel", ("batch", "frames", 80))
    frames = graph.see(graph.transpose(mel, 0, 2, 1), width=80)
    wave = graph.node("Squeeze", [graph.speak(frames, 256), graph.constant([1], "int64")])
    graph.take(wave, "wav", ("batch", "samples"))
    return graph.write(path)


def book_first_codec(path: Path) -> Path:
    """Write a codec that takes codes (book, batch, frame), as SpeechTokenizer and Bark do."""
    graph = Graph(20)
    codes = graph.give("codes", (BOOKS, "batch", "frames"), TensorProto.INT64)
    frames = graph.see(graph.embed(graph.transpose(codes, 1, 0, 2)))
    graph.take(graph.speak(frames), "wav", ("batch", 1, "samples"))
    return graph.write(path)


def frame_first_codec(path: Path) -> Path:
    """Write a codec that takes codes (batch, frame, book), as Qwen3-TTS does, and gives (batch, sample, 1)."""
    graph = Graph(21)
    codes = graph.give("codes", ("batch", "T", BOOKS), TensorProto.INT64)
    wave = graph.speak(graph.see(graph.embed(graph.transpose(codes, 0, 2, 1))))
    graph.take(graph.transpose(wave, 0, 2, 1), "wav", ("batch", "samples", 1))
    return graph.write(path)


def length_codec(path: Path) -> Path:
    """Write a codec that takes the number of frames as well, as NanoCodec does, and gives that of samples."""
    graph = Graph(22)
    codes = graph.give("tokens", ("batch", BOOKS, "frames"), TensorProto.INT64)
    length = graph.give("tokens_len", ("batch",), TensorProto.INT64)
    graph.take(graph.speak(graph.see(graph.embed(codes))), "audio", ("batch", 1, "samples"))
    samples = graph.node("Mul", [length, graph.constant(HOP, "int64")])
    graph.take(samples, "audio_len", ("batch",), TensorProto.INT64)
    return graph.write(path)


def speaker_vocoder(path: Path) -> Path:
    """Write a decoder of latents that takes a speaker, a style and the strength of something."""
    graph = Graph(23)
    frames = graph.see(graph.give("z", ("batch", WIDTH, "frames")))
    speaker = graph.give("sid", (1,), TensorProto.INT64)
    voice = graph.transpose(graph.node("Gather", [graph.normal(8, WIDTH), speaker]), 1, 0)
    style = graph.give("style", (1, WIDTH))
    strength = graph.give("noise_scale", (1,))
    added = graph.node("Add", [voice, graph.node("Mul", [graph.transpose(style, 1, 0), strength])])
    graph.take(graph.speak(graph.node("Add", [frames, added])), "audio", ("batch", 1, "samples"))
    return graph.write(path)


def half_precision_codec(path: Path) -> Path:
    """Write a codec whose sound is float16."""
    graph = Graph(24)
    codes = graph.give("audio_codes", ("batch", BOOKS, "frames"), TensorProto.INT64)
    wave = graph.node("Cast", [graph.speak(graph.see(graph.embed(codes)))], to=TensorProto.FLOAT16)
    graph.take(wave, "audio_values", ("batch", 1, "samples"), TensorProto.FLOAT16)
    return graph.write(path)


def stereo_codec(path: Path) -> Path:
    """Write a codec that gives two channels."""
    graph = Graph(25)
    codes = graph.give("audio_codes", ("batch", BOOKS, "frames"), TensorProto.INT64)
    frames = graph.see(graph.embed(codes))
    both = graph.node("Concat", [graph.speak(frames), graph.speak(frames)], axis=1)
    graph.take(both, "audio_values", ("batch", 2, "samples"))
    return graph.write(path)


def overhanging_codec(path: Path, kernel: int = 2 * HOP) -> Path:
    """Write a codec whose last layer is not cut: it gives a frame more than it takes."""
    graph = Graph(26)
    codes = graph.give("audio_codes", ("batch", BOOKS, "frames"), TensorProto.INT64)
    voices = graph.constant(graph.random.standard_normal((WIDTH, 1, kernel)) / 6)
    frames = graph.see(graph.embed(codes))
    wave = graph.node("Tanh", [graph.node("ConvTranspose", [frames, voices], strides=[HOP])])
    graph.take(wave, "audio_values", ("batch", 1, "samples"))
    return graph.write(path)


def short_codec(path: Path) -> Path:
    """Write a codec that gives a frame less, as a centred inverse STFT within the graph does."""
    graph = Graph(27)
    codes = graph.give("audio_codes", ("batch", BOOKS, "frames"), TensorProto.INT64)
    voices = graph.constant(graph.random.standard_normal((WIDTH, 1, 2 * HOP)) / 6)
    frames = graph.see(graph.embed(codes))
    cut = {"strides": [HOP], "pads": [HOP, HOP]}
    wave = graph.node("Tanh", [graph.node("ConvTranspose", [frames, voices], **cut)])
    graph.take(wave, "audio_values", ("batch", 1, "samples"))
    return graph.write(path)


def cropped_codec(path: Path, frames: int | str = "frames") -> Path:
    """Write a codec without padding: it gives 2 · REACH frames less than it takes."""
    graph = Graph(28)
    codes = graph.give("audio_codes", ("batch", BOOKS, frames), TensorProto.INT64)
    wave = graph.speak(graph.see(graph.embed(codes), pads=(0, 0)))
    graph.take(wave, "audio_values", ("batch", 1, "samples"))
    return graph.write(path)


def attention_codec(path: Path) -> Path:
    """Write a codec whose frames see all others, which no node alone tells."""

    def between(graph: Graph, frames: str) -> str:
        scores = graph.node("MatMul", [graph.transpose(frames, 0, 2, 1), frames])
        shares = graph.node("Softmax", [graph.node("Mul", [scores, graph.constant(0.1)])], axis=2)
        return graph.node("Add", [frames, graph.node("MatMul", [frames, graph.transpose(shares, 0, 2, 1)])])

    return _codec(path, between, 28)


def halving_vocoder(path: Path) -> Path:
    """Write a decoder of latents that halves its frames inside, so that it is not free where chunks begin."""
    graph = Graph(29)
    frames = graph.see(graph.give("z", ("batch", WIDTH, "frames")))
    down = graph.node("Conv", [frames, graph.normal(WIDTH, WIDTH, 4, scale=2)], strides=[2], pads=[1, 1])
    up = graph.constant(graph.random.standard_normal((WIDTH, WIDTH, 4)) / 5)
    doubled = graph.node("ConvTranspose", [graph.node("Tanh", [down]), up], strides=[2], pads=[1, 1])
    graph.take(graph.speak(doubled), "audio", ("batch", 1, "samples"))
    return graph.write(path)


def lstm_state_codec(path: Path) -> Path:
    """Write a codec with an LSTM whose two states go in and out."""
    graph = Graph(30)
    codes = graph.give("codes", (1, BOOKS, "frames"), TensorProto.INT64)
    before = [graph.give(name, (1, 1, WIDTH)) for name in ("h_in", "c_in")]
    steps = graph.transpose(graph.embed(codes), 2, 0, 1)
    gates = [graph.normal(1, 4 * WIDTH, WIDTH, scale=8) for _ in (0, 1)]
    names = ["steps", "h_last", "c_last"]
    graph.nodes.append(helper.make_node("LSTM", [steps, *gates, "", "", *before], names, hidden_size=WIDTH))
    frames = graph.transpose(graph.node("Squeeze", ["steps", graph.constant([1], "int64")]), 1, 2, 0)
    graph.take(graph.speak(frames), "audio", (1, 1, "samples"))
    graph.take("h_last", "h_out", (1, 1, WIDTH))
    graph.take("c_last", "c_out", (1, 1, WIDTH))
    return graph.write(path)


def latent_decoder(path: Path, bands: int, hop: int) -> Path:
    """Write a decoder of latents with so many bands, and so many samples a frame."""
    graph = Graph(19)
    latents = graph.give("z", ("batch", bands, "frames"))
    graph.take(graph.speak(graph.see(latents, width=bands), hop), "output", ("batch", 1, "samples"))
    return graph.write(path)


def _spectral(path: Path, seed: int, end: Callable[[Graph, str], None], rows: int = 2 * BINS) -> Path:
    """Write a network from latents to spectra."""
    graph = Graph(seed)
    frames = graph.see(graph.give("z", ("batch", WIDTH, "frames")))
    end(graph, graph.spectrum(frames, rows))
    return graph.write(path)


def complex_axis_vocoder(path: Path) -> Path:
    """Write one that gives both parts in one output: (batch, 2, bin, frame)."""

    def end(graph: Graph, rows: str) -> None:
        shape = graph.constant([0, 2, BINS, -1], "int64")
        graph.take(graph.node("Reshape", [rows, shape]), "spec", ("batch", 2, BINS, "frames"))

    return _spectral(path, 10, end)


def complex_last_vocoder(path: Path) -> Path:
    """Write one that gives both parts in one output: (batch, bin, frame, 2), as torch.view_as_real does."""

    def end(graph: Graph, rows: str) -> None:
        shaped = graph.node("Reshape", [rows, graph.constant([0, 2, BINS, -1], "int64")])
        graph.take(graph.transpose(shaped, 0, 2, 3, 1), "spec", ("batch", BINS, "frames", 2))

    return _spectral(path, 11, end)


def real_imag_vocoder(path: Path) -> Path:
    """Write one that gives real and imaginary parts."""

    def end(graph: Graph, rows: str) -> None:
        for half, name in zip(graph.split(rows), ("real", "imag"), strict=True):
            graph.take(half, name, ("batch", BINS, "frames"))

    return _spectral(path, 12, end)


def magnitude_phase_vocoder(path: Path) -> Path:
    """Write one that gives magnitudes and phases."""

    def end(graph: Graph, rows: str) -> None:
        logs, phases = graph.split(rows)
        graph.take(graph.node("Exp", [logs]), "mag", ("batch", BINS, "frames"))
        graph.take(graph.node("Mul", [phases, graph.constant(3)]), "phase", ("batch", BINS, "frames"))

    return _spectral(path, 13, end)


def log_magnitude_phase_vocoder(path: Path) -> Path:
    """Write one that gives logarithms of magnitudes, and phases."""

    def end(graph: Graph, rows: str) -> None:
        logs, phases = graph.split(rows)
        graph.take(logs, "logmag", ("batch", BINS, "frames"))
        graph.take(graph.node("Mul", [phases, graph.constant(3)]), "phase", ("batch", BINS, "frames"))

    return _spectral(path, 14, end)


def two_outputs(path: Path) -> Path:
    """Write one with two outputs that could be anything."""

    def end(graph: Graph, rows: str) -> None:
        for half, name in zip(graph.split(rows), ("out_a", "out_b"), strict=True):
            graph.take(half, name, ("batch", BINS, "frames"))

    return _spectral(path, 15, end)


def custom_operator(path: Path) -> Path:
    """Write a codec with an operator of its own, which onnxruntime lacks."""
    graph = Graph(16)
    codes = graph.give("audio_codes", ("batch", BOOKS, "frames"), TensorProto.INT64)
    frames = graph.node("Snake", [graph.see(graph.embed(codes))], domain="com.acme")
    graph.take(graph.speak(frames), "audio_values", ("batch", 1, "samples"))
    return graph.write(path, domains=["com.acme"], check=False)


def external_codec(path: Path, location: str = "weights.bin") -> Path:
    """Write a codec with its weights in another file."""
    plain_codec(path)
    made = onnx.load(str(path))
    onnx.save(made, str(path), save_as_external_data=True, location=path.name + ".data", size_threshold=500)
    made = onnx.load(str(path), load_external_data=False)
    for weight in made.graph.initializer:
        for entry in weight.external_data:
            if entry.key == "location":
                entry.value = location
    path.write_bytes(made.SerializeToString())
    (path.parent / (path.name + ".data")).rename(path.parent / "moved.bin")
    return path


def large_codec(path: Path, megabytes: int = 60) -> Path:
    """Write a codec with so many megabytes of weights."""
    graph = Graph(17)
    codes = graph.give("audio_codes", ("batch", BOOKS, "frames"), TensorProto.INT64)
    frames = graph.see(graph.embed(codes))
    ballast = graph.constant(np.zeros((megabytes * 250_000 // WIDTH, WIDTH), "float32"))
    first = graph.node("Gather", [ballast, graph.constant(0, "int64")])
    shaped = graph.node("Unsqueeze", [first, graph.constant([0, 2], "int64")])
    graph.take(graph.speak(graph.node("Add", [frames, shaped])), "audio_values", ("batch", 1, "samples"))
    return graph.write(path)


def run(path: Path, inputs: Mapping[str, object]) -> dict[str, Array]:
    """Return the outputs of a network by name, as onnxruntime gives them."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, dict(inputs)), strict=True))


def codes_of(frames: int, seed: int = 0, books: int = BOOKS) -> NDArray[np.int64]:
    """Return random codes (book, frame)."""
    return np.random.default_rng(seed).integers(0, SIZE, (books, frames))


def latents_of(frames: int, seed: int = 0) -> Array:
    """Return random latents (band, frame)."""
    return np.random.default_rng(seed).standard_normal((WIDTH, frames)).astype(np.float32)
