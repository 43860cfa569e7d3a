"""Codec tokens and latents that become sound by a network: from arrays, lists, signals, files, in streams and loops."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

import tonearm
from tonearm import ItemError, PipelineError, TokenLayout, UsageError
from tonearm.conversion import call as calls
from tonearm.conversion import known_pipelines

pytest.importorskip("onnxruntime")

DATA = Path(__file__).parents[2] / "data"
MODELS = DATA / "models"
SNAC, ENCODEC = str(MODELS / "snac_tiny.onnx"), str(MODELS / "encodec_tiny.onnx")
HIFIGAN, LATENT = str(MODELS / "hifigan_tiny.onnx"), str(MODELS / "latent_tiny.onnx")
IDS = np.load(DATA / "tokens/orpheus.npz")["ids_plain/raw"]
CODES = np.load(MODELS / "encodec_tiny.npz")["T20_B1/in/audio_codes"]
ALIGNED = "musicgen-audiocraft-codes"


def whole():
    return tonearm.to_waveform(IDS, layout="orpheus", model=SNAC)


@pytest.mark.parametrize("raw", [IDS.tolist(), IDS.astype("i4"), IDS[None]])
def test_any_sort_of_ids(raw):
    found = tonearm.to_waveform(raw, layout="orpheus", model=SNAC)
    assert (found.sample_rate, found.samples.shape) == (24000, (1, 12 * 2048))
    np.testing.assert_array_equal(found.samples, whole().samples)


def test_codes_become_what_the_network_gave_for_them():
    found = tonearm.to_waveform(CODES, layout=ALIGNED, model=Path(ENCODEC))
    wanted = np.load(MODELS / "encodec_tiny.npz")["T20_B1/out/audio_values"][0]
    np.testing.assert_allclose(found.samples, wanted, atol=1e-5)


def test_a_signal_and_a_step():
    tokens = tonearm.to_tokens(IDS, layout="orpheus")
    for found in (
        tonearm.to_waveform(tokens, model=SNAC),
        tonearm.to_waveform(tokens, steps=[("onnx-codec", {"model": SNAC})]),
        tonearm.to_waveform(IDS, layout="orpheus", steps=[("onnx-codec", {"model": SNAC})]),
    ):
        np.testing.assert_array_equal(found.samples, whole().samples)


@pytest.mark.parametrize("layout", [{"base": "orpheus", "incomplete": "error"}, "instance"])
def test_a_layout_of_ones_own(layout):
    if layout == "instance":
        layout = TokenLayout(
            interleave=(0, 1, 2, 2, 1, 2, 2),
            offset=128266,
            per_position=4096,
            size=4096,
            strides=(4, 2, 1),
            sample_rate=24000,
            samples_per_frame=2048,
        )
    found = tonearm.to_waveform(IDS, layout=layout, model=SNAC)
    np.testing.assert_array_equal(found.samples, whole().samples)


def test_a_batch_of_different_lengths_becomes_several_files(tmp_path):
    batch = [IDS.tolist(), IDS[:14].tolist()]
    saved = tonearm.save(batch, tmp_path / "take-{index}.wav", layout="orpheus", model=SNAC)
    assert [path.name for path in saved.paths] == ["take-0.wav", "take-1.wav"]
    assert [tonearm.read(path).samples.shape[1] for path in saved.paths] == [12 * 2048, 2 * 2048]
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npz-reader", "with": {"layout": "orpheus"}},
            "steps": [{"use": "onnx-codec", "with": {"model": SNAC}}],
        }
    )
    assert [one.samples.shape[1] for one in pipeline.convert(batch)] == [12 * 2048, 2 * 2048]


def test_levels_in_memory_are_one_sound():
    levels = [level[0].tolist() for level in tonearm.to_tokens(IDS, layout="orpheus").levels]
    found = tonearm.to_waveform(levels, layout="snac-24k", model=SNAC)
    np.testing.assert_array_equal(found.samples, whole().samples)


def test_a_run_takes_levels_and_batches_in_worker_processes(tmp_path):
    levels = [level[0].tolist() for level in tonearm.to_tokens(IDS, layout="orpheus").levels]
    for layout, source, wanted in (
        ("snac-24k", levels, [12 * 2048]),
        ("orpheus", [IDS.tolist(), IDS[:14].tolist()], [12 * 2048, 2 * 2048]),
    ):
        pipeline = tonearm.load_pipeline(
            {
                "tonearm": 1,
                "input": {"use": "npz-reader", "with": {"layout": layout}},
                "steps": [{"use": "onnx-codec", "with": {"model": SNAC}}],
                "outputs": [{"use": "wav-writer", "file": "{stem}-{index}.wav"}],
            }
        )
        for sources in ([source], {"said": source}, iter([source])):
            report = pipeline.run(sources, out=tmp_path / f"{layout}-{type(sources).__name__}", jobs=1)
            assert [tonearm.read(path).samples.shape[1] for path in sorted(report.outputs)] == wanted


def test_rows_of_other_lengths_are_no_sound():
    with pytest.raises(UsageError) as caught:
        tonearm.to_waveform([[0.1, 0.2], [0.1]], sample_rate=8000)
    assert caught.value.code == "ragged"


def test_latents(tmp_path):
    with np.load(MODELS / "latent_tiny.npz") as runs:
        values, wanted = runs["T20_B1/in/z"], runs["T20_B1/out/output"]
    rates = {"sample_rate": 22050, "samples_per_frame": 256}
    found = tonearm.to_waveform(values, kind="latent", axes=["batch", "band", "frame"], model=LATENT, **rates)
    np.testing.assert_allclose(found.samples, wanted[0], atol=1e-5)


def test_a_mel_by_the_network_of_its_dialect():
    mel = np.load(MODELS / "hifigan_tiny.npz")["T20_B1/in/mel"][0]
    wanted = np.load(MODELS / "hifigan_tiny.npz")["T20_B1/out/wav"][0]
    found = tonearm.to_waveform(mel, dialect="hifigan", model=HIFIGAN)
    np.testing.assert_allclose(found.samples, wanted, atol=1e-5)
    other = tonearm.to_waveform(mel, dialect="hifigan", limits={"beyond": 99.0})
    assert not np.allclose(other.samples, found.samples, atol=1e-2)


def test_without_a_model_the_codec_is_named(tmp_path):
    with pytest.raises(UsageError) as caught:
        tonearm.save(IDS, tmp_path / "a.mp3", layout="orpheus")
    assert caught.value.code == "needs-model"
    assert "SNAC 24 kHz" in caught.value.message
    assert caught.value.hint.startswith("model=… (")
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_not_needed():
    with pytest.raises(UsageError, match=r"model is an option of onnx-codec, .* not needed here"):
        tonearm.to_waveform([0.1, 0.2], sample_rate=8000, model=SNAC)


def test_a_torchscript_program_is_not_run_without_trust(tmp_path):
    (tmp_path / "decoder.pt").write_bytes(b"PK")
    with pytest.raises(PipelineError, match="trust"):
        tonearm.to_waveform(IDS, layout="orpheus", model=tmp_path / "decoder.pt")


def test_sound_beyond_the_limit_is_refused_behind_a_network():
    with pytest.raises(ItemError) as caught:
        tonearm.to_waveform(IDS, layout="orpheus", model=SNAC, limits={"beyond": 0.1})
    assert caught.value.code == "beyond-full-scale"


def test_a_loop_builds_one_pipeline(monkeypatch, tmp_path):
    known_pipelines.forget()
    built = []
    real = calls.build
    monkeypatch.setattr(calls, "build", lambda *given: built.append(given) or real(*given))
    model = tmp_path / "snac.onnx"
    model.write_bytes(Path(SNAC).read_bytes())
    os.utime(model, (time.time() - 60,) * 2)
    for count in (7, 14, 21):
        tonearm.save(IDS[:count], tmp_path / f"{count}.wav", layout="orpheus", model=model)
    assert len(built) == 1
    for count in (7, 14, 21):
        tokens = tonearm.to_tokens(IDS[:count], layout="orpheus", length=count * 100)
        tonearm.save(tokens, tmp_path / f"{count}.flac", model=model)
    assert len(built) == 2
    known_pipelines.forget()


FLOAT = {"subtype": "FLOAT"}


def streamed(path, chunks, model, **options):
    with tonearm.stream(path, model=model, encoder=FLOAT, **options) as out:
        for chunk in chunks:
            out.write(chunk)
    return tonearm.read(path)


def test_a_stream_of_codes_is_the_whole(tmp_path):
    wanted = tonearm.to_waveform(CODES, layout=ALIGNED, model=ENCODEC).samples
    parts = [CODES[..., at : at + 3] for at in range(0, 20, 3)]
    found = streamed(tmp_path / "a.wav", parts, ENCODEC, layout=ALIGNED)
    np.testing.assert_allclose(found.samples, wanted, atol=1e-5)
    given = {"kind": "tokens", "axes": ["book", "frame"], "sample_rate": 32000, "samples_per_frame": 640}
    found = streamed(tmp_path / "b.wav", [part[0] for part in parts], ENCODEC, **given)
    np.testing.assert_allclose(found.samples, wanted, atol=1e-5)


def test_a_stream_of_signals_where_ids_need_the_whole(tmp_path):
    parts = [tonearm.to_tokens(IDS[at : at + 21], layout="orpheus") for at in range(0, 84, 21)]
    found = streamed(tmp_path / "a.wav", parts, SNAC, layout="orpheus")
    np.testing.assert_allclose(found.samples, whole().samples, atol=1e-5)
    with pytest.raises(ItemError, match="tokens in the layout orpheus are undone as a whole") as caught:
        streamed(tmp_path / "b.wav", [IDS[:21]], SNAC, layout="orpheus")
    assert caught.value.code == "needs-whole"
    assert 'tonearm.to_tokens(chunk, layout="orpheus")' in caught.value.hint
    with pytest.raises(ItemError, match="undone as a whole, because it has levels") as caught:
        streamed(tmp_path / "b.wav", [[IDS[None, :size] for size in (1, 2, 4)]], SNAC, layout="snac")
    assert 'tonearm.to_tokens(chunk, layout="snac")' in caught.value.hint


def test_the_command_does_the_same_and_prints_the_pipeline(tmp_path):
    np.save(tmp_path / "ids.npy", IDS)
    run = [sys.executable, "-m", "tonearm", "convert", "ids.npy", "out.wav", "--layout", "orpheus", "--model", SNAC]
    subprocess.run([*run, "--device", "cpu"], cwd=tmp_path, check=True, capture_output=True)
    tonearm.save(IDS, tmp_path / "same.wav", layout="orpheus", model=SNAC)
    assert (tmp_path / "out.wav").read_bytes() == (tmp_path / "same.wav").read_bytes()
    printed = subprocess.run([*run, "--yaml"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    pipeline = yaml.safe_load(printed)
    assert pipeline["input"]["with"] == {"layout": "orpheus"}
    assert pipeline["steps"] == [{"use": "onnx-codec", "with": {"model": SNAC}}]
    (tmp_path / "p.yaml").write_text(printed)
    report = tonearm.load_pipeline(tmp_path / "p.yaml").run(out=tmp_path / "run")
    assert report.outputs[0].read_bytes() == (tmp_path / "same.wav").read_bytes()


def test_the_command_reads_text_by_its_layout(tmp_path):
    text = str(np.load(DATA / "tokens/orpheus.npz")["text_plain/raw"])
    (tmp_path / "said.txt").write_text(text)
    run = [sys.executable, "-m", "tonearm", "convert", "said.txt", "out.wav", "--layout", "orpheus", "--model", SNAC]
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)
    assert tonearm.read(tmp_path / "out.wav").samples.shape == (1, 12 * 2048)
    np.testing.assert_array_equal(
        tonearm.to_waveform(tmp_path / "said.txt", layout="orpheus", model=SNAC).samples,
        tonearm.to_waveform(tonearm.to_tokens(text, layout="orpheus"), model=SNAC).samples,
    )


def test_pairs_of_codes_and_factors():
    """As EnCodec's own encode() returns them."""
    layout = {"base": ALIGNED, "codebooks": CODES.shape[-2]}
    wanted = tonearm.to_waveform(CODES, layout=ALIGNED, model=ENCODEC)
    codes = CODES.reshape(-1, *CODES.shape[-2:])
    for pairs in ([(codes, None)], (codes, None)):
        found = tonearm.to_waveform(pairs, layout=layout, model=ENCODEC)
        np.testing.assert_array_equal(found.samples, wanted.samples)
