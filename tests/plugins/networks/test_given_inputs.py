"""What the options give beside the signal: constants, and files of the run or of each item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from network_material import MEL, planned, with_more

from tonearm.api import Context, ItemError, OptionError, Source
from tonearm_plugins.networks.given_inputs import MAX_BYTES, given_arrays, read_input_file
from tonearm_plugins.networks.options import InputFile

SPEAKER = np.linspace(-1, 1, 12, dtype="f4")


def given(folder: Path, channels: int = 1, frames: int | None = 30, stem: str = "a", **inputs: Any) -> Any:
    plan = planned(
        with_more(folder / "m.onnx"), MEL, inputs={"spk_emb": SPEAKER.tolist(), "noise_scale": 0.5, "f0": 0.0} | inputs
    )
    return given_arrays(plan, channels, frames, Context(source=Source(name=f"{stem}.npy", path=f"{stem}.npy")))


def test_constants(tmp_path: Path) -> None:
    found = given(tmp_path)
    assert set(found) == {"spk_emb", "noise_scale", "f0"}
    np.testing.assert_allclose(found["spk_emb"].ravel(), SPEAKER, rtol=1e-6)
    assert found["noise_scale"].shape == (1,)
    np.testing.assert_array_equal(found["f0"], np.zeros((1, 30)))


@pytest.mark.parametrize("shape", [(30,), (1, 30)])
def test_files_of_each_item(tmp_path: Path, shape: tuple[int, ...]) -> None:
    for stem, level in (("a", 100.0), ("b", 200.0)):
        np.save(tmp_path / f"{stem}.f0.npy", np.full(shape, level))
        found = given(tmp_path, stem=stem, f0=InputFile(file=str(tmp_path / "{stem}.f0.npy")))
        np.testing.assert_array_equal(found["f0"], np.full((1, 30), level))


def test_a_file_for_every_channel(tmp_path: Path) -> None:
    np.save(tmp_path / "f0.npy", np.arange(60.0).reshape(2, 30))
    found = given(tmp_path, channels=2, f0=InputFile(file=str(tmp_path / "f0.npy")))
    np.testing.assert_array_equal(found["f0"], np.arange(60.0).reshape(2, 30))


def test_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "f0.txt").write_text("\n".join(str(number) for number in range(30)))
    found = given(tmp_path, f0=InputFile(file=str(tmp_path / "f0.txt")))
    np.testing.assert_array_equal(found["f0"], [np.arange(30)])


def test_in_a_stream_the_number_of_frames_is_not_known(tmp_path: Path) -> None:
    np.save(tmp_path / "f0.npy", np.arange(99.0))
    found = given(tmp_path, frames=None, f0=InputFile(file=str(tmp_path / "f0.npy")))
    assert found["f0"].shape == (1, 99)
    assert given(tmp_path, frames=None)["f0"].shape == (1, 1)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.zeros(29),
            "input f0 of the model takes (batch, frames), and is given an array of 29 frames, but the signal",
        ),
        (np.zeros((3, 30)), "of shape (3, 30)"),
        (np.zeros(30, "c8"), "an array complex64"),
    ],
)
def test_what_does_not_fit_the_signal(tmp_path: Path, array: Any, message: str) -> None:
    np.save(tmp_path / "f0.npy", array)
    with pytest.raises(ItemError) as caught:
        given(tmp_path, channels=2, f0=InputFile(file=str(tmp_path / "f0.npy")))
    assert message in caught.value.message
    assert caught.value.code == "bad-model-input"
    assert "inputs:" in caught.value.hint


def test_a_vector_of_another_size(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"the input spk_emb float32 \(1, 12\) is given 2 numbers"):
        given(tmp_path, spk_emb=[1.0, 2.0])


def test_files_that_are_none(tmp_path: Path) -> None:
    for name in ("none.npy", "."):
        with pytest.raises(ItemError):
            given(tmp_path, f0=InputFile(file=str(tmp_path / name)))
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(ItemError):
        given(tmp_path, f0=InputFile(file=str(tmp_path / "x.npy")))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.npy", b"secret", "it is not a .npy file"),
        ("x.txt", b"1 2\nsecret 3\n", "its lines are not all numbers, as many in each"),
        ("x.txt", b"1 2\n3\n", "its lines are not all numbers, as many in each"),
        ("x.txt", b"1" * (MAX_BYTES + 1), "it has more than 64 MiB"),
    ],
)
def test_no_message_quotes_a_file(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ItemError) as caught:
        read_input_file(str(tmp_path / name), "f0")
    assert caught.value.message == f"'{tmp_path / name}' for input f0 of the model holds no array of numbers: {reason}"
    assert caught.value.code == "bad-model-input"


def test_a_table_in_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("1 2\n\n3 4e1\n")
    np.testing.assert_array_equal(read_input_file(str(tmp_path / "x.txt"), "f0"), [[1, 2], [3, 40]])


def test_an_empty_field_in_front_does_not_lead_to_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.full(30, 100.0))
    found = given(tmp_path, f0=InputFile(file="{relative_dir}/{stem}.npy"))
    np.testing.assert_array_equal(found["f0"], np.full((1, 30), 100.0))
