"""Networks at work whole, in chunks and in streams: every way gives the sound of one call for the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from network_material import (
    BANDS,
    CASES,
    HOP,
    LEVELS,
    MEL,
    TOKENS,
    Case,
    assert_close,
    fractional,
    grid_of,
    halving,
    mel_of,
    network,
    normalising,
    stateful,
    tokens_of,
    vocoder,
    with_more,
)

from tonearm.api import Context, ItemError
from tonearm_plugins.networks.onnx_session import load_model
from tonearm_plugins.networks.receptive_field import ReceptiveField
from tonearm_plugins.networks.streaming import StartedNetwork, WorkOptions
from trial_graphs import Graph, quantised_codec, ragged_codec, run


def whole(net: Any, values: Any, context: Context | None = None, **options: Any) -> Any:
    return StartedNetwork(net, WorkOptions(**options), context or Context()).push_last(values)


def in_blocks(net: Any, values: Any, cut: int = 7, **options: Any) -> Any:
    started = StartedNetwork(net, WorkOptions(**options), Context())
    parts = [started.push(values[..., at : at + cut]) for at in range(0, values.shape[-1], cut)]
    last = started.finish()
    assert last is not None
    return np.concatenate([part for part in (*parts, last) if part.size], axis=-1)


def calls_of(monkeypatch: pytest.MonkeyPatch, path: Path) -> list[int]:
    """Return a list that takes the batch size of each call of a model."""
    model, sizes = load_model(path), []
    original = model.run

    def counted(feeds: Any, outputs: Any) -> Any:
        sizes.append(len(next(iter(feeds.values()))))
        return original(feeds, outputs)

    monkeypatch.setattr(model, "run", counted)
    return sizes


@pytest.mark.parametrize("less", [(0, 0), (4, 4), (0, HOP), (HOP, 0), (2 * HOP, 2 * HOP)])
@pytest.mark.parametrize("chunk", [None, 5, 20, 64])
def test_sound_may_be_shorter_at_its_ends(tmp_path: Path, less: tuple[int, int], chunk: int | None) -> None:
    path, mel = vocoder(tmp_path / "v.onnx", less=less), mel_of(100, 2)
    wanted = run(path, {"mel": mel})["wav"][:, 0]
    options: dict[str, Any] = {"chunk": chunk, "samples_per_frame": HOP}
    assert_close(whole(network(path, MEL), mel, **options), wanted)
    assert_close(in_blocks(network(path, MEL), mel, **options), wanted)


@pytest.mark.parametrize("more", [1, HOP, 3 * HOP])
def test_sound_may_be_longer(tmp_path: Path, more: int) -> None:
    path, mel = vocoder(tmp_path / "v.onnx", more=more), mel_of(100)
    wanted = run(path, {"mel": mel})["wav"][:, 0]
    assert wanted.shape[1] == 100 * HOP + more
    assert_close(whole(network(path, MEL), mel, chunk=20), wanted)
    assert_close(in_blocks(network(path, MEL), mel, chunk=20), wanted)


@pytest.mark.parametrize("frames", [1, 23, 24, 25, 43, 44, 100])
def test_a_window_of_fixed_size_is_filled_up_and_cut(tmp_path: Path, frames: int) -> None:
    fixed, free = vocoder(tmp_path / "24.onnx", frames=24, batch=1), vocoder(tmp_path / "v.onnx")
    mel = mel_of(frames, 2)
    filled = np.pad(mel, ((0, 0), (0, 0), (0, max(0, 24 - frames))), mode="edge")
    wanted = run(free, {"mel": filled})["wav"][:, 0, : frames * HOP]
    assert_close(whole(network(fixed, MEL), mel, samples_per_frame=HOP), wanted)
    assert_close(in_blocks(network(fixed, MEL), mel, samples_per_frame=HOP), wanted)


def test_a_window_of_codes_is_filled_up_with_code_0(tmp_path: Path) -> None:
    path = ragged_codec(tmp_path / "r.onnx", 8)
    levels = [np.random.default_rng(level).integers(0, 64, (1, 5 << level)) for level in range(3)]
    filled = [np.pad(level, ((0, 0), (0, 3 << number))) for number, level in enumerate(levels)]
    wanted = run(path, {f"codes_{number}": level for number, level in enumerate(filled)})["audio"][:, 0, : 5 * 320]
    values = np.concatenate([level.reshape(1, 5, -1).transpose(0, 2, 1) for level in levels], axis=1)
    assert_close(whole(network(path, LEVELS), values, samples_per_frame=320), wanted)


def test_a_window_smaller_than_the_field_warns(tmp_path: Path) -> None:
    path, context = vocoder(tmp_path / "4.onnx", frames=4, batch=1), Context()
    assert whole(network(path, MEL), mel_of(30), context, samples_per_frame=HOP).shape == (1, 30 * HOP)
    assert context.warnings == ["the model depends on more frames than it takes at once: the joins may be heard"]


@pytest.mark.parametrize("frames", ["frames", 8])
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("chunk", [None, 1, 20])
def test_states_go_from_chunk_to_chunk(tmp_path: Path, frames: Any, batch: int, chunk: int | None) -> None:
    path, mel = stateful(tmp_path / "s.onnx", frames), mel_of(61, 3)
    free = stateful(tmp_path / "free.onnx")
    wanted = run(free, {"mel": mel, "state_in": np.zeros((3, *mel.shape[1:2], 4), np.float32)})["wav"][:, 0]
    options: dict[str, Any] = {"chunk": None if frames == 8 else chunk, "batch": batch, "samples_per_frame": HOP}
    assert_close(whole(network(path, MEL), mel, **options), wanted)
    assert_close(in_blocks(network(path, MEL), mel, **options), wanted)


@pytest.mark.parametrize("chunk", [19, 20, 50])
def test_chunks_begin_where_the_network_may_be_shifted_to(tmp_path: Path, chunk: int) -> None:
    path, mel = halving(tmp_path / "h.onnx"), mel_of(90)
    wanted = run(path, {"mel": mel})["wav"][:, 0]
    context = Context()
    assert_close(whole(network(path, MEL), mel, context, chunk=chunk), wanted)
    assert context.warnings == []


class TestWhatCannotBeCut:
    def test_a_mean_over_all_frames_is_measured_and_said(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tonearm_plugins.networks.streaming.CHUNK_SAMPLES", 1000)
        path, mel, context = normalising(tmp_path / "n.onnx"), mel_of(200), Context()
        found = whole(network(path, MEL), mel, context, samples_per_frame=HOP)
        assert_close(found, run(path, {"mel": mel})["wav"][:, 0])
        assert context.warnings == [
            "the sound of each frame depends on all frames, so the model runs on the whole at once"
        ]

    def test_nor_is_the_scale_of_8_bits_missed(self, tmp_path: Path) -> None:
        path, context = quantised_codec(tmp_path / "q.onnx"), Context()
        codes = tokens_of(200).block_array()
        whole(network(path, TOKENS), codes, context, chunk=32, sizes=(64,) * 4)
        assert context.warnings == ["chunks of this model are not parts of the whole: the joins may be heard"]

    def test_chunks_are_made_on_request(self, tmp_path: Path) -> None:
        path, mel, context = normalising(tmp_path / "n.onnx"), mel_of(200), Context()
        found = whole(network(path, MEL), mel, context, chunk=40)
        assert found.shape == (1, 200 * HOP)
        assert context.warnings == ["chunks of this model are not parts of the whole: the joins may be heard"]

    def test_frames_of_a_broken_number_of_samples_run_whole(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tonearm_plugins.networks.streaming.CHUNK_SAMPLES", 1000)
        path, mel = fractional(tmp_path / "f.onnx"), mel_of(201)
        assert_close(whole(network(path, MEL), mel), run(path, {"mel": mel})["wav"][:, 0])

    def test_a_field_that_is_too_small_leaves_gaps(self, tmp_path: Path) -> None:
        path = vocoder(tmp_path / "v.onnx", less=(0, HOP))
        with pytest.raises(ItemError, match="for 20 frames: chunks leave gaps between them"):
            whole(network(path, MEL), mel_of(100), chunk=20, field=ReceptiveField(0, 0))

    def test_a_chunk_that_is_too_small_is_raised_with_a_word(self, tmp_path: Path) -> None:
        context = Context()
        whole(network(vocoder(tmp_path / "v.onnx"), MEL), mel_of(100), context, chunk=3)
        assert context.warnings == ["the model needs chunks of 5 frames for its receptive field of 4"]


def test_the_rate_of_the_sound_must_be_the_one_that_is_known(tmp_path: Path) -> None:
    path = vocoder(tmp_path / "v.onnx")
    for chunk in (None, 20):
        with pytest.raises(ItemError, match="the model gives ") as caught:
            whole(network(path, MEL), mel_of(100), chunk=chunk, samples_per_frame=12)
        assert caught.value.code == "dialect-mismatch"


def test_batches_hold_channels_and_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, mel = vocoder(tmp_path / "v.onnx"), mel_of(100, 3)
    net = network(path, MEL)
    wanted = whole(net, mel)
    sizes = calls_of(monkeypatch, path)
    options: dict[str, Any] = {"chunk": 24, "field": ReceptiveField(2, 2)}
    assert_close(whole(net, mel, batch=4, **options), wanted)
    assert sizes == [1, 1, 4, 4, 4, 3]  # two calls tell the samples of a frame
    sizes.clear()
    assert_close(whole(net, mel, batch=1, **options), wanted)
    assert sizes == [1] * 15


def test_a_fixed_batch_is_filled_up(tmp_path: Path) -> None:
    path, free = vocoder(tmp_path / "b.onnx", batch=4), vocoder(tmp_path / "v.onnx")
    mel = mel_of(30, 3)
    for batch in (1, 4):
        assert_close(whole(network(path, MEL), mel, batch=batch), run(free, {"mel": mel})["wav"][:, 0])


def test_what_is_given_to_each_channel_goes_with_it_in_batches(tmp_path: Path) -> None:
    path, mel = with_more(tmp_path / "m.onnx"), mel_of(90, 3)
    f0 = np.random.default_rng(0).random((3, 90), np.float32)
    net = network(path, MEL, inputs={"spk_emb": [0.1] * 12, "noise_scale": 1.0, "f0": 0.0})
    net.given = {"spk_emb": np.full((1, 12), 0.1), "noise_scale": np.ones(1), "f0": f0}
    one = {"spk_emb": np.full((1, 12), 0.1, np.float32), "noise_scale": np.array(1, np.float32)}
    feeds = {"mel": mel, "mel_lengths": np.full(3, 90), "f0": f0, **one}
    wanted = run(path, feeds)["wav"][:, 0]
    for batch in (1, 2, 3, 8):
        assert_close(whole(net, mel, batch=batch), wanted)


@pytest.mark.parametrize("shape", [("frames",), (1, "frames")])
def test_what_follows_the_signal_without_room_for_a_batch_makes_calls_of_one(tmp_path: Path, shape: Any) -> None:
    graph = Graph(7)
    mel, f0 = graph.give("mel", ("batch", BANDS, "frames")), graph.give("f0", shape)
    graph.take(graph.speak(graph.see(graph.node("Add", [mel, f0])), HOP), "wav", ("batch", 1, "samples"))
    net = network(graph.write(tmp_path / "f.onnx"), MEL, inputs={"f0": 0.0})
    net.given = {"f0": np.random.default_rng(0).random((1, 300), np.float32)}
    mel_values = mel_of(300)
    assert_close(whole(net, mel_values, chunk=60, batch=4), whole(net, mel_values))


@pytest.mark.parametrize("frames", [80, 100])
def test_what_is_not_as_long_as_a_stream_is_an_error_at_its_end(tmp_path: Path, frames: int) -> None:
    net = network(with_more(tmp_path / "m.onnx"), MEL, inputs={"spk_emb": 0.1, "noise_scale": 1.0, "f0": 0.0})
    net.given = {"spk_emb": np.full((1, 12), 0.1), "noise_scale": np.ones(1), "f0": np.ones((1, frames), "f4")}
    with pytest.raises(ItemError, match=f"an array of {frames} frames, but the signal has 90") as caught:
        in_blocks(net, mel_of(90))
    assert caught.value.code == "bad-model-input"


def test_short_signals_are_neither_measured_nor_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = vocoder(tmp_path / "v.onnx")
    net = network(path, MEL)
    sizes = calls_of(monkeypatch, path)
    whole(net, mel_of(300), samples_per_frame=HOP)
    assert sizes == [1]


def test_long_ones_are_cut_and_progress_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tonearm_plugins.networks.streaming.CHUNK_SAMPLES", 1600)
    path, mel, done = vocoder(tmp_path / "v.onnx"), mel_of(300, 2), []
    started = StartedNetwork(network(path, MEL), WorkOptions(samples_per_frame=HOP), Context(), done.append)
    assert_close(started.push_last(mel), run(path, {"mel": mel})["wav"][:, 0])
    assert len(done) >= 6
    assert done == sorted(done)
    assert done[-1] == 600


def test_a_known_length_cuts_the_sound(tmp_path: Path) -> None:
    path, mel = vocoder(tmp_path / "v.onnx"), mel_of(100)
    wanted = run(path, {"mel": mel})["wav"][:, 0, :1234]
    assert_close(whole(network(path, MEL), mel, length=1234, chunk=20), wanted)
    assert_close(in_blocks(network(path, MEL), mel, length=1234, chunk=20), wanted)


def test_codes_are_checked_before_anything_runs(tmp_path: Path) -> None:
    net = network(ragged_codec(tmp_path / "r.onnx"), LEVELS)
    values = np.zeros((1, 7, 30), np.int32)
    values[0, 5, 20] = 64
    options: dict[str, Any] = {"sizes": (64,) * 7, "counts": (1, 2, 4)}
    for work in (whole, in_blocks):
        with pytest.raises(ItemError, match=r"code 64 in level 2, frame 82 is not one of 0 to 63"):
            work(net, values, **options)


def test_nothing_gives_nothing(tmp_path: Path) -> None:
    started = StartedNetwork(network(vocoder(tmp_path / "v.onnx"), MEL), WorkOptions(), Context())
    assert started.finish() is None


@pytest.mark.parametrize("padding", ["center", "half-overlap"])
@pytest.mark.parametrize("chunk", [None, 26])
@pytest.mark.parametrize("case", [case for case in CASES if case.name == "vocos_magxy_tiny"], ids=str)
def test_an_inverse_stft_follows_a_spectrum(case: Case, chunk: int | None, padding: str) -> None:
    from tonearm_plugins.networks.planning import Wanted

    wanted = Wanted(kind="mel", bands=100, sample_rate=24000, samples_per_frame=256)
    net = network(case.path, wanted, n_fft=1024, hop_length=256)
    options: dict[str, Any] = {"grid": grid_of(padding), "samples_per_frame": 256, "chunk": chunk}
    values = case.arrays("in")[0]
    assert_close(whole(net, values, **options), case.wave(padding), 5e-5 if chunk else 1e-5)
    assert_close(in_blocks(net, values, **options), case.wave(padding), 5e-5)
