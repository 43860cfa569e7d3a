"""What the transforms with a model of transformers share: options that count, files, and what is not loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tonearm.api import CodecTokens, OptionError, Spec, Waveform
from tonearm.plugins.options import declared_options
from tonearm_plugins.transforms.transformers_codec import TransformersCodec, TransformersCodecOptions

SPEC = Spec(signals=(CodecTokens,), suffix=".wav")


def codec(folder: Path, **options: bool) -> TransformersCodec:
    return TransformersCodec(TransformersCodecOptions(model=str(folder), **options))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a config, and a file of weights that nobody opens."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "dac", "n_codebooks": 3}))
    (tmp_path / "model.safetensors").write_bytes(b"never read")
    (tmp_path / "README.md").touch()
    return tmp_path


def test_a_check_needs_the_config_alone(folder: Path) -> None:
    made = codec(folder).produces(SPEC)
    assert (made.signals, made.sample_rate, made.suffix) == ((Waveform,), 16000, ".wav")


def test_files_are_those_that_are_read(folder: Path) -> None:
    assert [Path(path).name for path in codec(folder).files()] == ["config.json", "model.safetensors"]
    (folder / "preprocessor_config.json").write_text("{}")
    assert len(codec(folder).files()) == 3
    assert codec(folder / "none").files() == []


def test_the_place_of_a_model_and_the_download_change_no_output() -> None:
    options = declared_options(TransformersCodecOptions)
    changing = {name for name, option in options.items() if option.extra.get("changes_output", True)}
    assert changing == {"device", "batch", "sample_rate"}
    assert options["download"].extra["by_user"] == "--download"


def test_what_is_to_be_downloaded_is_not_checked_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    plugin = codec(Path("acme/tiny"), download=True)
    assert plugin.produces(SPEC).sample_rate is None
    with pytest.raises(OptionError, match="has no model acme/tiny"):
        codec(Path("acme/tiny")).produces(SPEC)


def test_a_batch_is_worth_a_warning(folder: Path) -> None:
    assert list(codec(folder).warnings(SPEC)) == []
    (warning,) = TransformersCodec(TransformersCodecOptions(model=str(folder), batch=3)).warnings(SPEC)
    assert warning.code == "batched"


def test_it_is_refused_in_a_stream(folder: Path) -> None:
    with pytest.raises(OptionError, match="needs the whole signal") as caught:
        codec(folder).check_blocks(SPEC)
    assert caught.value.code == "needs-whole"
