"""Waveforms into mel spectrograms, against what model families compute, and against figures."""

import librosa
import mel_reference
import numpy as np
import pytest
from block_cuts import SIZES, assert_blocks_give_the_whole, growth_in_a_long_stream, spec_in_a_stream, streamed
from dialect_material import (
    DIALECTS,
    EXTRACTED,
    PICTURES,
    ROOT,
    STANDARDISED,
    USABLE,
    extracted,
    figures,
    problems_of,
    sounding,
    speech,
    to_mel,
    to_wave,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tonearm.api import Context, InsertStep, ItemError, MelSpectrogram, OptionError, Spec, Waveform
from tonearm_plugins.transforms.mel_analysis import analyse
from tonearm_plugins.transforms.wave_to_mel import WaveToMel, WaveToMelOptions


@pytest.mark.parametrize("name", EXTRACTED)
def test_what_the_extractor_computed_is_reproduced(name):
    dialect, expected = DIALECTS.find(name), extracted(name)
    found = to_mel(speech(dialect.sample_rate), dialect).values[0]
    assert found.shape[0] == expected.shape[0]
    np.testing.assert_allclose(found[:, : expected.shape[1]], expected, rtol=0, atol=EXTRACTED[name])


def test_what_is_standardised_and_masked_is_reproduced():
    expected = np.load(ROOT / "tests/data/nemo-asr.npy")  # the last frames, of which the last is masked
    found = to_mel(speech(16000), DIALECTS.find("nemo-asr")).values[0]
    assert found.shape == (80, 261)
    np.testing.assert_allclose(found[:, -48:], expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", USABLE)
def test_every_dialect_is_as_its_figures_say(name):
    recipe, dialect = figures(name), DIALECTS.find(name)
    samples = sounding(dialect.sample_rate)
    if name in STANDARDISED - {"nemo-asr"}:
        dialect = dialect.replace(mean=0.0, std=1.0)
    found = to_mel(samples, dialect)
    expected = mel_reference.forward(samples, recipe)
    assert found.values.shape == (1, *expected.shape)
    assert found.length == samples.size
    scale = max(1.0, np.abs(expected).max())
    if name in PICTURES:
        assert (np.abs(found.values[0] - expected) > 0).mean() < 1e-4  # a byte may tip over
    else:
        np.testing.assert_allclose(found.values[0], expected, rtol=0, atol=1e-5 * scale)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", USABLE)
def test_every_dialect_is_the_same_by_each_engine(name, monkeypatch):
    dialect = made_for_streams(name)
    samples = sounding(dialect.sample_rate, seconds=0.5).astype(np.float32)
    found = analyse(Waveform(samples=samples[None], sample_rate=dialect.sample_rate), dialect)
    monkeypatch.setenv("TONEARM_ENGINE", "scipy")
    expected = analyse(Waveform(samples=samples[None], sample_rate=dialect.sample_rate), dialect)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * expected.max())


class TestWaveToMel:
    def test_another_rate_is_found_before_any_data_is_read(self):
        (problem, *_) = problems_of(
            {"kind": "waveform", "sample_rate": 16000}, {"use": "wave-to-mel", "with": {"dialect": "hifigan"}},
            {"use": "mel-to-wave"},
        )  # fmt: skip
        assert problem.code == "rate-mismatch"
        assert problem.message == ("wave-to-mel: the waveform is at 16000 Hz, but the dialect hifigan at 22050 Hz")
        assert problem.remedies == (InsertStep("resample", {"sample_rate": 22050}),)

    def test_and_at_the_latest_with_the_signal(self):
        plugin = WaveToMel(WaveToMelOptions(dialect=DIALECTS.find("hifigan")))
        with pytest.raises(ItemError) as caught:
            plugin.apply(Waveform(samples=np.zeros((1, 9000)), sample_rate=8000), Context())
        assert caught.value.code == "rate-mismatch"

    @pytest.mark.parametrize(("name", "length"), [("hifigan", 384), ("tacotron2", 512), ("kaldi-fbank", 399)])
    def test_what_is_too_short(self, name, length):
        with pytest.raises(ItemError) as caught:
            to_mel(np.ones(length), DIALECTS.find(name))
        assert caught.value.code == "too-short"

    def test_channels_stay_apart(self):
        dialect = DIALECTS.find("hifigan")
        left, right = speech(22050)[:9000], sounding(22050)[:9000]
        both = to_mel(np.stack([left, right]), dialect).values
        np.testing.assert_array_equal(both[1], to_mel(right, dialect).values[0])
        assert to_wave(MelSpectrogram(values=both, dialect=dialect), iterations=0).channels == 2


def made_for_streams(name):
    """Return a dialect, with statistics if it needs stored ones."""
    dialect = DIALECTS.find(name)
    return dialect.replace(mean=-3.0, std=1.5) if dialect.statistics == "stored" else dialect


WHOLE = {
    "audio-diffusion": "largest value (reference: max)",
    "librosa-db": "largest value (reference: max)",
    "librosa-db-ref1": "step below-max",
    "nemo-asr": "utterance's own statistics",
    "riffusion": "step divide-max",
    "torchaudio-db": "step below-max",
    "whisper": "step below-max",
    "whisper-128": "step below-max",
}
"""Dialects whose values depend on the whole signal, and the reason that the error gives."""


class TestBlocks:
    """Samples that come block by block give the bits of whole work."""

    @pytest.mark.one_in(6)
    @pytest.mark.parametrize("name", sorted({*USABLE} - {*WHOLE}))
    @given(sizes=SIZES, length=st.integers(1, 30_000), double=st.booleans(), channels=st.integers(1, 2))
    @settings(max_examples=8, deadline=None)
    def test_any_cutting(self, name, sizes, length, double, channels):
        dialect = made_for_streams(name)
        transform = WaveToMel(WaveToMelOptions(dialect=dialect))
        samples = np.random.default_rng(length).uniform(-1, 1, (channels, length)).astype("f8" if double else "f4")
        wave = Waveform(samples=samples, sample_rate=dialect.sample_rate)
        assert_blocks_give_the_whole(transform, wave, [*sizes, 900])

    @given(
        sizes=SIZES,
        length=st.integers(1, 6000),
        changes=st.fixed_dictionaries(
            {
                "padding": st.sampled_from(["center", "half-overlap", "snip", "end", "none", "full"]),
                "pad_mode": st.sampled_from(["constant", "reflect", "edge"]),
                "last_frame": st.sampled_from(["keep", "drop", "mask"]),
                "preemphasis": st.sampled_from([0.0, 0.97]),
                "preemphasis_scope": st.sampled_from(["signal", "frame"]),
                "remove_dc": st.booleans(),
                "exponent": st.sampled_from([1, 2]),
                "hop_length": st.sampled_from([256, 100, 37]),
                "win_length": st.sampled_from([None, 700]),
            }
        ),
    )
    @settings(max_examples=30, deadline=None)
    def test_any_cutting_by_any_figures(self, sizes, length, changes):
        dialect = DIALECTS.find("hifigan").replace(window="hamming", steps=(), **changes)
        transform = WaveToMel(WaveToMelOptions(dialect=dialect))
        samples = np.random.default_rng(length).uniform(-1, 1, (1, length)).astype("f4")
        wave = Waveform(samples=samples, sample_rate=22050)
        assert_blocks_give_the_whole(transform, wave, sizes)

    @pytest.mark.parametrize("padding", ["center", "half-overlap", "snip", "end", "none", "full"])
    @pytest.mark.parametrize("last_frame", ["keep", "drop", "mask"])
    @pytest.mark.parametrize("sizes", [[100], [256], [1, 5000]])
    def test_the_last_frame_is_the_last_of_the_whole(self, padding, last_frame, sizes):
        dialect = DIALECTS.find("hifigan").replace(window="hamming", padding=padding, last_frame=last_frame)
        samples = np.random.default_rng(0).uniform(-1, 1, (1, 5120)).astype("f4")
        wave = Waveform(samples=samples, sample_rate=22050)
        assert_blocks_give_the_whole(WaveToMel(WaveToMelOptions(dialect=dialect)), wave, sizes)

    def test_librosa_in_double_precision_gives_the_same(self):
        dialect = DIALECTS.find("hifigan")
        samples = speech(22050)
        found = streamed(
            WaveToMel(WaveToMelOptions(dialect=dialect)), Waveform(samples=samples[None], sample_rate=22050), [1000]
        )
        padded = np.pad(samples, 384, mode="reflect")
        spectrum = np.abs(librosa.stft(padded, n_fft=1024, hop_length=256, center=False))
        size = np.sqrt(spectrum**2 + dialect.magnitude_guard)
        basis = librosa.filters.mel(sr=22050, n_fft=1024, n_mels=80, fmin=0, fmax=8000, dtype=np.float64)
        np.testing.assert_allclose(found[0], np.log(np.maximum(basis @ size, 1e-5)), rtol=0, atol=1e-9)

    @pytest.mark.parametrize("name", WHOLE)
    def test_a_dialect_that_needs_the_whole_is_refused_by_its_reason(self, name):
        dialect = DIALECTS.find(name)
        transform = WaveToMel(WaveToMelOptions(dialect=dialect))
        samples = np.random.default_rng(0).uniform(-1, 1, (1, 90_000)).astype("f4")
        wave = Waveform(samples=samples, sample_rate=dialect.sample_rate)
        spec = spec_in_a_stream(wave)
        with pytest.raises(OptionError) as caught:
            transform.check_blocks(spec)
        assert caught.value.code == "needs-whole"
        assert WHOLE[name] in caught.value.message
        assert f"dialect {name} " in caught.value.message
        assert caught.value.hint
        with pytest.raises(OptionError, match="needs the whole signal"):
            transform.start(spec, Context()).push(wave.samples)
        assert transform.apply(wave, Context()).frames == dialect.frames(90_000)

    def test_what_the_refusal_proposes_can_stream(self):
        whisper, spec = DIALECTS.find("whisper"), Spec(signals=(Waveform,), sample_rate=16000)
        with pytest.raises(OptionError) as caught:
            WaveToMel(WaveToMelOptions(dialect=whisper)).check_blocks(spec)
        assert caught.value.hint == "give steps with {op: clip, min: …} in its place"
        fixed = DIALECTS.find("voxtral-realtime")
        assert [step.op for step in fixed.steps] == ["clip", *[step.op for step in whisper.steps[1:]]]
        WaveToMel(WaveToMelOptions(dialect=fixed)).check_blocks(spec)
        standardised = DIALECTS.find("nemo-asr").replace(mean=0.0, std=1.0)
        WaveToMel(WaveToMelOptions(dialect=standardised)).check_blocks(spec)

    @pytest.mark.slow
    def test_a_long_stream_needs_constant_memory(self):
        grown, frames = growth_in_a_long_stream("wave-to-mel", "dialect=find('hifigan')", 22050)
        assert frames == 1200 * 22050 // 256
        assert grown < 8 << 20
