import numpy as np
import pytest
from dsp_material import BOTH, ENGINES, noise_spectrum, pad_of, speech_magnitude
from dsp_reference import agla, analyse, clip, convergence_db, hann, project

from tonearm_plugins.dsp.errors import EngineError
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.griffin_lim import PRESETS, griffin_lim
from tonearm_plugins.dsp.phase_recovery.initial_phases import white_noise
from tonearm_plugins.dsp.phase_recovery.recovery import EXACT_DB
from tonearm_plugins.dsp.phase_recovery.settings import STARTS

HANN = {"window": hann(1024), "hop_length": 256, "pad": 512}


def distance(found, expected):
    return np.linalg.norm(found - expected) / max(np.linalg.norm(expected), 1e-9)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("setting", "engine"), BOTH)
def test_iterations_are_as_in_float64(setting, engine):
    n_fft, hop, win_length = setting
    window = hann(n_fft, win_length)
    for frames, padding in (
        (1, "none"),
        (2, "center"),
        (7, "none"),
        (16, "center"),
        (17, "half-overlap"),
        (50, "center"),
    ):
        pad = pad_of(padding, n_fft, hop)
        natural = max(0, n_fft + hop * (frames - 1) - 2 * pad)
        for length in (natural, max(natural - 3, 1), natural + hop // 2, min(natural + 1, 7 * hop)):
            magnitude = np.abs(noise_spectrum(n_fft // 2 + 1, frames, seed=frames))
            grid = FrameGrid.checked(window, hop_length=hop, pad=pad, frames=frames, length=length)
            known = magnitude[0].T.astype(float)
            first = project(white_noise(grid, 3).astype(float), known, window, hop, pad, length)
            expected = agla(first, known, window, hop, pad, length, 3, 0.5, 1.87, 0.1)
            found = griffin_lim(
                magnitude,
                window=window,
                hop_length=hop,
                pad=pad,
                length=length,
                start="random",
                iterations=3,
                seed=3,
                engine=engine,
            )
            assert found.samples.shape == (1, length)
            assert distance(found.samples[0], clip(expected, pad, length)) < 2e-4


def test_double_precision_is_that_of_float64():
    window, length = hann(512), 128 * 29
    magnitude = np.abs(noise_spectrum(257, 30, seed=1)).astype(float)
    grid = FrameGrid.checked(window, hop_length=128, pad=256, frames=30, length=length)
    first = project(white_noise(grid, 3).astype(float), magnitude[0].T, window, 128, 256, length)
    expected = clip(agla(first, magnitude[0].T, window, 128, 256, length, 3, 0.5, 1.87, 0.1), 256, length)
    call = {"window": window, "hop_length": 128, "pad": 256, "start": "random", "iterations": 3, "seed": 3}
    found = griffin_lim(magnitude, **call, double=True)
    assert found.samples.dtype == np.float64
    assert found.engine == "scipy"
    assert distance(found.samples[0], expected) < 1e-11


@pytest.mark.parametrize("start", STARTS)
def test_double_precision_begins_with_the_same_phases(start):
    magnitude = speech_magnitude()
    single, double = (
        griffin_lim(magnitude.astype(kind), **HANN, start=start, iterations=0, engine="scipy", double=kind == "f8")
        for kind in ("f4", "f8")
    )
    assert double.samples.dtype == np.float64
    assert double.spectral_convergence_db == pytest.approx(single.spectral_convergence_db, abs=0.05)


def test_the_native_engine_has_no_double_precision():
    with pytest.raises(EngineError, match="it works in single precision"):
        griffin_lim(np.ones((1, 513, 9)), **HANN, engine="native", double=True)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("start", STARTS)
def test_reports_the_convergence_that_float64_finds(engine, start):
    magnitude = speech_magnitude()
    found = griffin_lim(magnitude, **HANN, start=start, iterations=4, engine=engine)
    padded = np.pad(found.samples[0].astype(float), 512)
    expected = convergence_db(padded, magnitude[0].T.astype(float), hann(1024), 256)
    assert found.spectral_convergence_db == pytest.approx(expected, abs=0.001)
    assert found.iterations == 4
    assert found.engine == engine


@pytest.fixture(scope="module")
def peers(librosa):
    """What librosa reaches in 32 iterations, from five seeds, in dB."""
    found = [griffin_lim(speech_magnitude(), **HANN, engine="librosa", start="random", seed=seed) for seed in range(5)]
    return [one.spectral_convergence_db for one in found]


@pytest.mark.parametrize("engine", ENGINES)
def test_default_beats_librosa_by_more_than_four_decibels_on_speech(engine, peers):
    magnitude = speech_magnitude()
    assert griffin_lim(magnitude, **HANN, engine=engine).spectral_convergence_db < min(peers) - 4.5
    assert griffin_lim(magnitude, **HANN, engine=engine, start="pghi", iterations=0).spectral_convergence_db < -15


@pytest.mark.parametrize("engine", ENGINES)
def test_from_random_phases_it_is_no_worse_than_librosa(engine, peers):
    calls = [griffin_lim(speech_magnitude(), **HANN, engine=engine, start="random", seed=seed) for seed in range(5)]
    assert sum(call.spectral_convergence_db for call in calls) <= sum(peers)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("start", STARTS)
def test_same_seed_same_samples(engine, start):
    magnitude = speech_magnitude()[:, :, :60]
    call = {**HANN, "start": start, "iterations": 2, "engine": engine}
    first = griffin_lim(magnitude, seed=1, **call).samples
    assert np.array_equal(first, griffin_lim(magnitude, seed=1, **call).samples)
    assert np.array_equal(first, griffin_lim(magnitude, seed=2, **call).samples) == (start in ("plgi", "zero"))


@pytest.mark.parametrize("engine", ENGINES)
def test_channels_are_recovered_alone(engine):
    magnitude = speech_magnitude()[:, :, :60]
    both = np.concatenate([magnitude, magnitude[:, :, ::-1] * 2])
    found = griffin_lim(both, **HANN, iterations=3, engine=engine)
    for channel in (0, 1):
        alone = griffin_lim(both[channel : channel + 1], **HANN, iterations=3, engine=engine)
        assert np.array_equal(found.samples[channel], alone.samples[0])


@pytest.mark.parametrize("engine", ENGINES)
def test_stops_once_little_is_gained(engine):
    magnitude = speech_magnitude()
    lax = griffin_lim(magnitude, **HANN, iterations=200, tolerance_db=0.5, engine=engine)
    strict = griffin_lim(magnitude, **HANN, iterations=200, tolerance_db=0.1, engine=engine)
    assert 4 <= lax.iterations < strict.iterations < 200
    assert strict.spectral_convergence_db < lax.spectral_convergence_db
    same = griffin_lim(magnitude, **HANN, iterations=lax.iterations, engine=engine)
    assert np.array_equal(same.samples, lax.samples)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("level", [0.0, 1e-30, 1e15])
def test_constant_magnitudes_stay_finite(engine, start, level):
    magnitude = np.full((1, 513, 40), level, np.float32)
    found = griffin_lim(magnitude, **HANN, start=start, iterations=2, engine=engine)
    assert np.isfinite(found.samples).all()
    if level == 0:
        assert not found.samples.any()
        assert found.spectral_convergence_db == EXACT_DB


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("start", STARTS)
def test_what_models_give(engine, start):
    magnitude = speech_magnitude()
    call = {**HANN, "start": start, "engine": engine, "iterations": 8}
    without_dc = magnitude.copy()
    without_dc[:, 0] = 0
    with_floor = np.maximum(magnitude, 1e-2)
    half_silent = magnitude.copy()
    half_silent[:, :, 50:120] = 0
    for name, variant in {"no DC": without_dc, "floor": with_floor, "silence": half_silent}.items():
        found = griffin_lim(variant, **call)
        assert np.isfinite(found.samples).all(), name
        assert found.spectral_convergence_db < -10, name
    found = griffin_lim(half_silent, **call)
    assert np.abs(found.samples[0, 56 * 256 : 114 * 256]).max() < 1e-6
    one = griffin_lim(magnitude[:, :, 60:61], **call, length=256)
    assert np.isfinite(one.samples).all()
    assert one.samples.any()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("start", ["random", "plgi"])
def test_nan_stays_nan_and_near_its_frame(engine, start):
    magnitude = np.ones((1, 513, 200), np.float32)
    magnitude[:, :, 100] = np.nan
    for iterations in (0, 1, 4):
        found = griffin_lim(magnitude, **HANN, start=start, iterations=iterations, engine=engine)
        bad = np.flatnonzero(np.isnan(found.samples[0])) // 256
        assert bad.size > 0
        reach = 4 * (iterations + 1)
        assert 100 - 2 - reach <= bad.min()
        assert bad.max() <= 100 + 2 + reach
        assert np.isnan(found.spectral_convergence_db)


def test_presets_are_named_from_quick_to_good():
    assert list(PRESETS) == ["draft", "fast", "good", "best"]
    counts = [preset.iterations for preset in PRESETS.values()]
    assert counts[:3] == [8, 16, 32]
    assert counts == sorted(counts)


def test_impossible_settings_are_refused():
    magnitude = np.ones((1, 513, 10), np.float32)
    with pytest.raises(ValueError, match=r"momentum 1\.2"):
        griffin_lim(magnitude, **HANN, momentum=1.2)
    with pytest.raises(ValueError, match="real"):
        griffin_lim(magnitude.astype(complex), **HANN)


def test_analysis_of_the_reference_is_numpys():
    signal = np.random.default_rng(0).standard_normal(2048)
    assert np.allclose(analyse(signal, np.ones(1024), 256, 1)[0], np.fft.rfft(signal[:1024]))


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_wanted_is_nothing_given(engine):
    magnitude = np.ones((2, 513, 1), np.float32)
    assert griffin_lim(magnitude, **HANN, engine=engine).samples.shape == (2, 0)
    assert griffin_lim(magnitude, **HANN, length=0, start="random", engine=engine).samples.shape == (2, 0)
    nobody = griffin_lim(magnitude[:0], **HANN, length=300, engine=engine)
    assert nobody.samples.shape == (0, 300)
    assert nobody.spectral_convergence_db == EXACT_DB
