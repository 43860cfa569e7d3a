"""Codec tokens in files of arrays: every type that families save, levels in several arrays, and batches."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import decoder_reading
import h5py
import numpy as np
import pytest
import safetensors.numpy

from tonearm.api import TokenLayout
from tonearm.plugins.registry import default
from tonearm_plugins.formats.pytorch import read_contents

torch = pytest.importorskip("torch", reason="pip install torch")

TOKENS = Path(__file__).parents[2] / "data" / "tokens"
DTYPES = ("u2", "u4", "i4", "i8")
CODES = np.random.default_rng(1).integers(0, 1024, (4, 30))
PLAIN = TokenLayout(name="plain", axes=("book", "frame"), size=1024)
SNAC = TokenLayout(name="snac", ragged=True, strides=(4, 2, 1), size=4096)
ORPHEUS = TokenLayout(
    name="orpheus", start_after=128257, drop=(128258,), interleave=(0, 1, 2, 2, 1, 2, 2), incomplete="drop",
    offset=128266, per_position=4096, size=4096, strides=(4, 2, 1),
)  # fmt: skip
NEUTTS = TokenLayout(name="neutts", pattern=r"<\|speech_(\d+)\|>", size=65536)
FISH = TokenLayout(name="fish", axes=("book", "frame"), size=(4096, *[1024] * 9), invalid="clip")
QWEN = TokenLayout(name="qwen", axes=("frame", "book"), size=2048)


def decode(decoder: str, given: Any, layout: TokenLayout, **options: Any) -> list[Any]:
    plugin = default().find("decoder", decoder).resolve()
    items = decoder_reading.decode(plugin, given, kind="tokens", layout=layout, **options)
    return [item.signal for item in items]


def save_torch(path: Path, array: Any) -> None:
    torch.save(torch.from_numpy(array), path)


def save_hdf5(path: Path, array: Any) -> None:
    with h5py.File(path, "w") as file:
        file["codes"] = array


WRITERS: dict[str, tuple[str, Callable[[Path, Any], None]]] = {
    "npy-reader": (".npy", np.save),
    "npz-reader": (".npz", lambda path, array: np.savez(path, codes=array)),
    "torch-reader": (".pt", save_torch),
    "safetensors-reader": (".safetensors", lambda path, array: safetensors.numpy.save_file({"codes": array}, path)),
    "hdf5-reader": (".h5", save_hdf5),
    "raw-reader": (".bin", lambda path, array: path.write_bytes(array.tobytes())),
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("decoder", WRITERS)
def test_every_type_in_every_file(decoder: str, dtype: str, tmp_path: Path) -> None:
    suffix, write = WRITERS[decoder]
    write(tmp_path / f"a{suffix}", CODES.astype(dtype))
    names = {"u2": "uint16", "u4": "uint32", "i4": "int32", "i8": "int64"}
    options = {"dtype": names[dtype], "shape": [4, 30]} if decoder == "raw-reader" else {}
    (tokens,) = decode(decoder, tmp_path / f"a{suffix}", PLAIN, **options)
    assert (tokens.codes == CODES[None]).all()
    assert (tokens.codes.dtype, tokens.sizes) == (np.int32, (1024,) * 4)


def test_the_largest_code_of_neucodec_fills_uint16(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([65535, 0, 40000], "u2"))
    (tokens,) = decode("npy-reader", tmp_path / "a.npy", TokenLayout(name="ids", interleave=(0,), size=65536))
    assert tokens.codes.tolist() == [[[65535, 0, 40000]]]


LEVELS = [np.random.default_rng(2).integers(0, 4096, (2, 5 * count)) for count in (1, 2, 4)]


def check_levels(found: list[Any]) -> None:
    assert len(found) == 2
    for number, tokens in enumerate(found):
        for level, expected in zip(tokens.levels, LEVELS, strict=True):
            assert (level == expected[number : number + 1]).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_batches_of_levels(dtype: str, tmp_path: Path) -> None:
    levels = [level.astype(dtype) for level in LEVELS]
    np.savez(tmp_path / "a.npz", *levels)
    check_levels(decode("npz-reader", tmp_path / "a.npz", SNAC))
    safetensors.numpy.save_file({f"codes.{n}": level for n, level in enumerate(levels)}, tmp_path / "a.safetensors")
    check_levels(decode("safetensors-reader", tmp_path / "a.safetensors", SNAC))
    torch.save([torch.from_numpy(level) for level in levels], tmp_path / "a.pt")
    check_levels(decode("torch-reader", tmp_path / "a.pt", SNAC))
    torch.save([[torch.from_numpy(level[n]) for level in levels] for n in range(2)], tmp_path / "b.pt")
    check_levels(decode("torch-reader", tmp_path / "b.pt", SNAC))
    torch.save({"codes": tuple(torch.from_numpy(level) for level in levels)}, tmp_path / "c.pt")
    check_levels(decode("torch-reader", tmp_path / "c.pt", SNAC))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for number, level in enumerate(levels):
            file[f"codes/{number}"] = level
    check_levels(decode("hdf5-reader", tmp_path / "a.h5", SNAC))


def test_lists_of_whole_numbers_in_torch_files(tmp_path: Path) -> None:
    torch.save([level[0].tolist() for level in LEVELS], tmp_path / "a.pt")
    (tokens,) = decode("torch-reader", tmp_path / "a.pt", SNAC)
    assert [level[0].tolist() for level in tokens.levels] == [level[0].tolist() for level in LEVELS]


def test_a_dict_of_lists_as_cosyvoice_saves_it(tmp_path: Path) -> None:
    speech = {"utt1": list(range(100)), "utt2": [5, 6, 7], "utt3.a": [9]}
    torch.save(speech, tmp_path / "utt2speech_token.pt")
    layout = TokenLayout(name="s3", interleave=(0,), size=6561)
    found = decode("torch-reader", tmp_path / "utt2speech_token.pt", layout, key="utt[12]")
    assert [tokens.codes.reshape(-1).tolist() for tokens in found] == [speech["utt1"], speech["utt2"]]
    (tokens,) = decode("torch-reader", tmp_path / "utt2speech_token.pt", layout, key="utt3.a")
    assert tokens.codes.tolist() == [[[9]]]


ENCODEC = TokenLayout(name="encodec", axes=("segment", "batch", "book", "frame"), size=1024)


def test_lists_of_few_numbers_beside_a_tensor_are_numbers(tmp_path: Path) -> None:
    torch.save({"codes": torch.from_numpy(CODES), "shape": [4, 30]}, tmp_path / "a.pt")
    (tokens,) = decode("torch-reader", tmp_path / "a.pt", PLAIN)
    assert (tokens.codes == CODES[None]).all()
    with (tmp_path / "a.pt").open("rb") as file:
        assert read_contents(file, "a.pt").numbers == {"shape.0": 4, "shape.1": 30}


def test_pairs_of_codes_and_no_factor_as_encodec_gives_them(tmp_path: Path) -> None:
    torch.save([(torch.from_numpy(CODES[None]), None)], tmp_path / "a.pt")
    (tokens,) = decode("torch-reader", tmp_path / "a.pt", ENCODEC)
    assert (tokens.codes == CODES[None]).all()
    assert (tokens.segments, tokens.scales) == (None, None)


@pytest.mark.parametrize("count", [1, 2])
def test_segments_and_their_factors_as_encodec_gives_them(count: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    segments = [rng.integers(0, 1024, (count, 4, frames)) for frames in (15, 15, 4)]
    factors = rng.uniform(0.1, 2, (3, count, 1)).astype("f4")
    pairs = [(torch.from_numpy(codes), torch.from_numpy(one)) for codes, one in zip(segments, factors, strict=True)]
    torch.save(pairs, tmp_path / "a.pt")
    even = np.stack([np.pad(codes, ((0, 0), (0, 0), (0, 15 - codes.shape[2]))) for codes in segments])
    np.savez(tmp_path / "a.npz", audio_codes=even, audio_scales=factors)
    for name, decoder, lengths in (("a.pt", "torch-reader", (15, 15, 4)), ("a.npz", "npz-reader", (15, 15, 15))):
        found = decode(decoder, tmp_path / name, ENCODEC)
        assert len(found) == count
        for index, tokens in enumerate(found):
            assert tokens.segments == lengths
            assert tokens.scales == tuple(factors[:, index, 0].tolist())
            whole = np.concatenate([codes[index] for codes in segments], axis=1)
            assert (tokens.codes[0, :, : whole.shape[1]] == whole).all()


def test_lists_of_sequences_are_a_batch(tmp_path: Path) -> None:
    torch.save([torch.tensor([1, 2, 3]), torch.tensor([4, 5]), torch.tensor([6])], tmp_path / "a.pt")
    found = decode("torch-reader", tmp_path / "a.pt", TokenLayout(name="ids", interleave=(0,), size=100))
    assert [tokens.codes[0, 0].tolist() for tokens in found] == [[1, 2, 3], [4, 5], [6]]


@pytest.mark.parametrize(
    ("file", "decoder", "layout"),
    [
        ("codes_0.npy", "npy-reader", FISH),
        ("orpheus_ids.npy", "npy-reader", ORPHEUS),
        ("snac_codes.pt", "torch-reader", SNAC),
        ("snac_codes.npz", "npz-reader", SNAC),
        ("neutts_ref.pt", "torch-reader", TokenLayout(name="ids", interleave=(0,), size=65536)),
        ("qwen3_item.npy", "npy-reader", QWEN),
    ],
)
def test_files_as_projects_save_them(file: str, decoder: str, layout: TokenLayout) -> None:
    one = next(one for one in json.loads((TOKENS / "files" / "files.json").read_text()) if one["file"] == file)
    (tokens,) = decode(decoder, TOKENS / "files" / file, layout)
    oracle = np.load(TOKENS / f"{one['oracle']}.npz")
    expected = [oracle[f"{one['case']}/codes"]] if one["codes"] == "codes" else []
    expected = expected or [oracle[key] for key in sorted(oracle.files) if key.startswith(f"{one['case']}/codes.")]
    if one["codes"] == "codes.0":
        expected = expected[:1]
    found = tokens.arrays() if len(expected) > 1 else [tokens.codes]
    for made, wanted in zip(found, expected, strict=True):
        assert np.array_equal(made.squeeze(), wanted.squeeze())
