import numpy as np
import pytest
from dsp_material import NARROW, only_native
from dsp_reference import hann

from tonearm_plugins.dsp.engines.native import mel_kernel
from tonearm_plugins.dsp.engines.native.mel_kernel import SparseBasis, machine_of_doubles, mel_refusal

BASIS = np.zeros((5, 257))
BASIS[0, 3:9] = 0.5
BASIS[1, :257] = np.linspace(0, 1, 257)
BASIS[2, 255:] = 2  # up to the last bin
BASIS[4, 7] = 1e-3  # none in band 3


def by_frame(signal, window, hop, inside, power, guard, preemphasis, remove_dc):
    columns = []
    for begin in range(0, signal.size - window.size + 1, hop):
        frame, part = np.zeros(window.size), signal[begin : begin + window.size][inside].astype(float)
        if remove_dc:
            part = part - part.mean()
        frame[inside] = part - preemphasis * np.append(part[0], part[:-1])
        columns.append(BASIS @ np.sqrt(np.abs(np.fft.rfft(frame * window)) ** 2 + guard) ** power)
    return np.array(columns).T


@only_native
@pytest.mark.one_in(3)
@pytest.mark.parametrize("machine", [None, NARROW])
@pytest.mark.parametrize("hop", [128, 150, 512])
@pytest.mark.parametrize("frames", [1, 8, 21])
@pytest.mark.parametrize(("kind", "power"), [("f4", 1), ("f8", 2)])
@pytest.mark.parametrize(("preemphasis", "remove_dc"), [(0.0, False), (0.97, False), (0.0, True), (0.9, True)])
def test_bands_are_those_of_the_reference(machine, hop, frames, kind, power, preemphasis, remove_dc):
    window, inside = hann(512, 400) + 0.01, slice(56, 456)
    conditioned = remove_dc or preemphasis > 0
    signal = (np.random.default_rng(0).standard_normal(512 + (frames - 1) * hop) + 3).astype(kind)
    room = np.full((5, frames + 2), 7.0)  # rows that are apart from one another
    mel_kernel.mel_bands(
        signal, window=window, inside=inside, hop_length=hop, basis=SparseBasis.of(BASIS), power=power,
        magnitude_guard=1e-3, preemphasis=preemphasis, remove_dc=remove_dc, out=room[:, :-2], machine=machine,
    )  # fmt: skip
    inside = inside if conditioned else slice(0, 512)  # only then is the rest of a frame left out
    expected = by_frame(signal, window, hop, inside, power, 1e-3, preemphasis, remove_dc)
    np.testing.assert_allclose(room[:, :-2], expected, rtol=1e-12)
    assert (room[:, -2:] == 7).all()


@only_native
def test_a_frame_has_the_same_bits_wherever_it_lies():
    signal = np.random.default_rng(0).standard_normal(512 + 40 * 128)

    def bands(samples):
        out = np.empty((5, 1 + (samples.size - 512) // 128))
        mel_kernel.mel_bands(
            samples, window=hann(512), inside=slice(0, 512), hop_length=128, basis=SparseBasis.of(BASIS), power=2,
            magnitude_guard=0.0, preemphasis=0.5, remove_dc=True, out=out,
        )  # fmt: skip
        return out

    for first in (1, 8, 13):
        assert np.array_equal(bands(signal[first * 128 :]), bands(signal)[:, first:])


@only_native
def test_nan_stays_in_its_frames():
    signal = np.zeros(512 + 40 * 128, np.float32)
    signal[20 * 128] = np.nan
    out = np.empty((5, 41))
    mel_kernel.mel_bands(
        signal, window=np.ones(512), inside=slice(0, 512), hop_length=128, basis=SparseBasis.of(BASIS), power=2,
        magnitude_guard=0.0, preemphasis=0.0, remove_dc=False, out=out,
    )  # fmt: skip
    assert np.flatnonzero(np.isnan(out[0])).tolist() == [17, 18, 19, 20]


def test_a_filter_bank_is_kept_without_the_zeros_around_its_bands():
    basis = SparseBasis.of(BASIS)
    assert basis.bands.tolist() == [[3, 6, 0], [1, 256, 6], [255, 2, 262], [0, 1, 264], [7, 1, 265]]
    assert basis.weights[262:].tolist() == [2, 2, 0, 1e-3]


@only_native
def test_doubles_fill_half_as_many_lanes_and_frames_must_fit_into_them():
    assert machine_of_doubles(NARROW).lanes == 4
    assert machine_of_doubles(machine_of_doubles(NARROW)).lanes == 4
    assert not mel_refusal(1024, 256)
    assert "frames overlap" in mel_refusal(1024, 64)
    assert "no FFT" in mel_refusal(1022, 256)
