"""Which axis of a vocoder's input is which, without a vocoder: sessions are made up."""

from types import SimpleNamespace

import numpy as np
import pytest

from tonearm.api import ItemError, MelDialect, SetOption
from tonearm.plugins import registry
from tonearm_plugins.formats.onnx import InputShape, shape_of, synthesise

HIFIGAN = registry.default().catalogue(MelDialect).find("hifigan")  # 80 bands, written bands first
ESPNET = registry.default().catalogue(MelDialect).find("speecht5")  # 80 bands, written frames first
SHAPE = InputShape(name="mel", dtype="float32", batched=False, frames_first=False, frames=None)


class Session:
    """A model that repeats the first band, ``hop`` times a frame, and cuts some samples off."""

    def __init__(self, hop=4, less=0, result=None):
        self.hop, self.less, self.result, self.given = hop, less, result, []

    def run(self, _, feeds):
        (mel,) = feeds.values()
        self.given.append(mel.shape)
        if self.result is not None:
            return [self.result]
        samples = np.repeat(mel[0], self.hop)
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
    ],
)
@pytest.mark.parametrize("dialect", [HIFIGAN, ESPNET])
def test_the_axis_of_bands_is_the_one_that_has_as_many(shape, batched, frames_first, frames, dialect):
    found = shape_of(inputs(shape), dialect)
    if frames_first is None:
        frames_first = dialect.layout == "frames-mels"
    assert found == InputShape(name="mel", dtype="float32", batched=batched, frames_first=frames_first, frames=frames)


@pytest.mark.parametrize(
    ("session", "code", "message"),
    [
        (SimpleNamespace(get_inputs=lambda: [SimpleNamespace(name=n) for n in "ab"]), "bad-model", "2 inputs"),
        (inputs([1, 80, "f"], "tensor(int64)"), "bad-model", "tensor\\(int64\\)"),
        (inputs([1, 1, 80, "f"]), "bad-model", "not a mel spectrogram"),
        (inputs([1, 100, 64]), "dialect-mismatch", "no axis has the 80 bands"),
    ],
)
def test_what_takes_no_mel_spectrogram_is_refused(session, code, message):
    with pytest.raises(ItemError, match=message) as caught:
        shape_of(session, HIFIGAN)
    assert caught.value.code == code


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


def test_what_a_model_gives_is_checked():
    mel = np.ones((80, 57), np.float32)
    for session, message in (
        (Session(hop=5), "285 samples for 57 frames"),
        (Session(result=np.zeros((2, 228), np.float32)), "not one waveform"),
        (Session(result=np.zeros(228, np.int16)), "int16"),
    ):
        with pytest.raises(ItemError, match=message):
            synthesise(session, SHAPE, mel, hop_length=4, size=100, overlap=3)
    with pytest.raises(ItemError, match="leave gaps") as caught:
        synthesise(Session(less=1), SHAPE, mel, hop_length=4, size=20, overlap=0)
    assert caught.value.remedies == (SetOption("overlap_frames", 2, when="or more"),)
    found = synthesise(Session(less=1), SHAPE, mel, hop_length=4, size=20, overlap=2)
    assert found.size == 57 * 4 - 1
