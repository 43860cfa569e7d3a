from dataclasses import replace

import numpy as np
import pytest
from dsp_reference import hann
from mel_material import basis

from tonearm_plugins.dsp.engines.choice import VARIABLE
from tonearm_plugins.dsp.engines.native.compiler import refusal
from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.mel_spectrogram import Conditioning, MelAnalysis, mel_spectrogram

SAMPLES = np.random.default_rng(0).standard_normal((2, 22050)) + 0.3
WINDOW = hann(800) + 0.1  # which is nowhere zero
FRAMES = {"window": np.pad(WINDOW, 112), "win_length": 800, "hop_length": 256, "pad": (512, 512), "pad_mode": "reflect"}


@pytest.fixture(params=["scipy", "auto"])
def engine(request, monkeypatch):
    monkeypatch.setenv(VARIABLE, request.param)


def mel(samples=SAMPLES, power=2, **changes):
    return mel_spectrogram(samples, **{**FRAMES, "mel_basis": basis(), "power": power, **changes})


def by_frame(power=2, preemphasis=0.0, per_frame=False, remove_dc=False, guard=0.0):
    """The same for the first channel, frame by frame."""
    signal = SAMPLES[0]
    if preemphasis and not per_frame:
        signal = np.append(signal[0], signal[1:] - preemphasis * signal[:-1])
    signal = np.pad(signal, 512, mode="reflect")
    columns = []
    for begin in range(0, signal.size - 1023, 256):
        frame = signal[begin + 112 : begin + 912]
        if remove_dc:
            frame = frame - frame.mean()
        if per_frame:
            frame = frame - preemphasis * np.append(frame[0], frame[:-1])
        columns.append(np.fft.rfft(np.pad(frame * WINDOW, 112)))
    return basis() @ np.sqrt(np.abs(np.array(columns).T) ** 2 + guard) ** power


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("power", [1, 2])
def test_it_is_librosas_in_double_precision(power, librosa):
    found = mel(power=power)
    expected = librosa.feature.melspectrogram(
        y=SAMPLES,
        sr=22050,
        n_fft=1024,
        hop_length=256,
        win_length=800,
        window=WINDOW,
        power=power,
        n_mels=80,
        pad_mode="reflect",
    )
    assert found.dtype == np.float64
    assert found.shape == expected.shape
    assert np.allclose(found, expected, rtol=1e-5)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    "conditioning",
    [
        {},
        {"preemphasis": 0.97},
        {"preemphasis": 0.97, "per_frame": True},
        {"remove_dc": True},
        {"preemphasis": 0.85, "per_frame": True, "remove_dc": True},
    ],
)
@pytest.mark.parametrize("guard", [0.0, 1e-3])
def test_conditioning_is_as_written_frame_by_frame(conditioning, guard):
    found = mel(power=1, conditioning=Conditioning(**conditioning), magnitude_guard=guard)
    assert np.allclose(found[0], by_frame(power=1, guard=guard, **conditioning), rtol=1e-10)


def test_samples_of_any_type_are_taken_as_they_are():
    whole = np.arange(-3000, 3000, dtype=np.int16)[None]
    for kind in ("f4", "f8", ">f4"):
        assert np.allclose(mel(whole.astype(kind)), mel(whole), rtol=1e-12)


def test_the_variable_chooses_the_engine(monkeypatch):
    analysis = MelAnalysis(**{name: FRAMES[name] for name in FRAMES if "pad" not in name}, mel_basis=basis(), power=2)
    assert analysis.is_native == (not refusal())
    monkeypatch.setenv(VARIABLE, "scipy")
    assert not replace(analysis).is_native


def test_too_few_samples_are_refused():
    with pytest.raises(ShapeError, match="less than one frame"):
        mel(SAMPLES[:, :100], pad=(0, 0))
    with pytest.raises(ShapeError, match="reflected over 512"):
        mel(SAMPLES[:, :512])
    with pytest.raises(ShapeError, match="channels"):
        mel(SAMPLES[0])
    with pytest.raises(ShapeError, match="real"):
        mel(SAMPLES.astype(complex))


@pytest.mark.usefixtures("engine")
def test_figures_that_do_not_fit_one_another_are_refused():
    for shape in ((80, 512), (80, 514), (0, 513), (513,)):
        with pytest.raises(ShapeError, match="which has 513 bins"):
            mel(mel_basis=np.ones(shape))
    for figures in ({"win_length": 0}, {"win_length": 1025}, {"hop_length": 0}):
        with pytest.raises(ShapeError, match="impossible frames"):
            mel(conditioning=Conditioning(remove_dc=True), **figures)
