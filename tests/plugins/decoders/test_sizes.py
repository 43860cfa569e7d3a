"""Files on both sides of each size at which a reader takes another way: the same samples, from a file and in a run.

The sizes are those of whole reads for the hash (16 MiB, `MAX_WHOLE_READ`), of maps (16 MiB, `MAP_FROM`), and of pieces:
1 MiB of checksums of zip members, 4 MiB of inflated data and of windows on archives, and 8 MiB of values in streams.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import decoder_reading
import numpy as np
import pytest
import soundfile
from real_formats import FORMATS

import tonearm
from tonearm.api import MAP_FROM
from tonearm.content_hash import MAX_WHOLE_READ

MIB = 1 << 20
RNG = np.random.default_rng(8)
NOISE = RNG.uniform(-1, 1, 3001).astype("f4")


def wave(size: int) -> Any:
    """A waveform of so many bytes, float32, without a period of any power of two."""
    return np.resize(NOISE, size // 4)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("size", [MAP_FROM - 4096, MAP_FROM + 4096], ids=["below", "above"])
@pytest.mark.parametrize("name", FORMATS)
def test_arrays_on_both_sides_of_maps_and_whole_reads(name: str, size: int, tmp_path: Path) -> None:
    one = FORMATS[name]
    samples = wave(size)
    array = samples[None] if one.ranks == (2,) else samples
    path = one.save(tmp_path, {"wav": array})
    options = {"axes": ["channel", "time"]} if one.ranks == (2,) else {}
    (item,) = decoder_reading.decode(one.plugin, path, sample_rate=8000, kind="waveform", **options)
    assert np.array_equal(item.signal.samples[0], samples)


@pytest.mark.parametrize("size", [MAX_WHOLE_READ, MAX_WHOLE_READ + 4], ids=["whole", "opened"])
def test_runs_on_both_sides_of_whole_reads(size: int, tmp_path: Path) -> None:
    samples = wave(size)
    (tmp_path / "a.raw").write_bytes(samples.tobytes())
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {
                "use": "pcm-reader",
                "files": "*.raw",
                "with": {"encoding": "pcm_f32le", "sample_rate": 8000, "full_scale": 1.0},
            },
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav", "with": {"subtype": "FLOAT"}}],
        }
    )
    assert len(pipeline.run([str(tmp_path / "a.raw")], out=str(tmp_path / "out")).outputs) == 1
    found, rate = soundfile.read(tmp_path / "out" / "a.wav", dtype="float32")
    assert rate == 8000
    assert np.array_equal(found, samples)
