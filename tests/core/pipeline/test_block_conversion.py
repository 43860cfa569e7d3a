"""The conversion of a source while it comes: of raw samples, by steps and an encoder that work block by block."""

import numpy as np
import pytest

import tonearm
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
        "steps": [{"use": step, "with": {"gain_db": -3} if step == "gain" else {}} for step in steps],
        "outputs": [{"use": encoder, "file": file}],
    }
    return check(from_plain(document), None, registry.default())


def converted(checked, content, size=1000):
    taken = bytearray()
    chunks = (content[at : at + size] for at in range(0, len(content), size))
    context = Context()
    convert_blocks(checked, chunks, "a pipe", PipeSink(taken.extend, ".flac"), context)
    return bytes(taken), context


def heard(made):
    """Return the samples of a FLAC file, which does not say how many there are."""
    found = tonearm.read(made, format="flac")
    assert found.sample_rate == 8000
    return np.round(found.samples * 32768)


@pytest.mark.parametrize("size", [1, 7, 4096, 100_000])
def test_the_samples_are_those_of_the_source(size):
    content = SAMPLES[:3000].tobytes() if size == 1 else SAMPLES.tobytes()
    made, context = converted(pipeline(), content, size)
    assert np.array_equal(heard(made)[0], np.frombuffer(content, "<i2"))
    assert context.measurements["duration"] == len(content) / 16000


def test_a_header_and_channels():
    made, _ = converted(pipeline(skip=5, channels=2), b"title" + SAMPLES.tobytes(), 3)
    assert np.array_equal(heard(made), SAMPLES.reshape(-1, 2).T)


def test_floats_are_scaled_and_checked():
    floats = (SAMPLES / 32768).astype("<f4")
    made, _ = converted(pipeline(encoding="pcm_f32le"), floats.tobytes(), 999)
    assert np.array_equal(heard(made)[0], SAMPLES)
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


@pytest.mark.parametrize("length", [20_000, 200_000])
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
    assert not can_convert_blocks(pipeline(encoder="png-writer", file="{stem}.png"), pipe=True)
    assert not can_convert_blocks(pipeline(field="audio"), pipe=True)
    assert can_convert_blocks(pipeline(encoder="wav-writer", file="{stem}.wav"), pipe=True, suffix=".wav")
    assert not can_convert_blocks(pipeline(encoder="wav-writer", file="{stem}.w64"), pipe=True, suffix=".w64")
