"""Calls: the decoder of what the caller has in memory, the steps, and a sample rate that no option is for."""

import numpy as np
import pytest

from tonearm import PipelineError, UsageError, Waveform
from tonearm.conversion.call import STEPS_EXAMPLE, Call
from tonearm.source import Source

SOUND = Waveform(samples=np.zeros((1, 9), "f4"), sample_rate=8000)
ARRAY = Source(name="<array>", array=np.zeros(9, "f4"))


def names(call):
    return [bound.name for bound in call.converter().checked.stages()]


@pytest.mark.parametrize(
    ("source", "options", "decoder"),
    [
        (ARRAY, {"sample_rate": 8000}, "npy-reader"),
        (Source(name="<arrays>", arrays={"x": ARRAY.array}), {"sample_rate": 8000}, "npz-reader"),
        (Source(name="<waveform>", signal=SOUND), {}, "the waveform"),
        (Source(name="<waveform>", signal=SOUND), {"sample_rate": 8000}, "the waveform"),
    ],
)
def test_the_decoder_is_that_of_what_the_caller_has(source, options, decoder):
    assert names(Call(source=source, options=options)) == [decoder]
    written = Call(source=source, options=options, encoder="wav-writer", file="a.wav")
    assert names(written) == [decoder, "wav-writer"]


def test_steps_and_options_of_the_encoder():
    call = Call(
        source=ARRAY,
        options={"sample_rate": 8000},
        encoder="wav-writer",
        file="a.wav",
        steps=["normalize", ("resample", {"sample_rate": 16000}), ["gain", {"gain_db": -3}]],
        encoder_options={"subtype": "PCM_24"},
    )
    converter = call.converter()
    found = {bound.name: bound.plugin.options for bound in converter.checked.stages()}
    assert list(found) == ["npy-reader", "normalize", "resample", "gain", "wav-writer"]
    assert (found["resample"].sample_rate, found["gain"].gain_db, found["wav-writer"].subtype) == (16000, -3, "PCM_24")


@pytest.mark.parametrize("step", [3, ("normalize",), ("normalize", "peak"), (3, {}), ("a", {}, {})])
def test_a_step_is_a_name_or_a_pair(step):
    with pytest.raises(UsageError) as caught:
        Call(source=ARRAY, options={"sample_rate": 8000}, steps=[step]).converter()
    expected = f"a step is the name of a transform, or its name and its options\n    hint: {STEPS_EXAMPLE}"
    assert str(caught.value) == expected


def test_a_missing_option_is_reported_with_what_reading_shows():
    with pytest.raises(PipelineError) as caught:
        Call(source=Source(name="<array>", array=np.zeros((3, 40), "f4"))).converter()
    assert [problem.code for problem in caught.value.problems] == ["missing-option", "unknown-kind"]
