"""PyTorch's files: tensors by name, whatever their layout, and no code that is run."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonearm.api import MAX_NESTING, ItemError, Requirement
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
    assert "mkdir" in error.message
    assert error.hint.startswith("save tensors alone")
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
