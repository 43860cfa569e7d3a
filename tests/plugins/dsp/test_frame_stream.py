import numpy as np
import pytest

from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.stft import stft, stft_stream

FRAMES = {"window": np.hanning(64) + 0.1, "hop_length": 16, "pad": 32, "pad_mode": "reflect"}
SAMPLES = np.random.default_rng(0).standard_normal((2, 1000))


@pytest.mark.parametrize("engine", ["auto", "scipy"])
@pytest.mark.parametrize("size", [1, 31, 33, 64, 999, 1000])
def test_blocks_of_any_size_give_all_frames(size, engine, monkeypatch):
    monkeypatch.setenv("TONEARM_ENGINE", engine)
    stream = stft_stream(**FRAMES)
    parts = [stream.push(SAMPLES[:, at : at + size]) for at in range(0, 1000, size)]
    found = np.concatenate((*parts, stream.finish()), axis=2)
    np.testing.assert_array_equal(found, stft(SAMPLES, **FRAMES))


def test_the_start_waits_for_the_samples_that_it_reflects():
    stream = stft_stream(**FRAMES)
    assert [stream.push(SAMPLES[:, at : at + 1]).shape[2] for at in range(33)] == [0] * 32 + [1]


def test_what_is_too_short_is_refused_at_its_end():
    stream = stft_stream(**FRAMES)
    assert stream.push(SAMPLES[:, :20]).shape == (2, 33, 0)
    with pytest.raises(ShapeError, match="20 samples are too few to be reflected over 32"):
        stream.finish()
