"""Waveforms into spectrograms."""

import librosa
import mel_reference
import numpy as np
import pytest
from block_cuts import (
    SIZES,
    assert_blocks_give_the_whole,
    assert_same_bits,
    cut,
    growth_in_a_long_stream,
    spec_in_a_stream,
    streamed,
)
from dialect_material import sounding, speech
from hypothesis import given, settings
from hypothesis import strategies as st

import tonearm
from tonearm.api import Context, ItemError, SetOption, Spec, Waveform
from tonearm.pipeline.provenance import fingerprint_of
from tonearm_plugins.transforms.wave_to_spectrogram import WaveToSpectrogram, WaveToSpectrogramOptions


class TestWaveToSpectrogram:
    @pytest.mark.parametrize("padding", ["center", "half-overlap", "snip", "end", "none"])
    @pytest.mark.parametrize("kind", ["complex", "magnitude"])
    def test_frames_lie_on_the_grid(self, padding, kind):
        options = WaveToSpectrogramOptions(n_fft=512, hop_length=128, win_length=400, padding=padding, kind=kind)
        samples = sounding(8000, 0.5)
        plugin = WaveToSpectrogram(options)
        found = plugin.apply(Waveform(samples=samples[None], sample_rate=8000), Context())
        recipe = {"n_fft": 512, "hop_length": 128, "win_length": 400, "padding": padding}
        expected = np.array(
            [np.fft.rfft(np.pad(f * mel_reference.window(recipe), 56)) for f in mel_reference.frames(samples, recipe)]
        ).T
        assert found.frames == expected.shape[1] == found.grid.frames(samples.size)
        assert found.length == samples.size
        wanted = expected if kind == "complex" else np.abs(expected)
        np.testing.assert_allclose(found.values[0], wanted, atol=1e-4)
        assert isinstance(found, plugin.produces(Spec(signals=(Waveform,), sample_rate=8000)).signals)

    def test_istft_brings_it_back(self):
        samples = speech(16000)
        pipeline = tonearm.load_pipeline(
            {
                "tonearm": 1,
                "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 16000}},
                "steps": [
                    {"use": "wave-to-spectrogram", "with": {"n_fft": 512, "hop_length": 128, "pad_mode": "reflect"}},
                    {"use": "istft"},
                ],
                "outputs": [{"use": "wav-writer", "file": "a.wav"}],
            }
        )
        (wave,) = pipeline.convert(samples)
        np.testing.assert_allclose(wave.samples[0], samples, atol=1e-6)

    def test_what_is_too_short_or_cannot_be_inverted(self):
        plugin = WaveToSpectrogram(WaveToSpectrogramOptions(n_fft=512, hop_length=128, padding="none"))
        with pytest.raises(ItemError, match="are less than one frame of 512"):
            plugin.apply(Waveform(samples=np.zeros((1, 100)), sample_rate=8000), Context())
        (problem,) = WaveToSpectrogramOptions(n_fft=512, hop_length=600).problems()
        assert problem.code == "not-invertible"

    def test_the_content_of_a_window_counts(self, tmp_path):
        path = tmp_path / "window.txt"

        def load():
            return tonearm.load_pipeline(
                {
                    "tonearm": 1,
                    "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 16000}},
                    "steps": [
                        {"use": "wave-to-spectrogram", "with": {"n_fft": 8, "hop_length": 2, "window": str(path)}}
                    ],
                    "outputs": [{"use": "npy-writer", "file": "a.npy"}],
                }
            )

        with pytest.raises(tonearm.PipelineError, match="there is no file"):
            load()
        path.write_text("1 2 x")
        with pytest.raises(tonearm.PipelineError, match="holds no window"):
            load()
        found = []
        for values in ("1 2 2 1", "1 3 3 1", "1 2 2 1"):
            path.write_text(values)
            found.append(fingerprint_of(load().checked))
        assert found[0] != found[1]
        assert found[0] == found[2]

    @pytest.mark.parametrize("padding", ["center", "half-overlap", "snip", "end", "none"])
    @pytest.mark.parametrize("pad_mode", ["constant", "reflect", "edge"])
    @pytest.mark.parametrize("length", [1, 50, 256, 257, 400])
    def test_an_option_that_is_advised_helps(self, padding, pad_mode, length):
        given = {"n_fft": 512, "hop_length": 128, "padding": padding, "pad_mode": pad_mode}
        wave = Waveform(samples=np.ones((1, length)), sample_rate=8000)
        error = refusal_of(wave, given)
        if error is not None:
            assert error.code == "too-short"
            assert "a smaller n_fft" in error.hint
            advised = {remedy.option: remedy.value for remedy in error.remedies if isinstance(remedy, SetOption)}
            assert not advised or refusal_of(wave, given | advised) is None

    @pytest.mark.parametrize(
        ("given", "advised"),
        [
            ({"padding": "none"}, SetOption("padding", "center")),
            ({"padding": "center", "pad_mode": "reflect"}, SetOption("pad_mode", "constant")),
        ],
    )
    def test_it_advises_padding_before_a_smaller_analysis(self, given, advised):
        wave = Waveform(samples=np.ones((1, 200)), sample_rate=8000)
        assert refusal_of(wave, {"n_fft": 512, "hop_length": 128, **given}).remedies[0] == advised


def refusal_of(wave, options):
    """Return the error of an analysis, or None."""
    try:
        WaveToSpectrogram(WaveToSpectrogramOptions(**options)).apply(wave, Context())
    except ItemError as error:
        return error
    return None


ANALYSES = st.fixed_dictionaries(
    {
        "n_fft": st.sampled_from([256, 100, 97, 64]),
        "hop_length": st.sampled_from([64, 17, 30]),
        "padding": st.sampled_from(["center", "half-overlap", "snip", "end", "none", "full"]),
        "pad_mode": st.sampled_from(["constant", "reflect", "edge"]),
        "kind": st.sampled_from(["complex", "magnitude"]),
    },
    optional={
        "win_length": st.just(64),
        "window_position": st.just("start"),
        "tail": st.just("pad"),
        "phase_origin": st.just("window-center"),
        "scaling": st.sampled_from(["psd", "spectrum"]),
        "sides": st.sampled_from(["two", "centered"]),
    },
)


class TestBlocks:
    """Samples that come block by block give the bits of whole work."""

    @pytest.mark.parametrize("precision", ["f4", "f8"])
    @given(options=ANALYSES, sizes=SIZES, length=st.integers(1, 3000), channels=st.integers(1, 3))
    @settings(max_examples=60, deadline=None)
    def test_any_cutting(self, precision, options, sizes, length, channels):
        transform = WaveToSpectrogram(WaveToSpectrogramOptions(window="hamming", **options))
        samples = np.random.default_rng(length).uniform(-1, 1, (channels, length)).astype(precision)
        wave = Waveform(samples=samples, sample_rate=8000)
        assert_blocks_give_the_whole(transform, wave, sizes)

    @given(sizes=SIZES)
    @settings(max_examples=20, deadline=None)
    def test_any_cutting_of_long_sound(self, sizes):
        """Enough frames for several blocks of the kernels and of the cache."""
        samples = np.random.default_rng(0).uniform(-1, 1, (2, 90_000)).astype("f4")
        for n_fft, hop in ((1024, 256), (1000, 250)):
            transform = WaveToSpectrogram(WaveToSpectrogramOptions(n_fft=n_fft, hop_length=hop, pad_mode="reflect"))
            wave = Waveform(samples=samples, sample_rate=22050)
            whole = transform.apply(wave, Context()).values
            assert_same_bits(streamed(transform, wave, [*sizes, 9000]), whole)
            expected = librosa.stft(samples.astype("f8"), n_fft=n_fft, hop_length=hop, pad_mode="reflect")
            assert np.abs(whole - expected).max() < 1e-6 * np.abs(expected).max()

    def test_frames_leave_as_soon_as_their_samples_are_there(self):
        transform = WaveToSpectrogram(WaveToSpectrogramOptions(n_fft=512, hop_length=128, pad_mode="reflect"))
        wave = Waveform(samples=np.ones((2, 1280), "f4"), sample_rate=8000)
        started = transform.start(spec_in_a_stream(wave), Context())
        assert [started.push(block).shape[2] for block in cut(wave.samples, [256])] == [0, 3, 2, 2, 2]
        assert started.finish().shape == (2, 257, 2)

    def test_a_stream_without_samples_gives_nothing(self):
        transform = WaveToSpectrogram(WaveToSpectrogramOptions(n_fft=512, hop_length=128))
        wave = Waveform(samples=np.ones((1, 1), "f4"), sample_rate=8000)
        assert transform.start(spec_in_a_stream(wave), Context()).finish() is None

    def test_a_long_stream_needs_constant_memory(self):
        options = "n_fft=1024, hop_length=256, kind='magnitude', pad_mode='reflect'"
        grown, frames = growth_in_a_long_stream("wave-to-spectrogram", options, 16000)
        assert frames == 1 + 1200 * 16000 // 256
        assert grown < 8 << 20
