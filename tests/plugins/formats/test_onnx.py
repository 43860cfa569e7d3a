"""Which axis of a vocoder's input is which, without a vocoder: sessions are made up."""

from dataclasses import FrozenInstanceError, replace
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from tonearm.api import ChooseOption, ItemError, MelDialect, SetOption
from tonearm.plugins import registry
from tonearm_plugins.formats.onnx import ONNXRUNTIME, InputShape, open_session, shape_of, synthesise

HIFIGAN = registry.default().catalogue(MelDialect).find("hifigan")  # 80 bands, written bands first
ESPNET = registry.default().catalogue(MelDialect).find("speecht5")  # 80 bands, written frames first
SHAPE = InputShape(name="mel", dtype="float32", batched=False, frames_first=False, frames=None)


class Session:
    """A model that repeats the first band, ``hop`` times a frame, and cuts some samples off."""

    def __init__(self, hop=4, less=0, result=None):
        self.hop, self.less, self.result, self.given = hop, less, result, []  # less than 0 is more

    def run(self, _, feeds):
        (mel,) = feeds.values()
        self.given.append(mel.shape)
        if self.result is not None:
            return [self.result]
        samples = np.repeat(mel[0], self.hop)
        if self.less < 0:
            samples = np.append(samples, np.full(-self.less, -1, samples.dtype))
        return [samples[: samples.size - self.less][None]]


def inputs(shape, kind="tensor(float)"):
    return SimpleNamespace(get_inputs=lambda: [SimpleNamespace(name="mel", shape=shape, type=kind)])


@pytest.mark.parametrize(
    ("shape", "batched", "frames_first", "frames"),
    [
        ([1, 80, "f"], True, False, None),
        ([1, "f", 80], True, True, None),
        ([80, None], False, False, None),
        ([80, 64], False, False, 64),
        ([64, 80], False, True, 64),
        (["b", "m", "f"], True, None, None),  # as its family writes it
        ([80, 80], False, None, 80),
        ([80, "f"], False, False, None),
        ([64, "f"], False, True, 64),  # 64 cannot be the bands, so the other axis has them
        ([1, "f", 64], True, False, 64),
    ],
)
@pytest.mark.parametrize("dialect", [HIFIGAN, ESPNET])
def test_the_axis_of_bands_is_the_one_that_has_as_many(shape, batched, frames_first, frames, dialect):
    found = shape_of(inputs(shape), dialect)
    if frames_first is None:
        frames_first = dialect.layout == "frames-mels"
    assert found == InputShape(name="mel", dtype="float32", batched=batched, frames_first=frames_first, frames=frames)


def test_more_bands_than_small_integers_and_half_precision():
    dialect = msgspec.structs.replace(HIFIGAN, n_mels=int("300"))
    found = shape_of(inputs([1, "f", int("300")], "tensor(float16)"), dialect)
    assert found == InputShape(name="mel", dtype="float16", batched=True, frames_first=True, frames=None)


def test_a_shape_is_a_value():
    with pytest.raises(FrozenInstanceError):
        SHAPE.frames = 3
    with pytest.raises(TypeError):
        InputShape("mel", "float32", 1, 1, None)


@pytest.mark.parametrize(
    ("session", "code", "message", "hint"),
    [
        (
            SimpleNamespace(get_inputs=lambda: [SimpleNamespace(name=n) for n in "ab"]),
            "bad-model",
            "the model takes 2 inputs, not one: a, b",
            "",
        ),
        (SimpleNamespace(get_inputs=list), "bad-model", "the model takes 0 inputs, not one: ", ""),
        (
            inputs([1, 80, "f"], "tensor(int64)"),
            "bad-model",
            "the model takes tensor(int64) of shape [1, 80, 'f'], not a mel spectrogram",
            "",
        ),
        *(
            (inputs(shape), "bad-model", f"the model takes tensor(float) of shape {shape}, not a mel spectrogram", "")
            for shape in ([], [80], [1, 1, 80, "f"])
        ),
        *(
            (
                inputs(shape),
                "dialect-mismatch",
                f"the model takes shape {shape}, in which no axis has the 80 bands of the recipe hifigan",
                "give the recipe that the model was trained for",
            )
            for shape in ([1, 100, 64], [79, 81], [80, 100, 64])
        ),
    ],
)
def test_what_takes_no_mel_spectrogram_is_refused(session, code, message, hint):
    with pytest.raises(ItemError) as caught:
        shape_of(session, HIFIGAN)
    assert (caught.value.code, caught.value.message, caught.value.hint) == (code, message, hint)


@pytest.mark.parametrize(("size", "overlap"), [(100, 3), (20, 0), (20, 6), (57, 9)])
def test_chunks_are_joined_into_the_whole(size, overlap):
    mel = np.arange(57, dtype=np.float32)[None].repeat(80, axis=0)
    session = Session()
    found = synthesise(session, SHAPE, mel, hop_length=4, size=size, overlap=overlap)
    assert np.array_equal(found, np.repeat(mel[0], 4))
    assert max(frames for _, frames in session.given) <= size


def test_a_model_of_a_fixed_size_gets_that_many_frames():
    shape = InputShape(name="mel", dtype="float32", batched=True, frames_first=True, frames=64)
    mel = np.arange(57, dtype=np.float32)[None].repeat(80, axis=0)

    class Turned(Session):
        def run(self, _, feeds):
            return super().run(None, {"mel": feeds["mel"][0].T})

    session = Turned()
    found = synthesise(session, shape, mel, hop_length=4, size=64, overlap=3)
    assert session.given == [(80, 64)]
    assert np.array_equal(found, np.repeat(mel[0], 4))


def test_the_last_frame_fills_up_what_a_model_of_a_fixed_size_takes():
    shape = replace(SHAPE, frames=8)
    mel = np.arange(6, dtype=np.float32)[None].repeat(80, axis=0)
    given = []

    class Seen(Session):
        def run(self, _, feeds):
            given.append(feeds["mel"])
            return super().run(_, feeds)

    for less in (0, -3):  # what the model makes of the filling, and of what comes after it, is dropped
        found = synthesise(Seen(less=less), shape, mel, hop_length=4, size=8, overlap=0)
        assert np.array_equal(found, np.repeat(mel[0], 4))
    assert given[0].shape == (80, 8)
    assert given[0][79].tolist() == [0, 1, 2, 3, 4, 5, 5, 5]


@pytest.mark.parametrize("less", [-7, -1, 1, 7])
def test_what_a_model_gives_beyond_the_last_frame_is_kept(less):
    mel = np.arange(20, dtype=np.float32)[None].repeat(80, axis=0)
    found = synthesise(Session(less=less), SHAPE, mel, hop_length=4, size=12, overlap=2)
    expected = np.append(np.repeat(mel[0], 4), np.full(7, -1, np.float32))
    assert np.array_equal(found, expected[: 80 - less])


def test_the_done_frames_are_reported_after_each_chunk():
    done = []
    mel = np.ones((80, 20), np.float32)
    synthesise(Session(), SHAPE, mel, hop_length=4, size=12, overlap=2, on_progress=done.append)
    assert done == [10, 20]


@pytest.mark.parametrize("frames_first", [False, True])
@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("result", [(12,), (1, 12), (12, 1), (1, 1, 12)])
def test_a_model_is_given_what_it_takes_and_may_give_any_floats(frames_first, batched, dtype, result):
    mel = np.arange(240, dtype=np.float64).reshape(80, 3)
    given = []

    def run(names, feeds):
        given.append((names, feeds))
        return [np.arange(12.0).reshape(result), "another output"]

    shape = InputShape(name="in", dtype=dtype, batched=batched, frames_first=frames_first, frames=None)
    found = synthesise(SimpleNamespace(run=run), shape, mel, hop_length=4, size=9, overlap=0)
    assert (found.dtype, found.tolist()) == (np.float32, list(range(12)))
    ((names, feeds),) = given
    (name, array) = feeds.popitem()
    assert (names, name, array.dtype, array.flags.c_contiguous) == (None, "in", dtype, True)
    expected = mel.T if frames_first else mel
    assert np.array_equal(array, expected[None] if batched else expected)


@pytest.mark.parametrize(
    ("session", "code", "message", "hint"),
    [
        *(
            (
                Session(less=less),
                "dialect-mismatch",
                f"the model gives {228 - less} samples for 57 frames, but the recipe has 4 a frame",
                "give the recipe that the model was trained for",
            )
            for less in (8, -8, 227)
        ),
        (
            Session(result=np.zeros((2, 228), "f4")),
            "bad-model",
            "the model gives float32 of shape (2, 228), not one waveform",
            "",
        ),
        (
            Session(result=np.zeros(228, "i2")),
            "bad-model",
            "the model gives int16 of shape (228,), not one waveform",
            "",
        ),
        (Session(result=np.float32(1)), "bad-model", "the model gives float32 of shape (), not one waveform", ""),
    ],
)
def test_what_a_model_gives_is_checked(session, code, message, hint):
    with pytest.raises(ItemError) as caught:
        synthesise(session, SHAPE, np.ones((80, 57), np.float32), hop_length=4, size=100, overlap=3)
    assert (caught.value.code, caught.value.message, caught.value.hint) == (code, message, hint)


def test_chunks_that_leave_gaps_are_refused():
    mel = np.ones((80, 57), np.float32)
    with pytest.raises(ItemError) as caught:
        synthesise(Session(less=1), SHAPE, mel, hop_length=4, size=20, overlap=0)
    assert (caught.value.code, caught.value.message) == (
        "bad-model",
        "the model gives 79 samples for 20 frames: chunks leave gaps between them",
    )
    assert caught.value.remedies == (SetOption("overlap_frames", 2, when="or more"),)
    for overlap, less in ((0, 0), (1, 4), (2, 7)):  # exactly enough, and more than enough
        found = synthesise(Session(less=less), SHAPE, mel, hop_length=4, size=20, overlap=overlap)
        assert found.size == 57 * 4 - less
    with pytest.raises(ItemError, match="75 samples for 20 frames: chunks leave gaps"):
        synthesise(Session(less=5), SHAPE, mel, hop_length=4, size=20, overlap=1)


def test_the_first_line_of_a_model_s_error_is_reported():
    def run(*_):
        raise ZeroDivisionError("\n first \nsecond")

    with pytest.raises(ItemError) as caught:
        synthesise(SimpleNamespace(run=run), SHAPE, np.ones((80, 5)), hop_length=4, size=20, overlap=0)
    assert (caught.value.code, caught.value.message) == (
        "model-failed",
        "the model failed: ZeroDivisionError: first ",
    )
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


class TestOpeningOfASession:
    CPU = "CPUExecutionProvider"

    @pytest.fixture
    def path(self, tmp_path):
        onnx = pytest.importorskip("onnx")
        x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [4]) for name in "xy")
        graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["x"], ["y"])], "g", [x], [y])
        made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
        (tmp_path / "a.onnx").write_bytes(made.SerializeToString())
        return tmp_path / "a.onnx"

    def test_threads_and_silence(self, path):
        options = open_session(path, [self.CPU], 3).get_session_options()
        assert (options.intra_op_num_threads, options.log_severity_level) == (3, 3)

    def test_a_missing_provider(self, path):
        import onnxruntime

        with pytest.raises(ItemError) as caught:
            open_session(path, ["NoSuch", self.CPU, "NorSuch"], 1)
        assert (caught.value.code, caught.value.message) == (
            "no-provider",
            "the installed onnxruntime has no NoSuch, NorSuch",
        )
        available = tuple([provider] for provider in onnxruntime.get_available_providers())
        assert caught.value.remedies == (ChooseOption("providers", available),)

    @pytest.mark.filterwarnings("ignore:Specified provider")
    def test_a_provider_that_does_not_start(self, path, monkeypatch):
        import onnxruntime

        names = [self.CPU, "CUDAExecutionProvider", "ROCMExecutionProvider"]
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
        with pytest.raises(ItemError) as caught:
            open_session(path, names[1:], 1)
        assert (caught.value.code, caught.value.message) == (
            "no-provider",
            "onnxruntime could not start CUDAExecutionProvider, ROCMExecutionProvider",
        )
        assert caught.value.remedies[0] == SetOption("providers", [self.CPU], when="to do without it")
        assert caught.value.hint.endswith("; fix its driver")

    def test_what_cannot_be_loaded(self, tmp_path):
        pytest.importorskip("onnxruntime")
        path = tmp_path / "a.onnx"
        path.write_bytes(b"no model")
        with pytest.raises(ItemError) as caught:
            open_session(path, [self.CPU], 1)
        assert caught.value.code == "bad-model"
        assert caught.value.message.startswith(f"{path} cannot be loaded: InvalidProtobuf: ")
        assert "\n" not in caught.value.message

    def test_the_package_that_is_needed(self):
        assert (ONNXRUNTIME.name, ONNXRUNTIME.hint) == ("onnxruntime", "pip install 'tonearm[vocoder]'")
