"""What comes of a call; `tests/core/python/test_functions.py` has the rest."""

from pathlib import Path

import numpy as np
import pytest

from tonearm import ItemError
from tonearm.conversion.call import Call
from tonearm.conversion.destination import Destination
from tonearm.conversion.results import encode_item, publish, waveform_of
from tonearm.errors import Place
from tonearm.errors.problem import hint_of
from tonearm.source import Source

BATCH = Source(name="<array>", array=np.full((2, 800), 0.5, "f4"))
ONE = Source(name="<array>", array=np.full(800, 0.5, "f4"))
OPTIONS = {"sample_rate": 8000}


def call(source=ONE, **more):
    batch = {"axes": ["batch", "time"]} if source is BATCH else {}
    return Call(source=source, options=OPTIONS | batch, **more)


def test_files(tmp_path):
    writing = call(BATCH, encoder="wav-writer", file="{index}.wav")
    saved = publish(writing, str(tmp_path), overwrite=True, durable=False, on_progress=None)
    assert saved.paths == (tmp_path / "0.wav", tmp_path / "1.wav")
    assert [one["duration"] for one in saved.measurements] == [0.1, 0.1]
    with pytest.raises(ItemError) as caught:
        publish(writing, str(tmp_path), overwrite=False, durable=False, on_progress=None)
    assert hint_of(caught.value.remedies, Place(form="call")) == (
        "move it away, write somewhere else, or leave overwrite=False out"
    )
    (tmp_path / "0.wav").unlink()
    (tmp_path / "0.wav").mkdir()
    with pytest.raises(ItemError) as caught:
        publish(writing, str(tmp_path), overwrite=False, durable=False, on_progress=None)
    assert caught.value.hint == "write the outputs somewhere else"


def test_bytes_are_taken_of_a_sink_that_is_complete(tmp_path):
    destination = Destination("wav-writer", "{index}.wav", suffix=".wav")
    writing = call(encoder="wav-writer", file="{index}.wav")
    taken = encode_item(writing, destination, None)
    assert (taken.value[:4], taken.measured["duration"], taken.warnings) == (b"RIFF", 0.1, ())
    publish(call(encoder="wav-writer", file="a.wav"), str(tmp_path), overwrite=True, durable=False, on_progress=None)
    assert Path(tmp_path / "a.wav").read_bytes() == taken.value


def test_warnings_come_once():
    source = Source(name="<array>", array=np.full(800, 1e-5, "f4"))
    destination = Destination("wav-writer", "{index}.wav", suffix=".wav")
    taken = encode_item(call(source, encoder="wav-writer", file="{index}.wav"), destination, None)
    assert [warning.partition(":")[0] for warning in taken.warnings] == ["too-quiet"]


def test_a_waveform_with_its_measurements_and_the_progress_of_plugins():
    told = []
    magnitudes = Source(name="<array>", array=np.abs(np.random.default_rng(0).standard_normal((513, 400))) / 50)
    options = {"kind": "magnitude", "sample_rate": 22050, "n_fft": 1024, "hop_length": 256}
    taken = waveform_of(Call(source=magnitudes, options=options), told.append)
    assert (taken.value.sample_rate, taken.measured["iterations"]) == (22050, 32)
    assert told
    assert all(0 <= report.done <= report.total for report in told)
    assert "griffin-lim" in {report.stage for report in told}
