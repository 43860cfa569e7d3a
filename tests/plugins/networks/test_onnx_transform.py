"""What is known of a network in an ONNX file before any data is read, and what is loaded then: nothing."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from network_material import CASES, SMALL, normalising, small_mel, tokens_of, vocoder

import tonearm
from tonearm.api import CodecTokens, Context, ItemError, Spec, spec_of
from tonearm.cli import main as cli
from tonearm_plugins.networks import onnx_session
from tonearm_plugins.networks.onnx_transform import OnnxTransform
from tonearm_plugins.networks.options import InputFile
from tonearm_plugins.transforms.onnx_codec import OnnxCodec, OnnxCodecOptions
from tonearm_plugins.transforms.onnx_vocoder import OnnxVocoder, OnnxVocoderOptions
from trial_graphs import custom_operator, external_codec, large_codec, lstm_codec, plain_codec, two_outputs

LAYOUT = {"axes": ["book", "frame"], "size": 64, "sample_rate": 24000, "samples_per_frame": 320}


def codec(path: Path, **options: Any) -> OnnxCodec:
    return OnnxCodec(OnnxCodecOptions(model=str(path), **options))


def pipeline(folder: Path, model: Path, **options: Any) -> Path:
    content = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "files": "*.npy", "with": {"kind": "tokens", "layout": LAYOUT}},
        "steps": [{"use": "onnx-codec", "with": {"model": str(model), **options}}],
        "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
    }
    np.save(folder / "a.npy", tokens_of(9).codes[0])
    (folder / "p.yaml").write_text(json.dumps(content))
    return folder / "p.yaml"


def test_both_transforms_are_of_one_base() -> None:
    assert issubclass(OnnxCodec, OnnxTransform)
    assert issubclass(OnnxVocoder, OnnxTransform)


class TestCheck:
    def test_a_good_pipeline(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["check", str(pipeline(tmp_path, plain_codec(tmp_path / "c.onnx")))]) == 0
        assert "onnx-codec" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("make", "options", "told"),
        [
            (two_outputs, {}, "does not take"),
            (custom_operator, {}, "com.acme"),
            (external_codec, {}, "weights.bin"),
            (lambda path: external_codec(path, "../weights.bin"), {}, "../weights.bin"),
            (plain_codec, {"sample_rate": 16000}, "sample_rate is 16000, but the codec tokens have 24000"),
            (plain_codec, {"inputs": {"speaker": 3}}, "the model has no input 'speaker'"),
            (plain_codec, {"device": "tpu"}, "device"),
            (lambda path: path, {}, "there is no file"),
        ],
    )
    def test_what_cannot_work_is_refused_with_2(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Any, options: Any, told: str
    ) -> None:
        assert cli.main(["check", str(pipeline(tmp_path, make(tmp_path / "c.onnx"), **options))]) == 2
        assert told in capsys.readouterr().err

    def test_a_model_that_cannot_be_cut_is_a_warning(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = pipeline(tmp_path, lstm_codec(tmp_path / "c.onnx"), batch=2)
        assert cli.main(["check", "--json", str(file)]) == 0
        found = json.loads(capsys.readouterr().out)["problems"]
        assert [(one["level"], one["code"]) for one in found] == [("warning", "not-in-chunks"), ("warning", "batched")]
        assert cli.main(["check", str(file)]) == 0
        told = capsys.readouterr().err
        assert "warning" in told
        assert "LSTM" in told
        assert "chunk: 1024" in told

    def test_nothing_is_loaded(self, tmp_path: Path) -> None:
        file = pipeline(tmp_path, large_codec(tmp_path / "c.onnx"))
        program = (
            "import sys\nfrom tonearm.cli import main\nassert main.main(['check', sys.argv[1]]) == 0\n"
            "print([name for name in ('numpy', 'onnx', 'onnxruntime', 'torch') if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True)
        assert done.stdout == "[]\n"


def test_a_plan_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin, spec = codec(plain_codec(tmp_path / "c.onnx")), spec_of(tokens_of(9))
    first = plugin.produces(spec)
    monkeypatch.setattr("tonearm_plugins.networks.onnx_transform.plan_of", None)
    assert plugin.produces(spec) == first
    assert list(plugin.warnings(spec)) == []


def test_another_model_under_the_same_name_has_another_plan(tmp_path: Path) -> None:
    plugin, spec = codec(plain_codec(tmp_path / "c.onnx")), spec_of(tokens_of(9))
    plugin.produces(spec)
    lstm_codec(tmp_path / "c.onnx")
    assert [one.code for one in plugin.warnings(spec)] == ["not-in-chunks"]


def test_files_beside_the_model_count(tmp_path: Path) -> None:
    path = external_codec(tmp_path / "c.onnx", "moved.bin")
    np.save(tmp_path / "f0.npy", np.zeros(3))
    inputs = {"f0": InputFile(file=str(tmp_path / "f0.npy")), "speaker": InputFile(file="{stem}.npy")}
    assert codec(path, inputs=inputs).files() == [str(tmp_path / "moved.bin"), str(tmp_path / "f0.npy")]
    assert codec(tmp_path / "none.onnx").files() == []


def test_a_plugin_travels_without_its_model(tmp_path: Path) -> None:
    plugin, signal = codec(plain_codec(tmp_path / "c.onnx")), tokens_of(20)
    samples = plugin.apply(signal, Context()).samples
    travelled = pickle.loads(pickle.dumps(plugin))
    assert travelled._model is None
    np.testing.assert_array_equal(travelled.apply(signal, Context()).samples, samples)


class TestPreflight:
    def test_a_device_that_is_not_installed(self, tmp_path: Path) -> None:
        path = plain_codec(tmp_path / "c.onnx")
        for device in ("auto", "cpu"):
            codec(path, device=device).preflight()
        with pytest.raises(ItemError) as caught:
            codec(path, device="mps").preflight()
        assert caught.value.code == "no-device"

    def test_the_model_is_not_loaded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(onnx_session, "_session", None)
        codec(plain_codec(tmp_path / "c.onnx")).preflight()

    def test_constant_files_are_read(self, tmp_path: Path) -> None:
        (tmp_path / "x.txt").write_text("no numbers")
        plugin = codec(plain_codec(tmp_path / "c.onnx"), inputs={"x": InputFile(file=str(tmp_path / "x.txt"))})
        with pytest.raises(ItemError, match="for input x of the model holds no array of numbers"):
            plugin.preflight()
        codec(plain_codec(tmp_path / "c.onnx"), inputs={"x": InputFile(file="{stem}.txt")}).preflight()


def test_channels_are_known_where_the_header_tells_them() -> None:
    for case in CASES:
        if case.facts["kind"] == "codec":
            spec = spec_of(case.signal())
            found = codec(case.path).produces(spec)
            assert found.channels in (spec.channels, None)
            assert found.sample_rate == case.facts["sample_rate"]


def test_tokens_of_unknown_books_are_planned_without(tmp_path: Path) -> None:
    plugin = codec(plain_codec(tmp_path / "c.onnx"), sample_rate=24000)
    assert plugin.produces(Spec(signals=(CodecTokens,))).sample_rate == 24000


def test_a_run_ends_with_the_line_of_the_item(tmp_path: Path) -> None:
    file = pipeline(tmp_path, plain_codec(tmp_path / "c.onnx"))
    wrong = tokens_of(9).codes[0].copy()
    wrong[1, 3] = -5
    np.save(tmp_path / "b.npy", wrong)
    report = tonearm.load_pipeline(file).run(out=tmp_path / "out", jobs=0)
    assert (report.converted, report.failed) == (1, 1)


def test_the_model_stays_loaded_with_its_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    original = onnx_session._session

    def counted(*arguments: Any, **more: Any) -> Any:
        loads.append(arguments)
        return original(*arguments, **more)

    monkeypatch.setattr(onnx_session, "_session", counted)
    one = OnnxVocoder(_options(vocoder(tmp_path / "v.onnx")))
    other = OnnxVocoder(_options(tmp_path / "v.onnx"))
    for plugin in (one, other, one):
        plugin.apply(small_mel(30), Context())
    assert len(loads) == 1


def _options(path: Path) -> Any:
    return OnnxVocoderOptions(model=str(path), dialect=SMALL)


def test_an_infinite_field_is_said_with_the_item(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tonearm_plugins.networks.streaming.CHUNK_SAMPLES", 500)
    context = Context()
    OnnxVocoder(_options(normalising(tmp_path / "n.onnx"))).apply(small_mel(200), context)
    assert len(context.warnings) == 1
