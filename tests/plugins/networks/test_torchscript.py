"""Arguments of TorchScript programs, and files that hold none."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonearm.api import CodecTokens, ItemError, LatentFormat, Latents, OptionError
from tonearm_plugins.networks.torchscript import arguments_of, call_program, check_program, load_program

CODES = np.arange(2 * 3 * 4, dtype=np.int32).reshape(2, 3, 4)
LEVELS = (np.arange(4, dtype=np.int32).reshape(2, 2), np.arange(8, dtype=np.int32).reshape(2, 4))


def shapes(signal: Any, channels: slice = slice(0, 2), **options: Any) -> Any:
    given = {"levels": "together", "axes": ("batch", "book", "frame"), "dtype": "int64", "device": "cpu"} | options
    made = arguments_of(signal, channels, **given)
    return [[tuple(part.shape) for part in one] if isinstance(one, list) else tuple(one.shape) for one in made]


@pytest.mark.torch
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [(2, 3, 4)]),
        ({"axes": ("book", "batch", "frame")}, [(3, 2, 4)]),
        ({"axes": ("frame", "book"), "channels": slice(1, 2)}, [(4, 3)]),
        ({"levels": "apart"}, [(2, 4)] * 3),
        ({"levels": "apart", "axes": ("frame", "batch")}, [(4, 2)] * 3),
        ({"levels": "list"}, [[(2, 4)] * 3]),
    ],
)
def test_axes_and_levels(options: dict[str, Any], expected: Any) -> None:
    assert shapes(CodecTokens(codes=CODES), **options) == expected


@pytest.mark.torch
def test_an_axis_that_the_program_has_not_got() -> None:
    one = CodecTokens(codes=CODES[:, :1])
    assert shapes(one, axes=("batch", "frame")) == [(2, 4)]
    with pytest.raises(ItemError, match="the axes batch, frame have no book, but there are 3") as caught:
        shapes(CodecTokens(codes=CODES), axes=("batch", "frame"))
    assert caught.value.code == "model-mismatch"


@pytest.mark.torch
def test_values_and_types() -> None:
    import torch

    given = {"levels": "together", "axes": ("frame", "book", "batch"), "dtype": "int32", "device": "cpu"}
    (made,) = arguments_of(CodecTokens(codes=CODES), slice(1, 2), **given)  # type: ignore[arg-type]
    assert made.dtype == torch.int32
    np.testing.assert_array_equal(made.numpy()[:, :, 0], CODES[1].T)
    ragged = CodecTokens(codes=LEVELS, strides=(2, 1))
    assert shapes(ragged, levels="apart") == [(2, 2), (2, 4)]
    latents = Latents(values=np.zeros((2, 5, 7), "f4"), format=LatentFormat(sample_rate=8000, samples_per_frame=8))
    assert shapes(latents, axes=("batch", "frame", "band"), levels="list") == [(2, 7, 5)]


@pytest.mark.torch
@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("(batch, samples)", (2, 6)),
        ("(batch, 1, samples)", (2, 6)),
        ("a tuple", (2, 6)),
        ("counts", None),
        ("none", None),
    ],
)
def test_what_a_program_gives(made: str, expected: tuple[int, ...] | None) -> None:
    import torch

    values = torch.rand(2, 6)
    given = {
        "(batch, samples)": values,
        "(batch, 1, samples)": values[:, None],
        "a tuple": ([values[:, None], 3], 4),
        "counts": torch.ones(3, dtype=torch.int64),
        "none": (),
    }[made]
    program = type("Program", (), {"forward": lambda self: given})()
    if expected:
        assert call_program(program, "forward", []).shape == expected
        return
    with pytest.raises(ItemError, match="that is no sound") as caught:
        call_program(program, "forward", [])
    assert caught.value.code == "bad-model"


def test_files_that_hold_no_program(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(b"text")
    with pytest.raises(OptionError, match="it is no zip archive"):
        check_program(str(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    with pytest.raises(OptionError, match="it holds tensors or a state_dict"):
        check_program(str(path))
    os.mkfifo(tmp_path / "pipe.pt")  # reading it would wait for ever
    for name in ("pipe.pt", ".", "none.pt"):
        with pytest.raises(OptionError, match="is no program of TorchScript"):
            check_program(str(tmp_path / name))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/code/__torch__.py", b"")
    check_program(str(path))


@pytest.mark.torch
def test_a_program_that_cannot_be_loaded(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        archive.writestr("archive/code/__torch__.py", b"def")
    with pytest.raises(ItemError, match="cannot be loaded: RuntimeError") as caught:
        load_program(str(tmp_path / "x.pt"), "cpu")
    assert caught.value.code == "bad-model"
