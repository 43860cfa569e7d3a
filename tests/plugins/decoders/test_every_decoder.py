"""Every decoder of arrays, held to the same: real arrays by the format's own library, of every type and shape."""

from __future__ import annotations

import random
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decoder_reading import RNG, STFT, WAVE, decode, mutated, read_or_item_error, refused
from real_formats import FORMATS, Format

from tonearm.arrays import KeyedArrayOptions
from tonearm.plugins.ports import ports_of


def scaled(array: Any) -> Any:
    """What a waveform of this array is: within ±1, in the precision that tonearm keeps."""
    native = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind == "i":
        bits = 8 * array.dtype.itemsize
        return native / (np.float64 if bits > 16 else np.float32)(2 ** (bits - 1))
    return native.astype("f4")


def waves(dtype: str, *shape: int) -> Any:
    """Samples with both ends of the range in them."""
    made = RNG.uniform(-1, 1, shape)
    made.flat[0], made.flat[-1] = -1, 1 - 2**-10
    return (made * (2 ** (8 * np.dtype(dtype).itemsize - 1) if np.dtype(dtype).kind == "i" else 1)).astype(dtype)


CASES = [
    pytest.param(name, dtype, order, id=f"{name}-{dtype}-{order}")
    for name, one in FORMATS.items()
    for dtype in one.dtypes
    for order in one.orders
]


@pytest.mark.parametrize(("name", "dtype", "order"), CASES)
def test_every_type_and_order(name: str, dtype: str, order: str, tmp_path: Path) -> None:
    one = FORMATS[name]
    if np.dtype(dtype).kind == "c":
        array = (RNG.normal(size=(9, 5)) + 1j * RNG.normal(size=(9, 5))).astype(dtype, order=order)
        (item,) = decode(one.plugin, one.save(tmp_path, {"a": array}), kind="complex", axes=["bin", "frame"], **STFT)
        assert np.array_equal(item.signal.values[0], array.astype("c8"))
        assert item.signal.values.dtype == "c8"
        return
    array = waves(dtype, 3, 40).astype(dtype, order=order)
    (item,) = decode(one.plugin, one.save(tmp_path, {"a": array}), kind="waveform", axes=["channel", "time"], **WAVE)
    assert np.array_equal(item.signal.samples, scaled(array))
    assert item.signal.samples.dtype == ("f8" if dtype.endswith("i4") else "f4")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("channels", range(1, 9))
def test_one_to_eight_channels_in_either_order_of_axes(name: str, channels: int, tmp_path: Path) -> None:
    one = FORMATS[name]
    array = waves("f4", channels, 40)
    for axes, given in ((["channel", "time"], array), (["time", "channel"], np.ascontiguousarray(array.T))):
        folder = tmp_path / axes[0]
        folder.mkdir()
        (item,) = decode(one.plugin, one.save(folder, {"a": given}), kind="waveform", axes=axes, **WAVE)
        assert np.array_equal(item.signal.samples, array)


@pytest.mark.parametrize("name", [name for name, one in FORMATS.items() if one.ranks is None])
def test_batches(name: str, tmp_path: Path) -> None:
    one = FORMATS[name]
    array = waves("f4", 3, 2, 40)
    options = {"kind": "waveform", "axes": ["batch", "channel", "time"]} | WAVE
    items = decode(one.plugin, one.save(tmp_path, {"a": array}), **options)
    assert [item.index for item in items] == [0, 1, 2]
    for item, samples in zip(items, array, strict=True):
        assert np.array_equal(item.signal.samples, samples)


def takes_lengths(one: Format) -> bool:
    return one.keyed and one.ranks is None and issubclass(ports_of(one.plugin).options, KeyedArrayOptions)


@pytest.mark.parametrize("name", [name for name, one in FORMATS.items() if takes_lengths(one)])
def test_padded_batches_parts_and_phases(name: str, tmp_path: Path) -> None:
    one = FORMATS[name]
    end = one.options.get("suffix", "")
    wave, lengths = waves("f4", 3, 40), np.array([40, 7, 25], "i4")
    path = one.save(tmp_path, {"wav": wave, "n": lengths if "mat" not in name else lengths[:, None]})
    named = {"key": f"wav{end}", "lengths": f"n{end}"}
    items = decode(one.plugin, path, kind="waveform", axes=["batch", "time"], **named, **WAVE)
    assert [item.signal.length for item in items] == [40, 7, 25]
    assert np.array_equal(items[1].signal.samples[0], wave[1, :7])

    parts = RNG.uniform(0.1, 1, (2, 9, 5)).astype("f4")
    (tmp_path / "parts").mkdir()
    path = one.save(tmp_path / "parts", {"x": parts[0], "y": parts[1], "both": parts})
    named = {"key": f"x{end}", "imag": f"y{end}"}
    (item,) = decode(one.plugin, path, kind="complex", axes=["bin", "frame"], **named, **STFT)
    assert np.array_equal(item.signal.values[0], parts[0] + 1j * parts[1])
    axes = ["complex", "bin", "frame"]
    (item,) = decode(one.plugin, path, kind="complex", axes=axes, key=f"both{end}", **STFT)
    assert np.array_equal(item.signal.values[0], parts[0] + 1j * parts[1])
    named = {"key": f"x{end}", "phase": f"y{end}"}
    (item,) = decode(one.plugin, path, kind="magnitude", axes=["bin", "frame"], **named, **STFT)
    assert item.signal.values[0] == pytest.approx(parts[0] * np.exp(1j * parts[1]), rel=1e-6)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("what", ["one sample", "silence", "dc", "denormals"])
def test_odd_sounds(name: str, what: str, tmp_path: Path) -> None:
    one = FORMATS[name]
    array = {
        "one sample": np.array([[0.5]], "f4"),
        "silence": np.zeros((1, 50), "f4"),
        "dc": np.full((2, 50), 0.25, "f4"),
        "denormals": np.array([[1e-40, -1e-45, 2.0**-149, 0.5]], "f4"),
    }[what]
    (item,) = decode(one.plugin, one.save(tmp_path, {"a": array}), kind="waveform", axes=["channel", "time"], **WAVE)
    assert np.array_equal(item.signal.samples, array)
    assert np.isfinite(item.signal.samples).all()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("value", "code"), [(np.nan, "not-finite"), (np.inf, "not-finite"), (1e30, "beyond-full-scale")]
)
def test_values_that_are_no_sound(name: str, value: float, code: str, tmp_path: Path) -> None:
    one = FORMATS[name]
    array = np.full((2, 50), 0.25, "f4")
    array[1, 7] = value
    path = one.save(tmp_path, {"a": array})
    assert refused(one.plugin, path, kind="waveform", axes=["channel", "time"], **WAVE).code == code


@pytest.mark.parametrize("name", [name for name, one in FORMATS.items() if one.keyed and name != "parquet"])
def test_several_arrays_take_a_key(name: str, tmp_path: Path) -> None:
    one = FORMATS[name]
    end = one.options.get("suffix", "")
    path = one.save(tmp_path, {"a1": waves("f4", 1, 9), "a2": waves("f4", 1, 8), "b": waves("f4", 1, 7)})
    axes = {"kind": "waveform", "axes": ["channel", "time"]} | WAVE
    if one.plugin.holds_many:
        assert [item.key for item in decode(one.plugin, path, **axes)] == [f"a1{end}", f"a2{end}", f"b{end}"]
    else:
        error = refused(one.plugin, path, **axes)
        assert (error.message, error.code) == (f"there are 3 arrays: a1{end}, a2{end}, b{end}", "several-arrays")
    assert [item.signal.length for item in decode(one.plugin, path, key=f"b{end}", **axes)] == [7]
    items = decode(one.plugin, path, key="a*", **axes)
    assert [(item.key, item.signal.length) for item in items] == [(f"a1{end}", 9), (f"a2{end}", 8)]
    error = refused(one.plugin, path, key="c", **axes)
    assert (error.code, error.hint) == ("no-such-key", f"there are a1{end}, a2{end}, b{end}")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("zarr-2", "zarr-3")])
def test_mutated_files_are_read_or_raise_an_item_error(
    name: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    repetitions: Callable[[int], int],
    chance: random.Random,
) -> None:
    one = FORMATS[name]
    axes = {"kind": "waveform", "axes": ["channel", "time"]} | WAVE
    if one.keyed:
        axes["key"] = "*"
    path = one.save(
        tmp_path, {"a": waves("f4", 2, 60), "b": waves("f8", 2, 40)} if one.keyed else {"a": waves("f4", 2, 60)}
    )
    data = path.read_bytes()
    read_or_item_error(one.plugin, path, **axes)  # what is imported and loaded once does not count
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(repetitions(1000)):
        path.write_bytes(mutated(data, chance))
        read_or_item_error(one.plugin, path, **axes)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most < 400 << 10, "kilobytes"
    assert capfd.readouterr().err == ""
