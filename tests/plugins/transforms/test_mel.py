"""Waveforms into mel spectrograms of every dialect, and back.

The arrays in configs/samples/mel are what the model families' own extractors computed from tests/data/speech_*.wav.
"""

import itertools
from pathlib import Path

import mel_reference
import numpy as np
import pytest
import soundfile
import soxr

import tonearm
from tonearm.api import Context, ItemError, MelSpectrogram, OptionError, Spec, Waveform
from tonearm.plugins import registry
from tonearm_plugins.dialects import presets
from tonearm_plugins.transforms.mel_to_magnitude import MelToMagnitude, MelToMagnitudeOptions
from tonearm_plugins.transforms.mel_to_wave import MelToWave, MelToWaveOptions
from tonearm_plugins.transforms.wave_to_mel import WaveToMel, WaveToMelOptions
from tonearm_plugins.transforms.wave_to_spectrogram import WaveToSpectrogram, WaveToSpectrogramOptions

ROOT = Path(__file__).parents[3]
EXTRACTED = {
    "bigvgan-24k": 1e-3, "cosyvoice2": 1e-3, "hifigan": 1e-3, "librosa-db": 1e-3, "matcha": 1e-3, "melgan": 1e-3,
    "nemo-fastpitch": 1e-3, "speecht5": 1e-3, "styletts2": 1e-3, "tacotron2": 1e-3, "tacotron2-rayhane": 1e-3,
    "vocos": 1e-3, "whisper": 1e-3,
    "ast": 1e-3, "clap": 1e-3, "pop2piano": 1e-3, "seamless-fbank": 1e-3, "torchaudio": 1e-3, "tortoise": 1e-3,
    "univnet": 1e-3, "voxtral-realtime": 1e-3,
    "kaldi-fbank": 3e-3,  # the extractor works in float32 on samples of 32768
}  # fmt: skip
STANDARDISED = {"fastspeech2-conformer", "mozilla-tts", "nemo-asr", "xtts-dvae"}
RECIPES = presets()
NAMES = sorted(name for name, recipe in RECIPES.items() if set(recipe) != {"base"})
USABLE = [name for name in NAMES if name != "gansynth"]
PICTURES = {"riffusion", "audio-diffusion"}  # bytes

DIALECTS = registry.default().dialects


def figures(name):
    """Return all figures of a preset as the data files have them."""
    recipe = dict(RECIPES[name])
    base = recipe.pop("base", None)
    return (figures(base) if base else {}) | recipe


def speech(rate):
    if rate == 48000:
        return soxr.resample(speech(24000), 24000, rate)
    samples, _ = soundfile.read(ROOT / f"tests/data/speech_{rate}.wav", dtype="float64")
    return samples


def sounding(rate, seconds=1.1):
    """Return something with a pitch that rises, and noise that fades."""
    time = np.arange(int(rate * seconds) + 37) / rate
    noise = np.random.default_rng(0).standard_normal(time.size)
    return 0.3 * np.sin(2 * np.pi * 220 * time * (1 + 0.1 * time)) + 0.05 * noise * np.exp(-3 * time)


def to_mel(samples, dialect):
    wave = Waveform(samples=np.atleast_2d(samples), sample_rate=dialect.sample_rate)
    return WaveToMel(WaveToMelOptions(dialect=dialect)).apply(wave, Context())


def to_wave(mel, context=None, **options):
    return MelToWave(MelToWaveOptions(**options)).apply(mel, context or Context())


def extracted(name):
    """Return what the extractor computed, (mels, frames)."""
    array = np.load(ROOT / f"configs/samples/mel/{name}.npy")
    return array if DIALECTS.find(name).layout == "mels-frames" else array.T


def distance_db(found, wanted, dialect):
    """Return the mean distance of two mel spectrograms in dB."""
    if dialect.log == "none":
        found, wanted = (20 / dialect.exponent * np.log10(np.maximum(x, 1e-5)) for x in (found, wanted))
        return np.abs(found - wanted).mean()
    return np.abs(found - wanted).mean() / dialect.range.unit * 20 * np.log10(2)


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


@pytest.mark.parametrize("name", EXTRACTED)
def test_what_the_extractor_computed_comes_back_after_inversion(name):
    dialect, expected = DIALECTS.find(name), extracted(name)
    context = Context()
    wave = to_wave(MelSpectrogram(values=expected[None].astype("f4"), dialect=dialect), context)
    assert wave.length == dialect.samples(expected.shape[1])
    again = to_mel(wave.samples, dialect).values[0]
    assert again.shape[1] in (expected.shape[1], expected.shape[1] + (dialect.last_frame == "mask"))
    inside = slice(3, expected.shape[1] - 3)  # frames at the ends hold what padding reflected, and nobody knows
    assert distance_db(again[:, inside], expected[:, inside], dialect) < 0.5
    assert context.measurements["mel_convergence_db"] < -25


@pytest.mark.parametrize("name", USABLE)
def test_every_dialect_is_as_its_figures_say(name):
    recipe, dialect = figures(name), DIALECTS.find(name)
    samples = sounding(dialect.sample_rate)
    if name in STANDARDISED - {"nemo-asr"}:
        dialect = dialect.but(mean=0.0, std=1.0)
    found = to_mel(samples, dialect)
    expected = mel_reference.forward(samples, recipe)
    assert found.values.shape == (1, *expected.shape)
    assert found.length == samples.size
    scale = max(1.0, np.abs(expected).max())
    if name in PICTURES:
        assert (np.abs(found.values[0] - expected) > 0).mean() < 1e-4  # a byte may tip over
    else:
        np.testing.assert_allclose(found.values[0], expected, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name == "riffusion" else ())
        for name in sorted(set(USABLE) - STANDARDISED)
    ],
)
def test_every_dialect_comes_back_after_inversion(name):
    dialect = DIALECTS.find(name)
    mel = to_mel(sounding(dialect.sample_rate), dialect)
    again = to_mel(to_wave(mel).samples, dialect).values
    assert again.shape == mel.values.shape
    linear = [dialect.to_linear(values).astype(float)[..., 4:-4] for values in (again, mel.values)]
    assert np.linalg.norm(linear[0] - linear[1]) < 0.15 * np.linalg.norm(linear[1])


RING = [name for name in USABLE if name != "riffusion"]  # which takes seconds
COARSE = {"ddsp": 2.2, "pop2piano": 2.2, "wavernn": 3.6}  # 31 or 22 frames a second; clipped at 0 dB
LEVEL_LOST = {"librosa-db", "audio-diffusion", "wavernn"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(one, other, marks=pytest.mark.slow if number % 5 else ())
        for number, (one, other) in enumerate(zip(RING, RING[1:] + RING[:1], strict=True))
    ],
)
def test_any_dialect_converts_into_another_by_way_of_sound(one, other):
    """All of them in a ring, so that each is come from and gone to; between rates by resample."""
    speech_24k = speech(24000)[:24000]
    source = DIALECTS.find(one)
    given = {name: {"base": name, "mean": -4.0, "std": 2.0} if name in STANDARDISED else name for name in (one, other)}
    if one in STANDARDISED:
        source = source.but(mean=-4.0, std=2.0)
    mel = to_mel(soxr.resample(speech_24k, 24000, source.sample_rate), source).values[0]
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "mel", "axes": ["mel", "frame"], "dialect": given[one]}},
            "steps": [
                {"use": "mel-to-wave", "with": {"preset": "draft"}},
                {"use": "resample", "with": {"sample_rate": DIALECTS.find(other).sample_rate}},
                {"use": "wave-to-mel", "with": {"dialect": given[other]}},
                {"use": "mel-to-wave", "with": {"preset": "draft"}},
            ],
            "outputs": [{"use": "wav-writer", "file": "a.wav"}],
        }
    )
    (wave,) = pipeline.convert(mel)
    assert wave.samples.shape[1] / wave.sample_rate == pytest.approx(1, abs=0.03)
    difference = (mel_reference.picture(wave.samples[0], wave.sample_rate) - mel_reference.picture(speech_24k, 24000))[
        :, 2:-4
    ]
    level = difference.mean()
    assert abs(level) < (40 if {one, other} & LEVEL_LOST else 0.8)
    assert np.abs(difference - level).mean() < max(COARSE.get(name, 0.8) for name in (one, other))


def test_pre_emphasis_is_undone():
    dialect = DIALECTS.find("tacotron2-rayhane").but(steps=(), preemphasis=0.9)
    samples = sounding(22050)
    wave = to_wave(to_mel(samples, dialect), iterations=100)
    low, _ = np.array_split(np.abs(np.fft.rfft(wave.samples[0])) ** 2, [4000])
    before_low, _ = np.array_split(np.abs(np.fft.rfft(samples)) ** 2, [4000])
    assert abs(10 * np.log10(low.sum() / before_low.sum())) < 1
    magnitude = MelToMagnitude(MelToMagnitudeOptions()).apply(to_mel(samples, dialect), Context())
    plain = MelToMagnitude(MelToMagnitudeOptions()).apply(to_mel(samples, dialect.but(preemphasis=0.0)), Context())
    ratio = np.median(magnitude.values[0, 10:300] / plain.values[0, 10:300])
    assert ratio == pytest.approx(1, abs=0.1)


def test_each_preset_comes_nearer_and_gives_way_to_what_is_said():
    dialect = DIALECTS.find("hifigan")
    mel = to_mel(speech(22050)[:22050], dialect)

    def measured(**options):
        context = Context()
        to_wave(mel, context, **options)
        return context.measurements

    draft, fast, best = (measured(preset=preset) for preset in ("draft", "fast", "best"))
    assert [one["iterations"] for one in (draft, fast, best)] == [8, 32, 128]
    assert best["mel_convergence_db"] < fast["mel_convergence_db"] - 2 < draft["mel_convergence_db"] - 4
    said = measured(preset="best", iterations=32, momentum=0.97)
    assert said == fast
    assert measured(preset="best", iterations=32) != fast


@pytest.mark.parametrize("name", ["nemo-fastpitch", "nemo-asr"])
def test_masked_frames_are_no_sound(name):
    dialect = DIALECTS.find(name)
    if dialect.refusal:
        dialect = dialect.but(mean=-8.0, std=4.0)
    mel = to_mel(np.zeros(9000), dialect)
    assert not mel.values[..., -1].any()
    assert mel.values[..., :-1].any()
    assert np.abs(to_wave(mel, iterations=1).samples).max() < 1e-4
    magnitude = MelToMagnitude(MelToMagnitudeOptions()).apply(mel, Context())
    assert magnitude.values.max() < 1e-2
    assert (magnitude.frames, magnitude.length) == (mel.frames - 1, 9000)


def test_magnitudes_have_the_given_mel_spectrogram():
    for name in ("hifigan", "whisper"):
        dialect = DIALECTS.find(name)
        mel = to_mel(speech(dialect.sample_rate), dialect)
        magnitude = MelToMagnitude(MelToMagnitudeOptions()).apply(mel, Context())
        assert magnitude.grid == dialect.grid
        assert magnitude.length == mel.length
        wanted = dialect.to_linear(mel.values)[0]
        found = dialect.mel_basis() @ magnitude.values[0].astype(float) ** dialect.exponent
        assert np.linalg.norm(found - wanted) < 0.01 * np.linalg.norm(wanted)


class TestWhatCannotBeUndone:
    @pytest.mark.parametrize("name", sorted(STANDARDISED))
    def test_is_refused_with_the_reason_and_taken_with_statistics(self, name):
        dialect = DIALECTS.find(name)
        whose = "each utterance's own" if name == "nemo-asr" else "the model's"
        reason = f"values in the dialect {name} are standardised by {whose} statistics, which are not given"
        mel = MelSpectrogram(values=np.zeros((1, dialect.n_mels, 9), "f4"), dialect=dialect)
        for plugin in (MelToWave(MelToWaveOptions()), MelToMagnitude(MelToMagnitudeOptions())):
            with pytest.raises(OptionError) as caught:
                plugin.produces(Spec(signals=(MelSpectrogram,), dialect=dialect))
            assert (caught.value.code, caught.value.message) == ("not-invertible", reason)
            with pytest.raises(ItemError) as failed:
                plugin.apply(mel, Context())
            assert failed.value.message == reason
        mean = tuple(np.linspace(-7, -4, dialect.n_mels))
        given = dialect.but(mean=mean, std=2.0, last_frame="keep")
        samples = sounding(dialect.sample_rate, 0.5)
        native = to_mel(samples, given)
        plain = to_mel(samples, given.but(mean=None, std=None, statistics="none"))
        np.testing.assert_allclose(native.values[0] * 2 + np.array(mean)[:, None], plain.values[0], atol=1e-4)
        np.testing.assert_allclose(
            to_wave(native, iterations=1).samples, to_wave(plain, iterations=1).samples, atol=1e-4
        )

    def test_check_says_it_at_its_place(self):
        problems = _problems({"kind": "mel", "dialect": "nemo-asr"})
        assert [problem.code for problem in problems] == ["not-invertible"]
        assert "mean: […], std: […]" in problems[0].hint
        assert _problems({"kind": "mel", "dialect": {"base": "nemo-asr", "mean": -5.0, "std": 3.0}}) == []

    def test_what_needs_stored_statistics_cannot_be_computed_either(self):
        problems = _problems(
            {"kind": "waveform", "sample_rate": 22050}, {"use": "wave-to-mel", "with": {"dialect": "xtts-dvae"}}
        )
        assert [problem.code for problem in problems][:1] == ["no-statistics"]

    def test_gansynth_is_refused_by_name(self):
        (problem, *_) = _problems({"kind": "mel", "dialect": "gansynth"})
        assert problem.code == "refused-dialect"
        assert "it holds phases beside the magnitudes" in problem.message


def _problems(options, *steps):
    pipeline = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": options},
        "steps": list(steps) or [{"use": "mel-to-wave"}],
        "outputs": [{"use": "wav-writer", "file": "a.wav"}],
    }
    try:
        tonearm.load_pipeline(pipeline)
    except tonearm.PipelineError as error:
        return error.problems
    return []


class TestContradictions:
    @pytest.mark.parametrize(
        ("declared", "true", "reason"),
        [
            ("melgan", "hifigan", "but in melgan none is below -5"),
            ("matcha", "hifigan", "but in matcha none is below -2.82421"),
            ("coqui", "hifigan", "but in coqui none is below -4"),
            ("wavernn", "tacotron2-rayhane", "but in wavernn none is below 0"),
            ("hifigan", "tacotron2-rayhane", None),
            ("bigvgan-24k", "hifigan", "has 100 bands, as the dialect bigvgan-24k has"),
            ("whisper", "kaldi-fbank", "but in whisper none is"),
            ("hifigan", "kaldi-fbank", "the largest value is"),
        ],
    )
    def test_a_mel_of_another_family_is_refused_and_its_own_is_named(self, declared, true, reason):
        array = np.load(ROOT / f"configs/samples/mel/{true}.npy")
        pipeline = tonearm.load_pipeline(
            {
                "tonearm": 1,
                "input": {"use": "npy-reader", "with": {"kind": "mel", "dialect": declared}},
                "outputs": [{"use": "wav-writer", "file": "a.wav"}],
                "steps": [{"use": "mel-to-wave", "with": {"iterations": 0}}],
            }
        )
        if reason is None:  # within what the other could write: nothing tells them apart
            assert len(list(pipeline.convert(array))) == 1
            return
        with pytest.raises(ItemError) as caught:
            list(pipeline.convert(array))
        assert caught.value.code == "dialect-mismatch"
        assert reason in caught.value.message
        assert caught.value.hint.startswith("it would fit ")

    def test_every_family_fits_itself(self):
        for name in sorted(set(USABLE) - STANDARDISED):
            dialect = DIALECTS.find(name)
            values = to_mel(sounding(dialect.sample_rate, 0.5), dialect).values
            assert dialect.contradiction(values.min(), values.max()) == "", name
            assert name in DIALECTS.matching([dialect.n_mels], float(values.min()), float(values.max())), name


class TestWaveToMel:
    def test_another_rate_is_found_before_any_data_is_read(self):
        (problem, *_) = _problems(
            {"kind": "waveform", "sample_rate": 16000}, {"use": "wave-to-mel", "with": {"dialect": "hifigan"}},
            {"use": "mel-to-wave"},
        )  # fmt: skip
        assert problem.code == "rate-mismatch"
        assert problem.message == ("wave-to-mel: the waveform is at 16000 Hz, but the dialect hifigan at 22050 Hz")
        assert problem.hint == "put resample with sample_rate: 22050 before it"

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


class TestPresets:
    def test_there_are_54_and_each_says_where_its_figures_stand(self):
        assert len(USABLE) == 54
        for name in NAMES:
            assert figures(name)["source"], name

    def test_their_other_names_mean_the_same(self):
        for name, recipe in RECIPES.items():
            if set(recipe) == {"base"} and recipe["base"] != "gansynth":
                assert DIALECTS.find(name).differences(DIALECTS.find(recipe["base"])) == []

    def test_those_that_users_know_are_there(self):
        known = (
            "hifigan tacotron2 bigvgan-24k vocos f5-tts cosyvoice2 matcha whisper speecht5 nemo-fastpitch rvc-40k"
            " fish-speech styletts2 melgan librosa-db torchaudio"
        )
        assert set(known.split()) <= set(USABLE)

    def test_no_two_say_the_same_but_for_what_is_known_to(self):
        same = {
            frozenset(pair)
            for pair in itertools.combinations(USABLE, 2)
            if not DIALECTS.find(pair[0]).differences(DIALECTS.find(pair[1]))
        }
        assert same == {
            frozenset(pair)
            for group in (
                ("tacotron2", "waveglow"),
                ("hifigan", "bigvgan-22k-fmax8k", "cosyvoice1"),
                ("bigvgan-24k", "f5-tts-bigvgan", "univnet"),
                ("kaldi-fbank", "seamless-fbank"),
            )
            for pair in itertools.combinations(group, 2)
        }
