"""Complex spectrograms into waveforms."""

import subprocess
import sys
from typing import get_args

import librosa
import numpy as np
import pytest
from block_cuts import SIZES, assert_same_bits, cut, spec_in_a_stream, streamed
from dialect_material import speech
from hypothesis import given, settings
from hypothesis import strategies as st

import tonearm
from tonearm.api import ComplexSpectrogram, Context, ItemError, SignalError, Spec, StftGrid, Waveform, from_plain_values
from tonearm.signals.grid import PhaseOrigin
from tonearm_plugins.transforms.istft import Istft, IstftOptions

SAMPLES = speech(16000)[:16000].astype(np.float32)
ORIGINS = get_args(PhaseOrigin)


@pytest.mark.parametrize("engine", ["auto", "scipy", "librosa"])
@pytest.mark.parametrize("length", [SAMPLES.size, None])
def test_speech_comes_back(engine, length):
    grid = StftGrid(sample_rate=16000, n_fft=512, hop_length=128, win_length=400)
    values = librosa.stft(SAMPLES, n_fft=512, hop_length=128, win_length=400)[None]
    signal = ComplexSpectrogram(values=values, grid=grid, length=length)
    wave = Istft(IstftOptions(engine=engine)).apply(signal, Context())
    assert (wave.sample_rate, wave.length) == (16000, length or (values.shape[2] - 1) * 128)
    assert np.abs(wave.samples[0] - SAMPLES[: wave.length]).max() < 1e-6


@pytest.mark.parametrize("padding", ["center", "half-overlap", "none"])
def test_the_padding_is_that_of_the_grid(padding):
    grid = StftGrid(sample_rate=16000, n_fft=512, hop_length=128, win_length=512, padding=padding)
    padded = np.pad(SAMPLES, grid.pad)
    values = librosa.stft(padded, n_fft=512, hop_length=128, center=False)[None]
    wave = Istft(IstftOptions()).apply(ComplexSpectrogram(values=values, grid=grid, length=15000), Context())
    inside = slice(512, 14488)
    assert np.abs(wave.samples[0, inside] - SAMPLES[inside]).max() < 1e-5


def test_what_it_produces_is_declared():
    grid = StftGrid(sample_rate=16000, n_fft=512, hop_length=128, win_length=512)
    spec = Spec(signals=(ComplexSpectrogram,), sample_rate=16000, length=9).carrying(grid)
    found = Istft(IstftOptions()).produces(spec)
    assert (found.signals, found.sample_rate, found.length, found.carried) == ((Waveform,), 16000, 9, {})


class TestSearch:
    """The step finds NaN and infinity on its way, and the error is that of the decoder."""

    @staticmethod
    def converted(values, limits=None, **options):
        figures = {"kind": "complex", "sample_rate": 16000, "n_fft": 512, "hop_length": 128} | options
        pipeline = tonearm.load_pipeline(
            {"tonearm": 1, "input": {"use": "npy-reader", "with": figures}, "steps": [{"use": "istft"}],
             "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}], **({"limits": limits} if limits else {})}
        )  # fmt: skip
        return list(pipeline.convert(values))

    @pytest.mark.parametrize("engine", ["auto", "scipy"])
    @pytest.mark.parametrize("bad", [np.nan, complex(0, np.nan), -np.inf, 1e17])
    @pytest.mark.parametrize("place", [(0, 0), (256, 60), (17, 124), (128, 33)])
    def test_the_decoder_is_to_blame_wherever_it_is(self, bad, place, engine, monkeypatch):
        monkeypatch.setenv("TONEARM_ENGINE", engine)
        values = librosa.stft(SAMPLES[: 124 * 128], n_fft=512, hop_length=128)
        (clean,) = self.converted(values)
        assert clean.length == 124 * 128
        values[place] = bad
        lengths = (None, 20 * 128)  # then no sample of the last frames is in the result
        for length in lengths[: 1 if bad == 1e17 else 2]:
            with pytest.raises(ItemError) as caught:
                self.converted(values, length=length, limits={"beyond": 1e30})
            found = "reaches 1e+17" if bad == 1e17 else f"1 of {values.size} values of the complex array are NaN or inf"
            assert found in caught.value.message
            assert caught.value.place.stage == "input"

    def test_values_are_searched_once_in_the_step_alone(self, monkeypatch):
        asked = []
        start = Istft.start
        monkeypatch.setattr(Istft, "start", lambda s, spec, c: (asked.append(c.is_unsearched), start(s, spec, c))[1])
        for module in ("arrays.read", "pipeline.signal_checks"):
            monkeypatch.setattr(f"tonearm.{module}.extent_of", None)  # which would be called for a pass
        self.converted(librosa.stft(SAMPLES, n_fft=512, hop_length=128))
        assert asked == [True]

    def test_of_a_batch_only_the_bad_one_fails(self, tmp_path):
        values = np.stack([librosa.stft(SAMPLES, n_fft=512, hop_length=128)] * 3)
        values[1, 5, 5] = np.nan
        np.save(tmp_path / "batch.npy", values)
        figures = {"kind": "complex", "sample_rate": 16000, "n_fft": 512, "hop_length": 128}
        pipeline = tonearm.load_pipeline(
            {"tonearm": 1, "input": {"use": "npy-reader", "files": str(tmp_path / "*.npy"),
             "with": figures | {"axes": ["batch", "bin", "frame"]}}, "steps": [{"use": "istft"}],
             "outputs": [{"use": "wav-writer", "file": "{stem}-{index}.wav"}]}
        )  # fmt: skip
        report = pipeline.run(out=tmp_path / "out")
        assert [(failure.index, failure.code) for failure in report.failures] == [(1, "not-finite")]
        assert sorted(path.name for path in (tmp_path / "out").glob("*.wav")) == ["batch-0.wav", "batch-2.wav"]


class TestBlocks:
    """Frames that come block by block give the bits of whole work."""

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("dtype", ["c8", "c16", ">c8"])
    @pytest.mark.parametrize("engine", ["auto", "scipy", "librosa"])
    @given(
        sizes=SIZES,
        frames=st.integers(1, 300),
        channels=st.integers(1, 3),
        figures=st.sampled_from(
            [(256, 64), (256, 100), (96, 17), (100, 25), (64, 64), (128, 90), (400, 20), (4096, 1024)]
        ),
        padding=st.sampled_from(["center", "half-overlap", "snip", "end", "none", "full"]),
        order=st.sampled_from("CF"),
        known=st.sampled_from([None, 0.3, 1.0, 1.4]),
    )
    @settings(max_examples=25, deadline=None)
    def test_any_cutting(self, engine, dtype, sizes, frames, channels, figures, padding, order, known):
        n_fft, hop = figures
        grid = StftGrid(
            sample_rate=16000, n_fft=n_fft, hop_length=hop, win_length=n_fft, window="hamming", padding=padding
        )
        rng = np.random.default_rng(frames)
        parts = rng.standard_normal((2, channels, n_fft // 2 + 1, frames))
        values = np.asarray(parts[0] + 1j * parts[1], dtype, order=order)
        length = None if known is None else max(1, round(known * grid.samples(frames)))
        signal = ComplexSpectrogram(values=values, grid=grid, length=length)
        istft = Istft(IstftOptions(engine=engine))
        whole = istft.apply(signal, Context())
        assert_same_bits(streamed(istft, signal, sizes, length=length), whole.samples)
        assert whole.length == signal.samples_expected

    @pytest.mark.parametrize("library", ["c8", "c16"])
    @given(sizes=SIZES, sides=st.sampled_from(["one", "two", "centered"]), origin=st.sampled_from(ORIGINS))
    @settings(max_examples=15, deadline=None)
    def test_any_cutting_of_values_in_a_convention(self, library, sizes, sides, origin):
        grid = StftGrid(
            sample_rate=16000, n_fft=128, hop_length=32, win_length=100, sides=sides, phase_origin=origin, scaling="psd"
        )
        plain = librosa.stft(SAMPLES[:5000], n_fft=128, hop_length=32, win_length=100)[None].astype(library)
        signal = ComplexSpectrogram(values=from_plain_values(plain, grid), grid=grid)
        istft = Istft(IstftOptions())
        found = streamed(istft, signal, sizes)
        assert_same_bits(found, istft.apply(signal, Context()).samples)
        assert np.abs(found[0] - SAMPLES[: found.shape[1]]).max() < 1e-5

    def test_librosa_in_double_precision_gives_the_same_sound(self):
        values = librosa.stft(SAMPLES, n_fft=512, hop_length=128)[None]
        grid = StftGrid(sample_rate=16000, n_fft=512, hop_length=128, win_length=512)
        found = streamed(Istft(IstftOptions()), ComplexSpectrogram(values=values, grid=grid), [5])
        expected = librosa.istft(values[0].astype(np.complex128), hop_length=128, n_fft=512)
        assert np.abs(found[0] - expected).max() < 1e-6

    def test_samples_leave_as_soon_as_their_frames_are_there(self):
        grid = StftGrid(sample_rate=16000, n_fft=512, hop_length=128, win_length=512)
        values = np.ones((2, 257, 9), np.complex64)
        started = Istft(IstftOptions()).start(spec_in_a_stream(ComplexSpectrogram(values=values, grid=grid)), Context())
        given = [started.push(block).shape for block in cut(values, [1])]
        assert given == [(2, 0), (2, 0), *[(2, 128)] * 7]
        assert started.finish().shape == (2, 128)

    def test_a_stream_without_frames_gives_nothing(self):
        grid = StftGrid(sample_rate=16000, n_fft=512, hop_length=128, win_length=512)
        values = np.ones((1, 257, 1), np.complex64)
        spec = spec_in_a_stream(ComplexSpectrogram(values=values, grid=grid))
        assert Istft(IstftOptions()).start(spec, Context()).finish() is None

    def test_sides_are_compared_at_the_end_over_all_frames(self):
        """Rounding in silence, before the sound, does not stop it; the spectrum of a complex signal does."""
        grid = StftGrid(sample_rate=16000, n_fft=128, hop_length=32, win_length=128, sides="two")
        plain = librosa.stft(SAMPLES, n_fft=128, hop_length=32)[None]
        values = from_plain_values(plain, grid)
        values[..., :50] = 0
        values[:, 1:64, :50] = 1e-9
        istft, warned = Istft(IstftOptions()), Context()
        assert streamed(istft, ComplexSpectrogram(values=values, grid=grid), [10], context=warned).any()
        values[:, 65:] = 0
        with pytest.raises(SignalError, match="contradict each other") as caught:
            streamed(istft, ComplexSpectrogram(values=values, grid=grid), [10])
        assert caught.value.code == "sides-differ"

    @pytest.mark.slow
    @pytest.mark.parametrize("order", ["C", "F"])
    @pytest.mark.parametrize("engine", ["native", "scipy"])
    def test_a_long_file_needs_constant_memory(self, tmp_path, order, engine):
        """20 minutes of frames, 206 MB, mapped from a file and taken a second at a time."""
        run = subprocess.run(
            [sys.executable, "-c", LONG_STREAM, str(tmp_path / "x.npy"), order, engine],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        grown, length, whole = run.stdout.split()
        assert int(length) == 16000 * 60 * 20
        assert int(grown) < 24 << 20
        assert whole == "True"


LONG_STREAM = """
import resource, sys
import numpy as np
from tonearm.api import ComplexSpectrogram, Context, StftGrid
from tonearm.plugins.ports import spec_of
from tonearm_plugins.transforms.istft import Istft, IstftOptions

path, order, engine = sys.argv[1:]
grid = StftGrid(sample_rate=16000, n_fft=512, hop_length=192, win_length=512)
frames = 1 + 16000 * 60 * 20 // 192
shape = (1, 257, frames) if order == "C" else (1, frames, 257)
made = np.lib.format.open_memmap(path, "w+", np.complex64, shape)
some = np.random.default_rng(0).standard_normal((257, 16)).astype("f4")
for at in range(0, frames, 1000):
    size = min(1000, frames - at)
    values = np.resize(some[:, :1] * np.ones(size, "f4"), (257, size))
    if order == "C":
        made[0, :, at : at + size] = values
    else:
        made[0, at : at + size] = values.T
made.flush()
del made
values = np.load(path, mmap_mode="r")
values = values if order == "C" else values.transpose(0, 2, 1)


def resident():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) << 10


spec = spec_of(ComplexSpectrogram(values=values, grid=grid)).replace(length=None)
started = Istft(IstftOptions(engine=engine)).start(spec, Context())
length, base, most, size = 0, 0, 0, 84
for at in range(0, frames, size):
    samples = started.push(values[..., at : at + size])
    length += samples.shape[1]
    if at == 10 * size:
        base = resident()
    most = max(most, resident())
length += started.finish().shape[1]
print(most - base, length, bool(np.isfinite(samples).all()))
"""
