"""A vocoder in an ONNX file: small models that are made here, of convolutions whose result is known."""

import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import HIFIGAN, HOP, KERNEL, MELS, REACH, VOICES, mel, model, squeeze

import tonearm
from tonearm.api import Context, ItemError, MelDialect, MelSpectrogram, OptionError, SetOption, Spec
from tonearm.plugins import registry
from tonearm_plugins.transforms.onnx_vocoder import OnnxVocoder, OnnxVocoderOptions


def reference(mel):
    """Return what the model says, in float64: (samples,)."""
    padded = np.pad(mel.astype(float), ((0, 0), (REACH, REACH)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1, axis=1)
    bent = np.tanh(np.einsum("omk,mfk->fo", KERNEL.astype(float), windows))
    return (bent @ VOICES[:, 0].astype(float)).ravel()


def signal(values, **more):
    return MelSpectrogram(values=values, dialect=more.pop("dialect", HIFIGAN), **more)


def vocoder(path, **options):
    options = OnnxVocoderOptions(model=str(path), dialect=options.pop("dialect", HIFIGAN), **options)
    assert [str(problem) for problem in options.problems()] == []
    return OnnxVocoder(options)


@pytest.fixture
def path(tmp_path):
    return model(tmp_path / "m.onnx")


@pytest.mark.parametrize("chunk", [None, 16, 17, 100, 299, 300, 301])
def test_chunks_give_what_the_whole_gives(path, chunk):
    values = mel(channels=2)
    wave = vocoder(path, chunk_frames=chunk, overlap_frames=REACH).apply(signal(values), Context())
    assert (wave.sample_rate, wave.samples.dtype) == (22050, np.float32)
    np.testing.assert_allclose(wave.samples, [reference(channel) for channel in values], atol=1e-5)


def test_too_little_overlap_would_be_heard(path):
    values = mel()
    wave = vocoder(path, chunk_frames=100, overlap_frames=0).apply(signal(values), Context())
    assert np.abs(wave.samples[0] - reference(values[0])).max() > 1e-3


def test_a_model_that_gives_less_than_its_frames_needs_overlap(tmp_path):
    """As those do that end in a centred inverse STFT, which gives a hop less."""
    path = model(tmp_path / "m.onnx", less=HOP)
    values = mel()
    whole = vocoder(path, chunk_frames=300).apply(signal(values), Context())
    assert whole.length == 299 * HOP
    chunked = vocoder(path, chunk_frames=50, overlap_frames=REACH + 1).apply(signal(values), Context())
    np.testing.assert_allclose(chunked.samples, whole.samples, atol=1e-5)
    with pytest.raises(ItemError) as caught:
        vocoder(path, chunk_frames=50, overlap_frames=0).apply(signal(values), Context())
    assert caught.value.message == ("the model gives 12544 samples for 50 frames: chunks leave gaps between them")


@pytest.mark.parametrize(
    ("shape", "turn"),
    [
        ((1, MELS, "f"), None),
        ((1, "f", MELS), [0, 2, 1]),
        (("b", "m", "f"), None),
        ((MELS, "f"), "lift"),
        ((1, MELS, 64), None),
    ],
)
def test_axes_are_those_of_the_model(tmp_path, shape, turn):
    nodes = None
    if turn == "lift":
        nodes = [
            helper.make_node("Constant", [], ["axis"], value_ints=[0]),
            helper.make_node("Unsqueeze", ["mel", "axis"], ["x"]),
        ]
    elif turn:
        nodes = [helper.make_node("Transpose", ["mel"], ["x"], perm=turn)]
    path = model(tmp_path / "m.onnx", shape, nodes)
    for frames in (300, 40):
        values = mel(frames)
        found = vocoder(path, overlap_frames=REACH).apply(signal(values), Context()).samples[0]
        expected = reference(values[0])
        assert found.size == expected.size
        inside = slice(None, None if frames == 300 else -REACH * HOP)  # a short one is filled up with its last frame
        np.testing.assert_allclose(found[inside], expected[inside], atol=1e-5)


def test_half_precision_is_given_as_such(tmp_path):
    nodes = [helper.make_node("Cast", ["mel"], ["x"], to=TensorProto.FLOAT)]
    path = model(tmp_path / "m.onnx", nodes=nodes, dtype=TensorProto.FLOAT16)
    values = mel(40)
    found = vocoder(path).apply(signal(values), Context()).samples[0]
    np.testing.assert_allclose(found, reference(values[0].astype("f2")), atol=1e-5)


def test_a_known_length_is_kept(path):
    assert vocoder(path).apply(signal(mel(40), length=10_000), Context()).length == 10_000


def test_it_runs_in_a_pipeline(path, tmp_path):
    pipeline = tonearm.load_pipeline(_pipeline(path, "hifigan"))
    pipeline.preflight()
    values = mel(40)
    (wave,) = pipeline.convert(values[0])
    np.testing.assert_allclose(wave.samples[0], reference(values[0]), atol=1e-5)


def _pipeline(path, dialect, **options):
    return {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": {"kind": "mel", "dialect": dialect}},
        "steps": [{"use": "onnx-vocoder", "with": {"model": str(path), "dialect": "hifigan", **options}}],
        "outputs": [{"use": "wav-writer", "file": "a.wav"}],
    }


class TestWhatDoesNotFit:
    def test_another_dialect_is_found_before_any_data_is_read(self, path):
        with pytest.raises(tonearm.PipelineError) as caught:
            tonearm.load_pipeline(_pipeline(path, "coqui"))
        (problem,) = caught.value.problems
        assert problem.code == "dialect-mismatch"
        assert problem.message == (
            "onnx-vocoder: the vocoder takes the recipe hifigan, but the mel spectrogram is in coqui: padding center"
            " for half-overlap, fmax 11025 for 8000, magnitude_guard 0 for 1e-09, floor 1e-08 for 1e-05 and 3 more"
        )
        assert 'put {"use": "mel-to-wave"} and {"use": "wave-to-mel", "with": {' in problem.hint

    def test_and_at_the_latest_with_the_signal(self, path):
        other = HIFIGAN.replace(log="log10", name="other")
        with pytest.raises(ItemError, match=r"the mel spectrogram is in other: log log10 for ln") as caught:
            vocoder(path).apply(signal(mel(), dialect=other), Context())
        assert caught.value.code == "dialect-mismatch"

    def test_the_same_figures_by_another_name_fit(self, path):
        same = registry.default().catalogue(MelDialect).find("bigvgan-22k-fmax8k")
        plugin = vocoder(path)
        assert plugin.produces(Spec(signals=(MelSpectrogram,)).carrying(same)).sample_rate == 22050
        assert plugin.apply(signal(mel(20), dialect=same), Context()).length == 20 * HOP

    def test_a_dialect_of_another_hop(self, path):
        wide = HIFIGAN.replace(hop_length=128)
        with pytest.raises(ItemError) as caught:
            vocoder(path, dialect=wide).apply(signal(mel(20), dialect=wide), Context())
        assert caught.value.message == ("the model gives 5120 samples for 20 frames, but the recipe has 128 a frame")

    def test_options(self, tmp_path, path):
        (gone,) = OnnxVocoderOptions(model=str(tmp_path / "x.onnx"), dialect=HIFIGAN).problems()
        assert (gone.code, gone.option) == ("no-such-file", "model")
        (short,) = OnnxVocoderOptions(model=path, dialect=HIFIGAN, chunk_frames=64).problems()
        assert short.message == "chunks of 64 frames leave nothing between 32 on each side"
        assert short.remedies == (SetOption("chunk_frames", 65, when="or more"),)

    def test_a_provider_that_is_not_there(self, path):
        with pytest.raises(ItemError) as caught:
            vocoder(path, providers=["NoSuchProvider"]).preflight()
        assert (caught.value.code, caught.value.message) == (
            "no-provider",
            "the installed onnxruntime has no NoSuchProvider",
        )
        assert "CPUExecutionProvider" in caught.value.hint

    @pytest.mark.filterwarnings("ignore:Specified provider")
    def test_a_provider_that_does_not_start(self, path, monkeypatch):
        import onnxruntime

        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
        with pytest.raises(ItemError) as caught:
            vocoder(path, providers=["CUDAExecutionProvider"]).preflight()
        assert caught.value.message == "onnxruntime could not start CUDAExecutionProvider"
        assert caught.value.hint.startswith("providers: [CPUExecutionProvider], to do without it")

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda path: path.write_bytes(b"no model"), "cannot be loaded: "),
            (lambda path: model(path, inputs=2), "the model takes 2 inputs, not one: mel, more1"),
            (lambda path: model(path, (1, 100, 64)), "no axis has the 80 bands of the recipe hifigan"),
            (lambda path: model(path, (1, 1, MELS, "f"), squeeze()), "not a mel spectrogram"),
            (lambda path: model(path, (1, MELS, 48)), "the model takes 48 frames at once"),
        ],
    )
    def test_a_model_is_looked_at_before_the_first_file(self, tmp_path, make, message):
        path = tmp_path / "m.onnx"
        make(path)
        with pytest.raises(ItemError) as caught:
            vocoder(path).preflight()
        assert message in caught.value.message

    def test_a_model_that_fails_or_gives_something_else(self, tmp_path):
        path = model(
            tmp_path / "m.onnx", (1, "m", "f"), [helper.make_node("Transpose", ["mel"], ["x"], perm=[0, 2, 1])]
        )
        with pytest.raises(ItemError, match="the model failed: ") as caught:
            vocoder(path).apply(signal(mel(20)), Context())
        assert caught.value.code == "model-failed"
        graph = helper.make_graph(
            [helper.make_node("Identity", ["mel"], ["y"])], "same",
            [helper.make_tensor_value_info("mel", TensorProto.FLOAT, (1, MELS, "f"))],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        )  # fmt: skip
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
        with pytest.raises(ItemError, match=r"the model gives float32 of shape \(1, 80, 20\), not one waveform"):
            vocoder(path).apply(signal(mel(20)), Context())


def test_a_missing_package_is_named_with_the_line_that_installs_it(path, monkeypatch):
    monkeypatch.setattr("tonearm.plugins.requirements.Requirement.is_met", lambda self: self.name != "onnxruntime")
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load_pipeline(_pipeline(path, "hifigan"))
    (problem,) = caught.value.problems
    assert problem.code == "missing-requirement"
    assert problem.hint == "pip install 'tonearm[vocoder]'"


def test_produces_names_the_option(path):
    with pytest.raises(OptionError) as caught:
        vocoder(path).produces(Spec(signals=(MelSpectrogram,)).carrying(HIFIGAN.replace(n_mels=100)))
    assert caught.value.option == "dialect"


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """A folder for a model, with weights outside it, and ways that lead to them."""
    folder = tmp_path / "m"
    folder.mkdir()
    (tmp_path / "weights").write_bytes(KERNEL.tobytes())
    (folder / "inside").write_bytes(KERNEL.tobytes())
    (folder / "link").symlink_to("../weights")
    (folder / "zero").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe")
    monkeypatch.chdir(tmp_path)
    return folder


def with_external_kernel(path, location):
    """Write a model whose kernel lies in another file."""
    made = onnx.load(model(path))
    (kernel,) = (one for one in made.graph.initializer if one.name == "kernel")
    kernel.ClearField("raw_data")
    kernel.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": "0", "length": str(KERNEL.nbytes)}.items():
        kernel.external_data.add(key=key, value=value)
    path.write_bytes(made.SerializeToString())
    return path


def test_weights_may_lie_in_the_folder_of_the_model(outside):
    values = mel()
    wave = vocoder(with_external_kernel(outside / "x.onnx", "inside")).apply(signal(values), Context())
    np.testing.assert_allclose(wave.samples[0], reference(values[0]), atol=1e-5)


@pytest.mark.parametrize("location", ["../weights", "{root}/weights", "link", "zero", "pipe", "none"])
def test_weights_elsewhere_are_refused(outside, location):
    path = with_external_kernel(outside / "x.onnx", location.format(root=outside.parent))
    with pytest.raises(ItemError) as caught:
        vocoder(path).preflight()
    assert caught.value.code == "bad-model"
