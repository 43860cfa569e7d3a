"""Networks for tests: those of tests/data/models with what they give, and small ones with peculiar frames."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tonearm.api import CodecTokens, LatentFormat, Latents, MelDialect, MelSpectrogram, Signal, StftGrid
from tonearm.plugins.registry import default
from tonearm_plugins.networks.network import Network
from tonearm_plugins.networks.onnx_header import read_header
from tonearm_plugins.networks.onnx_session import load_model
from tonearm_plugins.networks.options import InputFile, NetworkOptions
from tonearm_plugins.networks.plan import NetworkPlan
from tonearm_plugins.networks.planning import Wanted, plan_of
from trial_graphs import WIDTH, Graph

MODELS = Path(__file__).parents[2] / "data/models"
HIFIGAN = default().catalogue(MelDialect).find("hifigan")
BANDS, HOP = WIDTH, 16
SMALL = HIFIGAN.replace(
    n_mels=BANDS, n_fft=64, win_length=64, hop_length=HOP, sample_rate=8000, fmax=4000.0, name="small"
)
"""Recipe of the small vocoders."""

DIALECTS = {
    "hifigan_tiny": HIFIGAN,
    "nsf_tiny": HIFIGAN.replace(sample_rate=44100, name="nsf"),
    "vocos_magxy_tiny": HIFIGAN.replace(n_mels=100, sample_rate=24000, fmax=12000.0, padding="center", name="vocos"),
}


@dataclass(frozen=True)
class Case:
    """One run of a model in tests/data/models.

    Parameters
    ----------
    name, run
        Name of the model and of the run.
    """

    name: str
    run: str

    @property
    def path(self) -> Path:
        return MODELS / f"{self.name}.onnx"

    @property
    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.path.with_suffix(".json").read_text())
        return found

    @property
    def field(self) -> tuple[int, int]:
        field = self.facts["receptive_field_frames"]
        return field["left"], field["right"]

    @property
    def is_exact(self) -> bool:
        return self.name != "nsf_tiny"

    def arrays(self, part: str) -> list[Any]:
        """Return the inputs (``in``) or outputs (``out``), in the order of the header."""
        with np.load(self.path.with_suffix(".npz")) as file:
            names = [one["name"] for one in self.facts["inputs" if part == "in" else "outputs"]]
            return [file[f"{self.run}/{part}/{name}"] for name in names]

    def wave(self, padding: str = "center") -> Any:
        """Return the waveform that is right, (channels, samples)."""
        if self.name != "vocos_magxy_tiny":
            (found,) = self.arrays("out")
            return found.reshape(found.shape[0], -1)
        with np.load(self.path.with_suffix(".npz")) as file:
            return file[f"{self.run}/wave_{'center' if padding == 'center' else 'same'}"]

    def signal(self) -> Any:
        """Return the signal that the model takes."""
        facts, (first, *more) = self.facts, self.arrays("in")
        rates = {name: facts[name] for name in ("sample_rate", "samples_per_frame") if name in facts}
        if facts["kind"] == "codec":
            strides = tuple(facts.get("strides", ()))
            codes: Any = [one.astype(np.int32) for one in (first, *more)]
            return CodecTokens(
                codes=tuple(codes) if strides else codes[0], sizes=facts["codebook_size"], strides=strides, **rates
            )
        if facts["kind"] == "latent":
            return Latents(values=first, format=LatentFormat(**rates))
        return MelSpectrogram(values=first, dialect=DIALECTS[self.name])

    def options(self, folder: Path, **more: Any) -> dict[str, Any]:
        """Return the options of the transform for the model; what it takes beside the signal is put into a folder."""
        options: dict[str, Any] = {"model": str(self.path), **more}
        if self.name == "nsf_tiny":
            np.save(folder / "f0.npy", self.arrays("in")[1])
            options["inputs"] = {"f0": InputFile(file=str(folder / "f0.npy"))}
        return options


CASES = [
    Case(path.stem, run)
    for path in sorted(MODELS.glob("*.onnx"))
    for run in sorted({name.partition("/")[0] for name in np.load(path.with_suffix(".npz"))})
]


def grid_of(padding: Any = "center") -> StftGrid:
    return StftGrid(sample_rate=24000, n_fft=1024, hop_length=256, win_length=1024, padding=padding)


def assert_close(found: Any, wanted: Any, share: float = 1e-5) -> None:
    """Assert that samples differ by no more than a share of the peak."""
    assert found.shape == wanted.shape
    assert found.dtype == np.float32
    assert np.abs(found - wanted).max() <= share * np.abs(wanted).max()


def planned(path: Path, wanted: Wanted, **options: Any) -> NetworkPlan:
    return plan_of(read_header(path), wanted, NetworkOptions(model=str(path), **options))


def network(path: Path, wanted: Wanted, **options: Any) -> Network:
    plan = planned(path, wanted, **options)
    return Network(plan, load_model(path), counts=wanted.frames_of_levels if wanted.strides else ())


MEL = Wanted(kind="mel", bands=BANDS, sample_rate=8000, samples_per_frame=HOP)
TOKENS = Wanted(kind="tokens", books=4, sample_rate=24000, samples_per_frame=320)
LEVELS = Wanted(kind="tokens", books=3, strides=(4, 2, 1), sample_rate=24000, samples_per_frame=320)


def mel_of(frames: int, channels: int = 1, seed: int = 1) -> Any:
    """Return random values (channels, bands, frames) of a mel spectrogram."""
    return np.random.default_rng(seed).uniform(-4, 1, (channels, BANDS, frames)).astype(np.float32)


def small_mel(frames: int, channels: int = 1) -> MelSpectrogram:
    return MelSpectrogram(values=mel_of(frames, channels), dialect=SMALL)


def tokens_of(frames: int, channels: int = 1, **more: Any) -> CodecTokens:
    """Return random tokens for the codecs of `trial_graphs`."""
    codes = np.random.default_rng(2).integers(0, 64, (channels, 4, frames)).astype(np.int32)
    return CodecTokens(codes=codes, sizes=64, sample_rate=24000, samples_per_frame=320, **more)


def _mels(frames: int | str = "frames", batch: int | str = "batch") -> tuple[Graph, str]:
    graph = Graph(20)
    return graph, graph.give("mel", (batch, BANDS, frames))


def _spoken(graph: Graph, frames: str, *, hop: int = HOP, less: tuple[int, int] = (0, 0), more: int = 0) -> str:
    """Return samples, ``hop`` for each frame, less some at both ends, or more behind the last."""
    voices = graph.normal(WIDTH, 1, hop + more)
    return graph.node("ConvTranspose", [frames, voices], strides=[hop], pads=list(less))


def vocoder(
    path: Path, frames: int | str = "frames", batch: int | str = "batch", less: tuple[int, int] = (0, 0), more: int = 0
) -> Path:
    """Write a vocoder of convolutions, whose sound may be shorter at both ends or longer at the last one."""
    graph, mel = _mels(frames, batch)
    graph.take(_spoken(graph, graph.see(mel), less=less, more=more), "wav", (batch, 1, "samples"))
    return graph.write(path)


def normalising(path: Path) -> Path:
    """Write a vocoder that takes away the mean over all frames, which its nodes do not tell."""
    graph, mel = _mels()
    mean = graph.node("ReduceMean", [mel], axes=[2], keepdims=1)
    seen = graph.see(graph.node("Sub", [mel, mean]))
    graph.take(_spoken(graph, seen), "wav", ("batch", 1, "samples"))
    return graph.write(path)


def halving(path: Path) -> Path:
    """Write a vocoder with half as many frames inside, which may be shifted by even numbers of frames alone."""
    graph, mel = _mels()
    half = graph.node("Conv", [mel, graph.normal(WIDTH, WIDTH, 4, scale=1.5)], strides=[2], pads=[1, 1])
    graph.take(_spoken(graph, graph.node("Tanh", [half]), hop=2 * HOP), "wav", ("batch", 1, "samples"))
    return graph.write(path)


def fractional(path: Path) -> Path:
    """Write a vocoder that gives 16 samples for each frame but every second one, which has one more."""
    graph, mel = _mels()
    sound = _spoken(graph, graph.see(mel), hop=33)
    graph.take(graph.node("Conv", [sound, graph.normal(1, 1, 1)], strides=[2]), "wav", ("batch", 1, "samples"))
    return graph.write(path)


def stateful(path: Path, frames: int | str = "frames") -> Path:
    """Write a causal vocoder for any batch that takes the frames of before, and gives them for the next call."""
    graph, mel = _mels(frames)
    before = graph.give("state_in", ("batch", BANDS, 4))
    both = graph.node("Concat", [before, mel], axis=2)
    graph.take(_spoken(graph, graph.see(both, pads=(0, 0))), "wav", ("batch", 1, "samples"))
    ends = [graph.constant([number], "int64") for number in (-4, np.iinfo("int64").max, 2)]
    graph.take(graph.node("Slice", [both, *ends]), "state_out", ("batch", BANDS, 4))
    return graph.write(path)


def with_more(path: Path) -> Path:
    """Write a vocoder that also takes lengths, a speaker's vector, a noise scale and f0."""
    from onnx import TensorProto

    graph, mel = _mels()
    lengths = graph.give("mel_lengths", ("batch",), TensorProto.INT64)
    speaker = graph.give("spk_emb", (1, BANDS))
    loudness = graph.give("noise_scale", ())
    f0 = graph.give("f0", ("batch", "frames"))
    total = graph.node("Add", [mel, graph.node("Unsqueeze", [speaker, graph.constant([2], "int64")])])
    total = graph.node("Add", [total, graph.node("Unsqueeze", [f0, graph.constant([1], "int64")])])
    sound = graph.node("Mul", [_spoken(graph, graph.see(total)), loudness])
    count = graph.node(
        "Unsqueeze", [graph.node("Cast", [lengths], to=TensorProto.FLOAT), graph.constant([1, 2], "int64")]
    )
    graph.take(graph.node("Mul", [sound, count]), "wav", ("batch", 1, "samples"))
    return graph.write(path)


def stereo_codec(path: Path) -> Path:
    """Write a codec that gives two channels."""
    from onnx import TensorProto

    graph = Graph(21)
    codes = graph.give("audio_codes", ("batch", 4, "frames"), TensorProto.INT64)
    voices = graph.normal(WIDTH, 2, 320)
    sound = graph.node("ConvTranspose", [graph.see(graph.embed(codes)), voices], strides=[320])
    graph.take(sound, "audio_values", ("batch", 2, "samples"))
    return graph.write(path)


def streamed(plugin: Any, signal: Signal, cut: int, length: int | None = None) -> Any:
    """Return what a transform gives for a signal that comes in blocks of so many frames."""
    from tonearm.api import Context, spec_of

    spec = spec_of(signal).replace(length=length)
    plugin.check_blocks(spec)
    started, values, parts = plugin.start(spec, Context()), signal.block_array(), []
    for first in range(0, values.shape[-1], cut):
        block = values[..., first : first + cut].copy()
        parts.append(started.push(block))
        block[...] = 0  # its memory may be used again
    parts.append(started.finish())
    return np.concatenate([part for part in parts if part.size], axis=-1)
