"""Decoders of codecs in ONNX files, from pipelines and by hand: tokens and latents to waveforms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from network_material import CASES, Case, assert_close, stereo_codec, streamed, tokens_of

import tonearm
from tonearm.api import Codebooks, CodecTokens, Context, ItemError, OptionError, Spec, spec_of
from tonearm_plugins.networks.segments import joined
from tonearm_plugins.transforms.onnx_codec import OnnxCodec, OnnxCodecOptions
from trial_graphs import (
    cropped_codec,
    lstm_codec,
    noisy_codec,
    plain_codec,
    rank_4_codec,
    run,
    scaled_codec,
    state_codec,
)

CODECS = [case for case in CASES if case.facts["kind"] in ("codec", "latent")]


def made(path: str | Path, **options: Any) -> OnnxCodec:
    given = OnnxCodecOptions(model=str(path), **options)
    assert [str(problem) for problem in given.problems()] == []
    return OnnxCodec(given)


def sound_of(path: Path, codes: Any, name: str = "audio_codes", **more: Any) -> Any:
    (found, *_) = run(path, {name: codes.astype(np.int64), **more}).values()
    return found.reshape(-1, found.shape[-1])


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("case", CODECS, ids=str)
def test_models_give_their_sound_whole(case: Case, batch: int) -> None:
    batch = 1 if case.name == "static24_tiny" else batch
    found = made(case.path, batch=batch).apply(case.signal(), Context())
    assert found.sample_rate == case.facts["sample_rate"]
    assert_close(found.samples, case.wave())


@pytest.mark.one_in(3)
@pytest.mark.parametrize("more", [{}, {"batch": 3}, {"receptive_field": True}], ids=["plain", "batch", "field"])
@pytest.mark.parametrize("chunk", [1, 4, None])
@pytest.mark.parametrize("case", [case for case in CODECS if case.name != "static24_tiny"], ids=str)
def test_and_in_chunks_and_streams(case: Case, chunk: int | None, more: dict[str, Any]) -> None:
    """Chunks are of 64 frames, or of a few frames more than the receptive field."""
    chunk = 64 if chunk is None else sum(case.field) + chunk
    given = {"receptive_field": case.field} if "receptive_field" in more else more
    transform, context = made(case.path, chunk=chunk, **given), Context()
    assert_close(transform.apply(case.signal(), context).samples, case.wave())
    assert context.warnings == []
    assert_close(streamed(transform, case.signal(), 5), case.wave())


def test_a_window_of_24_frames_takes_any_number(tmp_path: Path) -> None:
    """Windows overlap by the receptive field, so that twice as many frames in two windows are what the middle says."""
    (case,) = (case for case in CODECS if case.name == "static24_tiny")
    codes, wave = case.signal().codes, case.wave()
    left, right = case.field
    more = np.random.default_rng(0).integers(0, 1024, (1, 8, 30)).astype("i4")
    signal = CodecTokens(
        codes=np.concatenate((codes, more), axis=2), sizes=1024, sample_rate=24000, samples_per_frame=320
    )
    for found in (made(case.path).apply(signal, Context()).samples, streamed(made(case.path), signal, 7)):
        assert found.shape == (1, 54 * 320)
        kept = (24 - right) * 320
        assert_close(found[:, :kept], wave[:, :kept])
        last = sound_of(case.path, signal.codes[..., -24:], "codes")
        assert_close(found[:, -kept:], last[:, left * 320 :][:, -kept:])
    short = CodecTokens(codes=codes[..., :9], sizes=1024, sample_rate=24000, samples_per_frame=320)
    filled = np.pad(codes[..., :9], ((0, 0), (0, 0), (0, 15)))
    assert_close(made(case.path).apply(short, Context()).samples, sound_of(case.path, filled, "codes")[:, : 9 * 320])


@pytest.mark.parametrize("make", [plain_codec, rank_4_codec, stereo_codec])
@pytest.mark.parametrize("chunk", [None, 12])
def test_channels_are_decoded_one_by_one(tmp_path: Path, make: Any, chunk: int | None) -> None:
    path, signal = make(tmp_path / "c.onnx"), tokens_of(70, 2)
    codes = signal.codes[None] if make is rank_4_codec else signal.codes
    found = made(path, chunk=chunk).apply(signal, Context())
    assert_close(found.samples, sound_of(path, codes))
    spec = made(path).produces(spec_of(signal))
    assert (spec.sample_rate, spec.channels) == (24000, 4 if make is stereo_codec else 2)
    assert Codebooks not in spec.carried


def test_states_stream(tmp_path: Path) -> None:
    path, signal = state_codec(tmp_path / "s.onnx"), tokens_of(61)
    wanted = sound_of(path, signal.codes, "codes", cache_in=np.zeros((1, 12, 4), "f4"))
    for chunk in (None, 7):
        assert_close(made(path, chunk=chunk).apply(signal, Context()).samples, wanted)
        assert_close(streamed(made(path, chunk=chunk), signal, 4), wanted)


@pytest.mark.parametrize("name", ["neucodec_tiny", "dac_tiny"])  # the header of the first does not tell its channels
def test_tokens_are_streamed_into_a_file(name: str, tmp_path: Path) -> None:
    case = next(case for case in CODECS if case.name == name)
    signal = case.signal()
    codes, books = signal.codes[0], signal.codebooks
    layout = {
        "axes": ["book", "frame"],
        "size": case.facts["codebook_size"],
        "sample_rate": books.sample_rate,
        "samples_per_frame": books.samples_per_frame,
    }
    with tonearm.stream(tmp_path / "a.wav", subtype="FLOAT", layout=layout, model=str(case.path)) as out:
        for begin in range(0, codes.shape[1], 5):
            out.write(codes[:, begin : begin + 5])
    assert_close(tonearm.read(tmp_path / "a.wav").samples, case.wave()[:1])


@pytest.mark.parametrize("frames", [24, 64])
def test_a_fixed_window_may_be_cropped_in_the_middle(frames: int, tmp_path: Path) -> None:
    signal = tokens_of(frames)
    wanted = sound_of(cropped_codec(tmp_path / "any.onnx"), signal.codes)
    found = made(cropped_codec(tmp_path / "fixed.onnx", 24)).apply(signal, Context())
    assert_close(found.samples, wanted)


def test_a_known_length_cuts_the_sound(tmp_path: Path) -> None:
    path = plain_codec(tmp_path / "c.onnx")
    assert made(path).apply(tokens_of(70, length=20_000), Context()).length == 20_000


class TestSegments:
    def test_each_is_decoded_alone_scaled_and_joined(self, tmp_path: Path) -> None:
        path = plain_codec(tmp_path / "c.onnx")
        signal = tokens_of(70, 2, segments=(30, 30, 10), scales=(0.5, 2.0, 1.0))
        sounds = [
            sound_of(path, signal.codes[..., first:last]) * scale
            for first, last, scale in ((0, 30, 0.5), (30, 60, 2.0), (60, 70, 1.0))
        ]
        for stride, given in ((9504, {}), (9000, {"segment_stride": 9000})):
            done: list[float] = []
            context = Context(on_progress=lambda report: done.append(report.done))  # noqa: B023
            assert_close(made(path, **given).apply(signal, context).samples, joined(sounds, stride))

    def test_a_model_that_takes_scales_gets_them(self, tmp_path: Path) -> None:
        path = scaled_codec(tmp_path / "c.onnx")
        signal = tokens_of(60, segments=(30, 30), scales=(0.5, 2.0))
        sounds = [
            sound_of(path, signal.codes[..., first : first + 30], audio_scales=np.array([[scale]], "f4"))
            for first, scale in ((0, 0.5), (30, 2.0))
        ]
        assert_close(made(path).apply(signal, Context()).samples, joined(sounds, 9504))

    def test_without_scales_they_follow_one_another(self, tmp_path: Path) -> None:
        path, signal = plain_codec(tmp_path / "c.onnx"), tokens_of(60, segments=(30, 30), length=19_000)
        sounds = [sound_of(path, signal.codes[..., first : first + 30]) for first in (0, 30)]
        found = made(path).apply(signal, Context()).samples
        assert_close(found, np.concatenate(sounds, axis=1)[:, :19_000])

    def test_one_segment_has_its_scale(self, tmp_path: Path) -> None:
        path, signal = plain_codec(tmp_path / "c.onnx"), tokens_of(30, scales=(0.25,))
        assert_close(made(path).apply(signal, Context()).samples, sound_of(path, signal.codes) * np.float32(0.25))


class TestWhatDoesNotFit:
    def test_codes_out_of_range(self, tmp_path: Path) -> None:
        signal = tokens_of(30)
        signal.codes[0, 2, 17] = 64
        with pytest.raises(ItemError, match="code 64 in book 2, frame 17 is not one of 0 to 63") as caught:
            made(plain_codec(tmp_path / "c.onnx")).apply(signal, Context())
        assert caught.value.code == "bad-token"

    def test_other_books(self, tmp_path: Path) -> None:
        plugin = made(plain_codec(tmp_path / "c.onnx"))
        books = Codebooks(sizes=(64,) * 3, sample_rate=24000, samples_per_frame=320)
        with pytest.raises(OptionError, match="takes 4 books, but the codec tokens have 3") as caught:
            plugin.produces(Spec(signals=(CodecTokens,)).carrying(books))
        assert caught.value.code == "model-mismatch"
        codes = np.zeros((1, 3, 9), np.int32)
        with pytest.raises(ItemError, match="takes 4 books, but the codec tokens have 3"):
            plugin.apply(CodecTokens(codes=codes, sample_rate=24000, samples_per_frame=320), Context())

    def test_states_of_odd_names_get_one_line_for_both_ends(self, tmp_path: Path) -> None:
        path = state_codec(tmp_path / "s.onnx")
        model = onnx.load(str(path))
        for one in (*model.graph.input, *model.graph.output):
            one.name = {"cache_in": "a", "cache_out": "b"}.get(one.name, one.name)
        for node in model.graph.node:
            for names in (node.input, node.output):
                names[:] = [{"cache_in": "a", "cache_out": "b"}.get(name, name) for name in names]
        onnx.save(model, str(path))
        layout = {"axes": ["book", "frame"], "size": [64] * 4, "sample_rate": 24000, "samples_per_frame": 320}
        step = {"use": "onnx-codec", "with": {"model": str(path)}}
        content = {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"layout": layout}},
            "steps": [step],
            "outputs": [{"use": "wav-writer", "file": "a.wav"}],
        }
        with pytest.raises(tonearm.PipelineError) as caught:
            tonearm.load_pipeline(content)
        (problem,) = caught.value.problems
        assert problem.hint == '"inputs": {"a": "state"}, "outputs": {"b": "state"}'
        step["with"] = {"model": str(path), "inputs": {"a": "state"}, "outputs": {"b": "state"}}
        tonearm.load_pipeline(content)

    def test_a_sample_rate_that_nothing_tells(self, tmp_path: Path) -> None:
        path = plain_codec(tmp_path / "c.onnx")
        spec = Spec(signals=(CodecTokens,)).carrying(Codebooks(sizes=(64,) * 4))
        with pytest.raises(OptionError, match="nothing tells the sample rate"):
            made(path).produces(spec)
        assert made(path, sample_rate=16000).produces(spec).sample_rate == 16000

    def test_samples_of_a_frame_that_are_others(self, tmp_path: Path) -> None:
        codes = np.zeros((1, 4, 30), np.int32)
        signal = CodecTokens(codes=codes, sizes=64, sample_rate=24000, samples_per_frame=240)
        with pytest.raises(ItemError, match="the model gives 320 samples a frame, not 240"):
            made(plain_codec(tmp_path / "c.onnx")).apply(signal, Context())

    @pytest.mark.parametrize(("make", "reason"), [(lstm_codec, "LSTM"), (noisy_codec, "RandomNormalLike")])
    def test_what_cannot_be_cut_is_said(self, tmp_path: Path, make: Any, reason: str) -> None:
        plugin, spec = made(make(tmp_path / "c.onnx")), spec_of(tokens_of(9))
        (warning,) = plugin.warnings(spec)
        assert reason in warning.message
        assert "chunk" in str(warning.remedies)
        with pytest.raises(OptionError) as caught:
            plugin.check_blocks(spec)
        assert caught.value.code == "needs-whole"

    def test_batches_are_said_to_change_bytes(self, tmp_path: Path) -> None:
        path, spec = plain_codec(tmp_path / "c.onnx"), spec_of(tokens_of(9))
        assert [one.code for one in made(path, batch=4).warnings(spec)] == ["batched"]
        assert list(made(path).warnings(spec)) == []


def test_a_run_loads_the_model_once_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    original, loads = onnxruntime.InferenceSession, []

    def counted(*arguments: Any, **more: Any) -> Any:
        loads.append(arguments)
        return original(*arguments, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", counted)
    for number in range(50):
        np.save(tmp_path / f"{number}.npy", tokens_of(9).codes[0])
    layout = {"axes": ["book", "frame"], "size": 64, "sample_rate": 24000, "samples_per_frame": 320}
    content = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "files": "*.npy", "with": {"kind": "tokens", "layout": layout}},
        "steps": [{"use": "onnx-codec", "with": {"model": str(plain_codec(tmp_path / "c.onnx"))}}],
        "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
    }
    (tmp_path / "p.yaml").write_text(json.dumps(content))
    report = tonearm.load_pipeline(tmp_path / "p.yaml").run(out=tmp_path / "out", jobs=0)
    assert report.converted == 50
    assert len(loads) == 1


def test_a_fixed_window_streams_even_where_its_joins_are_not_exact(tmp_path: Path) -> None:
    path = lstm_codec(tmp_path / "c.onnx")
    model = onnx.load(str(path))
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 24
    onnx.save(model, str(path))
    plugin = made(path)
    (warning,) = plugin.warnings(spec_of(tokens_of(9)))
    assert warning.message.startswith("windows of 24 frames do not give the sound of the whole, because ")
    plugin.check_blocks(spec_of(tokens_of(9)))
