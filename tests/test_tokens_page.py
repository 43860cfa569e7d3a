"""docs/tokens.md: its recipes are run with small decoders, and its tables and pipelines hold."""

import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from onnx import TensorProto

import tonearm
from code_blocks import ROOT, blocks, is_shown, run_cell
from tonearm.api import TokenLayout
from tonearm.plugins import registry
from trial_graphs import codec_like

PAGE = "docs/tokens.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
FRAMES = 24


class Tensor(np.ndarray):
    """An array with the methods of tensors that the page calls."""

    def cpu(self) -> "Tensor":
        """Return it as it is."""
        return self

    def numpy(self) -> NDArray[Any]:
        """Return the array."""
        return np.asarray(self)


def tensor(*shape: int, size: int = 1024) -> Tensor:
    """Return random codes. None is 0, which is an end of some layouts."""
    return np.random.default_rng(0).integers(1, size, shape).view(Tensor)


def orpheus_ids(start: int) -> NDArray[np.int64]:
    """Return ids of six frames, from a first one on."""
    return np.random.default_rng(1).integers(0, 4096, 42) + 4096 * (np.arange(42) % 7) + start


def _model(returned: object) -> SimpleNamespace:
    return SimpleNamespace(generate=lambda *_, **__: returned)


def _orpheus() -> dict[str, object]:
    ids = orpheus_ids(128266)
    text = "".join(f"<custom_token_{number}>" for number in orpheus_ids(10))
    Path("orpheus.txt").write_text(f"Hello! {text}", encoding="utf-8")
    return {"model": _model([np.array([1, 2, 128257, *ids, 128258])]), "inputs": {}}


def _bark() -> dict[str, object]:
    full = {"semantic_prompt": tensor(100), "coarse_prompt": tensor(2, FRAMES), "fine_prompt": tensor(8, FRAMES)}
    return {
        "generate_audio": lambda *_, **__: (full, None),
        "save_as_prompt": lambda name, prompt: np.savez(name, **prompt),
    }


GIVEN: Mapping[str, Callable[[], dict[str, object]]] = {
    "MusicGen": lambda: {"model": _model((None, tensor(1, 4, FRAMES, size=2048)))},
    "Orpheus": _orpheus,
    "Dia": lambda: {"model": _model(_dia()), "inputs": {}},
    "CSM": lambda: {"model": _model(tensor(2, FRAMES, 32, size=2048)), "inputs": {}},
    "Moshi": lambda: {
        "lm_gen": [None, *(tensor(1, 9, 1, size=2048) for _ in range(FRAMES))],
        "torch": SimpleNamespace(cat=lambda arrays, dim: np.concatenate(arrays, dim).view(Tensor)),
    },
    "Qwen3-TTS": lambda: {"talker_codes": [tensor(frames, 16, size=2048) for frames in (FRAMES, 30)]},
    "Parler-TTS": lambda: {"ids": tensor(9, FRAMES + 9)},
    "Bark": _bark,
    "NeuTTS": lambda: {"Path": Path, "text": "Hello!" + "".join(f"<|speech_{n}|>" for n in tensor(FRAMES, size=65536))},
    "Llasa": lambda: {
        "model": _model([np.array([7, 9, *(128264 + tensor(FRAMES, size=65536))])]),
        "input_ids": None,
    },
}
"""What a recipe begins with: names, and files in the current folder."""


def _dia() -> Tensor:
    """Return two elements of a batch: a step of start marks, codes, and the end."""
    codes = tensor(2, FRAMES + 17, 9)
    codes[:, 0] = 1026
    codes[:, FRAMES + 1, 0] = 1024
    return codes


def recipes() -> dict[str, str]:
    """Return the text of each recipe by its heading."""
    part = TEXT.partition("## From generate() to an MP3")[2].partition("\n## ")[0]
    found = dict(re.findall(r"^### (.+)\n((?:(?!^### ).*\n)*)", part, re.MULTILINE))
    return {name: text for name, text in found.items() if "```" in text}


def layout(name: str) -> TokenLayout:
    """Return a layout by its name."""
    return registry.default().catalogue(TokenLayout).find(name)


def write_models(text: str) -> None:
    """Write a small decoder under each name that a recipe gives, with the figures of its layout."""
    pairs = re.findall(r"--layout (\S+) --model (\S+)|layout=\"([^\"]+)\", model=\"([^\"]+)\"", text)
    for first, second, third, fourth in pairs:
        found, file = layout(first or third), Path(second or fourth)
        books = found.codebooks or 8
        size = found.size if isinstance(found.size, int) else 1024
        dtype = TensorProto.INT32 if "neucodec" in file.name else TensorProto.INT64
        codec_like(file, books, size, found.samples_per_frame or 320, found.strides, dtype)


def test_there_are_ten_recipes_and_each_is_run() -> None:
    assert list(recipes()) == list(GIVEN)
    assert len(GIVEN) == 10


@pytest.mark.parametrize("name", GIVEN)
def test_a_recipe_makes_an_mp3(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tonearm.cli.main import main

    monkeypatch.chdir(tmp_path)
    text = recipes()[name]
    names: dict[str, object] = {"np": np, "tonearm": tonearm, **GIVEN[name]()}
    write_models(text)
    for language, code in re.findall(r"^```(python|sh)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if language == "python":
            shown, _ = run_cell(code, names)
            assert "Error" not in shown
            assert "Warning" not in shown
        else:
            assert main([*shlex.split(code)[1:], "--force"]) == 0
    found = layout(re.findall(r"(?:--layout |layout=\")([\w-]+)", text)[0])
    sounds = sorted(tmp_path.glob("*.mp3"))
    assert sounds
    for file in sounds:
        sound = tonearm.read(file)
        assert sound.sample_rate in {found.sample_rate, 44100, 22050}
        frames = sound.length * (found.sample_rate or 0) / sound.sample_rate / (found.samples_per_frame or 1)
        assert round(frames) in ({6} if name == "Orpheus" else {FRAMES, 30})


def test_layouts_of_the_table_of_others_exist() -> None:
    table = TEXT.partition("### Others")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| .* \| (`[^|]+`) \|$", table, re.MULTILINE)
    assert len(rows) == 6
    for name in re.findall(r"`([^`]+)`", " ".join(rows)):
        assert layout(name)


def test_layouts_that_the_text_names_exist() -> None:
    named = set(re.findall(r"layouts? `([a-z0-9-]+)`", TEXT))
    assert len(named) > 5
    for name in named:
        assert layout(name)


def test_layouts_spelled_out_are_layouts(tmp_path: Path) -> None:
    given = [block for block in blocks(PAGE, "yaml") if block.startswith("layout:")]
    assert len(given) == 2
    for block in given:
        source = {"use": "npy-reader", "with": {"kind": "tokens", **yaml.safe_load(block)}}
        output = {"use": "npy-writer", "file": "a.npy"}
        assert tonearm.load_pipeline({"tonearm": 1, "input": source, "outputs": [output]}).checked


def test_its_pipelines_convert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trial_graphs import latent_decoder

    monkeypatch.chdir(tmp_path)
    tokens, latents = (yaml.safe_load(block) for block in blocks(PAGE, "yaml") if block.startswith("tonearm: 1"))
    codec_like(Path("dac_decoder.onnx"), 9, 1024, 512)
    latent_decoder(Path("decoder.onnx"), 192, 256)
    (wave,) = tonearm.load_pipeline(tokens).convert(np.asarray(tensor(FRAMES + 15, 9)))
    assert (wave.sample_rate, wave.length) == (44100, FRAMES * 512)
    values = np.random.default_rng(0).standard_normal((192, FRAMES)).astype("f4")
    (wave,) = tonearm.load_pipeline(latents).convert(values)
    assert (wave.sample_rate, wave.length) == (22050, FRAMES * 256)


def test_the_first_command_and_call_make_music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tonearm.cli.main import main

    monkeypatch.chdir(tmp_path)
    tokens = tensor(4, FRAMES + 4, size=2048)
    np.save("tokens.npy", tokens)
    codec_like(Path("encodec_decode.onnx"), 4, 2048, 640)
    assert main([*shlex.split(blocks(PAGE, "sh")[0])[1:]]) == 0
    run_cell(blocks(PAGE, "python")[0], {"tonearm": tonearm, "tokens": tokens})
    assert tonearm.read("music.mp3").length == FRAMES * 640


def test_a_run_downloads_on_request_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tonearm.cli.main import main

    monkeypatch.chdir(tmp_path)
    (command,) = (block for block in blocks(PAGE, "sh") if "--download" in block)
    (pipeline,) = (block for block in blocks(PAGE, "yaml") if "layout: dia" in block)
    Path("music.yaml").write_text(pipeline, encoding="utf-8")
    Path("tokens").mkdir()
    np.save("tokens/a.npy", tensor(FRAMES + 15, 9))
    codec_like(Path("dac_decoder.onnx"), 9, 1024, 512)
    words = shlex.split(command)[1:]
    assert main(words) == 2
    assert "no step of the pipeline downloads anything" in capsys.readouterr().err
    assert main([word for word in words if word != "--download"]) == 0
    assert tonearm.read("a.mp3").length == FRAMES * 512


def test_written_tokens_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = (block for block in blocks(PAGE, "python") if "again.txt" in block)
    tokens = tonearm.to_tokens(orpheus_ids(128266), layout="orpheus")
    shown, _ = run_cell(code, {"tonearm": tonearm, "tokens": tokens})
    assert "Error" not in shown
    for file, layout_of_it in (("again.txt", "orpheus"), ("again.safetensors", "snac")):
        again = tonearm.to_tokens(Path(file), layout=layout_of_it)
        assert [level.tolist() for level in again.levels] == [level.tolist() for level in tokens.levels]


def test_frames_stream_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    codec_like(Path("dac_decoder.onnx"), 9, 1024, 512)
    (code,) = (block for block in blocks(PAGE, "python") if "tonearm.stream" in block)
    aligned = yaml.safe_load(re.findall(r"such as `(\{\"base.*?\})`", TEXT)[0])
    tokens = np.asarray(tensor(9, FRAMES))
    chunks = [tokens[:, start : start + 5] for start in range(0, FRAMES, 5)]
    shown, _ = run_cell(code, {"tonearm": tonearm, "aligned": aligned, "chunks": chunks})
    assert shown == ""
    whole = tonearm.to_waveform(tokens, layout=aligned, model="dac_decoder.onnx")
    found = tonearm.read("dialogue.wav")
    np.testing.assert_allclose(found.samples, whole.samples, atol=1e-4)  # of 16 bits


def test_its_steps_take_these_options() -> None:
    from tonearm.plugins.options import declared_options
    from tonearm.plugins.ports import ports_of

    steps = [yaml.safe_load(block)[0] for block in blocks(PAGE, "yaml") if block.startswith("  - use:")]
    assert len(steps) == 3
    for step in steps:
        plugin = registry.default().find("transform", step["use"]).resolve()
        assert set(step["with"]) <= set(declared_options(ports_of(plugin).options))


def test_tokens_from_python_are_what_the_page_shows() -> None:
    (code,) = (block for block in blocks(PAGE, "python") if "to_tokens" in block)
    names: dict[str, object] = {"tonearm": tonearm, "generated": [np.array([128257, *orpheus_ids(128266)])]}
    shown, _ = run_cell(code, names)
    assert is_shown(shown, blocks(PAGE, "text")[0])
