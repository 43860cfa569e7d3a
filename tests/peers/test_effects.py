"""Effects and silence, asked what librosa's and torchaudio's tests ask: lengths, pitch, parts that add up, edges."""

import librosa
import numpy as np
import pytest
from peer_material import loudest_hertz, noise, sine, snr_db

from tonearm.api import Context, Item, Waveform
from tonearm.plugins.ports import ports_of
from tonearm_plugins.dsp.spectral_flatness import spectral_flatness
from tonearm_plugins.transforms.hpss import Hpss
from tonearm_plugins.transforms.pitch_shift import PitchShift
from tonearm_plugins.transforms.split import Split
from tonearm_plugins.transforms.time_stretch import TimeStretch
from tonearm_plugins.transforms.trim import Trim

RATE = 22050


def made(plugin, **options):
    return plugin(ports_of(plugin).options(**options))


def apply(plugin, samples, **options):
    signal = Waveform(samples=np.atleast_2d(samples), sample_rate=RATE)
    return made(plugin, **options).apply(signal, Context()).samples


# ------------------------------------------------------------ speed and pitch


@pytest.mark.parametrize("rate", [0.25, 0.7, 1.0, 1.6, 3.0])
@pytest.mark.parametrize("length", [9000, 22051])
def test_a_stretched_sound_has_librosas_length_and_samples(length, rate):
    samples = noise(2, length)
    found = apply(TimeStretch, samples, rate=rate)
    expected = librosa.effects.time_stretch(samples, rate=rate)
    assert found.shape == expected.shape == (2, round(length / rate))
    assert snr_db(found, expected) > 200


@pytest.mark.parametrize("rate", [0.5, 0.8, 1.25, 2.0])
@pytest.mark.parametrize("hertz", [220.0, 997.0])
def test_a_stretched_tone_keeps_its_pitch_and_its_level(hertz, rate):
    found = apply(TimeStretch, sine(hertz, 2 * RATE, RATE), rate=rate)[0]
    middle = found[len(found) // 4 : -len(found) // 4]
    assert loudest_hertz(middle, RATE) == pytest.approx(hertz, rel=2e-3)
    # librosa's vocoder interpolates magnitudes linearly, and loses about 1 dB where it slows down.
    assert 20 * np.log10(np.sqrt(2 * np.mean(middle**2)) / 0.5) == pytest.approx(0, abs=1.3)


def test_an_unchanged_speed_is_an_unchanged_sound():
    samples = noise(1, 20_000)
    assert snr_db(apply(TimeStretch, samples, rate=1.0), samples) > 200
    assert snr_db(apply(PitchShift, samples, semitones=0.0)[:, 200:-200], samples[:, 200:-200]) > 200


@pytest.mark.parametrize("semitones", [-12.0, -4.5, 1.0, 7.0, 12.0])
def test_a_shifted_tone_is_the_interval_away_and_as_long(semitones):
    samples = sine(440, 2 * RATE + 1, RATE)[None]
    found = apply(PitchShift, samples, semitones=semitones)
    assert found.shape == samples.shape
    middle = found[0, RATE // 2 : -RATE // 2]
    assert loudest_hertz(middle, RATE) == pytest.approx(440 * 2 ** (semitones / 12), rel=2e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_are_changed_alone(channels):
    samples = noise(channels, 12_000)
    for plugin, options in (
        (TimeStretch, {"rate": 1.4}),
        (PitchShift, {"semitones": 3.0}),
        (Hpss, {"keep": "percussive"}),
    ):
        together = apply(plugin, samples, **options)
        for channel in range(channels):
            alone = apply(plugin, samples[channel], **options)[0]
            assert snr_db(alone, together[channel]) > 200


# ------------------------------------------------------------ harmonic and percussive


def tone_and_clicks():
    """Return a steady tone, and clicks that repeat every 0.4 s."""
    tone, clicks = sine(660, 3 * RATE, RATE, amplitude=0.3), np.zeros(3 * RATE)
    for at in range(3000, 3 * RATE - 3000, int(0.4 * RATE)):
        clicks[at : at + 3] = [0.9, -0.8, 0.3]
    return tone, clicks


def test_the_parts_add_up_to_the_sound():
    samples = np.sum(tone_and_clicks(), axis=0) + noise(3 * RATE, level=0.01)
    parts = [apply(Hpss, samples, keep=part) for part in ("harmonic", "percussive")]
    assert snr_db(sum(parts)[:, 1000:-1000], samples[None, 1000:-1000]) > 100


def test_the_tone_is_harmonic_and_the_clicks_are_percussive():
    tone, clicks = tone_and_clicks()
    inside = slice(4000, -4000)
    harmonic, percussive = (apply(Hpss, tone + clicks, keep=part)[0, inside] for part in ("harmonic", "percussive"))
    assert snr_db(harmonic, tone[inside]) > 15
    assert np.corrcoef(percussive, clicks[inside])[0, 1] > 0.9


@pytest.mark.parametrize("margin", [1.0, 2.0, 6.0])
def test_a_margin_leaves_less_of_both(margin):
    samples = noise(1, RATE)
    energy = [np.sum(apply(Hpss, samples, keep=part, margin=margin) ** 2) for part in ("harmonic", "percussive")]
    before = [np.sum(apply(Hpss, samples, keep=part) ** 2) for part in ("harmonic", "percussive")]
    assert all(now <= then * (1 + 1e-12) for now, then in zip(energy, before, strict=True))


# ------------------------------------------------------------ silence


def bursts(*spans, length=3 * RATE, channels=1, floor=0.0):
    """Return noise at the spans of seconds, and a floor elsewhere."""
    samples = noise(channels, length, seed=2, level=floor) if floor else np.zeros((channels, length))
    for first, last in spans:
        part = slice(int(first * RATE), int(last * RATE))
        samples[:, part] = noise(channels, part.stop - part.start, seed=3)
    return samples


@pytest.mark.parametrize("channels", [1, 2])
def test_edges_are_those_that_librosa_finds_within_a_window(channels):
    for floor in [0.0, 1e-4]:
        for threshold in [-60.0, -40.0, -25.0]:
            samples = bursts((0.7, 1.1), (1.9, 2.2), channels=channels, floor=floor)
            _, (first, last) = librosa.effects.trim(samples, top_db=-threshold, frame_length=220, hop_length=110)
            found = apply(Trim, samples, threshold_db=threshold, padding_ms=0.0)
            assert found.shape[0] == channels
            starts = np.flatnonzero((samples[0] == found[0, 0]) & (samples[0] != 0))
            (start,) = starts if found[0, 0] else [int(0.7 * RATE) - int(np.flatnonzero(found[0])[0])]
            assert abs(start - first) <= 330
            assert abs(start + found.shape[1] - last) <= 330


def test_the_threshold_is_below_the_loudest_or_below_full_scale():
    samples = bursts((1.0, 2.0)) * 1e-3
    assert apply(Trim, samples, threshold_db=-40.0, padding_ms=0.0).shape[1] == pytest.approx(RATE, abs=500)
    silent = apply(Trim, samples, threshold_db=-40.0, relative_to="full-scale", padding_ms=0.0)
    assert np.array_equal(silent, samples)


@pytest.mark.parametrize("level", [1.0, 1e-4, 50.0])
def test_a_gain_moves_no_edge(level):
    samples = bursts((0.5, 1.5), (1.7, 2.5), floor=1e-5)
    assert apply(Trim, samples).shape == apply(Trim, samples * level).shape


@pytest.mark.parametrize("gap", [0.35, 0.5, 0.9])
def test_pieces_are_the_sounds_that_librosa_finds(gap):
    spans = [(0.2, 0.8), (0.8 + gap, 1.4 + gap), (1.4 + 2 * gap, 2.1 + 2 * gap)]
    samples = bursts(*spans, length=int((2.4 + 2 * gap) * RATE))
    intervals = librosa.effects.split(samples, top_db=40, frame_length=440, hop_length=220)
    plugin = made(Split, min_silence_ms=300.0, min_seconds=0.0)
    items = [Item(signal=Waveform(samples=samples, sample_rate=RATE), index=0)]
    pieces = [item.signal.samples for item in plugin.regroup(iter(items), Context())]
    assert len(pieces) == len(intervals) == 3
    assert np.array_equal(np.concatenate(pieces, axis=1), samples)  # nothing is lost
    ends = np.cumsum([piece.shape[1] for piece in pieces])
    for cut, (_, last), (first, _) in zip(ends[:-1], intervals[:-1], intervals[1:], strict=True):
        assert cut == pytest.approx((first + last) / 2, abs=400)


def test_silence_alone_is_neither_trimmed_nor_split():
    samples = np.zeros((1, RATE))
    assert apply(Trim, samples).shape == samples.shape
    items = [Item(signal=Waveform(samples=samples, sample_rate=RATE), index=0)]
    assert len(list(made(Split).regroup(iter(items), Context()))) == 1


# ------------------------------------------------------------ flatness


def test_flatness_is_librosas_of_the_mean_spectrum():
    samples = np.cumsum(noise(1, 60_000), axis=1) * 0.02 + noise(1, 60_000)
    window = np.hanning(1024)
    starts = np.unique(np.linspace(0, 60_000 - 1024, 116).astype(int))
    frames = np.stack([samples[0, s : s + 1024] - samples[0, s : s + 1024].mean() for s in starts])
    power = np.mean(np.abs(np.fft.rfft(frames * window)) ** 2, axis=0)
    expected = librosa.feature.spectral_flatness(S=power[1:-1, None], power=1.0)[0, 0]
    assert spectral_flatness(samples) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("level", [1e-6, 1.0, 100.0])
def test_flatness_does_not_depend_on_the_level(level):
    assert spectral_flatness(level * noise(1, 30_000)) == pytest.approx(spectral_flatness(noise(1, 30_000)), rel=1e-9)


def test_flatness_tells_a_click_and_noise_from_a_tone():
    click = np.zeros((1, 4096))
    click[0, 2000] = 1
    assert spectral_flatness(click) > 0.95
    assert spectral_flatness(noise(1, 50_000)) > 0.95
    assert spectral_flatness(sine(1000, 50_000, RATE)[None]) < 1e-3
