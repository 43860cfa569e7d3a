"""``parquet-reader``: lists, fixed-size lists and audio as pyarrow and Hugging Face write them."""

from __future__ import annotations

import io
from typing import Any

import decoder_reading
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from decoder_reading import RNG, WAVE
from hostile_tables import lists, repeated_audio
from sounds_in_bytes import FLAC, PCM, RATE, TONE, WAV, base64_of, snr

from array_options import array_options
from tonearm.api import ItemError, limited_memory
from tonearm.reading import bounds
from tonearm_plugins.decoders.parquet_reader import ParquetOptions, ParquetReader

ROWS = [RNG.uniform(-1, 1, n).astype("f4") for n in (5, 7, 300, 1)]


def saved(columns: dict[str, Any], **how: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, **how)
    return file.getvalue()


def decode(given: Any, **options: Any) -> list[Any]:
    return decoder_reading.decode(ParquetReader, given, **options)


def refused(given: Any, **options: Any) -> Any:
    return decoder_reading.refused(ParquetReader, given, **options)


@pytest.mark.parametrize("kind", [pa.list_, pa.large_list])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i2", "i4"])
def test_lists_of_every_type(dtype: str, kind: Any) -> None:
    scale = 1 if np.dtype(dtype).kind == "f" else 2 ** (8 * np.dtype(dtype).itemsize - 1) - 1
    rows = [(row.astype("f8") * scale).astype(dtype) for row in ROWS]
    data = saved({"id": [1, 2, 3, 4], "wav": pa.array(rows, kind(pa.from_numpy_dtype(dtype)))}, row_group_size=2)
    items = decode(data, **WAVE)
    assert [(item.key, item.index) for item in items] == [("wav", index) for index in range(4)]
    full = 1 if np.dtype(dtype).kind == "f" else scale + 1
    for item, row in zip(items, rows, strict=True):
        assert np.array_equal(item.signal.samples[0], (row / full).astype(item.signal.samples.dtype))


def test_fixed_size_lists_and_lists_of_lists() -> None:
    flat = RNG.uniform(-1, 1, 3 * 8).astype("f4")
    data = saved({"wav": pa.FixedSizeListArray.from_arrays(flat, 8)})
    assert np.array_equal([item.signal.samples[0] for item in decode(data, **WAVE)], flat.reshape(3, 8))
    sliced = pa.FixedSizeListArray.from_arrays(flat, 8).slice(1)
    assert np.array_equal(
        [item.signal.samples[0] for item in decode(saved({"a": sliced}), **WAVE)], flat.reshape(3, 8)[1:]
    )
    mags = RNG.uniform(0, 1, (4, 9, 5)).astype("f4")
    data = saved({"mag": [list(map(list, one)) for one in mags.tolist()]})
    items = decode(data, kind="magnitude", precision="double", **decoder_reading.STFT)
    assert np.array_equal([item.signal.values[0] for item in items], mags)


@pytest.mark.parametrize(("subtype", "dtype"), [("PCM_16", "f4"), ("PCM_32", "f8"), ("FLOAT", "f4")])
def test_hugging_faces_audio(subtype: str, dtype: str) -> None:
    rows = []
    for row, rate in zip(ROWS, (8000, 16000, 22050, 44100), strict=True):
        file = io.BytesIO()
        soundfile.write(file, np.stack([row, -row], 1), rate, subtype=subtype, format="WAV")
        rows.append({"bytes": file.getvalue(), "path": "a.wav"})
    data = saved({"text": ["a"] * 4, "audio": rows})
    items = decode(data)
    assert [item.signal.sample_rate for item in items] == [8000, 16000, 22050, 44100]
    for item, row in zip(items, ROWS, strict=True):
        assert item.signal.samples.dtype == dtype
        assert item.signal.samples[0] == pytest.approx(row, abs=2e-4)
    assert refused(data, sample_rate=8000).message == (
        "'audio, row 1': the source says sample_rate = 16000, but sample_rate is 8000"
    )


def test_audio_beyond_full_scale_is_refused() -> None:
    file = io.BytesIO()
    soundfile.write(file, ROWS[2] * 32768, 8000, subtype="FLOAT", format="WAV")
    data = saved({"audio": [{"bytes": file.getvalue(), "path": "a.wav"}]})
    assert refused(data).code == "beyond-full-scale"
    assert decode(data, full_scale=32768.0)[0].signal.samples[0] == pytest.approx(ROWS[2])


def test_one_bad_row_leaves_the_others() -> None:
    rows = [[0.5, 0.25], None, [0.5, None], [], [0.5, float("nan")], [1.0]]
    found = decoder_reading.outcomes(ParquetReader, saved({"wav": rows}), **WAVE)
    codes = [one.code if isinstance(one, ItemError) else (one.index, one.signal.length) for one in found]
    assert codes == [(0, 2), "empty", "not-finite", "empty", "not-finite", (5, 1)]
    ragged = saved({"mag": [[[1.0, 2.0], [3.0]]]})
    assert refused(ragged, kind="magnitude", **decoder_reading.STFT).code == "ragged"
    assert refused(saved({"audio": [{"bytes": b"RIFFnonsense", "path": ""}]})).code == "bad-audio"
    assert "embed" in refused(saved({"audio": [{"bytes": None, "path": "a.wav"}, {"bytes": b"1", "path": ""}]})).hint


def test_columns_of_text_may_hold_sound_files() -> None:
    items = decode(saved({"id": ["a", "b"], "audio": [base64_of(WAV), base64_of(FLAC)]}), sample_rate=RATE)
    assert [item.key for item in items] == ["audio", "audio"]
    assert min(snr(item.signal.samples) for item in items) > 80
    error = refused(saved({"audio": [base64_of(PCM)]}))
    assert (error.code, error.message[:20]) == ("wrong-format", "'row 0' holds text o")
    assert refused(saved({"text": ["hello " * 99]})).code == "empty"
    (item,) = decode(saved({"text": [base64_of(WAV)], "wav": [TONE.tolist()]}), sample_rate=RATE)
    assert item.key == "wav"


def test_lengths_and_channels_of_rows_are_used() -> None:
    padded = [*TONE[:500].tolist(), *[0.0] * 500]
    items = decode(saved({"wav": [padded, padded], "length": [500, 1000], "sr": [RATE, RATE]}), sample_rate=RATE)
    assert [item.signal.length for item in items] == [500, 1000]
    items = decode(saved({"wav": [padded], "length": [500]}), sample_rate=RATE, stated="ignore")
    assert [item.signal.length for item in items] == [1000]
    items = decode(saved({"wav": [TONE.tolist()], "n_frames": [50], "channels": [1]}), sample_rate=RATE)
    assert [item.signal.length for item in items] == [len(TONE)]
    assert refused(saved({"wav": [TONE.tolist()], "channels": [2]}), sample_rate=RATE).code == "channels-mismatch"


def test_columns_are_chosen_by_key() -> None:
    data = saved({"id": [1], "text": ["a"], "a1": [[0.5]], "a2": [[0.25]]})
    assert refused(data, **WAVE).message == "there are 2 columns of arrays or audio: 'a1', 'a2'"
    assert [(item.key, item.index) for item in decode(data, key="a*", **WAVE)] == [("a1", 0), ("a2", 1)]
    assert refused(data, key="text", **WAVE).code == "no-such-key"
    assert refused(saved({"id": [1]}), **WAVE).message == "there is no column of arrays or audio"


def test_numbers_need_a_sample_rate() -> None:
    assert refused(saved({"wav": [[0.5]]})).message == "'sample_rate' is missing, and the source does not say it"
    assert not list(array_options(ParquetOptions, kind="waveform").problems())  # the audio may say it


def test_rows_are_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved({"wav": pa.array([np.zeros(1000, "f4")] * 2000)}, row_group_size=100)
    before = pa.total_allocated_bytes()
    most = 0
    made = ParquetReader(array_options(ParquetOptions, sample_rate=8000))
    from tonearm.plugins.context import Context

    for _ in made.decode(decoder_reading.source_of(data), Context()):
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < 3_000_000  # of 8,000,000


def test_files_cut_off_are_refused() -> None:
    data = saved({"wav": ROWS})
    for part in decoder_reading.truncations(data):
        refused(part, **WAVE)


def test_scrambled_files_are_read_or_raise_an_item_error() -> None:
    data = saved({"wav": ROWS})
    for part in decoder_reading.scrambles(data, 200):
        decoder_reading.read_or_item_error(ParquetReader, part, **WAVE)


def test_a_file_of_another_type_is_named() -> None:
    assert refused(b"RIFF" + bytes(80)).message == "'in memory' is not a Parquet file; it looks like a WAV file"


def test_bombs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "ARRAY_BYTES", bounds.ARRAY_BYTES._replace(free=1 << 20))
    count = 1_000_000
    zeros = pa.ListArray.from_arrays(pa.array([0, count], pa.int32()), pa.array(np.zeros(count, "f4")))
    data = saved({"wav": zeros}, compression="zstd")
    assert len(data) < 2000
    error = refused(data, **WAVE)
    assert error.code == "too-large"
    assert error.message.startswith("'in memory': 'wav' claims 4,000,000 bytes, but only ")


def test_lengths_parts_and_phases_are_columns() -> None:
    rows = [[1.0, 0.5, 0.0, 0.0], [0.25, 0.0, 0.0, 0.0]]
    data = saved({"wav": rows, "n": [2, 1], "all": [[4], [3]], "text": ["a", "b"]})
    items = decode(data, key="wav", lengths="n", kind="waveform", **WAVE)
    assert [item.signal.samples.tolist() for item in items] == [[[1.0, 0.5]], [[0.25]]]
    items = decode(data, key="wav", lengths="all", kind="waveform", **WAVE)
    assert [item.signal.length for item in items] == [4, 3]
    assert refused(data, key="wav", lengths="text", kind="waveform", **WAVE).code == "bad-lengths"
    real, imag = RNG.uniform(0.1, 1, (2, 2, 9, 5)).astype("f4")
    columns = {"a.re": real.tolist(), "a.im": imag.tolist(), "b.re": imag.tolist(), "b.im": real.tolist(), "n": [1, 1]}
    data = saved(columns)
    how = {"kind": "complex", "key": "*.re", "imag": "*.im", "axes": ["bin", "frame"]} | decoder_reading.STFT
    items = decode(data, **how)
    assert [item.key for item in items] == ["a.re", "a.re", "b.re", "b.re"]
    assert items[1].signal.values[0] == pytest.approx(real[1] + 1j * imag[1])
    assert items[2].signal.values[0] == pytest.approx(imag[0] + 1j * real[0])
    how |= {"kind": "magnitude", "key": "a.re", "imag": None, "phase": "a.im"}
    assert decode(data, **how)[0].signal.values[0] == pytest.approx(real[0] * np.exp(1j * imag[0]))
    assert refused(data, **how | {"phase": "n"}).message == "there is no column 'n' of arrays"


def test_a_row_that_needs_more_memory_than_is_allowed_is_refused_before_it_is_read() -> None:
    data = saved(lists(np.zeros(100_000, "f4"), 50_000))
    with limited_memory(4_000_000):  # 36 bytes for each number
        assert len(decode(data, **WAVE)) == 2
    with limited_memory(1_500_000):
        error = refused(data, **WAVE)
    assert error.code == "too-large"
    assert "memory" in error.message


@pytest.mark.parametrize("how", [{}, {"data_page_version": "2.0"}, {"use_dictionary": False, "compression": "none"}])
def test_a_row_group_larger_than_memory_is_read_if_each_row_fits(how: dict[str, Any]) -> None:
    rows = [RNG.uniform(-1, 1, int(count)).astype("f4") for count in RNG.integers(1, 3000, 300)]
    data = saved({"wav": rows}, data_page_size=20_000, **how)
    with limited_memory(sum(map(len, rows)) * 36 + 100_000):
        expected = [item.signal.samples for item in decode(data, **WAVE)]
    with limited_memory(4_000_000):
        found = [item.signal.samples for item in decode(data, **WAVE)]
    assert len(found) == 300
    for one, other, row in zip(found, expected, rows, strict=True):
        assert np.array_equal(one, other)
        assert np.array_equal(one[0], row)


def test_a_file_within_audio_needs_memory_too() -> None:
    data = saved(repeated_audio(2), store_schema=False)
    with limited_memory(20_000_000):
        assert refused(data).code == "too-large"


def test_what_lies_beside_the_bytes_of_audio_is_not_read() -> None:
    file = io.BytesIO()
    soundfile.write(file, ROWS[2], 8000, format="WAV")
    data = saved({"audio": [{"bytes": file.getvalue(), "path": "a.wav", "copies": [[0.5] * 1_000_000]}]})
    with limited_memory(51_000_000):  # the libraries of sound take 50 MB
        assert decode(data)[0].signal.samples[0] == pytest.approx(ROWS[2], abs=1e-4)
