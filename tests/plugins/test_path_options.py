"""Every option of every plugin that names a file: what it may name, and what no option may."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tonearm
from tonearm.cli.option_words import nested_options
from tonearm.errors import TonearmError
from tonearm.plugins.option_types import alternatives, names_file
from tonearm.plugins.options import declared_options
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import default

SECRET = "topsecret"

# Options with one of these words in the name or the description do not name files.
NOT_PATHS = {"field", "format", "key", "imag", "lengths", "phase", "scheduler"}


def every_option() -> Iterator[tuple[str, str, Any]]:
    """Yield plugin, option and declaration, with the options inside others."""

    def inside(name: str, options: type[Any], within: tuple[type[Any], ...]) -> Iterator[tuple[str, str, Any]]:
        for option in declared_options(options).values():
            yield name, option.name, option
            for cls, _ in nested_options(option, within):
                yield from inside(name, cls, (*within, cls))

    for entry in default().entries():
        yield from inside(entry.name, ports_of(entry.resolve()).options, ())


def is_file_option(option: Any) -> bool:
    return any(names_file(hint, "x.npy") or names_file(hint, "x.txt") for hint in alternatives(option.type))


NSF = Path(__file__).parents[1] / "data/models/nsf_tiny.onnx"
"""A network that takes latents or a mel spectrogram, and f0."""

OF_FILES = [(plugin, name) for plugin, name, option in every_option() if is_file_option(option)]


def test_options_that_name_files_are_known_and_guarded() -> None:
    """A new one belongs into this table, with a way to give it below."""
    assert {name for _, name in OF_FILES} == {"cover", "file", "model", "window"}
    assert {plugin for plugin, name in OF_FILES if name == "model"} == {
        *("onnx-codec", "onnx-vocoder", "torchscript-codec", "transformers-codec", "transformers-vocoder"),
    }
    assert {plugin for plugin, name in OF_FILES if name == "file"} == {"onnx-codec", "onnx-vocoder"}


def test_they_are_listed_in_security_md() -> None:
    text = (Path(__file__).parents[2] / "SECURITY.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)`.*\|$", text, re.MULTILINE)
    assert sorted(rows) == sorted({name for _, name in OF_FILES})


def test_no_other_option_says_that_it_names_a_file() -> None:
    """What opens a file declares it by type, so that the fingerprint and the paths of a pipeline know it."""
    word = re.compile(r"\b(path|folder|directory|url|address|library|script|command|module)\b", re.IGNORECASE)
    suspects = {
        name
        for plugin, name, option in every_option()
        if not is_file_option(option) and any(hint is str for hint in map(_inner, alternatives(option.type)))
        if word.search(f"{name.replace('_', ' ')} {option.description}")
    }
    assert suspects <= NOT_PATHS


def _inner(hint: Any) -> Any:
    return getattr(hint, "__origin__", hint)


def hostile_files(folder: Path, suffix: str) -> dict[str, str]:
    """Paths that an option must refuse, by what they are."""
    (folder / "other").write_text(f"{SECRET}:x:0:0\n1 2 3\n")
    for name, target in (("link", "other"), ("zero", "/dev/zero"), ("loop", f"loop{suffix}"), ("tty", "/dev/tty")):
        (folder / f"{name}{suffix}").symlink_to(target)
    os.mkfifo(folder / f"pipe{suffix}")
    (folder / f"folder{suffix}").mkdir()
    with (folder / f"giant{suffix}").open("wb") as file:
        file.truncate(1 << 40)
    own = {path.name: str(path) for path in folder.iterdir() if path.name.endswith(suffix)}
    return own | {
        "address": f"http://127.0.0.1:9/x{suffix}",
        "bucket": f"s3://bucket/x{suffix}",
        "missing": str(folder / f"none{suffix}"),
        "descriptor": "/dev/fd/0",
    }


def pipeline_with(plugin: str, option: str, path: str) -> dict[str, Any]:
    """Return a pipeline that gives a path to an option."""
    wave: dict[str, Any] = {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 22050}}
    grid = {"sample_rate": 22050, "n_fft": 1024, "hop_length": 256}
    output: dict[str, Any] = {"use": "wav-writer", "file": "x.out.wav"}
    steps: list[Any] = []
    if option == "cover":
        suffix = {"mp3-writer": ".mp3", "opus-writer": ".opus", "ogg-writer": ".ogg", "flac-writer": ".flac"}
        suffix |= {"m4a-writer": ".m4a", "wav-writer": ".wav", "aiff-writer": ".aiff"}
        output = {"use": plugin, "file": f"x.out{suffix.get(plugin, '')}", "with": {option: path}}
    elif option in ("model", "file"):
        model = {"model": str(NSF), "inputs": {"f0": {"file": path}}} if option == "file" else {"model": path}
        wave = {"use": "npy-reader", "with": {"kind": "mel", "dialect": "hifigan"}}
        if plugin == "onnx-vocoder":
            model["dialect"] = "hifigan"
        elif plugin == "torchscript-codec":
            model["trust"] = True
        elif plugin != "transformers-vocoder":
            wave = {"use": "npy-reader", "with": {"kind": "latent", "sample_rate": 22050, "samples_per_frame": 256}}
        steps = [{"use": plugin, "with": model}]
    elif any(entry.name == plugin for entry in default().entries("kind")):
        kind = {} if plugin == "inferred" else {"kind": plugin}
        wave = {"use": "npy-reader", "with": {**kind, option: path, **grid}}
        steps = [{"use": "istft"}] if plugin in ("complex", "inferred") else []
    else:
        wave = {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 22050}}
        steps = [{"use": plugin, "with": {option: path, "n_fft": 1024, "hop_length": 256}}, {"use": "istft"}]
    return {"tonearm": 1, "input": wave, "steps": steps, "outputs": [output]}


@pytest.mark.parametrize(("plugin", "option"), OF_FILES)
def test_what_is_no_file_for_it_is_refused_before_anything_is_read(tmp_path: Path, plugin: str, option: str) -> None:
    suffix = {"cover": ".png", "file": ".txt", "model": ".onnx", "window": ".txt"}[option]
    np.save(tmp_path / "a.npy", np.full((80, 9), 0.5, "f4"))
    for kind, path in hostile_files(tmp_path, suffix).items():
        if option == "window" and kind == "descriptor":
            continue  # without the suffix it is no name of a file
        given = pipeline_with(plugin, option, path)
        with pytest.raises(TonearmError) as caught:
            tonearm.load_pipeline(given).run([tmp_path / "a.npy"], out=tmp_path / "o")
        told = str(caught.value)
        assert not (tmp_path / "o").exists()
        assert re.search(r"window|cover|model|input|there is no file|cannot read|needs the package", told), (kind, told)
        assert SECRET not in told
