"""The measurement of what is written: duration, DC, peak, and the level of waveforms."""

import numpy as np
import pytest
from msgspec import structs
from toy_stages import outcome, stages

from tonearm.api import ComplexSpectrogram, Context, Item, StftGrid, Waveform
from tonearm.arrays.extent import extent_of
from tonearm.pipeline.limit_checks import LimitChecks
from tonearm.pipeline.limits import PipelineLimits
from tonearm.pipeline.measuring import measure_items
from tonearm.pipeline.outcome import Outcome


@pytest.mark.parametrize(
    ("level", "wanted"),
    [(0.12345678, {"dc": 0.123457, "peak_db": -18.17}), (-2, {"dc": -2, "peak_db": 6.02}),
     (1, {"dc": 1, "peak_db": 0}),
     (1e-30, {"dc": 0, "peak_db": -600}), (0, {"dc": 0})],
)  # fmt: skip
def test_a_waveform_is_measured(level, wanted):
    signal = Waveform(samples=np.full((2, 100), level, np.float32), sample_rate=7000)
    last, *_ = stages()
    for extent in (None, extent_of(signal.samples)):
        given = Outcome(context=Context(), item=Item(signal=signal), extent=extent)
        (found,) = measure_items(iter([given]), last)
        assert found is given
        assert found.context.measurements == {"duration": 0.014286, **wanted}
        assert bool(found.context.warnings) == (abs(level) < 1e-3)


def test_what_was_kept_by_the_decoder_is_nobodys_fault():
    decoder, step, *_ = stages(None)
    for last, may_have_nan, stage in ((decoder, True, "input"), (decoder, False, "input"), (step, True, "steps.0")):
        (found,) = measure_items(iter([outcome(np.nan, may_have_nan=may_have_nan)]), last)
        assert found.error.message == "100 of 100 values of the waveform are NaN or infinite"
        assert found.error.place.stage == stage


def test_a_signal_that_is_no_waveform_is_not_measured():
    grid = StftGrid(sample_rate=8000, n_fft=8, hop_length=4, win_length=8)
    signal = ComplexSpectrogram(values=np.ones((1, 5, 9), np.complex64), grid=grid)
    (found,) = measure_items(iter([Outcome(context=Context(), item=Item(signal=signal))]), stages()[0])
    assert (found.error, found.context.measurements, found.context.warnings) == (None, {}, [])


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (1e-3, []),
        (9.9e-4, ["too-quiet: the peak of the waveform is only -60.1 dBFS (0.00099)"]),
        (1e-5, ["too-quiet: the peak of the waveform is only -100.0 dBFS (1e-05), and 16-bit samples of it are all 0"]),
        (0, ["the waveform is silent"]),
    ],
)
def test_a_waveform_that_nobody_would_hear_is_warned_of_and_refused_if_strict(level, said):
    last, *_ = stages()
    given = Outcome(
        context=Context(), item=Item(signal=Waveform(samples=np.full((1, 9), float(level)), sample_rate=8000))
    )
    (found,) = measure_items(iter([given]), last)
    assert (found.error, found.context.warnings) == (None, said)
    strict = LimitChecks(PipelineLimits(strict=True))
    (found,) = measure_items(iter([structs.replace(given, context=Context())]), last, strict)
    assert (found.error and found.error.code) == ("too-quiet" if said else None)


def test_the_level_that_is_too_quiet_is_a_limit():
    last, *_ = stages()
    signal = Waveform(samples=np.full((1, 9), 1e-5), sample_rate=8000)
    given = Outcome(context=Context(), item=Item(signal=signal))
    (found,) = measure_items(iter([given]), last, LimitChecks(PipelineLimits(quiet_db=-100.5)))
    assert found.context.warnings == []


def test_the_peak_of_a_step_before_is_not_that_of_silence():
    last, *_ = stages()
    context = Context()
    context.measure(peak_db=3.0)
    signal = Waveform(samples=np.zeros((1, 9), np.float32), sample_rate=8000)
    (found,) = measure_items(iter([Outcome(context=context, item=Item(signal=signal))]), last)
    assert "peak_db" not in found.context.measurements


@pytest.mark.parametrize(
    ("mean", "seconds", "noted"), [(0.3, 0.5, True), (-0.3, 0.5, True), (0.1, 0.5, False), (0.3, 0.2, False)]
)
def test_a_large_mean_of_a_sound_is_noted(mean, seconds, noted):
    last, *_ = stages()
    samples = (np.sin(np.arange(int(8000 * seconds))) / 2 + mean)[None]
    given = Outcome(context=Context(), item=Item(signal=Waveform(samples=samples, sample_rate=8000)))
    (found,) = measure_items(iter([given]), last)
    assert [one.split(":")[0] for one in found.context.warnings] == ["dc-offset"] * noted
    strict = LimitChecks(PipelineLimits(strict=True))
    (found,) = measure_items(iter([structs.replace(given, context=Context())]), last, strict)
    assert (found.error and found.error.code) == ("dc-offset" if noted else None)


def test_a_doubt_about_the_kind_tells_more_than_the_mean():
    last, *_ = stages()
    context = Context()
    context.warn("kind-doubtful: no sample is negative")
    signal = Waveform(samples=(np.sin(np.arange(8000)) / 2 + 0.5)[None], sample_rate=8000)
    (found,) = measure_items(iter([Outcome(context=context, item=Item(signal=signal))]), last)
    assert found.context.warnings == ["kind-doubtful: no sample is negative"]
