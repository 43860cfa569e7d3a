"""Transforms of waveforms in a stream: any cutting gives the samples of whole work, bit for bit."""

from __future__ import annotations

import resource
from typing import Any

import numpy as np
import pytest
import scipy.signal
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from transform_helpers import make, streamed

import tonearm_plugins
from tonearm.api import BlockTransform, Context, OptionError, Regroup, Spec, Transform, Waveform
from tonearm.plugins.registry import default
from tonearm_plugins.dsp.true_peak import measure_true_peak

STREAMING: list[tuple[str, dict[str, Any]]] = [
    ("gain", {"gain_db": -3.7}),
    ("mix", {"to": "mono"}),
    ("mix", {"to": "stereo"}),
    ("mix", {"pick": [0, 0, 0]}),
    ("filter", {"high_pass_hz": 80.0}),
    ("filter", {"low_pass_hz": 3000.0, "band_stop_hz": [48.0, 52.0], "order": 3}),
    ("deemphasis", {}),
    ("deemphasis", {"coefficient": 0.9999}),
    ("mu-law-decode", {"values": "companded"}),
    ("fade", {}),
    ("fade", {"in_ms": 0.0, "out_ms": 150.0, "shape": "linear"}),
    ("fade", {"in_ms": 300.0, "out_ms": 0.0, "shape": "exponential"}),
    ("pad", {"before_ms": 20.0, "after_ms": 10.0}),
    ("pad", {"min_seconds": 0.1, "multiple": 1000}),
    ("resample", {"sample_rate": 24000}),
    ("resample", {"sample_rate": 7999, "quality": "very-high"}),
    ("resample", {"sample_rate": 16000, "quality": "quick"}),
    ("limiter", {"true_peak_db": -12.0}),
    ("limiter", {"true_peak_db": -0.5, "lookahead_ms": 0.1, "release_ms": 0.01}),
    ("limiter", {"peak_db": -9.0, "lookahead_ms": 90.0, "release_ms": 2000.0}),
    ("limiter", {"peak_db": -3.0, "lookahead_ms": 0.01}),
]


def made(name: str, options: dict[str, Any]) -> Any:
    return make(default().find("transform", name).resolve(), **options)


def sound(length: int, channels: int, kind: str, seed: int) -> Any:
    """Return noise between -1 and 1 with loud and quiet stretches, and silence."""
    rng = np.random.default_rng(seed)
    level = np.repeat(rng.uniform(0, 1, length // 700 + 1) ** 4, 700)[:length]
    level[length // 3 : length // 2] = 0
    return np.clip(rng.standard_normal((channels, length)) * level, -1, 1).astype(kind)


def assert_same_bits(found: Any, wanted: Any) -> None:
    assert found.dtype == wanted.dtype
    assert found.shape == wanted.shape
    assert found.tobytes() == wanted.tobytes()


@pytest.mark.parametrize(("name", "options"), STREAMING)
@settings(max_examples=25)
@given(
    length=st.one_of(st.integers(1, 40), st.integers(1, 30_000)),
    channels=st.integers(1, 2),
    kind=st.sampled_from(["f4", "f8"]),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_any_cutting_gives_the_samples_of_whole_work(
    name: str, options: dict[str, Any], length: int, channels: int, kind: str, seed: int, data: st.DataObject
) -> None:
    samples, rate, context = sound(length, channels, kind, seed), 16000, Context()
    transform = made(name, options)
    whole = transform.apply(Waveform(samples=samples, sample_rate=rate), context)
    shortest = data.draw(st.sampled_from([1, 7, 500, 2047]))
    cuts = data.draw(st.lists(st.integers(1, shortest * 40), max_size=40))
    in_stream = Context()
    assert_same_bits(streamed(transform, samples, rate, cuts, in_stream), whole.samples)
    assert in_stream.measurements == context.measurements


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("name", "options"), STREAMING)
def test_nor_does_cutting_into_single_samples_show(name: str, options: dict[str, Any]) -> None:
    samples = sound(3000, 2, "f4", 5)
    transform = made(name, options)
    whole = transform.apply(Waveform(samples=samples, sample_rate=16000), Context())
    assert_same_bits(streamed(transform, samples, 16000, [1] * 3000), whole.samples)


@pytest.mark.parametrize(("name", "options"), [one for one in STREAMING if one[0] in ("filter", "limiter", "gain")])
def test_nan_and_infinity_stay_where_they_are(name: str, options: dict[str, Any]) -> None:
    samples = sound(9000, 2, "f4", 6)
    samples[0, 2047], samples[1, 2048], samples[0, 8999] = np.nan, np.inf, -np.inf
    transform = made(name, options)
    whole = transform.apply(Waveform(samples=samples, sample_rate=16000), Context()).samples
    found = streamed(transform, samples, 16000, [2048, 1, 1, 777])
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(samples))
    np.testing.assert_array_equal(found, whole)


def test_class_indices_are_decoded_in_any_parts() -> None:
    classes = np.random.default_rng(0).integers(0, 256, (1, 5000)).astype("f4")
    transform = made("mu-law-decode", {"values": "indices"})
    whole = transform.apply(Waveform(samples=classes, sample_rate=16000), Context())
    assert_same_bits(streamed(transform, classes, 16000, [1, 2, 3000]), whole.samples)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("lookahead_ms", [0.1, 5.0])
def test_the_limiter_holds_its_ceiling_in_a_stream(lookahead_ms: float, kind: str) -> None:
    samples = 4 * sound(48_000, 2, kind, 7)
    limiter = made("limiter", {"true_peak_db": -3.0, "lookahead_ms": lookahead_ms})
    found = streamed(limiter, samples, 48000, [1000] * 40)
    assert measure_true_peak(found) <= 10 ** (-3 / 20)
    assert measure_true_peak(found) > 10 ** (-3.01 / 20)
    assert found.shape == samples.shape


@pytest.mark.parametrize(
    ("name", "options", "most"),
    [("gain", {"gain_db": 1}, 0), ("mix", {"to": "mono"}, 0), ("filter", {"low_pass_hz": 900.0}, 0),
     ("fade", {"in_ms": 10.0, "out_ms": 20.0}, 960), ("pad", {"after_ms": 10.0}, 0),
     ("deemphasis", {}, 2048), ("resample", {"sample_rate": 24000}, 2000), ("limiter", {}, 700)],
)  # fmt: skip
def test_sound_leaves_soon(name: str, options: dict[str, Any], most: int) -> None:
    """At most so many samples at 48 kHz stay behind."""
    spec = Spec(signals=(Waveform,), sample_rate=48000, channels=2, precision="single")
    transform = made(name, options)
    started, came, samples = transform.start(spec, Context()), 0, sound(48_000, 2, "f4", 3)
    rate = transform.produces(spec).sample_rate
    for at in range(0, 48_000, 480):
        came += started.push(samples[:, at : at + 480]).shape[1]
    assert 48_000 - came * 48000 // rate <= most


NEEDS_WHOLE = {
    "concat", "dc-remove", "griffin-lim", "guard", "hpss", "loudness", "mel-to-magnitude", "mel-to-wave", "normalize",
    "pitch-shift", "split", "time-stretch", "torchscript-codec", "transformers-codec", "transformers-vocoder", "trim",
}  # fmt: skip


def test_every_transform_streams_or_says_what_to_use_instead() -> None:
    for name in tonearm_plugins.tonearm_transforms():
        cls = default().find("transform", name).resolve()
        assert issubclass(cls, BlockTransform) or name in NEEDS_WHOLE or not cls.instead, name
        if name in NEEDS_WHOLE:
            assert issubclass(cls, (Transform, Regroup))
            assert cls.instead, name
            assert cls.instead[0].islower(), name
    assert {name for name, _ in STREAMING}.isdisjoint(NEEDS_WHOLE)


@pytest.mark.parametrize(
    ("name", "options", "hint"),
    [("normalize", {"peak_db": -1.0}, "use gain with a fixed gain_db, and limiter against peaks"),
     ("griffin-lim", {}, "let a vocoder make the sound, or collect the frames and save them"),
     ("dc-remove", {}, "use filter with high_pass_hz: 20"),
     ("split", {}, "save the sound, and split the file")],
)  # fmt: skip
def test_what_needs_the_whole_is_refused_with_what_to_use_instead(
    name: str, options: dict[str, Any], hint: str
) -> None:
    with pytest.raises(OptionError, match=f"{name} needs the whole signal, which a stream never has") as error:
        made_with_name(name, options).check_blocks(Spec(signals=(Waveform,), sample_rate=16000, channels=1))
    assert error.value.code == "needs-whole"
    assert error.value.hint == hint


def made_with_name(name: str, options: dict[str, Any]) -> Any:
    """Return a plugin as the host makes it, with its entry."""
    entry = default().find("transform", name)
    plugin = made(name, options)
    plugin.registered = entry
    return plugin


def test_filtering_backwards_is_refused_in_a_stream_alone() -> None:
    spec = Spec(signals=(Waveform,), sample_rate=16000, channels=1)
    made("filter", {"high_pass_hz": 80.0}).check_blocks(spec)
    with pytest.raises(OptionError) as error:
        made("filter", {"high_pass_hz": 80.0, "zero_phase": True}).check_blocks(spec)
    assert error.value.code == "needs-whole"
    assert "zero_phase" in str(error.value.remedies[0])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), STREAMING)
def test_ten_minutes_keep_memory_flat(name: str, options: dict[str, Any]) -> None:
    spec = Spec(signals=(Waveform,), sample_rate=48000, channels=2, precision="single")
    started = made(name, options).start(spec, Context())
    block, came, before = sound(9600, 2, "f4", 4), 0, 0
    for number in range(600 * 5):
        came += started.push(block).shape[1]
        if number == 100:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert came > 600 * 7999 - 16_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10_000


CUTS = [1, 2047, 1, 4096, 333, 3]


def test_a_streamed_filter_is_that_of_scipy() -> None:
    samples = sound(20_000, 2, "f8", 8)
    sections = scipy.signal.butter(4, 300, "highpass", fs=16000, output="sos")
    found = streamed(made("filter", {"high_pass_hz": 300.0}), samples, 16000, CUTS)
    np.testing.assert_array_equal(found, scipy.signal.sosfilt(sections, samples))


@pytest.mark.parametrize("coefficient", [0.0, 0.5, 0.97, 0.9999])
def test_streamed_deemphasis_is_the_filter_by_its_definition(coefficient: float) -> None:
    samples = sound(20_000, 2, "f8", 9)
    found = streamed(made("deemphasis", {"coefficient": coefficient}), samples, 16000, CUTS)
    wanted = scipy.signal.lfilter([1], [1, -coefficient], samples)
    np.testing.assert_allclose(found, wanted, atol=1e-12 * np.abs(wanted).max())


@pytest.mark.parametrize(("rate", "quality", "name"), [(24000, "high", "HQ"), (11025, "very-high", "VHQ")])
def test_streamed_resampling_is_that_of_soxr_in_one_call(rate: int, quality: str, name: str) -> None:
    samples = sound(20_000, 2, "f8", 10)
    found = streamed(made("resample", {"sample_rate": rate, "quality": quality}), samples, 16000, CUTS)
    wanted = soxr.resample(samples.T, 16000, rate, name).T
    assert found.shape[1] == -(-20_000 * rate // 16000)
    common = min(found.shape[1], wanted.shape[1])
    np.testing.assert_allclose(found[:, :common], wanted[:, :common], atol=1e-6)
