"""PyTorch's files: tensors by name, whatever their layout, and no code that is run."""

from __future__ import annotations

import io
import itertools
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonearm.api import MAX_NESTING, SAVE_UNCOMPRESSED, WRITE_AGAIN, ItemError, Requirement, limited_memory
from tonearm_plugins.formats import pytorch

torch = pytest.importorskip("torch", reason="pip install torch")

SAMPLES = np.array([0.5, -0.25, 0.125, 0], "f4")
FORMATS = [{}, {"_use_new_zipfile_serialization": False}]


def saved(content: Any, **how: Any) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(content, file, **how)
    return file


def refused(file: io.BytesIO) -> ItemError:
    with pytest.raises(ItemError) as caught:
        pytorch.load(file, "a.pt")
    assert caught.value.message.isprintable()
    return caught.value


def arrays(content: Any, **how: Any) -> dict[str, Any]:
    return {key: pytorch.to_array(one, key) for key, one in pytorch.load(saved(content, **how), "a.pt").items()}


@pytest.mark.parametrize("how", FORMATS)
def test_tensors_are_named_by_the_keys_that_lead_to_them(how: dict[str, Any]) -> None:
    one = torch.tensor(SAMPLES)
    content = {"step": 3, "out": {"wav": one, 7: one}, "list": [one, "text", (one,)]}
    assert list(arrays(content, **how)) == ["out.wav", "out.7", "list.0", "list.2.0"]
    assert list(arrays(one, **how)) == [""]
    assert arrays({"step": 3}, **how) == {}


def test_containers_are_opened_down_to_a_depth() -> None:
    content: Any = torch.tensor(SAMPLES)
    for _ in range(MAX_NESTING):
        content = [content]
    assert len(arrays(content)) == 1
    assert arrays([content]) == {}


def test_views_gradients_and_conjugates() -> None:
    found = arrays(torch.nn.Parameter(torch.tensor(SAMPLES)).flip(0)[::2])
    assert np.array_equal(found[""], SAMPLES[::-1][::2])
    values = torch.complex(torch.ones(9, 5), torch.ones(9, 5)).conj()
    assert np.array_equal(arrays(values)[""], np.full((9, 5), 1 - 1j))


@pytest.mark.filterwarnings("ignore:ComplexHalf")
@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("bfloat16", "f4"), ("float8_e5m2", "f4"), ("complex32", "c8"), ("float16", "f2"), ("int64", "i8")],
)
def test_types_that_numpy_has_not_become_wider(dtype: str, expected: str) -> None:
    found = pytorch.to_array(torch.tensor([1.0, 2.0]).to(getattr(torch, dtype)), "a")
    assert found.dtype == expected
    assert found.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: torch.zeros(3).to_sparse(), "torch.sparse_coo on cpu"),
        (lambda: torch.zeros(3, device="meta"), "torch.strided on meta"),
        (lambda: torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.qint8), "quantised"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_tensors_without_plain_values_are_refused(make: Any, what: str) -> None:
    with pytest.raises(ItemError) as caught:
        pytorch.to_array(make(), "wav")
    assert caught.value.code == "not-numbers"
    assert caught.value.message == f"the tensor 'wav' is {what}, not plain values"


class Evil:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("how", FORMATS)
def test_nothing_is_run(how: dict[str, Any], tmp_path: Path) -> None:
    error = refused(saved({"wav": torch.zeros(3), "x": Evil(tmp_path / "evil")}, **how))
    assert error.code == "torch-refused"
    assert error.message == f"'a.pt' holds more than tensors, and is not opened: '{os.mkdir.__module__}.mkdir'"
    assert error.hint == "save tensors alone: torch.save(tensor, path), or a dict of tensors"
    assert error.__suppress_context__
    assert not (tmp_path / "evil").exists()


def test_a_whole_module_is_refused() -> None:
    error = refused(saved(torch.nn.Linear(2, 2)))
    assert error.code == "torch-refused"
    assert "torch.nn.modules.linear.Linear" in error.message


def test_a_tensor_that_repeats_one_value_is_refused() -> None:
    assert refused(saved(torch.zeros(1).expand(10**12))).code == "too-large"


def test_compressed_members_are_refused() -> None:
    given = zipfile.ZipFile(saved(torch.zeros(1 << 20)))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in given.infolist():
            archive.writestr(member.filename, given.read(member))
    assert "compressed member" in refused(file).message


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "empty"), (b"RIFFWAVE", "wrong-format"), (b"PK\3\4" + bytes(99), "broken-file")]
)
def test_other_files(data: bytes, code: str) -> None:
    assert refused(io.BytesIO(data)).code == code


def on_disk(folder: Path, content: Any, **how: Any) -> Path:
    path = folder / "a.pt"
    path.write_bytes(saved(content, **how).getvalue())
    return path


@pytest.mark.parametrize("how", FORMATS)
def test_only_files_in_memory_or_of_the_old_format_take_memory(how: dict[str, Any], tmp_path: Path) -> None:
    path = on_disk(tmp_path, torch.zeros(9000), **how)
    size = path.stat().st_size
    for limit in (2 * size, 2 * size - 1):
        refusal = limit < 2 * size
        for file in (io.BytesIO(path.read_bytes()), path.open("rb")):
            with file, limited_memory(limit):
                file.seek(5)
                mapped = pytorch.is_mapped(file)
                assert file.tell() == 0
                assert mapped == (not how and not isinstance(file, io.BytesIO))
                if refusal and not mapped:
                    with pytest.raises(ItemError, match=r"'a\.pt' would take") as caught:
                        pytorch.load(file, "a.pt")
                    assert caught.value.code == "too-large"
                else:
                    assert pytorch.load(file, "a.pt")[""].shape == (9000,)


@pytest.mark.parametrize(("how", "mapped"), [(FORMATS[0], True), (FORMATS[1], False)])
def test_files_of_the_zip_format_are_mapped(how: dict[str, Any], mapped: bool, tmp_path: Path) -> None:
    path = on_disk(tmp_path, torch.zeros(90_000), **how)
    with path.open("rb") as file:
        tensors = pytorch.load(file, "a.pt")
    assert (str(path) in Path("/proc/self/maps").read_text()) == mapped
    assert len(tensors) == 1


def test_mapped_values_stay_mapped_unless_their_type_changes() -> None:
    plain = torch.tensor(SAMPLES)
    assert type(pytorch.to_array(plain, "a")) is np.ndarray
    assert type(pytorch.to_array(plain, "a", mapped=True)) is np.memmap
    assert type(pytorch.to_array(plain.bfloat16(), "a", mapped=True)) is np.ndarray
    negative = torch.complex(plain, plain).conj().imag
    assert negative.is_neg()
    assert pytorch.to_array(negative, "a", mapped=True).tolist() == (-SAMPLES).tolist()


def test_the_numbers_of_arrays_and_values_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (pytorch.MAX_ARRAYS, pytorch.MAX_VALUES) == (100_000, 500_000)
    content = [{"a": torch.zeros(1), "b": torch.zeros(1)}, 7]  # five values, two of them arrays
    for bound, most in (("MAX_ARRAYS", 2), ("MAX_VALUES", 4)):
        monkeypatch.setattr(pytorch, bound, most)
        assert list(arrays(content)) == ["0.a", "0.b"]
        with monkeypatch.context() as lower:
            lower.setattr(pytorch, bound, most - 1)
            error = refused(saved(content))
        assert (error.code, error.message) == ("too-large", f"'a.pt' has more than {most - 1} arrays")


def test_claims_are_compared_with_the_size_of_the_file() -> None:
    file = saved({"wav": torch.zeros(1, dtype=torch.float64).expand(10**12)})
    error = refused(file)
    assert (error.code, error.message, error.hint) == (
        "too-large",
        f"'a.pt': 'wav' claims 8,000,000,000,000 bytes, but only {len(file.getvalue()):,} are stored",
        SAVE_UNCOMPRESSED,
    )
    nothing = pytorch.load(saved(torch.zeros(10**12, device="meta")), "a.pt")
    assert nothing[""].device.type == "meta"


def test_tensors_without_a_name_are_described() -> None:
    with pytest.raises(ItemError) as caught:
        pytorch.to_array(torch.zeros(3, device="meta"), "")
    assert caught.value.message == "the tensor is torch.strided on meta, not plain values"
    assert caught.value.hint == "save tensor.float().cpu()"


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize("module", ["builtins", "__builtin__"])
def test_arrays_of_bytes_are_refused_wherever_they_stand(
    how: dict[str, Any], module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be of any length, and PyTorch makes them before it returns."""
    for piece, pad in itertools.product((10, 64), range(0, 64, 5)):
        monkeypatch.setattr(pytorch, "_PIECE", piece)
        data = saved({"pad": "x" * (pad + 64), "bytes": bytearray(b"a")}, **how).getvalue()
        assert b"c__builtin__\nbytearray\n" in data
        if module == "builtins" and how:
            data = data.replace(b"c__builtin__\n", b"cbuiltins\n")
        error = refused(io.BytesIO(data))
        assert (error.code, error.message) == (
            "torch-refused",
            "'a.pt' holds more than tensors, and is not opened: 'bytearray'",
        )
    assert arrays({"pad": "x" * 200, "name": "bytearray", "wav": torch.ones(1)}, **how)["wav"].tolist() == [1]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a/data.pkl", "torch-refused"),
        ("a/DATA.PKL", "torch-refused"),
        ("a/b/other.pkl", "torch-refused"),
        ("a/data", "broken-file"),
    ],
)
def test_pickles_are_looked_at_by_their_names(name: str, code: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/version", b"3")
        archive.writestr(name, b"\x80\x02cbuiltins\nbytearray\n.")
    assert refused(file).code == code


def test_a_pickle_is_looked_at_by_pieces_of_1_mib() -> None:
    asked = []

    class Tracked(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            asked.append(size)
            return super().read(size)

    file = Tracked(bytes(1 << 21))
    pytorch._check_pickle(file, "a.pt")
    assert set(asked) == {1 << 20}
    assert file.tell() == 0


@pytest.mark.parametrize("field", [20, 24])  # sizes in the directory: as stored, and inflated
def test_members_of_two_sizes_count_as_compressed(field: int) -> None:
    data = bytearray(saved(torch.zeros(3)).getvalue())
    at = data.index(b"PK\1\2") + field
    data[at : at + 4] = (int.from_bytes(data[at : at + 4], "little") - 1).to_bytes(4, "little")
    error = refused(io.BytesIO(data))
    assert (error.code, error.message, error.hint) == (
        "broken-file",
        "'a.pt' has a compressed member 'archive/data.pkl', which PyTorch never writes",
        "save it again with torch.save",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x\nUnsupported global: GLOBAL a.b.c was not an allowed global", "'a.b.c'"),
        ("GLOBAL a.b. Please", "'a.b'"),
        ("GLOBAL " + "a" * 80, repr("a" * 80)),
        ("GLOBAL " + "a" * 81, repr("a" * 79 + "…")),
        ("Unsupported operand 149\nmore", "'Unsupported operand 149'"),
        ("anything\nelse\nat all", "'anything'"),
        ("a" * 80, repr("a" * 80)),
        ("a" * 81, repr("a" * 79 + "…")),
    ],
)
def test_what_pytorch_refuses_is_named(text: str, expected: str) -> None:
    assert pytorch._refused_object(ValueError(text)) == expected


def test_broken_files_are_described() -> None:
    error = refused(io.BytesIO(b"PK\3\4" + bytes(99)))
    assert error.message.startswith("'a.pt' cannot be read as a PyTorch file: ")
    assert error.hint == WRITE_AGAIN
    assert refused(io.BytesIO(b"\x80\x02.")).code == "broken-file"
    assert refused(io.BytesIO(b"P")).code == "wrong-format"


def test_an_old_pytorch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pytorch.TORCH.is_met()
    assert not Requirement(name="torch", at_least="99.1", hint="").is_met()
    assert Requirement(name="torch", at_least="2.9", hint="").is_met()  # 2.13 is newer, as numbers go
    monkeypatch.setattr(Requirement, "is_met", lambda self: False)
    error = refused(saved(torch.zeros(3)))
    assert (error.message, error.hint) == (
        "'a.pt' needs the package 'torch' 2.10 or newer",
        "pip install 'tonearm[torch]'",
    )


@pytest.mark.parametrize("how", FORMATS)
def test_bytes_are_let_through_and_what_lengthens_them_is_not(how: dict[str, Any]) -> None:
    """Pickles of PyTorch's protocol hold bytes as text in Latin-1."""
    wave = torch.tensor(SAMPLES)
    assert list(pytorch.load(saved({"wav": wave, "id": b"\xff\0", "encoding": "latin-1"}, **how), "a.pt")) == ["wav"]
    for encoding in ("hex", "HEX_codec", "base-64", "quopri", "quoted printable", "uu"):
        content = {"wav": wave, "id": b"\xff\0", "encoding": encoding}
        assert refused(saved(content, **how)).code == "torch-refused"
    assert list(pytorch.load(saved({"wav": wave, "encoding": "hex"}, **how), "a.pt")) == ["wav"]


def test_numbers_texts_and_bytes_beside_tensors() -> None:
    content = {
        "sr": 8000,
        "audio": {"wav": torch.zeros(9), "sr": 16000, "text": "hi", "flag": True, "long": "x" * 100},
        "file": b"RIFF" * 20,
        "id": b"ab",
    }
    for how in ({}, {"_use_new_zipfile_serialization": False}):
        found = pytorch.read_contents(saved(content, **how), "a.pt")
        assert list(found.tensors) == ["audio.wav", "file"]
        assert bytes(found.tensors["file"].numpy()) == content["file"]
        assert found.numbers == {"sr": 8000, "audio.sr": 16000, "audio.text": "hi"}
        assert list(found.beside("audio.wav").items()) == [("sr", 16000), ("text", "hi")]
        assert found.beside("file") == {"sr": 8000}
