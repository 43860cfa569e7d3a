"""Figures of the analysis that a file states: a contradiction to the options is an error, wherever the file says it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tonearm
from tonearm.arrays.stated_figures import FIGURES, StatedFigure, beside, figures_among

ARRAY = np.abs(np.random.default_rng(0).standard_normal((513, 40))).astype(np.float32)
MEL = np.full((80, 40), -5.0, np.float32)
GRID = {"kind": "magnitude", "sample_rate": 22050, "n_fft": 1024, "hop_length": 256}


READERS = {".npz": "npz-reader", ".h5": "hdf5-reader", ".mat": "mat-reader"}


def outcome(path: Path, **options: Any) -> list[str]:
    """Return the error of reading the array ``m`` of a file as text; nothing if it is read."""
    step = options.pop("step", "mel-to-wave" if "dialect" in options else "griffin-lim")
    steps = [{"use": step, "with": {} if step == "istft" else {"iterations": 0}}]
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": READERS[path.suffix], "files": str(path), "with": options | {"key": "m"}},
            "steps": steps,
            "outputs": [{"use": "wav-writer", "file": "a.wav"}],
            "limits": {"beyond": 1e9, "clipped": 1},
        }
    )
    found: list[Any] = []
    pipeline.run(out=path.parent / "out", force=True, observe=found.append)
    return [f"{one.code}: {one.message}; {one.hint}" for result in found for one in result.failures]


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path / "a.npz", **arrays)
    return path / "a.npz"


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (
            {"hop_length": 512},
            'the source says hop_length = 512, but hop_length is 256; "hop_length": 512, as the source',
        ),
        (
            {"hop_size": [300.0]},
            'the source says hop_size = 300, but hop_length is 256; "hop_length": 300, as the source',
        ),
        (
            {"win_length": 800},
            'the source says win_length = 800, but win_length is 1024; "win_length": 800, as the source',
        ),
        (
            {"n_fft": 2048},
            'the source says n_fft = 2048, but n_fft is 1024; "stated": "ignore", if the source is wrong',
        ),
    ],
)
def test_another_figure_is_refused_with_the_option(stated: Any, said: str, tmp_path: Path) -> None:
    (error,) = outcome(npz(tmp_path, m=ARRAY, **stated), **GRID)
    assert error.startswith(f"figures-mismatch: 'm': {said}")


@pytest.mark.parametrize(
    "stated",
    [
        {"hop_length": 256, "n_fft": 1024, "win_size": 1024},
        {"hop_length": np.array("256")},
        {"hop_length": [256, 512]},
        {"hop_length": 0.0125},
        {"hop_length": -1},
        {"n_mels": 80, "fmax": 8000},
        {"epoch": 512},
    ],
)
def test_agreement_and_other_numbers_pass(stated: Any, tmp_path: Path) -> None:
    assert outcome(npz(tmp_path, m=ARRAY, **stated), **GRID) == []


@pytest.mark.parametrize("kind", [{}, {"kind": "complex"}, {"axes": ["bin", "frame"]}])
def test_the_kind_that_an_array_tells_has_figures_too(kind: dict[str, Any], tmp_path: Path) -> None:
    options: dict[str, Any] = {"n_fft": 1024, "hop_length": 256} | kind
    (error,) = outcome(npz(tmp_path, m=ARRAY + 0j, sr=22050, hop_length=512), step="istft", **options)
    assert error.startswith("figures-mismatch: 'm': the source says hop_length = 512, but hop_length is 256")
    assert outcome(npz(tmp_path, m=ARRAY + 0j, sr=22050, hop_length=256), step="istft", **options) == []


def test_figures_of_a_dialect_are_compared(tmp_path: Path) -> None:
    agreed = {"hop_length": 256, "fmin": 0, "fmax": 8000.0, "num_mels": 80, "n_fft": 1024}
    assert outcome(npz(tmp_path, m=MEL, **agreed), dialect="hifigan") == []
    (error,) = outcome(npz(tmp_path, m=MEL, **agreed | {"fmax": 11025}), dialect="hifigan")
    assert "the source says fmax = 11025, but fmax is 8000; " in error
    assert '"dialect": {"base": "hifigan", "fmax": 11025.0}, as the source says it' in error


def hdf5(path: Path) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path / "a.h5", "w") as file:
        file.create_dataset("m", data=ARRAY).attrs["hop_length"] = 512
    return path / "a.h5"


def matlab(path: Path) -> Path:
    io = pytest.importorskip("scipy.io")
    io.savemat(path / "a.mat", {"m": ARRAY, "hop_length": 512})
    return path / "a.mat"


@pytest.mark.parametrize("write", [hdf5, matlab])
def test_other_files_state_them_too(write: Callable[[Path], Path], tmp_path: Path) -> None:
    (error,) = outcome(write(tmp_path), **GRID)
    assert "the source says hop_length = 512, but hop_length is 256" in error


def test_numbers_of_another_group_are_not_of_the_array() -> None:
    found = {"a/m": 1, "a/hop_length": 2, "b/n_fft": 3, "hop": 4}
    assert beside(found, "a/m", found) == {"hop_length": 2}
    assert beside(found, "hop", found) == {}


def test_names_of_figures_are_of_one_option_each() -> None:
    names = [name for names in FIGURES.values() for name in names]
    assert len(names) == len(set(names))
    assert figures_among({"F_MIN": 50}) == [StatedFigure("fmin", 50.0, "F_MIN = 50")]
    assert figures_among({"hop": True, "n_fft": None, "win_length": "long"}) == []
