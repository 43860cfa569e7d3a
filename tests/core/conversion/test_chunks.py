"""Chunks of a stream: read by one rule, whatever a single chunk looks like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tonearm
from tonearm import ComplexSpectrogram, ItemError, TonearmError, Waveform
from tonearm.api import Context
from tonearm.conversion.chunks import ChunkReader
from tonearm.pipeline.check import bind_decoder
from tonearm.pipeline.document import from_plain
from tonearm.plugins import registry as registries

RATE = 24000
SOUND = (0.4 * np.sin(np.arange(500) / 9)).astype("f4")
STEREO = np.stack([SOUND, SOUND / 2])
GRID = {"kind": "complex", "n_fft": 16, "hop_length": 4}
PARTS = np.random.default_rng(0).standard_normal((2, 9, 40)) / 20
STFT = (PARTS[0] + 1j * PARTS[1]).astype("c8")


def reader(channels=None, **options):
    document = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": RATE, **options}},
        "steps": [],
    }
    decoder = bind_decoder(from_plain(document), None, registries.default(), form="call")
    return ChunkReader(decoder, channels, Context())


def refused(found, chunk, kind=ItemError):
    with pytest.raises(kind) as caught:
        found.read(chunk)
    return caught.value


class TestSamples:
    def test_one_axis_is_one_channel(self):
        found = reader()
        assert (found.read(SOUND) == SOUND[None]).all()
        assert (found.spec.channels, found.spec.precision, found.spec.length) == (1, "single", None)

    @pytest.mark.parametrize("shape", [(1, 500), (500, 1), (1, 1, 500)])
    def test_axes_of_size_one_are_dropped(self, shape):
        assert (reader().read(SOUND.reshape(shape)) == SOUND[None]).all()

    @pytest.mark.parametrize("array", [STEREO, STEREO.T])
    def test_the_number_of_channels_tells_the_axes(self, array):
        found = reader(2)
        assert (found.read(array) == STEREO).all()
        short = array[:2, :2] if array is STEREO else array[:2]
        assert (found.read(short) == (short if array is STEREO else short.T)).all()

    def test_axes_tell_themselves(self):
        found = reader(axes=["time", "channel"])
        assert (found.read(STEREO.T) == STEREO).all()
        assert found.spec.channels == 2

    @pytest.mark.parametrize("channels", [None, 2])
    def test_two_axes_that_nothing_tells_are_refused(self, channels):
        error = refused(reader(channels), np.zeros((2, 2), "f4") if channels else STEREO)
        assert error.code == "ambiguous-axes"
        assert "chunk 1: " in str(error)
        assert "axes=" in str(error)

    @pytest.mark.parametrize("chunk", [SOUND, np.zeros((3, 500), "f4")])
    def test_other_channels_than_stated(self, chunk):
        error = refused(reader(2), chunk)
        assert error.code in ("channels-mismatch", "ambiguous-axes")

    def test_other_channels_than_before(self):
        found = reader(axes=["channel", "time"])
        found.read(STEREO)
        error = refused(found, np.zeros((3, 9), "f4"))
        assert error.code == "chunk-changed"
        assert "chunk 2: it has 3 channels, but the chunks before had 2" in str(error)
        found = reader()
        found.read(SOUND)
        assert "it has the shape (2, 500)" in str(refused(found, STEREO))

    @pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
    def test_floats_of_any_width_are_one_kind(self, dtype):
        found = reader()
        assert found.read(SOUND.astype(dtype)).dtype == np.float32
        assert found.read(SOUND).dtype == np.float32

    def test_double_precision_is_kept_on_request(self):
        found = reader(precision="double")
        assert found.read(SOUND.astype("f8")).dtype == np.float64
        assert found.read(SOUND).dtype == np.float64
        assert found.spec.precision == "double"

    def test_integers_have_the_scale_of_their_type(self):
        assert reader().read(np.array([16384, -32768], "i2")).tolist() == [[0.5, -1.0]]
        assert reader().read(np.array([64, -128], "i1")).tolist() == [[0.5, -1.0]]
        assert reader(full_scale=2**23).read(np.array([2**22], "i4")).tolist() == [[0.5]]
        assert reader(full_scale=128).read(np.array([192, 0], "u1")).tolist() == [[0.5, -1.0]]

    @pytest.mark.parametrize("chunk", [np.array([2**30, -5], "i4"), np.array([200], "u1"), [1, 2]])
    def test_a_scale_that_one_chunk_cannot_show_is_asked_for(self, chunk):
        assert refused(reader(), chunk).code == "unknown-scale"

    @pytest.mark.parametrize(("first", "then"), [("f4", "i2"), ("i2", "f4"), ("i2", "i1")])
    def test_another_type_than_before(self, first, then):
        found = reader()
        found.read(np.zeros(5, first))
        error = refused(found, np.zeros(5, then))
        assert error.code == "chunk-changed"
        assert f"astype('{np.dtype(first).name}')" in str(error)

    def test_any_chunk_beyond_full_scale(self):
        found = reader()
        found.read(SOUND)
        found.read([])
        error = refused(found, SOUND * 32768)
        assert error.code == "beyond-full-scale"
        assert "chunk 3: the waveform reaches" in str(error)
        assert "full_scale=32768" in str(error)

    def test_nan_is_treated_as_the_option_says(self):
        bad = SOUND.copy()
        bad[7] = np.nan
        assert refused(reader(), bad).code == "not-finite"
        assert reader(nan="zero").read(bad)[0, 7] == 0
        assert np.isnan(reader(nan="keep").read(bad)[0, 7])

    def test_complex_samples_are_refused(self):
        assert 'kind="complex"' in str(refused(reader(), STFT[0]))

    def test_a_refused_first_chunk_fixes_nothing(self):
        found = reader()
        refused(found, SOUND * 1e6)
        assert found.read(np.array([16384], "i2")).tolist() == [[0.5]]

    @pytest.mark.parametrize(
        ("chunk", "says"),
        [
            ({"audio": SOUND}, "mapping"),
            ("a.wav", "tonearm.read"),
            (b"ab", "NumPy array"),
            (None, "None"),
            (3.0, "float is not an array"),
        ],
    )
    def test_what_is_no_array(self, chunk, says):
        with pytest.raises(TonearmError, match=says) as caught:
            reader().read(chunk)
        assert str(caught.value).startswith("chunk 1: ")

    def test_tensors(self):
        torch = pytest.importorskip("torch")
        chunk = torch.tensor(SOUND).to(torch.bfloat16).requires_grad_()
        assert np.allclose(reader().read(chunk)[0], SOUND, atol=2e-3)


class TestSignals:
    def test_a_waveform_describes_itself(self):
        found = reader()
        assert (found.read(Waveform(samples=STEREO, sample_rate=RATE)) == STEREO).all()
        assert (found.spec.channels, found.spec.precision) == (2, "single")

    def test_one_in_double_precision_stays_so(self):
        found = reader()
        found.read(Waveform(samples=STEREO.astype("f8"), sample_rate=RATE))
        assert found.spec.precision == "double"

    def test_another_rate(self):
        error = refused(reader(), Waveform(samples=STEREO, sample_rate=8000))
        assert error.code == "rate-mismatch"

    def test_options_of_arrays_are_refused(self):
        signal = Waveform(samples=STEREO, sample_rate=RATE)
        assert "leave full_scale out" in str(refused(reader(full_scale=2), signal))
        assert "leave nan out" in str(refused(reader(nan="zero"), signal))

    def test_another_kind_or_grid(self):
        spectrogram = tonearm.load_pipeline(
            {"tonearm": 1, "input": {"use": "npy-reader", "with": {"sample_rate": RATE, **GRID}}}
        )
        (signal,) = spectrogram.convert(STFT)
        assert isinstance(signal, ComplexSpectrogram)
        assert refused(reader(), signal).code == "kind-mismatch"
        assert (reader(**GRID).read(signal) == STFT).all()
        assert refused(reader(**{**GRID, "hop_length": 8}), signal).code == "chunk-changed"


class TestFrames:
    def test_bins_tell_the_axes(self):
        found = reader(**GRID)
        assert (found.read(STFT[:, :7]) == STFT[None, :, :7]).all()
        assert (found.read(STFT[:, :9]) == STFT[None, :, :9]).all()  # nine frames would not tell them
        assert found.spec.channels == 1
        assert (reader(**GRID).read(STFT[:, :7].T) == STFT[None, :, :7]).all()

    def test_a_first_chunk_that_does_not_tell_them_is_refused(self):
        assert refused(reader(**GRID), STFT[:, :9]).code == "ambiguous-axes"

    def test_axes_of_two_parts(self):
        found = reader(**GRID, axes=["bin", "frame", "complex"])
        parts = np.stack([STFT.real, STFT.imag], axis=-1)
        assert (found.read(parts) == STFT[None]).all()

    def test_channels(self):
        found = reader(2, **GRID)
        assert (found.read(np.stack([STFT, STFT / 2])) == np.stack([STFT, STFT / 2])).all()

    def test_real_values_are_refused(self):
        assert refused(reader(**GRID), STFT.real).code in ("kind-mismatch", "ambiguous-axes", "axes-mismatch")


@given(
    cuts=st.lists(st.integers(1, 499), max_size=8),
    dtype=st.sampled_from(["f4", "f8", "i2", "i4"]),
)
def test_any_cutting_gives_the_samples_of_the_whole(cuts, dtype):
    values = SOUND.astype(dtype) if dtype[0] == "f" else np.rint(SOUND * 2.0 ** (8 * int(dtype[1]) - 1)).astype(dtype)
    options = {} if dtype != "i4" else {"full_scale": 2.0**31}
    found = reader(**options)
    parts = [found.read(part) for part in np.split(values, sorted(cuts))]
    joined = np.concatenate([part for part in parts if part is not None], axis=1)
    whole = tonearm.to_waveform(values, sample_rate=RATE, kind="waveform", **options)
    assert (joined == whole.samples).all()
    assert joined.dtype == whole.samples.dtype
