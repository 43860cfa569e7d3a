"""What a base install reads, and the one line that each other decoder asks for, before any file is looked at."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml

from tonearm.cli.main import main
from tonearm.plugins.registry import default

OPTIONAL = ("torch", "safetensors", "h5py", "pyarrow", "kaldiio", "zarr", "PIL")
BASE = {
    "audio-reader": {},
    "codec-file-reader": {},
    "mat-reader": {"sample_rate": 8000},
    "npy-reader": {"sample_rate": 8000},
    "npz-reader": {"sample_rate": 8000},
    "pcm-reader": {"sample_rate": 8000, "encoding": "pcm_s16le"},
    "raw-reader": {"sample_rate": 8000},
    "text-reader": {"sample_rate": 8000},
    "tokens-reader": {"layout": "neutts"},
    "webdataset-reader": {"sample_rate": 8000, "key": "*.npy"},
}
EXTRAS = {
    "hdf5-reader": ("hdf5", {"sample_rate": 8000}),
    "image-reader": ("image", {"dialect": "riffusion"}),
    "kaldi-reader": ("kaldi", {"sample_rate": 8000}),
    "parquet-reader": ("parquet", {"sample_rate": 8000}),
    "safetensors-reader": ("safetensors", {"sample_rate": 8000}),
    "torch-reader": ("torch", {"sample_rate": 8000}),
    "webdataset-reader": ("torch", {"sample_rate": 8000, "key": "*.pt/mel"}),
    "zarr-reader": ("zarr", {"sample_rate": 8000}),
}


@pytest.fixture(autouse=True)
def _base_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A base install: packages of extras are not found."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name in OPTIONAL else find(name, *more)
    )


def check(decoder: str, options: dict[str, Any], folder: Path, capsys: Any) -> tuple[int, str]:
    written = "npy" if decoder in ("codec-file-reader", "tokens-reader") else "wav"
    pipeline = {
        "tonearm": 1,
        "input": {
            "use": decoder,
            "files": "nowhere",
            "with": options | ({"kind": "waveform"} if "key" in options else {}),
        },
        "steps": [{"use": "mel-to-wave"}] if "dialect" in options else [],
        "outputs": [{"use": f"{written}-writer", "file": f"{{name}}-{{index}}.{written}"}],
    }
    (folder / "p.yaml").write_text(yaml.safe_dump(pipeline, sort_keys=False))
    return main(["check", str(folder / "p.yaml")]), capsys.readouterr().err


def test_every_decoder_is_one_or_the_other() -> None:
    assert {entry.name for entry in default().entries("decoder") if entry.origin == "builtin"} == {*BASE, *EXTRAS}


@pytest.mark.parametrize("decoder", BASE)
def test_a_base_install_reads(decoder: str, tmp_path: Path, capsys: Any) -> None:
    status, said = check(decoder, BASE[decoder], tmp_path, capsys)
    assert status == 0, said


@pytest.mark.parametrize("decoder", EXTRAS)
def test_the_others_say_their_line(decoder: str, tmp_path: Path, capsys: Any) -> None:
    extra, options = EXTRAS[decoder]
    status, said = check(decoder, options, tmp_path, capsys)
    assert status == 2
    assert f"missing-requirement: {decoder} needs the package " in said
    assert f"    hint: pip install 'tonearm[{extra}]'\n" in said
    assert main(["inspect", f"nowhere{default().find('decoder', decoder).resolve().suffixes[0]}"]) in (2, 3)
