"""One call of a network: arrays in the axes of its inputs, and its outputs as columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from network_material import (
    CASES,
    LEVELS,
    MEL,
    TOKENS,
    Case,
    mel_of,
    network,
    stateful,
    stereo_codec,
    tokens_of,
    vocoder,
    with_more,
)

from tonearm.api import Context, ItemError
from tonearm_plugins.networks.given_inputs import given_arrays
from tonearm_plugins.networks.network import Network, arranged
from tonearm_plugins.networks.onnx_session import OnnxModel, load_model
from tonearm_plugins.networks.plan import NetworkPlan, PlannedInput, PlannedOutput, TensorInfo
from tonearm_plugins.networks.planning import wanted_by
from trial_graphs import HOP, Graph, lstm_codec, plain_codec, ragged_codec, rank_4_codec, run, scaled_codec


@pytest.mark.parametrize("case", CASES, ids=str)
def test_models_give_what_they_gave(case: Case) -> None:
    signal, inputs, outputs = case.signal(), case.arrays("in"), case.arrays("out")
    wanted = wanted_by(signal, getattr(signal, "dialect", None))
    more = {"inputs": {"f0": 0.0}} if case.name == "nsf_tiny" else {}
    net = network(case.path, wanted, **more)
    if case.name == "nsf_tiny":
        net.given["f0"] = inputs[1]
    values = signal.block_array()
    found, states = net.columns(values, [(channel, 0) for channel in range(len(values))])
    expected: Any = outputs[0] if len(outputs) == 1 else outputs[0] * (outputs[1] + 1j * outputs[2])
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()
    assert states == {}


@pytest.mark.parametrize(
    ("have", "want", "shape"),
    [
        (("batch", "band", "frame"), ("batch", "frame", "band"), (2, 5, 3)),
        (("batch", "band", "frame"), ("batch", "one", "band", "frame"), (2, 1, 3, 5)),
        (("batch", "band", "frame"), ("segment", "batch", "one", "frame", "band"), (1, 2, 1, 5, 3)),
        (("batch", "one", "frame"), ("batch", "frame"), (2, 5)),
    ],
)
def test_axes_are_put_in_order(have: Any, want: Any, shape: tuple[int, ...]) -> None:
    sizes = {"batch": 2, "band": 3, "frame": 5, "one": 1}
    array = np.arange(np.prod([sizes[axis] for axis in have])).reshape([sizes[axis] for axis in have])
    found = arranged(array, have, want)
    assert found.shape == shape
    np.testing.assert_array_equal(arranged(found, want, have), array)


def test_an_axis_without_room_is_named() -> None:
    with pytest.raises(ItemError, match="there are 3 in axis band, where the model has room for one"):
        arranged(np.zeros((2, 3, 5)), ("batch", "band", "frame"), ("batch", "frame"))


@pytest.mark.parametrize("make", [plain_codec, rank_4_codec, lstm_codec])
def test_codes_in_the_axes_that_the_model_has(tmp_path: Path, make: Any) -> None:
    path, codes = make(tmp_path / "c.onnx"), tokens_of(20, 2).codes
    given = codes.astype(np.int64)[None] if make is rank_4_codec else codes.astype(np.int64)
    found, _ = network(path, TOKENS).columns(codes, [(0, 0), (1, 0)])
    np.testing.assert_array_equal(found, run(path, {"audio_codes": given})["audio_values"])


def test_levels_are_taken_apart(tmp_path: Path) -> None:
    path = ragged_codec(tmp_path / "r.onnx")
    levels = [np.random.default_rng(level).integers(0, 64, (2, 5 << level)) for level in range(3)]
    values = np.concatenate([level.reshape(2, 5, -1).transpose(0, 2, 1) for level in levels], axis=1)
    found, _ = network(path, LEVELS).columns(values, [(0, 0), (1, 0)])
    feeds = {f"codes_{number}": level for number, level in enumerate(levels)}
    np.testing.assert_array_equal(found, run(path, feeds)["audio"])


def test_channels_of_the_sound_are_kept(tmp_path: Path) -> None:
    found, _ = network(stereo_codec(tmp_path / "s.onnx"), TOKENS).columns(tokens_of(20).codes)
    assert found.shape == (1, 2, 20 * HOP)


@pytest.mark.parametrize("scales", [(), (0.25, 3.0)])
def test_scales(tmp_path: Path, scales: tuple[float, ...]) -> None:
    path, codes = scaled_codec(tmp_path / "s.onnx"), tokens_of(20, 2).codes
    found, _ = network(path, TOKENS).columns(codes, [(0, 0), (1, 0)], scales)
    feeds = {"audio_codes": codes.astype(np.int64), "audio_scales": np.array(scales or (1, 1), "f4")[:, None]}
    np.testing.assert_array_equal(found, run(path, feeds)["audio_values"])


def test_lengths_constants_and_arrays_that_follow_the_signal(tmp_path: Path) -> None:
    path, mel, rng = with_more(tmp_path / "m.onnx"), mel_of(30, 2), np.random.default_rng(0)
    speaker, f0 = rng.random(12, "f4"), rng.random((2, 90), "f4")
    options = {"inputs": {"spk_emb": speaker.tolist(), "noise_scale": 0.5, "f0": 0.0}}
    net = network(path, MEL, **options)
    net.given = {**given_arrays(net.plan, 2, 90, Context()), "f0": f0}
    found, _ = net.columns(mel, [(0, 10), (1, 60)])
    feeds = {
        "mel": mel,
        "mel_lengths": np.full(2, 30),
        "spk_emb": speaker[None],
        "noise_scale": np.array(0.5, np.float32),
        "f0": np.stack([f0[0, 10:40], f0[1, 60:90]]),
    }
    np.testing.assert_array_equal(found, run(path, feeds)["wav"])


def test_states_are_empty_first_and_handed_on(tmp_path: Path) -> None:
    path, mel = stateful(tmp_path / "s.onnx"), mel_of(30, 2)
    net, places = network(path, MEL), [(0, 0), (1, 0)]
    first, states = net.columns(mel[..., :11], places)
    second, _ = net.columns(mel[..., 11:], places, states=states)
    whole = run(path, {"mel": mel, "state_in": np.zeros((2, 12, 4), "f4")})["wav"]
    np.testing.assert_allclose(np.concatenate((first, second), axis=2), whole, atol=1e-6)
    assert states["state_in"].shape == (2, 12, 4)


class Made(OnnxModel):
    """A model that gives arrays by name."""

    def __init__(self, **given: Any) -> None:
        super().__init__(None)
        self._given = given
        self.fed: dict[str, Any] = {}

    def run(self, feeds: Any, outputs: Any) -> list[Any]:
        self.fed = dict(feeds)
        return [self._given[name] for name in outputs]


def made(outputs: dict[str, tuple[Any, Any]], dtype: str = "float32", **given: Any) -> tuple[Network, Made]:
    """Return a network whose outputs have these roles and axes."""
    tensor = TensorInfo("mel", dtype, ("batch", 12, "frames"))
    plan = NetworkPlan(
        inputs=(PlannedInput(tensor=tensor, role="values", axes=("batch", "band", "frame")),),
        outputs=tuple(
            PlannedOutput(tensor=TensorInfo(name, "float32", None), role=role, axes=axes)
            for name, (role, axes) in outputs.items()
        ),
    )
    model = Made(**given)
    return Network(plan, model), model


def test_codes_that_the_type_of_the_input_cannot_hold(tmp_path: Path) -> None:
    from onnx import TensorProto

    graph = Graph(5)
    codes = graph.give("codes", ("batch", 4, "frames"), TensorProto.UINT8)
    seen = graph.see(graph.embed(graph.node("Cast", [codes], to=TensorProto.INT64)))
    graph.take(graph.speak(seen), "audio", ("batch", 1, "samples"))
    net = network(graph.write(tmp_path / "c.onnx"), TOKENS)
    values = tokens_of(9).codes
    assert net.columns(values)[0].shape[0] == 1
    with pytest.raises(ItemError, match="input codes of the model is of uint8, which cannot hold the code 3") as caught:
        net.columns(values + 256)
    assert caught.value.code == "bad-token"


class TestOutputs:
    def test_a_waveform_of_unknown_rank(self) -> None:
        for shape in ((40,), (1, 40), (1, 1, 40), (1, 1, 1, 40)):
            net, _ = made({"wav": ("waveform", ())}, wav=np.ones(shape, "f4"))
            assert net.columns(mel_of(4))[0].shape == (1, 1, 40)
        for shape in ((1, 80, 20), (1, 1, 1, 1, 40)):
            net, _ = made({"wav": ("waveform", ())}, wav=np.ones(shape, "f4"))
            with pytest.raises(ItemError, match="not a waveform") as caught:
                net.columns(mel_of(4))
            assert caught.value.code == "bad-model"

    def test_whole_numbers_are_pcm(self) -> None:
        net, _ = made({"wav": ("waveform", ("batch", "sample"))}, wav=np.array([[-32768, 16384]], "i2"))
        np.testing.assert_array_equal(net.columns(mel_of(4))[0], [[[-1, 0.5]]])

    def test_truth_is_no_sound(self) -> None:
        net, _ = made({"wav": ("waveform", ("batch", "sample"))}, wav=np.zeros((1, 4), bool))
        with pytest.raises(ItemError, match="a waveform of bool"):
            net.columns(mel_of(4))

    def test_lengths_cut(self) -> None:
        outputs = {"wav": ("waveform", ("batch", "sample")), "len": ("length", ("batch",))}
        net, _ = made(outputs, wav=np.ones((1, 40), "f4"), len=np.array([25]))
        assert net.columns(mel_of(4))[0].shape == (1, 1, 25)

    def test_half_precision_in_and_out(self) -> None:
        net, model = made({"wav": ("waveform", ("batch", "sample"))}, "float16", wav=np.ones((1, 40), "f2"))
        assert net.columns(mel_of(4))[0].dtype == np.float32
        assert model.fed["mel"].dtype == np.float16
        assert model.fed["mel"].flags.c_contiguous


def test_works_of_one_model_are_told_apart(tmp_path: Path) -> None:
    path = vocoder(tmp_path / "v.onnx")
    one, other = network(path, MEL), Network(network(path, MEL).plan, load_model(path), counts=(1, 2))
    assert one.question == network(path, MEL).question
    assert one.question != other.question
