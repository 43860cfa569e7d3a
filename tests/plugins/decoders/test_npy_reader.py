"""``npy-reader``: one array a file, from disk, from an open file, and from bytes that the host has read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import decoder_reading
import numpy as np
import pytest
from decoder_reading import RNG, STFT, WAVE
from real_formats import npy_bytes

from tonearm.api import ItemError, Source
from tonearm_plugins.decoders.npy_reader import NpyReader

SAMPLES = RNG.uniform(-1, 1, (2, 50)).astype("f4")


def decode(given: Any, **options: Any) -> list[Any]:
    return decoder_reading.decode(NpyReader, given, **WAVE | options)


def handed(data: bytes) -> Source:
    """A source whose bytes the host has read for its hash."""
    return Source(name="a.npy", path=Path("/nowhere/a.npy"), content=data)


def test_a_file_is_read_in_every_way_it_is_handed_over(tmp_path: Path) -> None:
    data = npy_bytes(SAMPLES)
    (tmp_path / "a.npy").write_bytes(data)
    for given in (tmp_path / "a.npy", data, handed(data)):
        (item,) = decode(given, kind="waveform", axes=["channel", "time"])
        assert (item.key, item.index) == ("", 0)
        assert np.array_equal(item.signal.samples, SAMPLES)


def test_bytes_that_the_host_has_read_are_not_read_again() -> None:
    """The path of the source leads nowhere, so a second look at the file would raise."""
    (item,) = decode(handed(npy_bytes(SAMPLES[0])))
    assert item.signal.length == 50


def test_a_complex_array_is_a_spectrogram() -> None:
    values = (RNG.normal(size=(9, 5)) + 1j * RNG.normal(size=(9, 5))).astype("c8")
    (item,) = decode(npy_bytes(values), **STFT)
    assert np.array_equal(item.signal.values[0], values)


def test_a_large_file_is_mapped(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(5_000_000, "f4"))
    base = decode(tmp_path / "a.npy")[0].signal.samples
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


@pytest.mark.parametrize("as_content", [False, True])
def test_faults_have_the_same_error_from_disk_and_from_memory(as_content: bool) -> None:
    pickled = io.BytesIO()
    np.save(pickled, np.array([None]), allow_pickle=True)
    for data, code in (
        (npy_bytes(SAMPLES)[:-1], "npy-truncated"),
        (b"RIFF" + bytes(80), "not-npy"),
        (pickled.getvalue(), "npy-pickle"),
    ):
        with pytest.raises(ItemError) as caught:
            decode(handed(data) if as_content else data)
        assert caught.value.code == code
