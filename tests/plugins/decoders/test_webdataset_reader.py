"""``webdataset-reader``: shards as webdataset writes them; nothing is extracted."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import decoder_reading
import numpy as np
import pytest
import webdataset
from decoder_reading import RNG, WAVE
from real_formats import npy_bytes

from tonearm.api import MAP_FROM, ItemError
from tonearm_plugins.decoders.webdataset_reader import WebDatasetReader

torch = pytest.importorskip("torch", reason="pip install torch")

WAVES = [RNG.uniform(-1, 1, n).astype("f4") for n in (5, 7, 3)]


def shard(path: Path) -> Path:
    with webdataset.TarWriter(str(path)) as writer:
        for number, wave in enumerate(WAVES):
            extra = {"npz": {"b": wave, "c": wave * 2}, "pth": {"mel": torch.tensor(wave)}, "json": {"text": "a"}}
            writer.write({"__key__": f"{number:04}", "wav.npy": wave, **extra})
    return path


def tarred(*members: tuple[str, bytes], mode: str = "w", **fields: Any) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for field, value in fields.items():
                setattr(info, field, value)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def decode(given: Any, **options: Any) -> list[Any]:
    return decoder_reading.decode(WebDatasetReader, given, **WAVE | options)


def refused(given: Any, **options: Any) -> Any:
    return decoder_reading.refused(WebDatasetReader, given, **WAVE | options)


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_members_of_every_kind(suffix: str, tmp_path: Path) -> None:
    path = shard(tmp_path / f"a{suffix}")
    for pattern, key, scale in (
        ("*.npy", "{:04}.wav.npy", 1),
        ("*.npz/b", "{:04}.npz/b", 1),
        ("*.npz/c", "{:04}.npz/c", 2),
        ("*.pth/*", "{:04}.pth/mel", 1),
    ):
        items = decode(path, key=pattern)
        assert [item.key for item in items] == [key.format(number) for number in range(3)]
        for item, wave in zip(items, WAVES, strict=True):
            assert np.array_equal(item.signal.samples[0], wave * scale)
    error = refused(path)
    assert (error.code, error.message) == ("several-arrays", "the samples have arrays of 4 sorts")
    assert error.hint == 'key: "*.npz/b", "*.npz/c", "*.pth/mel" or "*.wav.npy"'


@pytest.mark.parametrize(
    ("names", "sorts"),
    [
        (["0.npy", "1.npy", "dir/2.npy"], 1),
        (["a/0.wav.npy", "b/0.wav.npy"], 1),
        (["0.wav.npy", "0.mel.npy"], 2),
        (["0.npz", "1.npz"], 1),
        (["0.npz", "0.npy"], 2),
    ],
)
def test_samples_with_arrays_of_one_sort_are_read_whole(names: list[str], sorts: int) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, wav=WAVES[0])
    data = tarred(*((name, buffer.getvalue() if name.endswith("z") else npy_bytes(WAVES[0])) for name in names))
    if sorts == 1:
        assert len(decode(data)) == len(names)
    else:
        assert refused(data).message == f"the samples have arrays of {sorts} sorts"


def test_parts_of_a_sample_belong_together() -> None:
    data = tarred(
        *((f"{name}.npy", npy_bytes(np.full((9, 5), value))) for name, value in (("0.re", 1.0), ("0.im", 2.0)))
    )
    (item,) = decode(data, kind="complex", key="*.re.npy", imag="*.im.npy", **decoder_reading.STFT)
    assert np.array_equal(item.signal.values[0], np.full((9, 5), 1 + 2j))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", "i2", "i4"])
def test_every_type(dtype: str) -> None:
    scale = 1 if np.dtype(dtype).kind == "f" else 2 ** (8 * np.dtype(dtype).itemsize - 1)
    array = (np.array([0.5, -0.25]) * scale).astype(dtype)
    assert decode(tarred(("a.npy", npy_bytes(array))))[0].signal.samples.tolist() == [[0.5, -0.25]]


def test_one_bad_member_leaves_the_others() -> None:
    members = [
        ("a.npy", npy_bytes(WAVES[0])),
        ("b.npy", b"nonsense"),
        ("c.npz", b"PK"),
        ("d.pt", b"x"),
        ("e.npy", npy_bytes(WAVES[1])),
    ]
    found = decoder_reading.outcomes(WebDatasetReader, tarred(*members), key="*", **WAVE)
    assert [one.code if isinstance(one, ItemError) else one.key for one in found] == [
        *("a.npy", "not-npy", "npz-truncated", "wrong-format", "e.npy")
    ]


def npz_bytes(array: Any, save: Any) -> bytes:
    file = io.BytesIO()
    save(file, wav=array)
    return file.getvalue()


def pt_bytes(array: Any) -> bytes:
    file = io.BytesIO()
    torch.save({"wav": torch.tensor(array)}, file)
    return file.getvalue()


MEMBERS = {
    "a.npy": npy_bytes,
    "a.npz": lambda array: npz_bytes(array, np.savez),
    "b.npz": lambda array: npz_bytes(array, np.savez_compressed),
    "a.pt": pt_bytes,
}
BOTH_SIDES = pytest.mark.parametrize("count", [MAP_FROM // 4 - 64, MAP_FROM // 4 + 64], ids=["read", "mapped"])


@BOTH_SIDES
@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_members_on_both_sides_of_the_size_from_which_arrays_are_mapped(
    name: str, mode: str, count: int, tmp_path: Path
) -> None:
    array = np.tile(RNG.uniform(-1, 1, 1000).astype("f4"), count // 1000 + 1)[:count]
    given = {"compresslevel": 1} if mode == "w:gz" else {}
    with tarfile.open(tmp_path / "a.tar", mode, **given) as archive:  # type: ignore[call-overload]
        data = MEMBERS[name](array)
        for one, content in (("0.txt", b"first"), (name, data), ("z.txt", b"last")):
            info = tarfile.TarInfo(one)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    ((found,),) = ([item.signal.samples for item in decode(tmp_path / "a.tar")],)
    assert np.array_equal(found[0], array)


def sparse_tar(array: Any, name: str, form: str) -> bytes:
    """A tar of one sparse member: zeros from a fourth to three fourths of it are not stored."""
    data = MEMBERS[name](array)
    first, last = (len(data) // 4 // 512 * 512, len(data) * 3 // 4 // 512 * 512)
    assert not np.frombuffer(data[first:last], "u1").any()
    stored = data[:first] + data[last:]
    stored_places = ((0, first), (last, len(data) - last))
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(stored)
        if form == "pax":
            numbers = ",".join(f"{start},{length}" for start, length in stored_places)
            info.pax_headers = {"GNU.sparse.map": numbers, "GNU.sparse.size": str(len(data))}
        archive.addfile(info, io.BytesIO(stored))
    made = bytearray(file.getvalue())
    if form == "gnu":
        numbers = [number for place in stored_places for number in place]
        made[156:157] = b"S"
        made[257:265] = b"ustar  \0"
        made[386:434] = b"".join(b"%011o\0" % number for number in numbers)
        made[483:495] = b"%011o\0" % len(data)
        made[148:156] = b" " * 8
        made[148:156] = b"%06o\0 " % sum(made[:512])
    return bytes(made)


@BOTH_SIDES
@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.pt"])
@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_sparse_members_on_both_sides(name: str, form: str, count: int, tmp_path: Path) -> None:
    array = np.zeros(count, "f4")
    array[:5000], array[-5000:] = RNG.uniform(-1, 1, (2, 5000))
    path = tmp_path / "a.tar"
    path.write_bytes(sparse_tar(array, name, form))
    assert np.array_equal(decode(path)[0].signal.samples[0], array)
    path.write_bytes(gzip.compress(path.read_bytes(), 1))
    assert np.array_equal(decode(path)[0].signal.samples[0], array)


def test_a_sparse_member_that_memory_cannot_hold_is_refused_before_it_is_read() -> None:
    header = npy_bytes(np.zeros(1, "f4"))[:128].replace(b"(1,), }" + b" " * 12, b"(1000000000000,), }")
    assert len(header) == 128
    data = bytearray(tarred(("a.npy", header)))
    data[156:157] = b"S"
    data[257:265] = b"ustar  \0"
    data[386:410] = b"%011o\0%011o\0" % (0, 128)
    data[483:495] = b"\x80" + (128 + 4 * 10**12).to_bytes(11, "big")
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    for given in (bytes(data), gzip.compress(data)):
        error = refused(given)
        assert error.code == "too-large"


def test_names_and_links_lead_nowhere(tmp_path: Path) -> None:
    data = tarred(("../../evil.npy", npy_bytes(WAVES[0])))
    assert decode(data)[0].key == "../../evil.npy"
    assert refused(tarred(("a.npy", b""), type=tarfile.SYMTYPE, linkname="/etc/passwd")).code == "empty"
    assert refused(tarred(("a.npy", b"x"), ("a.npy", b"x"))).code == "duplicate"


def test_the_json_of_a_sample_says_its_rate(tmp_path: Path) -> None:
    samples = [(f"d/{number}.json", json.dumps({"meta": {"sr": 8000 * number}}).encode()) for number in (1, 2)]
    arrays = [(f"d/{number}.mel.NPY", npy_bytes(WAVES[0])) for number in (1, 2)]
    data = tarred(*samples, *arrays, ("d/3.npy", npy_bytes(WAVES[0])), ("d/3.json", b"{"))
    options = {"kind": "waveform", "key": "d/[12].*"}
    items = decoder_reading.decode(WebDatasetReader, data, **options)
    assert [(item.key, item.signal.sample_rate) for item in items] == [("d/1.mel.NPY", 8000), ("d/2.mel.NPY", 16000)]
    assert decoder_reading.refused(WebDatasetReader, data, kind="waveform", key="d/3.npy").code == "missing-option"
    for order in (samples + arrays, arrays + samples):
        compressed = tarred(*order, mode="w:gz")
        items = decoder_reading.decode(WebDatasetReader, compressed, **options)
        assert [item.signal.sample_rate for item in items] == [8000, 16000]
    path = tmp_path / "a.tar"
    path.write_bytes(data)
    first, second = decoder_reading.outcomes(WebDatasetReader, path, **options, sample_rate=8000)
    assert (first.key, second.code) == ("d/1.mel.NPY", "rate-mismatch")


def test_other_members_are_named() -> None:
    error = refused(tarred(("a.pyd", b"x"), ("b.txt", b"x"), ("c", b"x"), ("a.json", b"{}")))
    assert error.code == "empty"
    assert error.message == "'in memory' has no .npy, .npz, .pt or sound member; it has '.pyd', '.txt', 'c', '.json'"
    assert refused(tarred(("a.json", b"{}"))).code == "empty"


def test_a_shard_of_zstd_is_refused_with_a_remedy() -> None:
    numcodecs = pytest.importorskip("numcodecs")
    error = refused(bytes(numcodecs.Zstd().encode(tarred(("a.npy", npy_bytes(WAVES[0]))))))
    assert error.code == "wrong-format"
    assert error.hint == "decompress it first: unzstd"


def test_a_shard_that_inflates_too_much_is_refused() -> None:
    assert refused(tarred(("a.npy", bytes(1 << 20)), *[("b", bytes(1 << 20))] * 300, mode="w:gz")).code == "too-large"


def test_broken_shards_are_read_or_raise_an_item_error(tmp_path: Path) -> None:
    data = shard(tmp_path / "a.tar").read_bytes()
    for part in decoder_reading.truncations(data, 12):
        decoder_reading.read_or_item_error(WebDatasetReader, part, key="*", **WAVE)
    for part in decoder_reading.scrambles(data, 60):
        decoder_reading.read_or_item_error(WebDatasetReader, part, key="*", **WAVE)


def test_a_file_of_another_type_is_named() -> None:
    assert refused(b"").code == "empty"
    assert refused(b"RIFF" + bytes(80)).message == "'in memory' is not a tar file; it looks like a WAV file"
