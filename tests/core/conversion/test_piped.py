"""Sound for a pipe: the only item of a source."""

import io

import numpy as np
import pytest
import soundfile

from tonearm.conversion.piped import convert_to_pipe
from tonearm.errors import ItemError
from tonearm.pipeline.check import check
from tonearm.pipeline.converter import Converter, as_source
from tonearm.pipeline.document import from_plain
from tonearm.plugins import registry
from tonearm.run.store.pipe_sink import PipeSink


def converted(source, *, encoder="flac-writer", suffix=".flac", **options):
    document = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 8000, **options}},
        "outputs": [{"use": encoder, "file": "{index}" + suffix}],
    }
    converter = Converter(check(from_plain(document), None, registry.default()))
    taken = bytearray()
    convert_to_pipe(converter, as_source(source), PipeSink(taken.extend, suffix), on_warning=lambda _: None)
    return bytes(taken)


def test_the_item_is_written():
    made = converted(np.full(800, 0.5, "f4"))
    assert np.array_equal(soundfile.read(io.BytesIO(made))[0], np.full(800, 0.5))


def test_several_items_are_refused_before_anything_is_written():
    with pytest.raises(ItemError, match="has several items, and a pipe takes one"):
        converted(np.full((2, 800), 0.5, "f4"), axes=["batch", "time"])


def test_an_encoder_that_cannot():
    with pytest.raises(ItemError, match="png-writer must go back") as caught:
        converted(np.full(800, 0.5, "f4"), encoder="png-writer", suffix=".png")
    assert caught.value.code == "needs-file"
