"""TorchScript programs as decoders: what they get and give, and that none runs without trust."""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers_models import RNG, codes, dialect, pipeline, registry

import tonearm
from tonearm.api import Codebooks, CodecTokens, Context, ItemError, LatentFormat, Latents, MelSpectrogram, Spec
from tonearm_plugins.transforms.torchscript_codec import TorchscriptCodec, TorchscriptCodecOptions

pytestmark = pytest.mark.torch

TABLE = np.arange(64, dtype="f4").reshape(16, 4) / 640
"""Sound of each code."""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Programs whose sound is known: that of each code, books weighted by 1, 2, 3 …."""
    import torch

    folder = tmp_path_factory.mktemp("programs")

    class Books(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = torch.nn.Buffer(torch.tensor(TABLE))

        def forward(self, codes: torch.Tensor) -> torch.Tensor:
            weights = torch.arange(1, codes.shape[1] + 1, dtype=torch.float32)[None, :, None, None]
            return (self.table[codes] * weights).sum(1).flatten(1)[:, None]

    class BookFirst(Books):
        def forward(self, codes: torch.Tensor) -> tuple[torch.Tensor, int]:
            weights = torch.arange(1, codes.shape[0] + 1, dtype=torch.float32)[:, None, None]
            return (self.table[codes] * weights).sum(0).flatten(), 3

    class Levels(Books):
        def forward(self, coarse: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
            return self.table[coarse].repeat_interleave(2, 1).flatten(1) + self.table[fine].flatten(1)

        @torch.jit.export
        def decode(self, levels: list[torch.Tensor]) -> torch.Tensor:
            return self.forward(levels[0], levels[1])

    class Bands(torch.nn.Module):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return values.mean(1).repeat_interleave(8, 1)

    paths = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for cls in (Books, BookFirst, Levels, Bands):
            paths[cls.__name__] = str(folder / f"{cls.__name__}.pt")
            torch.jit.script(cls()).save(paths[cls.__name__])
        torch.save({"weight": torch.zeros(3)}, folder / "weights.pt")
    return paths | {"weights": str(folder / "weights.pt")}


def codec(model: str, **options: Any) -> TorchscriptCodec:
    made = TorchscriptCodecOptions(model=model, trust=True, **options)
    assert [str(problem) for problem in made.problems()] == []
    return TorchscriptCodec(made)


def of_books(given: Any) -> Any:
    """Return the sound of codes (channels, books, frames)."""
    weights = np.arange(1, given.shape[1] + 1, dtype="f4")[None, :, None, None]
    return (TABLE[given] * weights).sum(1).reshape(len(given), -1)


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_all_books_in_one_argument(programs: Any, batch: int) -> None:
    given = codes(3, 20, 16, channels=3)
    tokens = CodecTokens(codes=given, sizes=16, sample_rate=24000, length=77)
    wave = codec(programs["Books"], batch=batch).apply(tokens, Context())
    np.testing.assert_allclose(wave.samples, of_books(given)[:, :77], atol=1e-6)
    assert (wave.sample_rate, wave.samples.dtype) == (24000, np.float32)


def test_axes_in_the_programs_order_and_the_first_of_several_outputs(programs: Any) -> None:
    given = codes(3, 20, 16, channels=2)
    plugin = codec(programs["BookFirst"], axes=("book", "frame"), dtype="int32", sample_rate=8000)
    np.testing.assert_allclose(plugin.apply(CodecTokens(codes=given), Context()).samples, of_books(given), atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"levels": "list", "method": "decode"}])
def test_levels_of_rates_of_their_own(programs: Any, options: dict[str, Any]) -> None:
    coarse, fine = codes(1, 10, 16, channels=2)[:, 0], codes(1, 20, 16, channels=2)[:, 0]
    tokens = CodecTokens(codes=(coarse, fine), sizes=16, strides=(2, 1), sample_rate=8000)
    wave = codec(programs["Levels"], **options).apply(tokens, Context())
    expected = TABLE[coarse].repeat(2, axis=1).reshape(2, -1) + TABLE[fine].reshape(2, -1)
    np.testing.assert_allclose(wave.samples, expected, atol=1e-6)


def test_latents_and_mel_spectrograms(programs: Any) -> None:
    values = RNG.normal(size=(2, 10, 12)).astype("f4")
    latents = Latents(values=values, format=LatentFormat(sample_rate=8000, samples_per_frame=8))
    mel = MelSpectrogram(values=values, dialect=dialect(), length=90)
    expected = values.mean(1).repeat(8, axis=1)
    np.testing.assert_allclose(codec(programs["Bands"]).apply(latents, Context()).samples, expected, atol=1e-6)
    wave = codec(programs["Bands"]).apply(mel, Context())
    np.testing.assert_allclose(wave.samples, expected[:, :90], atol=1e-6)
    assert wave.sample_rate == 8000


def test_it_is_loaded_once_a_worker(programs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tonearm_plugins.transforms import torchscript_codec

    loads: list[str] = []
    load = torchscript_codec.load_program
    monkeypatch.setattr(
        torchscript_codec, "load_program", lambda model, device: (loads.append(model), load(model, device))[1]
    )
    plugin = codec(programs["Books"], sample_rate=8000)
    tokens = CodecTokens(codes=codes(3, 5, 16))
    for _ in range(3):
        first = plugin.apply(tokens, Context()).samples
    again = pickle.loads(pickle.dumps(plugin))
    np.testing.assert_array_equal(again.apply(tokens, Context()).samples, first)
    assert len(loads) == 2


def test_a_pipeline_in_yaml(programs: Any, tmp_path: Path) -> None:
    (tmp_path / "decoder.pt").write_bytes(Path(programs["Books"]).read_bytes())
    given = pipeline(
        "tokens-source",
        {"books": [16] * 3, "sample_rate": 8000},
        "torchscript-codec",
        {"model": "decoder.pt", "trust": True},
    )
    (tmp_path / "a.yaml").write_text(json.dumps(given))
    tokens = CodecTokens(codes=codes(3, 5, 16), sample_rate=8000)
    (wave,) = tonearm.load_pipeline(tmp_path / "a.yaml", plugins=registry()).convert(tokens)
    np.testing.assert_allclose(wave.samples, of_books(tokens.codes), atol=1e-6)


class TestRefused:
    def problems(self, model: str, given: dict[str, Any], **options: Any) -> Any:
        document = pipeline("tokens-source", given, "torchscript-codec", {"model": model, **options})
        with pytest.raises(tonearm.PipelineError) as caught:
            tonearm.load_pipeline(document, plugins=registry())
        return caught.value.problems

    def test_without_trust(self, programs: Any) -> None:
        (problem,) = self.problems(programs["Books"], {"sample_rate": 8000})
        assert problem.code == "needs-trust"
        assert "is a program, which can do whatever you can, so torchscript-codec does not run it" in problem.message
        assert problem.hint == '"trust": True, if you trust whoever made it'
        untrusted = TorchscriptCodec(TorchscriptCodecOptions(model=programs["Books"], sample_rate=8000))
        with pytest.raises(ItemError, match="not trusted"):
            untrusted.apply(CodecTokens(codes=codes(3, 5, 16)), Context())

    def test_what_is_no_program(self, programs: Any, tmp_path: Path) -> None:
        (problem,) = self.problems(programs["weights"], {"sample_rate": 8000}, trust=True)
        assert problem.code == "bad-model"
        assert problem.message.endswith(
            "is no program of TorchScript: it holds tensors or a state_dict, and no program"
        )
        (tmp_path / "x.pt").write_bytes(b"PK\3\4 but no more")
        (problem,) = self.problems(str(tmp_path / "x.pt"), {"sample_rate": 8000}, trust=True)
        assert problem.message.endswith("it is no zip archive, as torch.jit.save writes")

    def test_options_that_contradict_each_other(self, programs: Any) -> None:
        options = {"trust": True, "axes": ["book", "book"], "batch": 2}
        found = self.problems(programs["Books"], {"sample_rate": 8000}, **options)
        assert [problem.message.partition(": ")[2] for problem in found] == [
            "axes are book, book; each stands once, and frame is one of them",
            "axes have no batch, so the program cannot get 2 channels at once",
        ]

    def test_rates(self, programs: Any) -> None:
        (problem,) = self.problems(programs["Books"], {}, trust=True)
        assert problem.code == "missing-option"
        (problem,) = self.problems(programs["Books"], {"sample_rate": 8000}, trust=True, sample_rate=16000)
        assert problem.code == "rate-mismatch"
        spec = Spec(signals=(CodecTokens,)).carrying(Codebooks(sizes=(16,), sample_rate=8000))
        assert codec(programs["Books"]).produces(spec).sample_rate == 8000

    def test_codes_beyond_the_books(self, programs: Any) -> None:
        given = codes(3, 5, 16)
        given[0, 1, 4] = 99
        tokens = CodecTokens(codes=given, sizes=16, sample_rate=8000)
        with pytest.raises(ItemError, match="code 99 in book 1, frame 4 is not one of 0 to 15"):
            codec(programs["Books"]).apply(tokens, Context())

    def test_a_program_that_fails_or_gives_no_sound(self, programs: Any) -> None:
        tokens = CodecTokens(codes=codes(3, 5, 16), sample_rate=8000)
        with pytest.raises(ItemError, match=r"failed on forward\(int64 \(1, 3, 5\)\): .*fine") as caught:
            codec(programs["Levels"]).apply(tokens, Context())
        assert caught.value.code == "model-failed"
        with pytest.raises(ItemError, match="the model has no method vocode"):
            codec(programs["Levels"], method="vocode").apply(tokens, Context())
