"""``mat-reader``: what SciPy and MATLAB save, of every version."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import decoder_reading
import h5py
import numpy as np
import pytest
import scipy.io
from decoder_reading import RNG, STFT, WAVE
from sounds_in_bytes import PCM, RATE, WAV, base64_of, snr

from tonearm_plugins.decoders.mat_reader import MatReader
from tonearm_plugins.formats import hdf5

SAMPLES = np.array([0.5, -0.25, 0.125, 0], "f4")


def saved(content: dict[str, Any], **how: Any) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, content, **how)
    return file.getvalue()


def version73(path: Path, content: dict[str, Any]) -> Path:
    """As MATLAB writes it: 512 bytes of its own, axes reversed, complex values as pairs."""
    with h5py.File(path, "w", userblock_size=512) as handle:
        for key, value in content.items():
            array = np.asarray(value).T
            if array.dtype.kind == "c":
                array = array.view([("real", array.real.dtype), ("imag", array.real.dtype)])
            handle[key] = array
        handle["#refs#/a"] = np.zeros(3)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(512, b" "))
    return path


def decode(given: Any, **options: Any) -> list[Any]:
    return decoder_reading.decode(MatReader, given, **WAVE | options)


def refused(given: Any, **options: Any) -> Any:
    return decoder_reading.refused(MatReader, given, **WAVE | options)


@pytest.mark.parametrize("how", [{}, {"do_compression": True}, {"format": "4"}])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i1", "i2", "i4"])
def test_every_type(dtype: str, how: dict[str, Any], tmp_path: Path) -> None:
    if how.get("format") == "4" and dtype in ("i1", "f4"):
        pytest.skip("version 4 has no such type")
    scale = 1 if np.dtype(dtype).kind == "f" else 2 ** (8 * np.dtype(dtype).itemsize - 1)
    array = (SAMPLES * scale).astype(dtype)
    for given in (saved({"wav": array, "name": "text"}, **how), version73(tmp_path / "a.mat", {"wav": array})):
        (item,) = decode(given, key="wav", kind="waveform")
        assert (item.key, item.signal.samples.tolist()) == ("wav", [SAMPLES.tolist()])


def test_axes_are_matlabs(tmp_path: Path) -> None:
    values = (RNG.normal(size=(2, 9, 5)) + 1j * RNG.normal(size=(2, 9, 5))).astype("c8")
    for given in (saved({"s": values}), version73(tmp_path / "a.mat", {"s": values})):
        items = decode(given, axes=["batch", "bin", "frame"], **STFT)
        assert np.array_equal(np.concatenate([item.signal.values for item in items]), values)


def test_what_is_no_number_is_no_candidate() -> None:
    (item,) = decode(
        saved({"wav": SAMPLES, "name": "text", "cell": np.array(["a", 1], "O"), "s": {"a": 1}}), kind="waveform"
    )
    assert item.key == "wav"
    assert refused(saved({"a": SAMPLES, "b": SAMPLES})).message == "there are 2 arrays: a, b"


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ({"audio": SAMPLES}, "save its fields as variables: save('a.mat', '-struct', 'x')"),
        (np.array([SAMPLES, 1], "O"), "save each element as a variable: x = x{1}; save('a.mat', 'x')"),
    ],
)
def test_variables_that_hold_others_are_named(value: Any, hint: str) -> None:
    error = refused(saved({"x": value}))
    assert (error.code, error.hint) == ("empty", hint)


def test_text_of_a_sound_file_is_read(tmp_path: Path) -> None:
    (item,) = decode(saved({"audio": base64_of(WAV), "name": "hello"}), sample_rate=RATE)
    assert snr(item.signal.samples) > 80
    assert refused(saved({"audio": base64_of(PCM)})).code == "wrong-format"
    letters = np.array([ord(one) for one in "hello"], "u2")
    path = version73(tmp_path / "a.mat", {"wav": SAMPLES, "name": letters})
    with h5py.File(path, "r+") as file:
        file["name"].attrs["MATLAB_class"] = np.bytes_(b"char")
    assert [item.key for item in decode(path)] == ["wav"]


def test_version_73_without_h5py_names_the_pip_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = version73(tmp_path / "a.mat", {"wav": SAMPLES})
    monkeypatch.setattr(type(hdf5.H5PY), "is_met", lambda self: False)
    error = refused(path)
    assert error.code == "missing-requirement"
    assert error.hint == "pip install 'tonearm[hdf5]'"


def test_files_cut_off_are_refused() -> None:
    data = saved({"wav": SAMPLES})
    for part in decoder_reading.truncations(data)[:-3]:
        refused(part)


def test_scrambled_files_are_read_or_raise_an_item_error() -> None:
    data = saved({"wav": SAMPLES})
    for part in decoder_reading.scrambles(data, 300) + decoder_reading.scrambles(
        saved({"wav": SAMPLES}, do_compression=True)
    ):
        decoder_reading.read_or_item_error(MatReader, part, kind="waveform", **WAVE)


def test_a_file_that_inflates_too_much_is_refused() -> None:
    zeros = saved({"wav": np.zeros(40_000_000)}, do_compression=True)
    assert refused(zeros).code == "too-large"


def test_a_file_of_another_type_is_named() -> None:
    error = refused(b"RIFF" + bytes(200))
    assert error.message == "'in memory' is not a MATLAB file; it looks like a WAV file"


def test_what_matlab_keeps_for_itself_is_left_out(tmp_path: Path) -> None:
    import scipy.io

    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"wav": np.ones((1, 50))})
    data = path.read_bytes()
    workspace = io.BytesIO()
    scipy.io.savemat(workspace, {"x": np.arange(9, dtype="u1")[None]})
    nameless = workspace.getvalue()[128:].replace(b"\x01\0\x01\0x\0\0\0", b"\x01\0\0\0\0\0\0\0")
    path.write_bytes(data + nameless)
    assert "__function_workspace__" in [name for name, *_ in scipy.io.whosmat(path)]
    (item,) = decoder_reading.decode(MatReader, path, kind="waveform", sample_rate=8000)
    assert item.key == "wav"
