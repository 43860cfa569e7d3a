"""``text-reader``: columns and lists become signals by their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import decoder_reading
import numpy as np
import pytest
from sounds_in_bytes import RATE, TONE, snr

from tonearm_plugins.decoders.text_reader import TextReader


def saved(path: Path, array: Any, **how: Any) -> Path:
    np.savetxt(path, array, **how)
    return path


def decode(path: Path, **options: Any) -> list[Any]:
    return decoder_reading.decode(TextReader, path, **options)


@pytest.mark.parametrize("suffix", TextReader.suffixes)
def test_one_column_is_a_waveform(suffix: str, tmp_path: Path) -> None:
    (item,) = decode(saved(tmp_path / f"a{suffix}", TONE), sample_rate=RATE)
    assert snr(item.signal.samples) > 100


def test_a_column_by_its_heading(tmp_path: Path) -> None:
    table = np.stack([-TONE, TONE], 1)
    path = saved(tmp_path / "a.csv", table, delimiter=",", header="egg,wav", comments="")
    (item,) = decode(path, key="wav", sample_rate=RATE)
    assert snr(item.signal.samples) > 100
    assert decoder_reading.refused(TextReader, path, sample_rate=RATE).code == "several-arrays"


@pytest.mark.parametrize("heading", ["", "time,wav"])
def test_times_beside_samples_tell_the_rate(heading: str, tmp_path: Path) -> None:
    table = np.stack([np.arange(len(TONE)) / RATE, TONE], 1)
    path = saved(tmp_path / "a.csv", table, fmt=["%.6f", "%.9f"], delimiter=",", header=heading, comments="")
    (item,) = decode(path)
    assert item.signal.sample_rate == RATE
    assert snr(item.signal.samples) > 100
    assert decoder_reading.refused(TextReader, path, sample_rate=8000).code == "rate-mismatch"


def test_a_table_is_read_by_its_axes(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.csv", np.stack([TONE, -TONE], 1), delimiter=",")
    (item,) = decode(path, kind="waveform", axes=["time", "channel"], sample_rate=RATE)
    assert item.signal.channels == 2
    assert snr(item.signal.samples) > 100


def test_whole_numbers_need_their_full_scale(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.txt", (TONE * 32767).astype(int), fmt="%d")
    assert "full_scale: 32768" in decoder_reading.refused(TextReader, path, sample_rate=RATE).hint
    assert snr(decode(path, sample_rate=RATE, full_scale=32768.0)[0].signal.samples) > 70
