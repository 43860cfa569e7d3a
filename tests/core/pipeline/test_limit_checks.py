"""Scale is guarded by the host, for the transforms and encoders of anyone: nothing silent, and the line to write."""

import io
import warnings

import numpy as np
import pytest
from core_toys import checked, hooks, package_of

import tonearm
from tonearm.api import Encoder, Item, ItemError, NoOptions, PcmOptions, Regroup, Signal, Spec, Transform, Waveform
from tonearm.names import BUILTIN
from tonearm.pipeline.converter import Converter
from tonearm.plugins.discovery import installed_packages
from tonearm.plugins.registry import Registry
from tonearm.signals import ComplexSpectrogram

RATE = 8000
GRID = "n_fft: 64, hop_length: 16"


class Loudest(Transform[ComplexSpectrogram, Waveform, NoOptions]):
    """A third party's inversion, which does not know about scale."""

    def apply(self, signal, context):
        return Waveform(samples=np.abs(signal.values).max(axis=1), sample_rate=signal.grid.sample_rate)

    def produces(self, spec):
        return Spec(signals=(Waveform,))


class Each(Regroup[ComplexSpectrogram, Waveform, NoOptions]):
    """A third party's regrouping step that inverts."""

    def regroup(self, items, context):
        for one in items:
            samples = np.abs(one.signal.values).max(axis=1)
            yield Item(signal=Waveform(samples=samples, sample_rate=one.signal.grid.sample_rate))

    def produces(self, spec):
        return Spec(signals=(Waveform,))


class Louder(Transform[Waveform, Waveform, NoOptions]):
    def apply(self, signal, context):
        return Waveform(samples=signal.samples * 100, sample_rate=signal.sample_rate)


class Shelf(Encoder[Signal, NoOptions]):
    """A third party's encoder, which neither clips nor measures."""

    suffixes = (".shelf",)

    def encode(self, item, sink, context):
        sink.path.write_bytes(b"x")


class FloatShelf(Encoder[Waveform, NoOptions]):
    suffixes = (".floats",)

    def clips(self):
        return False

    def encode(self, item, sink, context):
        sink.path.write_bytes(b"x")


TOYS = hooks(
    transforms={"loudest": Loudest, "each": Each, "louder": Louder},
    encoders={"shelf": Shelf, "float-shelf": FloatShelf},
)


@pytest.fixture(scope="module")
def registry():
    return Registry([*(one for one in installed_packages() if one.origin == BUILTIN), package_of("toys", TOYS)])


def pipeline(registry, names, options=f"kind: complex, {GRID}", encoder="wav-writer", file="a.wav", limits="{}"):
    steps = ", ".join(f"{{use: {name}}}" for name in names.split())
    text = f"input: {{use: npy-reader, with: {{sample_rate: {RATE}, {options}}}}}\nsteps: [{steps}]\n"
    text += f"limits: {limits}\noutputs: [{{use: {encoder}, file: {file}}}]"
    return Converter(checked(f"tonearm: 1\n{text}", registry))


def tone(peak=0.5):
    return (peak * np.sin(np.arange(4000) * 0.3)).astype(np.float32)


def spectrum(scale):
    """Return the transform of a tone that reaches half of a scale."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(tone(0.5 * scale), 32), 64)[::16]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(64) / 64)
    return np.fft.rfft(frames * hann).T.astype(np.complex64)


def failure(converter, array):
    with pytest.raises(ItemError) as caught:
        list(converter.convert(array))
    return caught.value


@pytest.mark.parametrize("step", ["istft", "griffin-lim", "loudest", "each"])
def test_what_goes_far_beyond_full_scale_after_an_inversion_is_an_error(step, registry):
    kind = "magnitude" if step == "griffin-lim" else "complex"
    array = np.abs(spectrum(32768)) if step == "griffin-lim" else spectrum(32768)
    error = failure(pipeline(registry, step, f"kind: {kind}, {GRID}"), array)
    assert error.code == "beyond-full-scale"
    assert f"{step} gave a waveform that reaches" in error.message
    assert error.place.stage == "steps.0"
    if step in ("istft", "griffin-lim"):
        assert "full_scale: 32768 in the options of input, if the source has 16-bit samples" in error.hint


def test_the_option_that_it_proposes_is_right(registry):
    found = list(pipeline(registry, "istft", f"full_scale: 32768, {GRID}").convert(spectrum(32768)))
    np.testing.assert_allclose(found[0].samples[0, :3968], tone()[:3968], atol=1e-5)


def test_steps_behind_the_inversion_do_not_hide_it(registry):
    error = failure(pipeline(registry, "istft normalize"), spectrum(32768))
    assert (error.code, error.place.stage) == ("beyond-full-scale", "steps.0")


def test_a_waveform_may_be_louder_on_purpose(registry):
    (found,) = pipeline(registry, "louder", "kind: waveform").convert(tone())
    assert found.samples.max() > 49


@pytest.mark.parametrize("loudest", [0.5, 1.9])
def test_what_a_step_made_too_loud_is_refused_where_the_array_tells_its_kind(loudest):
    steps = [("gain", {"gain_db": 40.0})]
    with pytest.raises(ItemError, match="of the samples are beyond") as caught:
        tonearm.encode(tone(loudest), "wav", sample_rate=RATE, steps=steps)
    assert caught.value.code == "clipped"
    assert "full_scale=" in caught.value.hint


def test_the_limit_lets_it_pass_and_the_line_says_so(registry):
    error = failure(pipeline(registry, "istft"), spectrum(32768))
    assert "limits: {beyond: 16400.0}" in error.hint
    assert len(list(pipeline(registry, "istft", limits="{beyond: 16400.0}").convert(spectrum(32768)))) == 1


def test_nan_of_an_inversion_is_its_own_error(registry):
    array = spectrum(1)
    array[3, 3] = np.nan
    assert failure(pipeline(registry, "istft"), array).code == "not-finite"


class TestWritten:
    @pytest.fixture
    def written(self, registry, tmp_path):
        """Return a function that returns the code of the error of writing samples, and the warnings."""

        def write(samples, encoder="wav-writer", file="{stem}.wav", steps="", limits="{}"):
            made = pipeline(registry, steps, "kind: waveform", encoder, f'"{file}"', limits)
            results = []
            found = tonearm.Pipeline(made.checked)
            found.run([samples.astype(np.float32)], out=tmp_path, force=True, observe=results.append)
            (result,) = results
            return [one.code for one in result.failures] + [one.split(":")[0] for one in result.warnings]

        return write

    @pytest.mark.parametrize(
        ("encoder", "file"),
        [("wav-writer", "{stem}.wav"), ("flac-writer", "{stem}.flac"), ("ogg-writer", "{stem}.ogg"),
         ("raw-writer", "{stem}.raw"), ("aiff-writer", "{stem}.aiff"), ("shelf", "{stem}.shelf"),
         ("{use: npy-writer, with: {dtype: int16}}", "{stem}.npy")],
    )  # fmt: skip
    def test_more_than_a_few_clipped_samples_are_an_error_in_every_encoder(self, encoder, file, written):
        use, options = encoder, ""
        if encoder.startswith("{"):
            use, options = "npy-writer", ", with: {dtype: int16}"
        assert written(tone(2), f"{use}{options}", file) == ["clipped"]
        assert written(tone(1), f"{use}{options}", file) == []

    def test_a_few_are_a_warning_and_an_error_if_strict(self, written):
        peaks = tone()
        peaks[:10] = 1.5
        assert written(peaks) == ["10 samples were beyond full scale and clipped"]
        assert written(peaks, limits="{strict: true}") == ["clipped"]
        assert written(peaks, limits="{clipped: 0.001}") == ["clipped"]
        assert written(tone(2), limits="{clipped: 0.7}") == ["2667 samples were beyond full scale and clipped"]

    @pytest.mark.parametrize(
        ("encoder", "file"),
        [("wav-writer, with: {subtype: FLOAT}", "{stem}.wav"), ("float-shelf", "{stem}.floats"),
         ("npy-writer", "{stem}.npy")],
    )  # fmt: skip
    def test_floats_are_warned_of_up_to_the_limit_and_then_refused(self, encoder, file, written):
        assert written(tone(0.9), encoder, file) == []
        assert written(tone(2), encoder, file) == ["clipped"]
        assert written(tone(2), encoder, file, limits="{strict: true}") == ["clipped"]
        assert written(tone(), encoder, file, steps="louder") == ["beyond-full-scale"]
        assert written(tone(), encoder, file, steps="louder", limits="{beyond: 60, clipped: 1}") == []

    @pytest.mark.parametrize("encoder", ["wav-writer", "shelf"])
    def test_what_nobody_would_hear_is_warned_of_with_its_peak(self, encoder, written):
        file = "{stem}.wav" if encoder == "wav-writer" else "{stem}.shelf"
        assert written(tone(1e-5), encoder, file) == ["too-quiet"]
        assert written(tone(0), encoder, file) == ["the waveform is silent"]
        assert written(tone(1e-5), encoder, file, limits="{strict: true}") == ["too-quiet"]


def test_pcm_options_tell_whether_samples_are_clipped():
    class Options(PcmOptions):
        subtype = "FLOAT"

    class Floats(Shelf):
        pass

    assert Shelf(NoOptions()).clips()
    assert not Floats(Options()).clips()


def spectra_in_a_stream(values):
    """Return the codes of the warnings of a stream of frames."""
    options = {"sample_rate": RATE, "kind": "complex", "n_fft": 400, "hop_length": 100}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with tonearm.stream(io.BytesIO(), format="wav", **options) as out:
            for start in range(0, values.shape[1], 20):
                out.write(values[:, start : start + 20])
    return [warning.split(":")[0] for warning in out.warnings]


def test_a_pause_in_a_stream_of_spectra_says_nothing_of_their_scaling():
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 10_000)
    frames = np.lib.stride_tricks.sliding_window_view(noise, 400)[::100] * np.hanning(400)
    loud = np.fft.rfft(frames, axis=1).T.astype("c8")
    pause = loud / 1000
    assert spectra_in_a_stream(np.concatenate([pause, loud, pause], axis=1)) == []
    assert spectra_in_a_stream(loud / 200) == ["too-quiet"]


@pytest.mark.parametrize(
    ("options", "divisor", "said"),
    [
        ({}, 200, True),
        ({}, 1, False),
        ({}, 200000, False),
        ({"scaling": "spectrum"}, 200, False),
        ({"convention": "librosa"}, 200, False),
    ],
)
def test_quiet_spectra_may_have_the_scaling_of_scipy(options, divisor, said, tmp_path):
    rng = np.random.default_rng(0)
    spectra = np.fft.rfft(0.1 * rng.standard_normal((80, 400)) * np.hanning(400), axis=1).T / divisor
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {
                "use": "npy-reader",
                "with": {"kind": "complex", "sample_rate": RATE, "n_fft": 400, "hop_length": 100, **options},
            },
            "steps": [{"use": "istft"}],
            "outputs": [{"use": "wav-writer", "file": "a.wav"}],
        }
    )
    found = []
    pipeline.run([spectra], out=tmp_path, force=True, observe=found.append)
    (result,) = found
    assert any('"convention": "scipy", if scipy.signal.stft made them' in one for one in result.warnings) is said
