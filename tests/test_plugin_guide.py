"""What docs/plugins.md says is true: each of its code blocks is run, as a plugin in a pipeline where it is one."""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tonearm
from code_blocks import ROOT, blocks, registry_with
from tonearm.api import Context, NoOptions, Spec, Waveform
from tonearm.plugins.options import declared_options
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import Registry
from tonearm.source import Source

PAGE = "docs/plugins.md"
WORDS = {"True", "False", "None", "Literal", "Enum"}
"""Names of Python in the guide."""

TEXT = (ROOT / PAGE).read_text(encoding="utf-8")


def block_with(text: str) -> str:
    """Return the only block of Python that contains a text."""
    (found,) = (block for block in blocks(PAGE, "python") if text in block)
    return found


def pipeline(registry: Registry, decoder: object, *steps: object, encoder: str = "wav-writer") -> tonearm.Pipeline:
    output = {"use": encoder, "file": "{stem}.out"}
    return tonearm.load_pipeline(
        {"tonearm": 1, "input": decoder, "steps": list(steps), "outputs": [output]}, plugins=registry
    )


WAVEFORM = {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 8000}}


def test_the_first_decoder_is_the_shipped_package() -> None:
    module = (ROOT / "tests/downstream/acme/src/tonearm_acme.py").read_text(encoding="utf-8")
    code = block_with("class AcmeReader")
    assert code == module
    assert len([line for line in code.splitlines() if line.strip()]) <= 22
    (signal,) = pipeline(
        registry_with(code), {"use": "acme-reader", "with": {"kind": "waveform", "sample_rate": 8000}}
    ).convert(io.BytesIO(b"ACME" + np.array([16384, -32768], "<i2").tobytes()))
    np.testing.assert_array_equal(signal.samples, [[0.5, -1]])


def test_the_table_of_signals_has_their_fields() -> None:
    from dataclasses import fields

    from tonearm import api

    rows = dict(re.findall(r"^\| `(\w+)` \| (`.*) \|$", TEXT, re.MULTILINE))
    for name in ("Waveform", "ComplexSpectrogram", "MagnitudeSpectrogram", "MelSpectrogram", "CodecTokens", "Latents"):
        named = re.findall(r"`(\w+)`", rows[name])
        assert {field.name for field in fields(getattr(api, name))} <= {*named, *(("grid",) if "Mel" in name else ())}


def test_the_table_of_the_context_has_its_methods() -> None:
    section = TEXT.partition("## `Context`")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `(\w+)", section, re.MULTILINE))
    assert named == {"measure", "warn", "progress", "rng", "threads", "provenance"}
    assert all(hasattr(Context(), name) for name in named)


def test_a_signal_of_ones_own_flows_from_a_decoder_to_sound() -> None:
    registry = registry_with(block_with("class Pitch(Signal)"))
    reader = {"use": "pitch-reader", "with": {"sample_rate": 8000, "hop_length": 100}}
    (wave,) = pipeline(registry, reader, {"use": "pitch-to-wave"}).convert(io.BytesIO(b"440\n440\n"))
    assert (wave.length, wave.sample_rate) == (200, 8000)
    np.testing.assert_allclose(wave.samples[0], np.sin(2 * np.pi * 440 / 8000 * np.arange(1, 201)) / 2, atol=1e-4)
    with pytest.raises(tonearm.PipelineError, match="wav-writer takes waveform, but"):
        pipeline(registry, reader)
    with pytest.raises(tonearm.ItemError) as caught:
        list(pipeline(registry, reader, {"use": "pitch-to-wave"}).convert(io.BytesIO(b"nan\n")))
    assert caught.value.code == "not-finite"


def test_what_is_known_beforehand_reaches_the_encoder(tmp_path: Path) -> None:
    registry = registry_with(block_with("class Slower"))
    slower = {"use": "slower", "with": {"factor": 3}}
    with pytest.raises(tonearm.PipelineError, match="8000 Hz cannot be divided by it"):
        pipeline(registry, WAVEFORM, slower)
    pcm = {"use": "pcm-reader", "with": {"encoding": "pcm_s16le", "sample_rate": 9000, "channels": 2}}
    with pytest.raises(tonearm.PipelineError, match="it writes one channel, not 2"):
        pipeline(registry, pcm, slower, encoder="peak-writer")
    checked = pipeline(registry, {**pcm, "with": {**pcm["with"], "channels": 1}}, slower, encoder="peak-writer")
    (wave,) = checked.convert(io.BytesIO(np.array([0, 8192, -16384], "<i2").tobytes()))
    assert wave.sample_rate == 3000
    (tmp_path / "a.pcm").write_bytes(np.array([0, 8192, -16384], "<i2").tobytes())
    checked.run([tmp_path / "a.pcm"], out=tmp_path)
    assert (tmp_path / "a.out").read_text() == "0.500000\n"


def test_a_spec_carries_values_of_any_class() -> None:
    names: dict[str, Any] = {"__name__": "tonearm_acme"}
    exec(compile(block_with("class Slower"), "block", "exec", dont_inherit=True), names)
    spec = Spec(signals=(Waveform,), sample_rate=8000)
    result = names["Slower"](names["SlowerOptions"](factor=2)).produces(spec)
    assert result.carried.get(names["Tape"]) == names["Tape"](speed=2)
    assert result.dropping(names["Tape"]) == spec.replace(sample_rate=4000)


@pytest.mark.parametrize("options", [{"kind": "envelope"}, {"tones": 2}], ids=["named", "implied"])
def test_a_kind_of_ones_own_is_read_by_our_decoders(options: dict[str, object], tmp_path: Path) -> None:
    registry = registry_with(block_with("class EnvelopeKind"))
    np.save(tmp_path / "a.npy", np.full((800, 2), 0.5, "f4"))  # steps first: sizes tell the axes apart
    reader = {"use": "npy-reader", "with": {"sample_rate": 8000, "tones": 2, **options}}
    (wave,) = pipeline(registry, reader, {"use": "tones"}).convert(tmp_path / "a.npy")
    angles = 2 * np.pi * 110 * np.arange(800) / 8000
    np.testing.assert_allclose(wave.samples[0], (np.sin(angles) + np.sin(2 * angles)) / 4, atol=1e-5)
    with pytest.raises(tonearm.PipelineError, match="tones"):
        pipeline(registry, {"use": "npy-reader", "with": {"kind": "envelope", "sample_rate": 8000, "tones": 0}})


class TestTheDecoderOnTheToolkit:
    HEAD = b"TAKE" + struct.pack("<IHQ", 8000, 2, 3)
    VALUES = np.linspace(-0.5, 0.5, 6, dtype="<f4").reshape(2, 3)

    def converted(self, source: object) -> Any:
        registry = registry_with(block_with("class TakeReader"))
        (signal,) = pipeline(registry, {"use": "take-reader"}).convert(source)
        return signal

    def test_it_reads_its_format(self) -> None:
        signal = self.converted(io.BytesIO(self.HEAD + self.VALUES.tobytes()))
        assert signal.sample_rate == 8000
        np.testing.assert_array_equal(signal.samples, self.VALUES)

    def test_it_looks_at_a_file_without_its_values(self) -> None:
        cls = registry_with(block_with("class TakeReader")).find("decoder", "take-reader").resolve()
        found = cls(ports_of(cls).options()).look(Source(name="a.take", content=self.HEAD))
        assert (found.sample_rate, found.channels, found.length) == (8000, 2, 3)

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "empty"),
            (b"RIFFnonsense", "wrong-format"),
            (HEAD[:10], "broken-file"),
            (HEAD + bytes(23), "broken-file"),
            (HEAD[:10] + b"\xff" * 8, "broken-file"),
        ],
    )
    def test_false_files_are_refused_by_name(self, content: bytes, code: str, tmp_path: Path) -> None:
        (tmp_path / "a.take").write_bytes(content)
        with pytest.raises(tonearm.ItemError, match=r"a\.take'") as caught:
            self.converted(tmp_path / "a.take")
        assert caught.value.code == code


class TestTheEncoderOnTheToolkit:
    def written(self, folder: Path, samples: np.ndarray, **options: object) -> bytes:
        np.save(folder / "a.npy", samples.astype("f4"))
        registry = registry_with(block_with("class MemoWriter"))
        output = {"use": "memo-writer", "file": "{stem}.memo", "with": options}
        report = tonearm.load_pipeline({"tonearm": 1, "input": WAVEFORM, "outputs": [output]}, plugins=registry).run(
            [folder / "a.npy"], out=folder
        )
        assert report.codes == {}
        return (folder / "a.memo").read_bytes()

    def test_it_writes_samples_tags_and_provenance(self, tmp_path: Path) -> None:
        found = self.written(tmp_path, np.array([0.5, -1.0]), tags={"title": "memo {stem}"}, provenance=True)
        text, _, raw = found.partition(b"\n\n")
        assert b"title=memo a\n" in text
        assert b"tonearm_sha256=" in text
        np.testing.assert_array_equal(np.frombuffer(raw, "<i2"), [16384, -32768])
        assert (tmp_path / "a.memo.json").exists()

    def test_it_adds_dither(self, tmp_path: Path) -> None:
        plain, dithered = (
            np.frombuffer(self.written(tmp_path, np.full(50_000, 0.3 / 128), bits=8, dither=dither)[1:], "<i2") / 256
            for dither in (False, True)
        )
        assert not plain.any()
        assert abs(dithered.mean() - 0.3) < 0.02

    @pytest.mark.parametrize(("rate", "channels", "hint"), [(11025, 1, "16000}} before it"), (8000, 2, "mix")])
    def test_its_limits_are_checked_beforehand(self, rate: int, channels: int, hint: str) -> None:
        registry = registry_with(block_with("class MemoWriter"))
        pcm = {"encoding": "pcm_s16le", "sample_rate": rate, "channels": channels}
        with pytest.raises(tonearm.PipelineError, match="a memo cannot have") as caught:
            pipeline(registry, {"use": "pcm-reader", "with": pcm}, encoder="memo-writer")
        assert hint in str(caught.value)


def test_the_guides_transform_works() -> None:
    code = block_with("class Gain")
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 8000}},
            "steps": [{"use": "acme-gain", "with": {"gain_db": -20}}],
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
        },
        plugins=registry_with(code),
    )
    (signal,) = pipeline.convert(np.array([0.5, -1.0], dtype=np.float32))
    np.testing.assert_allclose(signal.samples, [[0.05, -0.1]], rtol=1e-6)


def test_the_guides_transform_keeps_double_precision() -> None:
    hook = "from tonearm.api import hookimpl\n@hookimpl\ndef tonearm_transforms():\n    return {'invert': Invert}\n"
    registry = registry_with(block_with("class Invert") + hook)
    double = {"use": "npy-reader", "with": {**WAVEFORM["with"], "precision": "double"}}
    (signal,) = pipeline(registry, double, {"use": "invert"}).convert(np.array([0.1, -1.0]))
    assert np.array_equal(signal.samples, [[-0.1, 1.0]])
    assert signal.is_double
    registry.find("transform", "invert").resolve().keeps_double = False
    with pytest.raises(tonearm.PipelineError, match="invert"):
        pipeline(registry, double, {"use": "invert"})


def test_the_guides_kind_is_implied_by_its_option_and_read_by_decoders_of_arrays(tmp_path: Path) -> None:
    registry = registry_with(block_with("class EnvelopeKind"))
    made = pipeline(registry, {"use": "npy-reader", "with": {"tones": 2, "sample_rate": 8000}}, {"use": "tones"})
    np.save(tmp_path / "a.npy", np.array([[1.0, 0.0]] * 4000))
    (signal,) = made.convert(tmp_path / "a.npy")
    expected = np.sin(2 * np.pi * 110 * np.arange(4000) / 8000) / 2
    np.testing.assert_allclose(signal.samples[0], expected, atol=1e-4)


def test_the_guides_executor_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tonearm.run.workers import choice

    code = block_with("class Threads")
    registry = registry_with(code)
    monkeypatch.setattr(choice, "installed_plugins", lambda: registry)
    names = [tmp_path / f"{number}.npy" for number in range(9)]
    for number, name in enumerate(names):
        np.save(name, np.full(100, number / 10 if number != 4 else np.nan, dtype=np.float32))
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 8000}},
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
        }
    )
    report = pipeline.run(names, out=tmp_path, executor="acme-threads", jobs=2)
    assert (report.converted, report.codes) == (8, {"not-finite": 1})
    with pytest.raises(tonearm.UsageError, match="the executor acme-threads cannot keep a timeout"):
        pipeline.run(names, out=tmp_path, executor="acme-threads", timeout=5)


def test_the_guides_dialect_is_read() -> None:
    code = block_with("tonearm_dialects")
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "mel", "dialect": "acme-tts"}},
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
            "steps": [{"use": "mel-to-wave", "with": {"iterations": 0}}],
        },
        plugins=registry_with(code),
    )
    (signal,) = pipeline.convert(np.zeros((80, 9), dtype=np.float32))
    assert signal.sample_rate == 24000


def test_the_guides_wrapped_decoder_is_the_shipped_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own tests are in tests/downstream/test_toycodec.py, where it is installed."""
    folder = ROOT / "tests/downstream/toycodec/src"
    code = block_with("class ToyCodecOptions")
    assert code == (folder / "tonearm_toycodec.py").read_text(encoding="utf-8")
    assert len([line for line in code.splitlines() if line.strip()]) <= 32
    monkeypatch.syspath_prepend(folder)
    np.savez(tmp_path / "toy.npz", books=np.arange(4 * 64 * 160, dtype="f4").reshape(4, 64, 160) / 200_000)
    reader = {"use": "npy-reader", "with": {"layout": "toy-lm"}}
    step = {"use": "toy-codec", "with": {"model": str(tmp_path / "toy.npz")}}
    (wave,) = pipeline(registry_with(code), reader, step).convert(np.zeros((4, 13), np.int64))
    assert (wave.length, wave.sample_rate) == (1600, 16000)


def test_the_guides_declarations_for_fingerprints_are_understood() -> None:
    code = block_with("class Denoise")
    names: dict[str, Any] = {"__name__": "tonearm_acme"}
    exec(compile(code, "block", "exec", dont_inherit=True), names)
    extra = {name: option.extra for name, option in declared_options(names["DenoiseOptions"]).items()}
    assert extra == {
        "weights": {"names_file": True},
        "cache": {"changes_output": False},
        "clicks": {"changes_output": ["fix"]},
    }
    assert names["Denoise"].revision == 2


def test_the_guides_error_carries_its_remedy() -> None:
    code = block_with("SetOption")
    names: dict[str, object] = {}
    exec(code, names)
    assert str(names["error"]) == "the rate is missing\n    hint: sample_rate: 22050"


def test_the_guide_names_every_remedy() -> None:
    from tonearm import api

    names = {one.__name__ for one in api.Remedy.__args__} & set(api.__all__)
    assert len(names) > 7
    assert [name for name in names if name not in TEXT] == []


def test_every_name_of_the_interface_that_it_names_exists() -> None:
    from tonearm import api

    classes = set(re.findall(r"`([A-Z][A-Za-z]*[a-z][A-Za-z]*)(?:\[[^`]*)?`", TEXT)) - WORDS
    assert classes - set(api.__all__) == set()


def test_each_block_of_python_is_run_by_a_test() -> None:
    """Each test asks for its block by what only that block contains; a new block needs a new test."""
    tests = Path(__file__).read_text(encoding="utf-8")
    for block in blocks(PAGE, "python"):
        wanted = re.findall(r'block_with\("([^"]+)"\)', tests)
        assert any(text in block for text in wanted), block


def test_the_transform_whose_option_is_a_transform() -> None:
    registry = registry_with(block_with("class RepeatOptions"))
    options = {"step": {"use": "gain", "with": {"gain_db": "-6 dB"}}, "pause": "20 ms", "edge": "start"}
    made = pipeline(registry, WAVEFORM, {"use": "acme-repeat", "with": options})
    (signal,) = made.convert(np.ones(100, np.float32))
    assert signal.length == 260
    assert not signal.samples[0, :160].any()
    np.testing.assert_allclose(signal.samples[0, 160:], 10 ** (-12 / 20), rtol=1e-5)


def test_the_table_of_types_of_options_is_complete() -> None:
    from tonearm.plugins.option_types import SUPPORTED

    table = TEXT.partition("## Types of options")[2].partition("```python")[0].lower()
    words = set(re.findall(r"[a-z]+", SUPPORTED.lower())) - {"and", "of", "these", "msgspec", "structs"}
    assert {word for word in words if word.rstrip("es") not in table and word not in table} == set()


def test_the_guides_block_transform_gives_the_same_in_a_stream_as_in_whole_work() -> None:
    registry = registry_with(block_with("class Echo"))
    samples = np.random.default_rng(0).standard_normal((1, 9000)).astype("f4") / 9
    (whole,) = pipeline(registry, WAVEFORM, {"use": "echo"}).convert(samples)
    expected = np.pad(samples, ((0, 0), (0, 2000)))
    expected[:, 2000:] += samples / 2
    np.testing.assert_array_equal(whole.samples, expected)
    started = (
        registry.find("transform", "echo")
        .resolve()(NoOptions())
        .start(Spec(signals=(Waveform,), sample_rate=8000, channels=1), Context())
    )
    parts = [started.push(samples[:, at : at + 700]) for at in range(0, 9000, 700)]
    np.testing.assert_array_equal(np.concatenate([*parts, started.finish()], axis=1), whole.samples)
