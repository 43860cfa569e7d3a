"""Windows come from .npy and .txt files, and a file that holds none is reported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonearm.errors import OptionError
from tonearm.signals.window_files import given_window


@pytest.mark.parametrize("window", ["hann", "npy", "txt.hann", (0.5, 1.0)])
def test_names_and_values_stay_as_they_are(window: Any) -> None:
    assert given_window(window) == window


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f8", "i2"])
def test_a_npy_file_gives_its_values(tmp_path: Path, dtype: str) -> None:
    values = np.arange(1, 9).astype(dtype)
    np.save(tmp_path / "w.npy", values)
    assert given_window(str(tmp_path / "w.npy")) == tuple(float(value) for value in range(1, 9))


def test_a_text_file_gives_its_values_in_lines_or_in_a_row(tmp_path: Path) -> None:
    (tmp_path / "W.TXT").write_text("0.5 1\n1e0\n\n.5\n")
    assert given_window(str(tmp_path / "W.TXT")) == (0.5, 1.0, 1.0, 0.5)


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "w.txt"
    path.write_text("1 2")
    assert given_window(str(path)) == (1.0, 2.0)
    path.write_text("3 4")
    os.utime(path, ns=(1, 1))
    assert given_window(str(path)) == (3.0, 4.0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((2, 3)), r"has the shape \(2, 3\), but a window is a row of numbers"),
        (np.float64(1), r"has the shape \(\), but a window is a row of numbers"),
        (np.ones(3, complex), "holds values that are not real numbers"),
        (np.array([1, np.nan]), "holds values that are not finite"),
        (np.array(["a"]), "holds values that are not real numbers"),
        (np.array([None], object), "holds no window: it holds Python objects"),
    ],
)
def test_an_array_that_is_no_window_is_refused(tmp_path: Path, values: Any, message: str) -> None:
    np.save(tmp_path / "w.npy", values, allow_pickle=True)
    with pytest.raises(OptionError, match=message) as caught:
        given_window(str(tmp_path / "w.npy"))
    assert (caught.value.code, caught.value.option) == ("bad-window", "window")


@pytest.mark.parametrize("content", ["root:x:0:0 hunter2", "0.5 hunter2 0.5", "hunter2\xff"])
def test_a_file_that_is_no_window_is_not_quoted(tmp_path: Path, content: str) -> None:
    (tmp_path / "w.txt").write_bytes(content.encode("latin-1"))
    with pytest.raises(OptionError, match=r"holds no window: word \d is not a number") as caught:
        given_window(str(tmp_path / "w.txt"))
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_no_array_or_missing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.npy").write_bytes(b"no array")
    (tmp_path / "w.txt").write_text("one two")
    (tmp_path / "folder.npy").mkdir()
    np.savez(tmp_path / "archive.npz", a=np.ones(3))
    (tmp_path / "archive.npz").rename(tmp_path / "archive.npy")
    for name in ("w.npy", "w.txt", "folder.npy", "archive.npy"):
        with pytest.raises(OptionError) as caught:
            given_window(str(tmp_path / name))
        assert caught.value.code == "bad-window"
        assert str(caught.value).count(name) == 1
    os.mkfifo(tmp_path / "pipe.npy")
    with pytest.raises(OptionError, match="is a pipe or a device, not a file"):
        given_window(str(tmp_path / "pipe.npy"))
    with pytest.raises(OptionError, match="there is no file") as caught:
        given_window(str(tmp_path / "none.npy"))
    assert caught.value.code == "no-such-file"


SECRETS = ["root:x:0:0:topsecret:/root", "1.0 2.0 topsecret", "topsecret", "PASSWORD=topsecret\n1"]


@pytest.mark.parametrize("text", SECRETS)
@pytest.mark.parametrize("name", ["w.txt", "w.npy"])
def test_no_error_quotes_a_file_that_is_none_of_ours(tmp_path: Path, text: str, name: str) -> None:
    other = tmp_path / "secrets"
    other.write_text(text)
    (tmp_path / name).symlink_to(other)
    with pytest.raises(OptionError) as caught:
        given_window(str(tmp_path / name))
    assert "topsecret" not in f"{caught.value} {caught.value.hint}"
    assert caught.value.__cause__ is None


def _npy(header: str, content: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content


@pytest.mark.parametrize(
    "content",
    [
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"),
        _npy("{'descr': '|S0', 'fortran_order': False, 'shape': (1000000000000,)}"),
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"),
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (9" + "9" * 50 + ",)}"),
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': topsecret}"),
        _npy("((((((((("),
        b"\x93NUMPY",
        b"\x93NUMPY\x09\x09topsecret",
    ],
)
def test_hostile_headers_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.npy").write_bytes(content)
    with pytest.raises(OptionError) as caught:
        given_window(str(tmp_path / "w.npy"))
    assert caught.value.code == "bad-window"
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize("name", ["w.txt", "w.npy"])
def test_devices_and_giants_are_refused(tmp_path: Path, name: str) -> None:
    link = tmp_path / name
    link.symlink_to("/dev/zero")
    with pytest.raises(OptionError, match="is a pipe or a device, not a file"):
        given_window(str(link))
    link.unlink()
    with link.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OptionError, match="has more than 16 MiB"):
        given_window(str(link))
