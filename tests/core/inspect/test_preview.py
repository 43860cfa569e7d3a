"""Previews: of every shape, whatever is known of the axes."""

import itertools

import numpy as np
import pytest

from tonearm.inspect.preview import HEIGHT, WIDTH, draw_preview


@pytest.mark.parametrize("shape", [(), (1,), (7,), (1, 9), (2, 500), (3, 4, 5), (2, 1, 80, 30), (2, 2, 2, 2)])
def test_every_shape_has_a_preview_whatever_is_known_of_its_axes(shape):
    array = np.random.default_rng(1).standard_normal(shape)
    long = sum(length > 1 for length in shape)
    for axes in itertools.product(["?", "batch", "channel", "time", "bin", "frame", "complex"], repeat=long):
        lines = draw_preview(array, list(axes))
        assert 1 <= len(lines) <= HEIGHT
        assert all(1 <= len(line) <= WIDTH for line in lines)


def test_time_or_frames_and_bins_are_shown_of_many_axes():
    array = np.zeros((2, 3, 640))
    array[0, 0, 320:] = 1
    (line,) = draw_preview(array, ["batch", "channel", "time"])
    assert line == " " * 32 + "█" * 32
    upright = np.zeros((3, 640, 8))
    upright[0, :, 0] = 1  # the lowest bin
    lines = draw_preview(upright, ["batch", "frame", "bin"])
    assert [len(set(line)) for line in lines] == [1] * 8
    assert lines[-1] == "█" * 64
