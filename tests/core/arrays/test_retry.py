"""An error of an array keeps a function that reads it again with other options, on a part of it."""

import numpy as np
import pytest

from array_options import array_options as options
from tonearm.arrays import retry
from tonearm.arrays.stated import StatedRate
from tonearm.errors import ItemError, SetOption
from tonearm.plugins.context import Context

CONTEXT = Context()


def error():
    return ItemError("it is wrong", remedies=(SetOption("kind", "db"),))


def test_an_element_is_read_again_by_its_index():
    array = np.stack([np.full(10, 0.25, np.float32), np.full(10, 0.5, np.float32)])
    found = retry.retryable(error(), array, 1, CONTEXT, {})
    signal = found.retry(options(kind="waveform", sample_rate=8000, axes=["batch", "time"]))
    assert signal.samples.max() == 0.5


def test_the_rate_that_the_file_says_holds_in_trials_too():
    found = retry.retryable(error(), np.full((9, 1), 0.5, np.float32), 0, CONTEXT, {}, StatedRate(22050, "sr = 22050"))
    signal = found.retry(options(kind="waveform", axes=["time", "channel"]))
    assert (signal.sample_rate, signal.samples.shape) == (22050, (1, 9))
    with pytest.raises(ItemError, match="sample_rate is 16000"):
        found.retry(options(kind="waveform", sample_rate=16000))


def test_what_fails_again_raises():
    array = np.full((2, 10), 100, np.float32)
    found = retry.retryable(error(), array, 1, CONTEXT, {})
    with pytest.raises(ItemError, match="full scale"):
        found.retry(options(kind="waveform", sample_rate=8000, axes=["batch", "time"]))
    with pytest.raises(ItemError, match="no such element"):
        found.retry(options(kind="waveform", sample_rate=8000, axes=["channel", "time"], full_scale=100))


def test_the_rate_that_the_file_states_counts():
    array = np.full((10, 1), 0.5, np.float32)
    found = retry.retryable(error(), array, 0, CONTEXT, {}, StatedRate(8000, "sr = 8000"))
    assert found.retry(options(kind="waveform")).sample_rate == 8000
    with pytest.raises(ItemError, match="sr = 8000"):
        found.retry(options(kind="waveform", sample_rate=16000))


def test_nothing_is_recorded_in_the_context():
    context = Context()
    array = np.array([0.5, np.nan], np.float32)
    retry.retryable(error(), array, 0, context, {}).retry(options(kind="waveform", sample_rate=8000, nan="zero"))
    assert context.warnings == []


def test_an_error_without_remedies_keeps_no_array():
    assert retry.retryable(ItemError("it is wrong"), np.zeros(3), 0, CONTEXT, {}).retry is None


def test_far_elements_of_a_batch_are_not_read_again():
    assert retry.retryable(error(), np.zeros((99, 3)), retry.MAX_INDEX, CONTEXT, {}).retry is None


@pytest.mark.parametrize(
    ("shape", "cut"), [((10,), (10,)), ((2, 1 << 23), (2, 1 << 21)), ((1 << 16, 1 << 9), (1 << 15, 1 << 9))]
)
def test_only_the_start_of_a_large_array_is_read(shape, cut):
    large = np.broadcast_to(np.float32(0), shape)
    assert retry._part(large).shape == cut
