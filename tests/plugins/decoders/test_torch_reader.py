"""``torch-reader``: files of torch.save, with tensors of every type."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import decoder_reading
import numpy as np
import pytest
from decoder_reading import RNG, STFT, WAVE
from sounds_in_bytes import PCM, RATE, TONE, WAV, base64_of, snr

from tonearm.api import limited_memory
from tonearm_plugins.decoders.torch_reader import TorchReader

torch = pytest.importorskip("torch", reason="pip install torch")

from hostile_tensors import OLD, Bytes  # noqa: E402 - it imports torch

SAMPLES = np.array([0.5, -0.25, 0.125, 0], "f4")


def saved(content: Any, **how: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **how)
    return file.getvalue()


def decode(given: Any, **options: Any) -> list[Any]:
    return decoder_reading.decode(TorchReader, given, **WAVE | options)


def refused(given: Any, **options: Any) -> Any:
    return decoder_reading.refused(TorchReader, given, **WAVE | options)


@pytest.mark.parametrize("how", [{}, {"_use_new_zipfile_serialization": False}])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.float8_e4m3fn])
def test_every_float_type(dtype: object, how: dict[str, Any], tmp_path: Path) -> None:
    if how and dtype == torch.float8_e4m3fn:
        pytest.skip("the old format has no such type")
    data = saved(torch.tensor(SAMPLES).to(dtype), **how)
    (tmp_path / "a.pt").write_bytes(data)
    for given in (data, tmp_path / "a.pt"):
        (item,) = decode(given)
        assert item.signal.samples.tolist() == [SAMPLES.tolist()]


@pytest.mark.parametrize(("dtype", "bits"), [(torch.int8, 8), (torch.int16, 16), (torch.int32, 32)])
def test_integers_are_pcm(dtype: object, bits: int) -> None:
    (item,) = decode(saved((torch.tensor(SAMPLES) * 2 ** (bits - 1)).to(dtype)))
    assert item.signal.samples.tolist() == [SAMPLES.tolist()]


@pytest.mark.filterwarnings("ignore:ComplexHalf")
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128, torch.complex32])
def test_complex_types(dtype: object) -> None:
    values = torch.complex(torch.arange(45.0).reshape(9, 5), torch.ones(9, 5)).to(dtype)
    (item,) = decode(saved(values), **STFT)
    assert np.array_equal(item.signal.values[0], values.to(torch.complex64).numpy())


def test_bfloat16_keeps_its_bits() -> None:
    values = torch.tensor(RNG.uniform(-1, 1, 500), dtype=torch.bfloat16)
    assert np.array_equal(decode(saved(values))[0].signal.samples[0], values.float().numpy())


def test_batches_dicts_and_lists() -> None:
    waves = torch.tensor(RNG.uniform(-1, 1, (2, 6)), dtype=torch.float32)
    content = {"step": 3, "out": {"wav": waves, "n": torch.tensor([6, 2])}, "list": [waves[0], "text"]}
    batch = {"kind": "waveform", "axes": ["batch", "time"], "lengths": "out.n"}
    items = decode(saved(content), key="out.wav", **batch)
    assert [(item.key, item.index, item.signal.length) for item in items] == [("out.wav", 0, 6), ("out.wav", 1, 2)]
    assert decode(saved(content), key="list.*")[0].key == "list.0"
    assert refused(saved(content)).message == "there are 3 arrays: out.wav, out.n, list.0"
    assert refused(saved({"step": 3})).message == "there is no array"


def test_text_lists_and_lengths_beside_tensors() -> None:
    (item,) = decode(saved({"audio": base64_of(WAV), "hash": "0" * 64}), sample_rate=RATE)
    assert snr(item.signal.samples) > 80
    assert refused(saved({"audio": base64_of(PCM)})).code == "wrong-format"
    assert refused(saved({"audio": "hello " * 99})).code == "empty"
    beside = {"losses": [0.5] * 40, "png": base64_of(bytes(999)), "betas": [0.8, 0.99]}
    assert [item.key for item in decode(saved({"audio": torch.from_numpy(SAMPLES), **beside}))] == ["audio"]
    (item,) = decode(saved({"audio": TONE.tolist(), "betas": [0.8, 0.99]}), sample_rate=RATE)
    assert snr(item.signal.samples) > 100
    batch = torch.from_numpy(np.stack([TONE, TONE]))
    batch[1, 500:] = 0
    for lengths in ([len(TONE), 500], torch.tensor([len(TONE), 500])):
        items = decode(saved({"audio": batch, "audio_lengths": lengths}), kind="waveform")
        assert [item.signal.length for item in items] == [len(TONE), 500]


def test_a_number_may_be_the_length() -> None:
    padded = torch.from_numpy(np.pad(TONE, (0, 500)))
    for content in ({"wav": padded, "length": len(TONE)}, {"wav": padded[None], "meta": {"wav_len": len(TONE)}}):
        assert [item.signal.length for item in decode(saved(content))] == [len(TONE)]
        assert [item.signal.length for item in decode(saved(content), stated="ignore")] == [len(TONE) + 500]


@pytest.mark.parametrize("content", [("wav", 7), ("wav", 16001), ("wav", 16000.5), ("wav", "16000"), ("wav", None)])
def test_a_number_behind_a_sound_is_a_rate_if_it_is_a_usual_one(content: tuple[str, Any]) -> None:
    data = saved((torch.from_numpy(SAMPLES), content[1]))
    assert decoder_reading.refused(TorchReader, data, kind="waveform").code == "missing-option"


def test_a_number_of_numpy_is_named() -> None:
    error = refused(saved({"wav": torch.from_numpy(SAMPLES), "sr": np.int64(8000)}))
    assert error.hint == "save numbers as Python's, such as int(rate), and arrays as tensors: torch.from_numpy(array)"


def test_a_file_is_mapped(tmp_path: Path) -> None:
    torch.save(torch.zeros(20_000_000), tmp_path / "a.pt")
    before = _private()
    (item,) = decode(tmp_path / "a.pt")
    assert item.signal.length == 20_000_000
    assert _private() - before < 40 << 20


def _private() -> int:
    """Bytes of memory that are this process's own."""
    fields = Path("/proc/self/status").read_text().split()
    return int(fields[fields.index("RssAnon:") + 1]) << 10


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (torch.zeros(3).to_sparse(), "not-numbers"),
        (torch.zeros(3, device="meta"), "not-numbers"),
        (torch.tensor([True]), "not-numbers"),
        (torch.zeros(0), "empty"),
        (torch.tensor([0.5, float("nan")]), "not-finite"),
        (torch.tensor([0.5, 30000.0]), "beyond-full-scale"),
        (torch.zeros(1).expand(10**12), "too-large"),
    ],
)
def test_tensors_that_are_no_sound(content: Any, code: str) -> None:
    assert refused(saved(content)).code == code


@pytest.mark.parametrize("how", [{}, {"_use_new_zipfile_serialization": False}])
def test_files_cut_off_are_refused(how: dict[str, Any]) -> None:
    data = saved({"wav": torch.tensor(SAMPLES)}, **how)
    for part in decoder_reading.truncations(data):
        refused(part)


@pytest.mark.parametrize("how", [{}, {"_use_new_zipfile_serialization": False}])
def test_scrambled_files_are_read_or_raise_an_item_error(how: dict[str, Any]) -> None:
    data = saved({"wav": torch.tensor(SAMPLES)}, **how)
    for part in decoder_reading.scrambles(data):
        decoder_reading.read_or_item_error(TorchReader, part, **WAVE)


@pytest.mark.parametrize("data", [b"", b"RIFF" + bytes(80), b"hello world", b"PK\3\4" + bytes(99)])
def test_other_files(data: bytes) -> None:
    assert refused(data).code in ("wrong-format", "broken-file", "empty")


@pytest.mark.parametrize("at", [0, (1 << 20) - 30, (1 << 20) - 2])
def test_a_pickle_is_searched_across_pieces(at: int) -> None:
    content = {"a" * at: torch.ones(4), "b": Bytes(3)}
    assert refused(saved(content)).code == "torch-refused"
    assert len(decode(saved({"bytearray": torch.ones(4)}))) == 1


def test_a_mapped_file_takes_no_memory_and_a_read_one_does(tmp_path: Path) -> None:
    samples = torch.zeros(1 << 23)  # from this size on, memory is checked
    for how, fits in (({}, True), (OLD, False)):
        (tmp_path / "a.pt").write_bytes(saved(samples, **how))
        with limited_memory(1_000_000):
            if fits:
                assert decode(tmp_path / "a.pt")[0].signal.length == 1 << 23
            else:
                assert refused(tmp_path / "a.pt").code == "too-large"
