"""The conversion of a source while it comes: of raw samples, by steps and an encoder that work block by block."""

import io

import numpy as np
import pytest
import soundfile

from tonearm.errors import ItemError
from tonearm.pipeline.block_conversion import can_convert_blocks, convert_blocks
from tonearm.pipeline.check import check
from tonearm.pipeline.document import from_plain
from tonearm.plugins import registry
from tonearm.plugins.context import Context
from tonearm.run.store.pipe_sink import PipeSink

SAMPLES = np.round(np.sin(np.arange(30_000) / 9) * 9000).astype("<i2")


def pipeline(*steps, encoder="flac-writer", file="{stem}.flac", **options):
    document = {
        "tonearm": 1,
        "input": {
            "use": "pcm-reader",
            "files": "a.pcm",
            "with": {"sample_rate": 8000, "encoding": "pcm_s16le", **options},
        },
        "steps": [{"use": step} for step in steps],
        "outputs": [{"use": encoder, "file": file}],
    }
    return check(from_plain(document), None, registry.default())


def converted(checked, content, size=1000):
    taken = bytearray()
    chunks = (content[at : at + size] for at in range(0, len(content), size))
    context = Context()
    convert_blocks(checked, chunks, "a pipe", PipeSink(taken.extend, ".flac"), context)
    return bytes(taken), context


@pytest.mark.parametrize("size", [1, 7, 4096, 100_000])
def test_the_samples_are_those_of_the_source(size):
    content = SAMPLES[:3000].tobytes() if size == 1 else SAMPLES.tobytes()
    made, context = converted(pipeline(), content, size)
    found, rate = soundfile.read(io.BytesIO(made), dtype="int16")
    assert rate == 8000
    assert found.tobytes() == content
    assert context.measurements["duration"] == len(content) / 16000


def test_a_header_and_channels():
    made, _ = converted(pipeline(skip=5, channels=2), b"title" + SAMPLES.tobytes(), 3)
    assert np.array_equal(soundfile.read(io.BytesIO(made), dtype="int16")[0], SAMPLES.reshape(-1, 2))


def test_floats_are_scaled_and_checked():
    floats = (SAMPLES / 32768).astype("<f4")
    made, _ = converted(pipeline(encoding="pcm_f32le"), floats.tobytes(), 999)
    assert np.array_equal(soundfile.read(io.BytesIO(made), dtype="int16")[0], SAMPLES)
    floats[20_000] = np.nan
    with pytest.raises(ItemError, match="NaN"):
        converted(pipeline(encoding="pcm_f32le"), floats.tobytes())


def test_what_ends_within_a_sample():
    with pytest.raises(ItemError, match="'a pipe' ends within a sample: 1 bytes are left") as caught:
        converted(pipeline(), SAMPLES.tobytes()[:-1])
    assert caught.value.code == "pcm-size"


def test_nothing():
    with pytest.raises(ItemError, match="there is nothing to write"):
        converted(pipeline(), b"")


@pytest.mark.parametrize("length", [2000, 200_000])
def test_noise_is_of_another_encoding(length):
    noise = np.random.default_rng(0).integers(0, 256, length, np.uint8).tobytes()
    with pytest.raises(ItemError) as caught:
        converted(pipeline(), noise)
    assert caught.value.code == "full-scale-noise"
    assert converted(pipeline(noise="keep"), noise)[0]


def test_what_has_a_header_is_not_raw():
    with pytest.raises(ItemError, match="it looks like a FLAC file"):
        converted(pipeline(), b"fLaC" + SAMPLES.tobytes())


def test_which_pipelines_can():
    assert can_convert_blocks(pipeline(), pipe=True)
    assert can_convert_blocks(pipeline("gain"), pipe=True)
    assert not can_convert_blocks(pipeline("normalize"), pipe=True)
    assert not can_convert_blocks(pipeline("wave-to-mel", encoder="npy-writer", file="{stem}.npy"), pipe=True)
    assert not can_convert_blocks(pipeline(field="audio"), pipe=True)
