"""Codecs of transformers: small random models, each against what its own class decodes, and what `check` refuses."""

from __future__ import annotations

import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers_models import RNG, codes, made, pipeline, registry, saved

import tonearm
from tonearm.api import Codebooks, CodecTokens, Context, ItemError, LatentFormat, Latents, Spec, Waveform
from tonearm_plugins.transforms.transformers_codec import TransformersCodec, TransformersCodecOptions

pytestmark = pytest.mark.torch("transformers")

SMALL = {  # books, size, frames, samples per frame
    "dac": (3, 16, 20, 8),
    "mimi": (4, 32, 20, 16),
    "xcodec": (2, 16, 20, 8),
    "xcodec2": (1, 64, 20, 8),
    "neucodec": (1, 64, 20, 12),
    "wavtokenizer": (1, 32, 20, 8),
}
LATENT = {"dac": 8, "xcodec2": 48, "neucodec": 48, "pocket": 6, "vibevoice": 6}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Folders of models by name, each saved when it is asked for first, beside the model itself."""
    root, known = tmp_path_factory.mktemp("models"), {}

    def folder(name: str) -> tuple[Any, Path]:
        if name not in known:
            model = made(name)
            known[name] = model, saved(model, root / name)
        return known[name]

    return folder


def codec(folder: Path | str, **options: Any) -> TransformersCodec:
    return TransformersCodec(TransformersCodecOptions(model=str(folder), **options))


def own(model: Any, *given: Any, **named: Any) -> Any:
    """Return what the model's own class decodes, as (batch · channels, samples)."""
    import torch

    with torch.inference_mode():
        found = model.decode(*given, **named)
    found = found.audio if hasattr(found, "audio") else found.audio_values
    return found.reshape(-1, found.shape[-1]).numpy()


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("frames", [2, 20])
def test_tokens_become_what_the_class_decodes(folders: Any, name: str, frames: int) -> None:
    import torch

    model, folder = folders(name)
    books, size, _, samples = SMALL[name]
    given = codes(books, frames, size)
    wave = codec(folder, device="cpu").apply(CodecTokens(codes=given, sizes=size), Context())
    expected = own(model, audio_codes=torch.tensor(given, dtype=torch.int64))
    assert np.abs(expected).max() > 1e-4
    np.testing.assert_allclose(wave.samples, expected, atol=1e-6 * np.abs(expected).max())
    assert wave.samples.dtype == np.float32
    assert abs(wave.length - frames * samples) < samples
    other = own(model, audio_codes=torch.tensor((given + 1) % size, dtype=torch.int64))
    assert np.abs(other - expected).max() > 1e-5  # the codes count


@pytest.mark.parametrize("name", LATENT)
def test_latents_become_what_the_class_decodes(folders: Any, name: str) -> None:
    import torch

    model, folder = folders(name)
    values = RNG.normal(size=(1, LATENT[name], 15)).astype("f4")
    rate = {"xcodec2": 16000, "neucodec": 24000}.get(name, 8000)
    samples = {"pocket": 16, "neucodec": 12}.get(name, 8)
    signal = Latents(values=values, format=LatentFormat(sample_rate=rate, samples_per_frame=samples))
    wave = codec(folder).apply(signal, Context())
    given = torch.tensor(values)
    if name == "dac":
        expected = own(model, quantized_representation=given)
    else:
        expected = own(model, latents=given.transpose(1, 2) if name in ("pocket", "vibevoice") else given)
    np.testing.assert_allclose(wave.samples, expected, atol=1e-6 * np.abs(expected).max())
    assert wave.sample_rate == rate


def test_encodec_decodes_one_segment(folders: Any) -> None:
    import torch

    model, folder = folders("encodec")
    given = codes(2, 30, 32)
    wave = codec(folder).apply(CodecTokens(codes=given), Context())
    np.testing.assert_array_equal(wave.samples, own(model, torch.tensor(given[None], dtype=torch.int64), [None]))
    assert (wave.sample_rate, wave.length) == (8000, 240)


def test_encodec_joins_segments_with_their_scales(folders: Any) -> None:
    """Segments of 20 frames begin every 144 samples; the last one is shorter, and was padded by the encoder."""
    import torch

    model, folder = folders("encodec48")
    given = codes(2, 53, 32)
    scales = (0.5, 2.0, 0.25)
    tokens = CodecTokens(codes=given, sizes=32, segments=(20, 20, 13), scales=scales, length=360)
    wave = codec(folder).apply(tokens, Context())
    padded = np.concatenate([given, np.zeros((1, 2, 7), np.int32)], axis=-1)
    segments = torch.tensor(np.stack(np.split(padded, 3, axis=-1)), dtype=torch.int64)
    factors = [torch.full((1, 1), scale) for scale in scales]
    expected = own(model, segments, factors, last_frame_pad_length=7)
    np.testing.assert_array_equal(wave.samples, expected[:, :360])
    assert wave.samples.shape == (2, 360)
    flat = codec(folder).apply(CodecTokens(codes=given, segments=(20, 20, 13)), Context())
    assert np.abs(flat.samples[:, :360] - wave.samples).max() > 1e-3  # scales count


def test_channels_are_decoded_one_by_one_and_a_batch_gives_the_same(folders: Any) -> None:
    import torch

    model, folder = folders("mimi")
    given = codes(4, 25, 32, channels=3)
    alone = codec(folder).apply(CodecTokens(codes=given, length=333), Context())
    expected = np.concatenate([own(model, torch.tensor(one[None], dtype=torch.int64)) for one in given])
    np.testing.assert_array_equal(alone.samples, expected[:, :333])
    together = codec(folder, batch=2).apply(CodecTokens(codes=given, length=333), Context())
    np.testing.assert_allclose(together.samples, alone.samples, atol=1e-5 * np.abs(alone.samples).max())


def test_fewer_books_than_the_codec_has_are_decoded(folders: Any) -> None:
    import torch

    model, folder = folders("dac")
    given = codes(2, 9, 16)
    wave = codec(folder).apply(CodecTokens(codes=given), Context())
    np.testing.assert_array_equal(wave.samples, own(model, audio_codes=torch.tensor(given, dtype=torch.int64)))


def test_a_codec_inside_a_larger_model_is_found(tmp_path: Path, folders: Any) -> None:
    """Only its own weights are read, of all that the folder holds."""
    import torch
    from safetensors.torch import load_file, save_file

    model, folder = folders("mimi")
    inner = json.loads((folder / "config.json").read_text())
    weights = {f"codec_model.{name}": value for name, value in load_file(folder / "model.safetensors").items()}
    whole = {"model_type": "csm", "architectures": ["CsmForConditionalGeneration"], "codec_config": inner}
    (tmp_path / "config.json").write_text(json.dumps(whole))
    save_file({**weights, "lm_head.weight": torch.zeros(4, 4)}, tmp_path / "model.safetensors", {"format": "pt"})
    given = codes(4, 12, 32)
    wave = codec(tmp_path).apply(CodecTokens(codes=given), Context())
    np.testing.assert_array_equal(wave.samples, own(model, torch.tensor(given, dtype=torch.int64)))


def test_a_pipeline_in_yaml_runs_it_in_workers(tmp_path: Path, folders: Any) -> None:
    """The path of the model is relative to the pipeline's file."""
    import soundfile
    import torch

    model, folder = folders("dac")
    (tmp_path / "models").mkdir()
    (tmp_path / "models/dac").symlink_to(folder)
    given = pipeline("tokens-source", {"books": [16] * 3}, "transformers-codec", {"model": "models/dac"})
    (tmp_path / "decode.yaml").write_text(json.dumps(given))
    loaded = tonearm.load_pipeline(tmp_path / "decode.yaml", plugins=registry())
    tokens = CodecTokens(codes=codes(3, 40, 16), sizes=16)
    (wave,) = loaded.convert(tokens)
    np.testing.assert_array_equal(wave.samples, own(model, audio_codes=torch.tensor(tokens.codes, dtype=torch.int64)))
    assert wave.sample_rate == 8000
    saved_to = tonearm.save(tokens, tmp_path / "a.wav", steps=[("transformers-codec", {"model": str(folder)})])
    samples, rate = soundfile.read(saved_to.path, dtype="float32")
    assert rate == 8000
    np.testing.assert_allclose(samples, wave.samples[0], atol=2**-15)


def test_a_model_is_loaded_once_a_worker(folders: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tonearm_plugins.networks import transformers_model

    loads = []
    load = transformers_model.load
    plugin = codec(folders("dac")[1])
    plugin._models._load = lambda *given: (loads.append(given), load(*given))[1]
    for _ in range(3):
        plugin.apply(CodecTokens(codes=codes(3, 5, 16)), Context())
    assert len(loads) == 1
    sent = pickle.dumps(plugin)
    assert len(sent) < 1000
    again = pickle.loads(sent)
    assert again._models._models == {}
    assert again.apply(CodecTokens(codes=codes(3, 5, 16)), Context()).length == 40
    monkeypatch.setattr(os, "getpid", lambda: -1)  # as in a fork
    plugin.apply(CodecTokens(codes=codes(3, 5, 16)), Context())
    assert len(loads) == 2


def test_threads_are_those_of_the_context_and_settings_come_back(folders: Any) -> None:
    import torch

    seen = []
    model, folder = folders("dac")
    plugin = codec(folder)
    plugin._models._load = lambda *_: model
    hook = model.decoder.register_forward_hook(
        lambda *_: seen.append((torch.get_num_threads(), torch.is_grad_enabled()))
    )
    before = torch.get_num_threads(), torch.is_grad_enabled(), torch.backends.cudnn.allow_tf32
    try:
        plugin.apply(CodecTokens(codes=codes(3, 5, 16)), Context(threads=3))
    finally:
        hook.remove()
    assert seen == [(3, False)]
    assert (torch.get_num_threads(), torch.is_grad_enabled(), torch.backends.cudnn.allow_tf32) == before


class TestCheck:
    """`check` reads the config alone, and refuses what does not fit."""

    def refusals(self, folder: Path, given: dict[str, Any], source: str = "tokens-source", **options: Any) -> Any:
        document = pipeline(source, given, "transformers-codec", {"model": str(folder), **options})
        with pytest.raises(tonearm.PipelineError) as caught:
            tonearm.load_pipeline(document, plugins=registry())
        (problem,) = caught.value.problems
        return problem

    def test_all_differences_of_the_books_are_named_at_once(self, folders: Any) -> None:
        given = {"books": [2048] * 12, "sample_rate": 44100, "samples_per_frame": 512}
        problem = self.refusals(folders("dac")[1], given)
        assert (problem.code, problem.message) == (
            "model-mismatch",
            "transformers-codec: DacModel does not take the tokens, which have 12 books, not at most 3 books;"
            " codebooks of size 2048, not 16; 44100 Hz, not 8000 Hz; 512 samples a frame, not 8",
        )
        assert problem.hint == (
            '"model": … (the model that the tokens are for); change the layout in the options of input'
        )

    @pytest.mark.parametrize(
        ("name", "given", "expected"),
        [
            ("mimi", {"books": [32] * 5}, "which have 5 books, not at most 4 books"),
            ("mimi", {"books": [2048] * 4}, "which have codebooks of size 2048, not 32"),
            ("mimi", {"samples_per_frame": 8}, "which have 8 samples a frame, not 16"),
            ("encodec", {"books": [32] * 4, "sample_rate": 24000}, "which have 24000 Hz, not 8000 Hz"),
            ("encodec", {"books": [32] * 5}, "which have 5 books, not at most 4 books"),
            ("xcodec", {"books": [16] * 3}, "which have 3 books, not at most 2 books"),
            ("neucodec", {"books": [65536]}, "which have codebooks of size 65536, not 64"),
            ("xcodec2", {"books": [64] * 2}, "which have 2 books, not 1 book"),
            ("dac", {"books": [4096] * 3, "strides": [4, 2, 1]}, "levels of rates of their own, not at most 3 books"),
            ("pocket", {"books": [32]}, "PocketTTSAudioTokenizerModel decodes latents of 6 bands, and no tokens"),
        ],
    )
    def test_one_difference(self, folders: Any, name: str, given: dict[str, Any], expected: str) -> None:
        problem = self.refusals(folders(name)[1], given)
        assert problem.code == "model-mismatch"
        assert expected in problem.message

    def test_one_rate_is_the_line_to_change(self, folders: Any) -> None:
        problem = self.refusals(folders("dac")[1], {"books": [16] * 3, "sample_rate": 44100})
        assert '"sample_rate": 8000 in the options of input' in problem.hint

    def test_latents(self, folders: Any) -> None:
        assert (
            "MimiModel decodes tokens, and no latents"
            in self.refusals(folders("mimi")[1], {}, "latents-source").message
        )
        problem = self.refusals(folders("pocket")[1], {"sample_rate": 24000}, "latents-source")
        assert "which have 24000 Hz, not 8000 Hz; 8 samples a frame, not 16" in problem.message

    def test_what_fits_gives_the_rate_and_the_channels(self, folders: Any) -> None:
        books = Codebooks(sizes=(32, 32))
        for name, rate, channels in (("encodec", 8000, 3), ("encodec48", 8000, 6)):
            spec = Spec(signals=(CodecTokens,), channels=3).carrying(books)
            found = codec(folders(name)[1]).produces(spec)
            assert (found.signals, found.sample_rate, found.channels) == ((Waveform,), rate, channels)
            assert found.carried == {}

    def test_neither_torch_nor_transformers_is_imported(self, folders: Any) -> None:
        """In an interpreter of its own, and no weights are opened."""
        import subprocess

        folder = folders("dac")[1]
        code = (
            "import sys, json\n"
            f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
            "opened = []\n"
            "sys.addaudithook(lambda name, given: opened.append(str(given[0])) if name == 'open' else None)\n"
            "import tonearm, transformers_models as made\n"
            f"model = {{'model': {str(folder)!r}}}\n"
            "given = made.pipeline('tokens-source', {'books': [16] * 3}, 'transformers-codec', model)\n"
            "tonearm.load_pipeline(given, plugins=made.registry())\n"
            "assert not {'torch', 'transformers', 'safetensors', 'huggingface_hub'} & set(sys.modules)\n"
            "print({name for name in opened if 'dac' in name})\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == str({str(folder / "config.json")})

    def test_folders_that_hold_no_model(self, folders: Any, tmp_path: Path) -> None:
        cases = {
            "no config": ({}, "bad-model"),
            "no JSON": ({"config.json": "{"}, "bad-model"),
            "a list": ({"config.json": "[]"}, "bad-model"),
            "nothing in it": ({"config.json": "{}"}, "unknown-model"),
            "a language model": ({"config.json": '{"model_type": "llama"}'}, "unknown-model"),
            "a vocoder": ({"config.json": '{"model_type": "univnet"}'}, "unknown-model"),
            "no figures": ({"config.json": '{"model_type": "dac", "downsampling_ratios": 3}'}, "bad-model"),
            "no weights": ({"config.json": '{"model_type": "dac"}'}, "no-weights"),
            "a missing part": (
                {
                    "config.json": '{"model_type": "dac"}',
                    "model.safetensors.index.json": '{"weight_map": {"a": "model-1.safetensors"}}',
                },
                "no-weights",
            ),
            "a part elsewhere": (
                {
                    "config.json": '{"model_type": "dac"}',
                    "model.safetensors.index.json": '{"weight_map": {"a": "../x.safetensors"}}',
                },
                "no-weights",
            ),
        }
        (tmp_path / "x.safetensors").touch()
        found = {}
        for name, (files, _) in cases.items():
            folder = tmp_path / name.replace(" ", "_")
            folder.mkdir()
            for file, text in files.items():
                (folder / file).write_text(text)
            found[name] = self.refusals(folder, {})
        assert {name: problem.code for name, problem in found.items()} == {
            name: code for name, (_, code) in cases.items()
        }
        assert "is of model_type 'llama', which is none of the classes that decode here: DacModel, Enc" in (
            found["a language model"].message
        )
        assert found["a vocoder"].hint == "use transformers-vocoder"

    def test_a_sample_rate_that_the_model_contradicts(self, folders: Any) -> None:
        problem = self.refusals(folders("dac")[1], {"books": [16] * 3}, sample_rate=16000)
        assert (problem.code, problem.hint) == ("rate-mismatch", "leave sample_rate out")
        assert problem.message.endswith("sample_rate is 16000 Hz, but DacModel gives sound at 8000 Hz")


class TestSignals:
    """What shows in a signal alone fails its item."""

    def test_a_code_out_of_range_is_named_with_its_place(self, folders: Any) -> None:
        given = codes(3, 9, 16, channels=2)
        given[1, 2, 7] = 16
        with pytest.raises(ItemError, match="code 16 in channel 1, book 2, frame 7 is not one of 0 to 15"):
            codec(folders("dac")[1]).apply(CodecTokens(codes=given), Context())
        given[0, 0, 3] = -1
        with pytest.raises(ItemError, match="code -1 in channel 0, book 0, frame 3") as caught:
            codec(folders("dac")[1]).apply(CodecTokens(codes=given), Context())
        assert caught.value.code == "bad-token"

    def test_books_and_bands(self, folders: Any) -> None:
        with pytest.raises(ItemError, match="have 4 books, not at most 3 books"):
            codec(folders("dac")[1]).apply(CodecTokens(codes=codes(4, 9, 16)), Context())
        latents = Latents(values=np.zeros((1, 5, 9), "f4"), format=LatentFormat(sample_rate=8000, samples_per_frame=8))
        with pytest.raises(ItemError, match="DacModel takes latents of 8 bands, but there are 5"):
            codec(folders("dac")[1]).apply(latents, Context())

    def test_segments(self, folders: Any) -> None:
        for name, books in (("dac", 3), ("encodec", 2)):
            tokens = CodecTokens(codes=codes(books, 9, 16), segments=(5, 4))
            with pytest.raises(ItemError, match=r"in 2 segments, but this .* decodes one") as caught:
                codec(folders(name)[1]).apply(tokens, Context())
            assert caught.value.code == "model-mismatch"

    def test_what_the_class_itself_cannot_decode(self, folders: Any) -> None:
        with pytest.raises(ItemError, match=r"Xcodec2Model failed: ValueError: .*size \[1, 32, 1\]") as caught:
            codec(folders("xcodec2")[1]).apply(CodecTokens(codes=codes(1, 1, 64)), Context())
        assert caught.value.code == "model-failed"

    def test_a_device_that_is_missing(self, folders: Any) -> None:
        import torch

        if torch.cuda.is_available():
            pytest.skip("this machine has CUDA")
        with pytest.raises(ItemError, match="no device cuda") as caught:
            codec(folders("dac")[1], device="cuda").apply(CodecTokens(codes=codes(3, 5, 16)), Context())
        assert caught.value.code == "no-device"


class TestWeights:
    """Weights are data: nothing in a folder runs, and a model that lacks some is refused."""

    def test_weights_that_are_missing_are_not_made_up(self, folders: Any, tmp_path: Path) -> None:
        from safetensors.torch import load_file, save_file

        folder = folders("dac")[1]
        weights = load_file(folder / "model.safetensors")
        (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
        decoding = {name: value for name, value in weights.items() if not name.startswith("encoder.")}
        save_file(decoding, tmp_path / "model.safetensors", {"format": "pt"})
        tokens = CodecTokens(codes=codes(3, 5, 16))
        whole = codec(folder).apply(tokens, Context())
        np.testing.assert_array_equal(codec(tmp_path).apply(tokens, Context()).samples, whole.samples)
        name = next(name for name in sorted(decoding) if name.startswith("decoder."))
        del decoding[name]
        save_file(decoding, tmp_path / "model.safetensors", {"format": "pt"})
        with pytest.raises(ItemError, match=f"lack 1 of its tensors, such as {name}") as caught:
            codec(tmp_path).apply(tokens, Context())
        assert caught.value.code == "bad-model"

    def test_what_pytorch_saved_is_read_without_running_it(self, folders: Any, tmp_path: Path) -> None:
        import torch

        model, folder = folders("dac")
        (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
        torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
        tokens = CodecTokens(codes=codes(3, 5, 16))
        expected = codec(folder).apply(tokens, Context()).samples
        np.testing.assert_array_equal(codec(tmp_path).apply(tokens, Context()).samples, expected)

        class Hostile:
            def __reduce__(self) -> Any:
                return os.mkdir, (str(tmp_path / "run"),)

        torch.save({**model.state_dict(), "x": Hostile()}, tmp_path / "pytorch_model.bin")
        with pytest.raises(ItemError, match="cannot be loaded as DacModel: its weights are pickled") as caught:
            codec(tmp_path).apply(tokens, Context())
        assert caught.value.code == "bad-model"
        assert not (tmp_path / "run").exists()

    def test_code_beside_the_weights_is_not_imported(self, folders: Any, tmp_path: Path) -> None:
        model, folder = folders("dac")
        saved(model, tmp_path)
        config = json.loads((tmp_path / "config.json").read_text())
        config["auto_map"] = {"AutoModel": "code.Model", "AutoConfig": "code.Config"}
        (tmp_path / "config.json").write_text(json.dumps(config))
        (tmp_path / "code.py").write_text(f"import os; os.mkdir({str(tmp_path / 'run')!r})")
        tokens = CodecTokens(codes=codes(3, 5, 16))
        expected = codec(folder).apply(tokens, Context()).samples
        np.testing.assert_array_equal(codec(tmp_path).apply(tokens, Context()).samples, expected)
        assert not (tmp_path / "run").exists()

    def test_new_weights_count_for_outputs_and_a_new_place_does_not(self, folders: Any, tmp_path: Path) -> None:
        from tonearm.pipeline.provenance import fingerprint_of

        def fingerprint(folder: Path) -> str:
            given = pipeline("tokens-source", {"books": [16] * 3}, "transformers-codec", {"model": str(folder)})
            return fingerprint_of(tonearm.load_pipeline(given, plugins=registry()).checked)

        model, folder = folders("dac")
        moved = saved(model, tmp_path / "moved")
        assert fingerprint(moved) == fingerprint(folder)
        (moved / "README.md").write_text("hello")
        assert fingerprint(moved) == fingerprint(folder)
        saved(made("dac").double(), moved)
        assert fingerprint(moved) != fingerprint(folder)


class TestHub:
    """Names of the hub: its cache is laid out by hand, and a downloader stands in for the network alone."""

    @pytest.fixture
    def cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.chdir(tmp_path)
        return tmp_path / "hf/hub"

    def put(self, cache: Path, model: Any, repository: str = "acme/tiny", commit: str = "c0ffee") -> Path:
        folder = cache / f"models--{repository.replace('/', '--')}"
        snapshot = saved(model, folder / "snapshots" / commit)
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs/main").write_text(commit)
        return snapshot

    @pytest.mark.parametrize("name", ["acme/tiny", "acme/tiny@main", "acme/tiny@c0ffee"])
    def test_a_model_in_the_cache_is_used(self, folders: Any, cache: Path, name: str) -> None:
        model, folder = folders("dac")
        self.put(cache, model)
        document = pipeline("tokens-source", {"books": [16] * 3}, "transformers-codec", {"model": name})
        loaded = tonearm.load_pipeline(document, plugins=registry())
        loaded.preflight()
        tokens = CodecTokens(codes=codes(3, 5, 16))
        (wave,) = loaded.convert(tokens)
        np.testing.assert_array_equal(wave.samples, codec(folder).apply(tokens, Context()).samples)

    def test_one_that_is_missing_is_a_problem_with_the_command(self, cache: Path) -> None:
        problem = TestCheck().refusals(Path("acme/tiny"), {"books": [16] * 3})
        assert (problem.code, problem.message) == (
            "no-model",
            "transformers-codec: there is no folder acme/tiny, and the cache of the hub has no model acme/tiny",
        )
        assert problem.hint == "tonearm run --download PIPELINE, or convert --download, or download=True from Python"
        problem = TestCheck().refusals(Path("/no/such/folder"), {})
        assert (problem.code, "there is no file /no/such/folder" in problem.message) == ("no-such-file", True)

    def test_it_is_downloaded_where_the_user_asks_for_it(
        self, folders: Any, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import huggingface_hub

        asked = []

        def snapshot_download(repository: str, *, revision: str | None, allow_patterns: list[str]) -> str:
            asked.append((repository, revision, allow_patterns))
            return str(self.put(cache, folders("dac")[0], repository))

        monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
        options = {"model": "acme/tiny", "download": True}
        document = pipeline("tokens-source", {"books": [16] * 3}, "transformers-codec", options)
        loaded = tonearm.load_pipeline(document, plugins=registry())
        assert asked == []  # the check downloads nothing
        loaded.preflight()
        loaded.preflight()
        assert asked == [("acme/tiny", None, ["*.json", "*.safetensors"])]
        (wave,) = loaded.convert(CodecTokens(codes=codes(3, 5, 16)))
        assert wave.length == 40

    def test_a_mismatch_shows_before_any_item_when_it_has_come(
        self, folders: Any, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import huggingface_hub

        put = lambda repository, **_: str(self.put(cache, folders("dac")[0], repository))  # noqa: E731
        monkeypatch.setattr(huggingface_hub, "snapshot_download", put)
        options = {"model": "acme/tiny", "download": True}
        document = pipeline("tokens-source", {"books": [16] * 7}, "transformers-codec", options)
        loaded = tonearm.load_pipeline(document, plugins=registry())
        with pytest.raises(ItemError, match="which have 7 books, not at most 3 books"):
            loaded.preflight()

    def test_a_download_that_fails(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import huggingface_hub

        def fail(*_: Any, **__: Any) -> None:
            raise OSError("no route to host")

        monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
        plugin = codec("acme/tiny", download=True)
        with pytest.raises(ItemError, match="acme/tiny cannot be downloaded: OSError: no route to host") as caught:
            plugin.preflight()
        assert caught.value.code == "not-downloaded"

    def test_a_pipelines_file_cannot_ask_for_it(self, cache: Path, tmp_path: Path) -> None:
        document = pipeline("tokens-source", {}, "transformers-codec", {"model": "acme/tiny", "download": True})
        (tmp_path / "a.yaml").write_text(json.dumps(document))
        with pytest.raises(tonearm.PipelineError) as caught:
            tonearm.load_pipeline(tmp_path / "a.yaml", plugins=registry())
        (problem,) = caught.value.problems
        assert (problem.code, problem.hint) == ("user-only", "leave download out, and give --download to the command")


def test_a_class_that_needs_more_says_so(tmp_path: Path) -> None:
    """As Higgs's tokenizer needs torchaudio."""
    from importlib.util import find_spec

    (tmp_path / "config.json").write_text('{"model_type": "higgs_audio_v2_tokenizer"}')
    (tmp_path / "model.safetensors").touch()
    names = [requirement.name for requirement in codec(tmp_path).needs()]
    assert names == ["torch", "transformers", "torchaudio"]
    if find_spec("torchaudio"):
        return
    document = pipeline("tokens-source", {}, "transformers-codec", {"model": str(tmp_path)})
    with pytest.raises(tonearm.PipelineError, match="needs the package 'torchaudio'"):
        tonearm.load_pipeline(document, plugins=registry())


class TestLayouts:
    """Tokens as models write them, by `kind: tokens`."""

    @pytest.fixture
    def pipeline_file(self, folders: Any, tmp_path: Path) -> Any:
        def write(layout: str, name: str = "dac") -> Path:
            (tmp_path / "a.yaml").write_text(
                f"""\
tonearm: 1
input: {{use: npy-reader, files: "*.npy", with: {{layout: {layout}}}}}
steps: [{{use: transformers-codec, with: {{model: "{folders(name)[1]}"}}}}]
outputs: [{{use: wav-writer, file: "{{stem}}.wav", with: {{subtype: FLOAT}}}}]
"""
            )
            return tmp_path / "a.yaml"

        return write

    def test_delayed_tokens_of_a_language_model(self, folders: Any, tmp_path: Path, pipeline_file: Any) -> None:
        import soundfile
        import torch

        model, _ = folders("dac")
        given = codes(3, 20, 16)[0]
        delayed = np.full((3, 22), 17, np.int64)
        for book in range(3):
            delayed[book, book : book + 20] = given[book]
        np.save(tmp_path / "a.npy", delayed)
        file = pipeline_file("{axes: [book, frame], delays: [0, 1, 2], size: 16}")
        report = tonearm.load_pipeline(file).run(out=tmp_path)
        assert (report.total, report.failed) == (1, 0)
        samples, rate = soundfile.read(tmp_path / "a.wav", dtype="float32")
        assert rate == 8000
        np.testing.assert_array_equal(samples, own(model, audio_codes=torch.tensor(given[None].astype("i8")))[0])

    @pytest.mark.parametrize(
        ("layout", "expected"),
        [
            (
                "dac",
                "DacModel does not take the tokens, which have codebooks of size 1024, not 16; 44100 Hz, not 8000 Hz;"
                " 512 samples a frame, not 8",
            ),
            ("{base: dac, size: 16, sample_rate: 8000}", "which have 512 samples a frame, not 8"),
            ("{axes: [book, frame], delays: [0, 1, 2, 3], size: 16}", "which have 4 books, not at most 3 books"),
            ("orpheus", "levels of rates of their own, not at most 3 books of one rate"),
        ],
    )
    def test_a_mismatch_of_layout_and_config_is_found_by_check(
        self, pipeline_file: Any, layout: str, expected: str
    ) -> None:
        with pytest.raises(tonearm.PipelineError) as caught:
            tonearm.load_pipeline(pipeline_file(layout))
        (problem,) = caught.value.problems
        assert (problem.code, problem.line) == ("model-mismatch", 3)
        assert expected in problem.message
