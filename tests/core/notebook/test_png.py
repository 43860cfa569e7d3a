"""Pictures as PNG, read by another program."""

import io

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from tonearm.notebook.png import palette, png_picture


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (400, 1000)])
def test_another_program_reads_every_pixel(shape):
    levels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    picture = Image.open(io.BytesIO(png_picture(levels)))
    assert picture.mode == "P"
    assert np.array_equal(np.asarray(picture), levels)
    colours = np.frombuffer(palette(), np.uint8).reshape(256, 3)
    assert np.array_equal(np.asarray(picture.convert("RGB")), colours[levels])


def test_levels_that_are_not_contiguous_are_the_same():
    levels = np.arange(200, dtype=np.uint8).reshape(10, 20)
    assert png_picture(levels[::-1, ::2]) == png_picture(levels[::-1, ::2].copy())


def test_the_colours_are_those_of_magma():
    ours = np.frombuffer(palette(), np.uint8).reshape(256, 3).astype(int)
    theirs = np.array([mpl.colormaps["magma"](level, bytes=True)[:3] for level in range(256)], int)
    assert np.abs(ours - theirs).max() <= 3


def test_lightness_grows_with_the_level():
    red, green, blue = np.frombuffer(palette(), np.uint8).reshape(256, 3).T.astype(float)
    lightness = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
    assert (np.diff(lightness) >= 0).all()
