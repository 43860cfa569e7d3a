"""``raw-reader``: raw numbers with a shape, of every type, byte order and order of axes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import decoder_reading
import numpy as np
import pytest
from decoder_reading import RNG, STFT
from sounds_in_bytes import WAV, npy_bytes

import tonearm
from array_options import array_options
from tonearm_plugins.decoders.raw_reader import RawArrayOptions, RawReader

MAGNITUDES = RNG.uniform(0, 1, (9, 20)).astype("f4")


def decode(given: Any, **options: Any) -> Any:
    (item,) = decoder_reading.decode(RawReader, given, **options)
    return item.signal


def refused(given: Any, **options: Any) -> Any:
    return decoder_reading.refused(RawReader, given, **options)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("byte_order", "mark"), [("little", "<"), ("big", ">")])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [[9, -1], [-1, 20], [9, 20]])
def test_a_spectrogram_with_a_shape(dtype: str, byte_order: str, mark: str, order: Any, shape: list[int]) -> None:
    stored = MAGNITUDES.astype(np.dtype(dtype).newbyteorder(mark))
    data = b"HEAD" + stored.tobytes(order)
    found = decode(data, kind="magnitude", dtype=dtype, byte_order=byte_order, order=order, shape=shape, skip=4, **STFT)
    assert np.array_equal(found.values[0], stored.astype("f4"))


@pytest.mark.parametrize("options", [{"kind": "magnitude", **STFT}, {"kind": "complex", "dtype": "complex64", **STFT}])
def test_a_spectrogram_without_a_shape_is_asked_for_it(options: dict[str, Any]) -> None:
    values = MAGNITUDES + 1j * MAGNITUDES if options["kind"] == "complex" else MAGNITUDES
    error = refused(values.T.astype(options.get("dtype", "float32")).tobytes(), **options)
    assert error.code == "missing-option"
    assert error.hint == (
        "shape: [-1, 9], if one frame follows the other; shape: [9, -1], if they were written bin by bin"
    )


def test_complex_values_and_waveforms(tmp_path: Path) -> None:
    values = (MAGNITUDES + 1j * MAGNITUDES).astype("c8")
    (tmp_path / "a.bin").write_bytes(values.tobytes())
    found = decode(tmp_path / "a.bin", dtype="complex64", shape=[9, -1], **STFT)
    assert np.array_equal(found.values[0], values)
    wave = RNG.uniform(-1, 1, 50).astype("<f4")
    assert np.array_equal(decode(wave.tobytes(), sample_rate=8000).samples[0], wave)
    pcm = (wave * 32767).astype("<i2")
    assert np.array_equal(decode(pcm.tobytes(), dtype="int16", sample_rate=8000).samples[0], pcm.astype("f4") / 32768)


@pytest.mark.parametrize(
    ("data", "options", "code"),
    [
        (b"", {}, "empty"),
        (bytes(7), {}, "raw-size"),
        (MAGNITUDES.tobytes(), {"shape": [11, -1]}, "raw-size"),
        (MAGNITUDES.tobytes(), {"shape": [9, 10]}, "raw-size"),
        (MAGNITUDES.tobytes(), {"skip": 9 * 20 * 4}, "raw-size"),
        (MAGNITUDES.tobytes(), {"shape": [1 << 40, 1 << 40]}, "raw-size"),
        (WAV, {}, "wrong-format"),
        (npy_bytes(MAGNITUDES), {}, "wrong-format"),
    ],
)
def test_what_is_refused(data: bytes, options: dict[str, Any], code: str) -> None:
    assert refused(data, sample_rate=8000, kind="waveform", **options).code == code


def test_sizes_that_would_fit_are_named() -> None:
    error = refused(bytes(4 * 80 * 7), sample_rate=8000, shape=[81, -1])
    assert "560 values are a multiple of 80" in error.hint


@pytest.mark.parametrize("shape", [[0], [-2], [-1, -1], [80, 0]])
def test_impossible_shapes(shape: list[int]) -> None:
    (problem,) = array_options(RawArrayOptions, sample_rate=8000, shape=shape).problems()
    assert problem.option == "shape"


def test_a_file_of_holes_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.bin").open("wb") as file:
        file.truncate(1 << 40)
    assert refused(tmp_path / "a.bin", sample_rate=8000).code == "too-large"


def test_pcm_reader_names_the_reader_that_takes_a_shape() -> None:
    raw = {"use": "pcm-reader", "files": "a.raw", "with": {"encoding": "pcm_s16le", "sample_rate": 8000, "shape": [80]}}
    document = {"tonearm": 1, "input": raw, "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}]}
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load_pipeline(document)
    (problem,) = caught.value.problems
    assert (problem.code, problem.hint) == ("unknown-option", "raw-reader has it")
