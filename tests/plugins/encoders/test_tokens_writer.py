"""Codec tokens as text and JSON lines, and as arrays: what is written is read back as the same codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tonearm
from tonearm import CodecTokens, ItemError, PipelineError, UsageError

RNG = np.random.default_rng(11)
GRID = CodecTokens(
    codes=RNG.integers(0, 2048, (1, 4, 30)).astype("i4"),
    sizes=2048,  # type: ignore[arg-type]
    sample_rate=32000,
    samples_per_frame=640,
)
STEREO = CodecTokens(codes=RNG.integers(0, 1024, (2, 9, 7)).astype("i4"), sizes=(1024,) * 9, sample_rate=44100)
LEVELS = CodecTokens(
    codes=tuple(RNG.integers(0, 4096, (1, 5 * count)).astype("i4") for count in (1, 2, 4)),
    sizes=(4096,) * 3,
    sample_rate=24000,
    samples_per_frame=2048,
    strides=(4, 2, 1),
)


def assert_same(found: Any, wanted: CodecTokens) -> None:
    assert isinstance(found, CodecTokens)
    for one, other in zip(found.levels, wanted.levels, strict=True):
        np.testing.assert_array_equal(one, other)
    for name in ("sizes", "sample_rate", "samples_per_frame", "strides"):
        assert getattr(found, name) == getattr(wanted, name), name


@pytest.mark.parametrize("tokens", [GRID, STEREO])
def test_npy_is_read_back_by_what_lies_beside_it(tmp_path: Path, tokens: CodecTokens) -> None:
    tonearm.save(tokens, tmp_path / "a.npy", provenance=True)
    array = np.load(tmp_path / "a.npy")
    assert (array.dtype, array.shape) == ("int32", tokens.codes.shape)  # type: ignore[union-attr]
    said = json.loads((tmp_path / "a.npy.json").read_text())["signal"]
    assert said.pop("kind") == "tokens"
    assert_same(tonearm.to_tokens(array, **said), tokens)


@pytest.mark.parametrize("tokens", [GRID, STEREO, LEVELS])
def test_safetensors_has_a_tensor_for_each_level_and_says_how_to_read_them(tmp_path: Path, tokens: CodecTokens) -> None:
    safetensors = pytest.importorskip("safetensors")
    tonearm.save(tokens, tmp_path / "a.safetensors")
    with safetensors.safe_open(tmp_path / "a.safetensors", framework="numpy") as file:
        names, about = sorted(file.keys()), file.metadata()
        arrays = [file.get_tensor(name) for name in names]
    assert names == ([f"tokens.{level}" for level in range(3)] if tokens.strides else ["tokens"])
    assert about.pop("kind") == "tokens"
    said = {name: json.loads(value) for name, value in about.items()}
    assert_same(tonearm.to_tokens(arrays if tokens.strides else arrays[0], **said), tokens)


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "int32", "int64", "int16"])
def test_any_type_of_whole_numbers(tmp_path: Path, dtype: str) -> None:
    tonearm.save(GRID, tmp_path / "a.npy", dtype=dtype)
    found = np.load(tmp_path / "a.npy")
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, GRID.codes)


def test_a_type_that_cannot_hold_the_codes(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="float32 is for sound and spectra, and codes are whole numbers"):
        tonearm.save(GRID, tmp_path / "a.npy", dtype="float32")
    great = CodecTokens(codes=np.full((1, 1, 3), 65536, "i4"))
    with pytest.raises(ItemError, match="uint16 cannot hold the code 65536") as caught:
        tonearm.save(great, tmp_path / "a.npy", dtype="uint16")
    assert caught.value.code == "out-of-range"
    with pytest.raises(PipelineError, match="dither is only for waveforms"):
        tonearm.save(GRID, tmp_path / "a.npy", dtype="int16", dither=True)
    with pytest.raises(PipelineError, match="int64 is for codec tokens"):
        tonearm.save([0.5] * 9, tmp_path / "a.npy", sample_rate=8000, dtype="int64")


@pytest.mark.parametrize(
    ("layout", "shape"),
    [({"base": "musicgen-hf", "fill": 2048}, (4, 34)), ({"axes": ["frame", "book"], "size": 2048}, (30, 4))],
)
def test_a_layout_lays_codes_out_as_the_model_does(tmp_path: Path, layout: Any, shape: tuple[int, ...]) -> None:
    tonearm.save(GRID, tmp_path / "a.npy", layout=layout)
    raw = np.load(tmp_path / "a.npy")
    assert raw.shape == shape
    np.testing.assert_array_equal(tonearm.to_tokens(raw, layout=layout).codes, GRID.codes)  # type: ignore[union-attr]


def test_a_laid_file_says_its_layout(tmp_path: Path) -> None:
    tonearm.save(LEVELS, tmp_path / "a.npy", layout="orpheus", provenance=True)
    raw = np.load(tmp_path / "a.npy")
    assert raw.shape == (36,)  # the mark of the beginning, and five frames of seven
    said = json.loads((tmp_path / "a.npy.json").read_text())["signal"]
    assert said["layout"]["offset"] == 128266
    assert not {"source", "notes", "weights"} & set(said["layout"])
    assert_same(tonearm.to_tokens(raw, **{name: value for name, value in said.items() if name != "kind"}), LEVELS)


def test_levels_need_a_file_of_several_arrays_or_a_layout(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="the tokens are arrays of 3 levels") as caught:
        tonearm.save(LEVELS, tmp_path / "a.npy")
    assert "safetensors" in caught.value.problems[0].hint


def test_text_as_the_model_writes_it(tmp_path: Path) -> None:
    tonearm.save(LEVELS, tmp_path / "a.txt", layout="orpheus")
    text = (tmp_path / "a.txt").read_text()
    assert text.startswith("<custom_token_")
    assert_same(tonearm.to_tokens(text, layout="orpheus"), LEVELS)


def test_ids_in_a_line_of_json(tmp_path: Path) -> None:
    tonearm.save(LEVELS, tmp_path / "a.jsonl", layout="orpheus-text")
    ids = json.loads((tmp_path / "a.jsonl").read_text())
    assert len(ids) == 36
    assert_same(tonearm.to_tokens(ids, layout="orpheus"), LEVELS)


def test_ids_in_text_where_the_model_writes_none(tmp_path: Path) -> None:
    flat = {"interleave": [0, 1], "offset": 10, "per_position": 100, "size": 100}
    tokens = CodecTokens(codes=RNG.integers(0, 100, (1, 2, 5)).astype("i4"), sizes=(100, 100))
    tonearm.save(tokens, tmp_path / "a.txt", layout=flat)
    ids = [int(one) for one in (tmp_path / "a.txt").read_text().split()]
    np.testing.assert_array_equal(tonearm.to_tokens(ids, layout=flat).codes, tokens.codes)  # type: ignore[union-attr]


@pytest.mark.parametrize("tokens", [GRID, LEVELS])
def test_codes_without_a_layout(tmp_path: Path, tokens: CodecTokens) -> None:
    tonearm.save(tokens, tmp_path / "a.jsonl")
    found = json.loads((tmp_path / "a.jsonl").read_text())
    said = tokens.described()
    assert_same(tonearm.to_tokens([np.array(one) for one in found] if tokens.strides else found, **said), tokens)


def test_text_needs_a_layout_and_no_arrays(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="text of codec tokens is written in the layout of a model") as caught:
        tonearm.save(GRID, tmp_path / "a.txt")
    assert caught.value.problems[0].code == "missing-option"
    with pytest.raises(ItemError, match="the layout is one of arrays"):
        tonearm.save(GRID, tmp_path / "a.txt", layout={"axes": ["frame", "book"], "size": 2048})


def test_layouts_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="is of text, not of arrays") as text:
        tonearm.save(LEVELS, tmp_path / "a.npy", layout="orpheus-text")
    assert "orpheus-snac24" in text.value.problems[0].hint
    with pytest.raises(PipelineError) as caught:
        tonearm.save(GRID, tmp_path / "a.npy", layout="dac-file")
    assert caught.value.problems[0].code == "layout-not-invertible"
    with pytest.raises(ItemError, match="4 books"):
        tonearm.save(GRID, tmp_path / "a.npy", layout={"axes": ["book", "frame"], "size": 2048, "codebooks": 8})
    with pytest.raises(PipelineError, match="a layout is for codec tokens, but this is waveform"):
        tonearm.save([0.5] * 9, tmp_path / "a.npy", sample_rate=8000, encoder={"layout": "orpheus"})


def test_encoders_of_sound_and_pictures_refuse_tokens(tmp_path: Path) -> None:
    for suffix in ("wav", "mp3", "png"):
        with pytest.raises(UsageError) as caught:
            tonearm.save(GRID, tmp_path / f"a.{suffix}")
        assert caught.value.code == "needs-model"


@pytest.mark.parametrize("suffix", ["npy", "safetensors"])
def test_latents_are_read_back(tmp_path: Path, suffix: str) -> None:
    if suffix == "safetensors":
        pytest.importorskip("safetensors")
    values = RNG.standard_normal((1, 8, 21)).astype("f4")
    options = {"kind": "latent", "sample_rate": 44100, "samples_per_frame": 2048, "name": "toy"}
    tonearm.save(values, tmp_path / f"a.{suffix}", axes=["channel", "band", "frame"], provenance=True, **options)
    said = json.loads((tmp_path / f"a.{suffix}.json").read_text())["signal"]
    reader = {"use": f"{suffix}-reader", "with": said}
    (found,) = tonearm.load_pipeline({"tonearm": 1, "input": reader}).convert(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(found.arrays()[0], values)
    assert found.format.samples_per_frame == 2048  # type: ignore[attr-defined]


SEGMENTED = CodecTokens(codes=np.arange(8).reshape(1, 2, 4), segments=(2, 2), scales=(0.5, 2.0))


@pytest.mark.parametrize("layout", [None, {"axes": ["segment", "book", "frame"]}])
def test_safetensors_keeps_segments_and_their_factors(tmp_path: Path, layout: Any) -> None:
    path = tmp_path / "a.safetensors"
    tonearm.save(SEGMENTED, path, encoder={"layout": layout} if layout else {})
    tokens = tonearm.to_tokens(path, layout=layout or {"axes": ["channel", "book", "frame"]})
    assert isinstance(tokens, CodecTokens)
    assert (tokens.segments, tokens.scales) == ((2, 2), (0.5, 2.0))
    assert_same(tokens, SEGMENTED)


@pytest.mark.parametrize("suffix", [".npy", ".jsonl"])
def test_a_file_of_codes_alone_warns_of_segments_that_it_drops(tmp_path: Path, suffix: str) -> None:
    with pytest.warns(tonearm.TonearmWarning, match=r"segments: \[2, 2\], scales: \[0.5, 2.0\]; .safetensors does"):
        tonearm.save(SEGMENTED, tmp_path / f"a{suffix}")
    laid = {"layout": {"axes": ["segment", "book", "frame"]}}
    with pytest.warns(tonearm.TonearmWarning, match=r"beside the codes: scales: \[0.5, 2.0\]"):
        tonearm.save(SEGMENTED, tmp_path / f"b{suffix}", encoder=laid)


@pytest.mark.filterwarnings("error")
def test_a_file_beside_the_codes_holds_the_segments(tmp_path: Path) -> None:
    tonearm.save(SEGMENTED, tmp_path / "a.npy", provenance=True)
    found = json.loads((tmp_path / "a.npy.json").read_text())["signal"]
    assert (found["segments"], found["scales"]) == ([2, 2], [0.5, 2.0])
