"""Progress: plugins that may work for minutes report it, never beyond the whole, and never backwards."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import tonearm
import tonearm_plugins
from tonearm.api import (
    ArrayDecoder,
    CodecTokens,
    ComplexSpectrogram,
    Context,
    Item,
    MagnitudeSpectrogram,
    MelDialect,
    MelSpectrogram,
    Sink,
    Source,
    StftGrid,
    Waveform,
)
from tonearm.plugins import progress as progress_module
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import default
from tonearm_plugins.dsp.engines.native import mel_kernel, stft_kernel
from tonearm_plugins.dsp.mapped_memory import RELEASE_BYTES
from tonearm_plugins.dsp.phase_recovery import recovery
from tonearm_plugins.formats import ffmpeg_reading

GRID = StftGrid(sample_rate=16000, n_fft=512, hop_length=128, win_length=512)
RNG = np.random.default_rng(0)


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float | None]]:
    """Every report of progress that reaches the host, of which none is left out."""
    monkeypatch.setattr(progress_module, "PROGRESS_INTERVAL", 0.0)
    return []


def context_of(reported: list[tuple[float, float | None]], threads: int = 1) -> Context:
    return Context(
        threads=threads,
        on_progress=lambda report: reported.append((report.done, report.total)),
        catalogue=default().catalogue,
    )


def plugin(role: str, name: str, **options: Any) -> Any:
    cls = default().find(role, name).resolve()
    return cls(ports_of(cls).options(**options))


def assert_forwards(reported: list[tuple[float, float | None]], least: int) -> None:
    """Assert that there are so many different reports, that they never go back, and that they end at the whole."""
    assert len(set(reported)) >= least
    assert reported == sorted(reported)
    totals = {total for _, total in reported}
    assert len(totals) == 1
    assert reported[-1][0] == reported[-1][1]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("engine", ["auto", "scipy"])
@pytest.mark.parametrize("tolerance_db", [None, 50.0])
def test_of_griffin_lim(
    reported: list[Any], monkeypatch: pytest.MonkeyPatch, engine: str, threads: int, tolerance_db: float | None
) -> None:
    values = RNG.random((3, 257, 200), np.float32)
    griffin_lim = plugin("transform", "griffin-lim", iterations=12, engine=engine, tolerance_db=tolerance_db)
    signal = MagnitudeSpectrogram(values=values, grid=GRID)
    whole = griffin_lim.apply(signal, Context())
    monkeypatch.setattr(recovery, "MIN_WORK", 200 * 512 * 5)  # five iterations from one report to the next
    parts = griffin_lim.apply(signal, context_of(reported, threads))
    np.testing.assert_array_equal(whole.samples, parts.samples)
    assert_forwards(reported, least=4)
    assert reported[-1] == (36, 36)


def test_of_mel_to_wave(reported: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "MIN_WORK", 1)
    dialect = default().catalogue(MelDialect).find("hifigan")
    mel = MelSpectrogram(values=RNG.uniform(-11, 1, (1, 80, 60)).astype("f4"), dialect=dialect)
    plugin("transform", "mel-to-wave", iterations=6).apply(mel, context_of(reported))
    assert_forwards(reported, least=7)


@pytest.mark.parametrize("engine", ["auto", "scipy"])
def test_of_istft_of_a_mapped_file(reported: list[Any], tmp_path: Path, engine: str) -> None:
    frames = 2 * RELEASE_BYTES // (257 * 8)
    values = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.complex64, (1, frames, 257)).transpose(0, 2, 1)
    plugin("transform", "istft", engine=engine).apply(
        ComplexSpectrogram(values=values, grid=GRID), context_of(reported)
    )
    assert_forwards(reported[-2:], least=1)
    assert len(set(reported)) >= 2
    assert reported == sorted(reported)


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What makes small networks."""
    monkeypatch.syspath_prepend(Path(__file__).parent / "networks")
    return importlib.import_module("network_material")


def test_of_the_vocoder(reported: list[Any], tmp_path: Path, networks: Any) -> None:
    options = {"model": str(networks.vocoder(tmp_path / "v.onnx")), "dialect": networks.SMALL}
    vocoder = plugin("transform", "onnx-vocoder", **options, chunk=100)
    vocoder.apply(networks.small_mel(300, 2), context_of(reported))
    assert_forwards(reported, least=6)
    assert reported[-1] == (600, 600)


@pytest.mark.parametrize("segments", [None, (100, 100, 100)])
def test_of_the_codec(reported: list[Any], tmp_path: Path, networks: Any, segments: Any) -> None:
    codec = plugin("transform", "onnx-codec", model=str(networks.stereo_codec(tmp_path / "c.onnx")), chunk=50)
    codec.apply(networks.tokens_of(300, 2, segments=segments), context_of(reported))
    assert_forwards(reported, least=6)
    assert reported[-1] == (600, 600)


@pytest.mark.torch("transformers")
def test_of_models_of_transformers(reported: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model's call cannot be looked into, so each batch of channels is one step."""
    monkeypatch.syspath_prepend(Path(__file__).parent / "transforms")
    models = importlib.import_module("transformers_models")
    vocoder = plugin("transform", "transformers-vocoder", model=str(models.saved(models.made("speecht5"), tmp_path)))
    mel = MelSpectrogram(values=np.zeros((4, 10, 9), np.float32), dialect=models.dialect())
    vocoder.apply(mel, context_of(reported))
    assert_forwards(reported, least=4)
    reported.clear()
    folder = models.saved(models.made("dac"), tmp_path / "dac")
    codec = plugin("transform", "transformers-codec", model=str(folder), batch=2)
    codec.apply(CodecTokens(codes=models.codes(3, 9, 16, channels=8)), context_of(reported))
    assert_forwards(reported, least=4)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_of_torchscript_programs(reported: list[Any], tmp_path: Path) -> None:
    import torch

    program = torch.jit.trace(torch.nn.Sequential(torch.nn.Flatten()), torch.zeros(1, 3, 9))
    program.save(str(tmp_path / "x.pt"))
    options = {"model": str(tmp_path / "x.pt"), "trust": True, "sample_rate": 8000, "dtype": "float32"}
    tokens = CodecTokens(codes=np.zeros((4, 3, 9), np.int32))
    plugin("transform", "torchscript-codec", **options).apply(tokens, context_of(reported))
    assert_forwards(reported, least=4)


NOISE = Waveform(samples=RNG.uniform(-0.5, 0.5, (2, 300_000)).astype("f4"), sample_rate=16000)
MELS = MelSpectrogram(
    values=RNG.uniform(-11, 1, (2, 80, 600)).astype("f4"), dialect=default().catalogue(MelDialect).find("hifigan")
)
HIFIGAN_AT_16000 = msgspec.structs.replace(MELS.dialect, sample_rate=16000, fmax=8000.0)

TRANSFORMS: list[tuple[str, dict[str, Any], Any]] = [
    ("deemphasis", {}, NOISE),
    ("filter", {"high_pass_hz": 80.0}, NOISE),
    ("filter", {"high_pass_hz": 80.0, "zero_phase": True}, NOISE),
    ("hpss", {"keep": "harmonic", "n_fft": 64}, NOISE),
    ("limiter", {"true_peak_db": -20.0}, NOISE),
    ("limiter", {"peak_db": -20.0}, NOISE),
    ("loudness", {"target_lufs": -30.0}, NOISE),
    ("loudness", {"target_lufs": -8.0}, NOISE),
    ("loudness", {"target_lufs": -8.0, "peaks": "lower"}, NOISE),
    ("mel-to-magnitude", {"iterations": 1}, MELS),
    ("resample", {"sample_rate": 24000}, NOISE),
    ("wave-to-mel", {"dialect": HIFIGAN_AT_16000}, NOISE),
    ("wave-to-spectrogram", {"n_fft": 512, "hop_length": 128}, NOISE),
    ("wave-to-spectrogram", {"n_fft": 500, "hop_length": 125}, NOISE),
]


@pytest.mark.parametrize(("name", "options", "signal"), TRANSFORMS)
def test_of_transforms(
    reported: list[Any], monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, Any], signal: Any
) -> None:
    for kernel in (stft_kernel, mel_kernel):
        monkeypatch.setattr(kernel, "STRETCH", 1 << 17)
    plugin("transform", name, **options).apply(signal, context_of(reported))
    assert_forwards(reported, least=4)


def test_of_istft_in_memory(reported: list[Any]) -> None:
    values = np.zeros((1, 257, 2 * RELEASE_BYTES // (257 * 8)), np.complex64)
    plugin("transform", "istft").apply(ComplexSpectrogram(values=values, grid=GRID), context_of(reported))
    assert_forwards(reported, least=2)


def encoded(tmp_path: Path, name: str, suffix: str) -> Path:
    """Write noise by an encoder, and return its path."""
    path = tmp_path / f"sound{suffix}"
    plugin("encoder", name).encode(Item(signal=NOISE), Sink(path, suffix), Context())
    return path


def read(reported: list[Any], path: Path) -> None:
    list(plugin("decoder", "audio-reader").decode(Source(path=path, name=path.name), context_of(reported)))


def assert_goes_on(reported: list[tuple[float, float | None]]) -> None:
    """Assert that all noise was reported in parts, though nobody knew how much of it there is."""
    assert len(set(reported)) >= 4
    assert [done for done, _ in reported] == sorted(done for done, _ in reported)
    assert {total for _, total in reported} == {None}
    assert reported[-1][0] >= NOISE.length  # of AAC, programs may give all of the last frame


@pytest.mark.parametrize(
    ("encoder", "suffix"),
    [("wav-writer", ".wav"), ("flac-writer", ".flac"), ("ogg-writer", ".ogg"), ("mp3-writer", ".mp3"),
     ("aiff-writer", ".aiff"), ("m4a-writer", ".m4a")],
)  # fmt: skip
def test_of_sound_that_is_read(reported: list[Any], tmp_path: Path, encoder: str, suffix: str) -> None:
    read(reported, encoded(tmp_path, encoder, suffix))
    assert_forwards(reported, least=4)


def test_of_sound_that_the_program_reads(reported: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg_reading, "_has_pyav", lambda: False)
    read(reported, encoded(tmp_path, "m4a-writer", ".m4a"))
    assert_goes_on(reported)


def test_of_sounds_that_are_joined(reported: list[Any], tmp_path: Path) -> None:
    path = encoded(tmp_path, "ogg-writer", ".ogg")
    path.write_bytes(2 * path.read_bytes())
    read(reported, path)
    assert_forwards(reported, least=8)
    assert reported[-1] == (2, 2)


def test_of_sound_without_a_length(reported: list[Any], tmp_path: Path) -> None:
    path = encoded(tmp_path, "flac-writer", ".flac")
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # the number of samples has 36 bits
    content[22:26] = bytes(4)
    path.write_bytes(content)
    read(reported, path)
    assert_goes_on(reported)


def test_of_a_table_of_numbers(reported: list[Any], tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("wav\n" + "0.25\n-0.5\n" * 150_000)
    source = Source(path=tmp_path / "x.csv", name="x.csv")
    with plugin("decoder", "text-reader", kind=None).open_arrays(source, context_of(reported)) as arrays:
        assert arrays["wav"].shape == (300_000,)
    assert_forwards(reported, least=3)


@pytest.mark.parametrize("kind", ["waveform", "complex", "magnitude", "mel"])
def test_of_pictures(reported: list[Any], tmp_path: Path, kind: str) -> None:
    values = np.ones((2, 257, 9000), np.float32)
    signals = {
        "waveform": NOISE,
        "complex": ComplexSpectrogram(values=values.astype(np.complex64), grid=GRID),
        "magnitude": MagnitudeSpectrogram(values=values, grid=GRID),
        "mel": MelSpectrogram(values=np.zeros((2, 80, 9000), np.float32), dialect=MELS.dialect),
    }
    item = Item(signal=signals[kind])
    plugin("encoder", "png-writer", n_fft=64).encode(item, Sink(tmp_path / "x.part", ".png"), context_of(reported))
    assert_forwards(reported, least=4)


SOUND = [
    ("wav-writer", ".wav", {}), ("wav-writer", ".wav", {"subtype": "FLOAT"}), ("flac-writer", ".flac", {}),
    ("mp3-writer", ".mp3", {}), ("mp3-writer", ".mp3", {"engine": "soundfile"}),
    ("mp3-writer", ".mp3", {"engine": "pydub"}), ("ogg-writer", ".ogg", {}), ("opus-writer", ".opus", {}),
    ("aac-writer", ".aac", {}), ("m4a-writer", ".m4a", {}), ("m4a-writer", ".m4a", {"codec": "alac"}),
    ("aiff-writer", ".aiff", {}),
    ("aiff-writer", ".aiff", {"subtype": "FLOAT"}), ("raw-writer", ".raw", {"encoding": "pcm_s16le"}),
    ("raw-writer", ".raw", {"encoding": "pcm_f32le"}), ("ffmpeg-writer", ".mka", {}),
    ("npy-writer", ".npy", {"dtype": "int16"}), ("safetensors-writer", ".safetensors", {"dtype": "int16"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "suffix", "options"), SOUND)
def test_of_encoders(reported: list[Any], tmp_path: Path, name: str, suffix: str, options: dict[str, Any]) -> None:
    samples = RNG.uniform(-0.5, 0.5, (2, 300_000)).astype("f4")
    encoder = plugin("encoder", name, **options)
    item = Item(signal=Waveform(samples=samples, sample_rate=48000))
    encoder.encode(item, Sink(tmp_path / "x.part", suffix), context_of(reported))
    assert_forwards(reported, least=2)


def test_of_an_array_that_is_written(reported: list[Any], tmp_path: Path) -> None:
    item = Item(signal=Waveform(samples=np.zeros((2, 6_000_000), np.float32), sample_rate=48000))
    plugin("encoder", "npy-writer").encode(item, Sink(tmp_path / "x.part", ".npy"), context_of(reported))
    assert_forwards(reported, least=3)


def test_a_pipeline_passes_it_on_from_every_stage(reported: list[Any], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", RNG.random((257, 300), np.float32))
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "magnitude", "sample_rate": 16000, "n_fft": 512,
                                                    "hop_length": 128, "axes": ["bin", "frame"]}},
            "steps": [{"use": "griffin-lim"}],
            "outputs": [{"use": "wav-writer", "file": "x.wav"}],
        }
    )  # fmt: skip
    source = next(iter(pipeline.find_sources([str(tmp_path / "x.npy")])))
    (outcome,) = pipeline.items(source, on_progress=lambda report: reported.append((report.done, report.total)))
    assert reported[-1] == (32, 32)
    assert outcome.item is not None
    pipeline.encode(pipeline.outputs[0], outcome, Sink(tmp_path / "x.part", ".wav"))
    assert isinstance(outcome.item.signal, Waveform)
    assert reported[-1] == (outcome.item.signal.length,) * 2


PROVEN = {
    *(("transform", name) for name, _, _ in TRANSFORMS),
    *(("transform", name) for name in ("griffin-lim", "istft", "mel-to-wave", "onnx-codec", "onnx-vocoder")),
    *(("transform", name) for name in ("transformers-codec", "transformers-vocoder", "torchscript-codec")),
    *(("encoder", name) for name, _, _ in SOUND),
    ("encoder", "png-writer"),
    ("decoder", "audio-reader"),
}
"""Plugins whose progress the tests above assert."""

SILENT = {
    ("transform", "concat"): "copies",
    ("transform", "dc-remove"): "two passes of additions",
    ("transform", "fade"): "a copy, and the samples of the fades",
    ("transform", "gain"): "one multiplication",
    ("transform", "guard"): "a few passes of comparisons, and some frames alone for noise",
    ("transform", "mix"): "a sum of channels",
    ("transform", "mu-law-decode"): "a table, or one pass of exponentials",
    ("transform", "normalize"): "two passes and one multiplication",
    ("transform", "pad"): "a copy",
    ("transform", "pitch-shift"): "librosa's phase vocoder: one call, whose phases depend on all frames before",
    ("transform", "split"): "one pass of powers",
    ("transform", "time-stretch"): "librosa's phase vocoder: one call, whose phases depend on all frames before",
    ("transform", "trim"): "one pass of powers",
    ("decoder", "codec-file-reader"): "some bits of each frame: an hour has less than a few megabytes",
    ("encoder", "tokens-writer"): "one text of some marks a frame",
    ("decoder", "pcm-reader"): "one conversion of mapped samples",
}
"""Plugins that report no progress, and why: they take less than 0.3 s for 20 minutes, or are one call of a library."""


def test_every_plugin_reports_or_has_a_reason_not_to() -> None:
    """A plugin that is added needs a test of its progress, or a line of the table."""
    plugins = {("transform", name) for name in tonearm_plugins.tonearm_transforms()}
    plugins |= {("encoder", name) for name in tonearm_plugins.tonearm_encoders()}
    decoders = {name: default().find("decoder", name).resolve() for name in tonearm_plugins.tonearm_decoders()}
    plugins |= {("decoder", name) for name, cls in decoders.items() if not issubclass(cls, ArrayDecoder)}
    assert not PROVEN & SILENT.keys()
    assert plugins == PROVEN | SILENT.keys()


@pytest.mark.parametrize(("role", "name"), SILENT)
def test_the_table_has_no_plugin_that_reports(role: str, name: str) -> None:
    module = importlib.import_module(default().find(role, name).resolve().__module__)
    assert "progress" not in inspect.getsource(module)
