"""What README.md and docs/ say is true: their code is run, their tables are made from the plugins."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import tonearm
from code_blocks import ROOT, blocks, registry_with, run_cell


def test_the_first_block_of_the_readme_is_its_two_commands() -> None:
    commands = blocks("README.md", "sh")[0].splitlines()
    assert len(commands) == 2
    assert (ROOT / "README.md").read_text(encoding="utf-8").startswith("# tonearm\n")
    assert all(command.startswith("python3 -m venv .venv && .venv/bin/pip install ") for command in commands)


def test_the_readmes_pipeline_passes_check(tmp_path: Path) -> None:
    (pipeline,) = blocks("README.md", "yaml")
    file = tmp_path / "pipeline.yaml"
    file.write_text(pipeline, encoding="utf-8")
    assert tonearm.load_pipeline(file).checked.decoder.name == "npy-reader"


def test_the_readmes_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown, _ = run_cell(next(block for block in blocks("README.md", "python") if "tonearm.save" in block), names)
    assert shown == ""
    assert tonearm.read("speech.wav").length == 61184
    assert tonearm.read("mel.mp3").length == names["wave"].length
    Path("data.mp3").write_bytes(names["data"])
    assert tonearm.read("data.mp3").length == 61184


def test_the_readmes_convert_command_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tonearm.cli.main import main

    command = next(line for block in blocks("README.md", "sh") for line in block.splitlines() if "convert" in line)
    (tmp_path / "magnitudes.npy").write_bytes((ROOT / "configs/samples/utt08-magnitude.npy").read_bytes())
    monkeypatch.chdir(tmp_path)
    assert main(command.split()[1:]) == 0
    assert (tmp_path / "speech.wav").stat().st_size > 1000


def test_the_readmes_plugin_reads_its_format(tmp_path: Path) -> None:
    code = next(block for block in blocks("README.md", "python") if "AcmeReader" in block)
    module = (ROOT / "tests/downstream/acme/src/tonearm_acme.py").read_text(encoding="utf-8")
    assert code.partition("\n")[2].split() == module.partition("\n")[2].split(), "the shipped package is the README's"
    samples = np.array([0, 16384, -32768], dtype="<i2")
    file = tmp_path / "a.acme"
    file.write_bytes(b"ACME" + samples.tobytes())
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "acme-reader", "with": {"sample_rate": 8000}},
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
        },
        plugins=registry_with(code),
    )
    (signal,) = pipeline.convert(file)
    np.testing.assert_array_equal(signal.samples, [[0, 0.5, -1]])


def test_the_reference_and_the_readmes_table_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs/make_reference.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_guides_pipelines_pass_check(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    found = []
    for pipeline in blocks("docs/pipelines.md", "yaml"):
        file.write_text(pipeline, encoding="utf-8")
        found.append(tonearm.load_pipeline(file).checked)
    plain, branches = found
    assert [step.name for step in plain.steps] == ["istft", "resample"]
    steps = [[step.name for step in output.steps] for output in branches.outputs]
    assert steps == [["resample"], ["filter", "resample"]]


def test_the_pipeline_of_finishing_is_the_one_in_configs() -> None:
    (pipeline,) = blocks("docs/finishing.md", "yaml")
    config = (ROOT / "configs/finish.yaml").read_text(encoding="utf-8")
    assert (
        pipeline.partition("steps:")[2].partition("outputs:")[0]
        == config.partition("steps:")[2].partition("outputs:")[0]
    )
    assert tonearm.load_pipeline(yaml.safe_load(pipeline)).outputs


def test_the_guide_to_finishing_says_what_is_so() -> None:
    from tonearm.api import Waveform
    from tonearm.plugins.ports import ports_of
    from tonearm_plugins.dsp.channel_layouts import LOUDNESS_WEIGHTS

    text = (ROOT / "docs/finishing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d)(?: \(\S+\))? \| [^|]+ \| ([\d., ]+) \|$", text, re.MULTILINE)
    assert {int(count): tuple(float(x) for x in row.split(",")) for count, row in rows} == LOUDNESS_WEIGHTS
    ports = {entry.name: ports_of(entry.resolve()) for entry in tonearm.plugins.registry.default().entries("transform")}
    finishing = {name for name, port in ports.items() if (port.takes, port.gives) == ((Waveform,), (Waveform,))}
    assert len(finishing) > 15
    assert finishing <= set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", text))


class TestTheGuideToMels:
    PAGE = "docs/dialects.md"

    def test_its_pipelines_convert_a_mel(self) -> None:
        first, conversion, linear = (block for block in blocks(self.PAGE, "yaml") if block.startswith("tonearm: 1"))
        mel = np.load(ROOT / "configs/samples/mel/hifigan.npy")
        (wave,) = tonearm.load_pipeline(yaml.safe_load(first)).convert(mel)
        assert wave.sample_rate == 22050
        mel = np.load(ROOT / "configs/samples/mel/tacotron2.npy")
        (other,) = tonearm.load_pipeline(yaml.safe_load(conversion)).convert(mel)
        assert (other.dialect.name, other.values.shape[1]) == ("bigvgan-24k", 100)
        values = np.load(ROOT / "configs/samples/utt08-tacotron.npy")
        (speech,) = tonearm.load_pipeline(yaml.safe_load(linear)).convert(values)
        assert speech.sample_rate == 20000

    def test_its_dialects_can_be_had(self, tmp_path: Path) -> None:
        given = [block for block in blocks(self.PAGE, "yaml") if block.startswith("dialect:")]
        text = (ROOT / self.PAGE).read_text(encoding="utf-8")
        given += re.findall(r"`(dialect: \{base: [^`]+)`", text)
        assert len(given) == 3
        for number, dialect in enumerate(given):
            file = tmp_path / f"{number}.yaml"
            indented = "\n".join(f"    {line}" for line in dialect.splitlines())
            file.write_text(
                f"tonearm: 1\ninput:\n  use: npy-reader\n  with:\n    kind: mel\n{indented}\n"
                "steps: [{use: mel-to-wave}]\noutputs: [{use: wav-writer, file: a.wav}]\n"
            )
            assert tonearm.load_pipeline(file).checked.decoder.plugin.options.kind.options.dialect.n_mels == 80

    def test_its_vocoder_takes_these_options(self) -> None:
        from tonearm.plugins.options import declared_options
        from tonearm_plugins.transforms.onnx_vocoder import OnnxVocoderOptions

        (step,) = (yaml.safe_load(block)[0] for block in blocks(self.PAGE, "yaml") if "onnx-vocoder" in block)
        assert set(step["with"]) <= set(declared_options(OnnxVocoderOptions))

    def test_its_error_is_what_is_said(self) -> None:
        reader = {"use": "npy-reader", "with": {"kind": "mel", "dialect": "melgan"}}
        output = {"use": "npy-writer", "file": "a.npy"}
        pipeline = tonearm.load_pipeline({"tonearm": 1, "input": reader, "outputs": [output]})
        with pytest.raises(tonearm.ItemError) as caught:
            list(pipeline.convert(np.load(ROOT / "configs/samples/mel/hifigan.npy")))
        text = (ROOT / self.PAGE).read_text(encoding="utf-8")
        assert f"\n{caught.value.code}: {caught.value.message}\n" in text
        said = re.search(r"    hint: dialect: (.*), …\n", text)
        assert said
        assert caught.value.hint.replace('"', "").startswith(f"dialect: {said[1]}")

    def test_it_names_every_step_and_what_it_takes(self) -> None:
        from tonearm.recipes.steps import OPERATION_ARGUMENTS

        text = (ROOT / self.PAGE).read_text(encoding="utf-8")
        rows = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \| ((?:`[a-z]+`(?:, )?)*) ?\|", text, re.MULTILINE)
        found = {op: tuple(re.findall(r"[a-z]+", takes)) for ops, takes in rows for op in re.findall(r"[a-z-]+", ops)}
        assert {op: found[op] for op in OPERATION_ARGUMENTS} == OPERATION_ARGUMENTS


def test_the_guide_to_conventions_writes_and_reads_what_scipy_computes(tmp_path: Path) -> None:
    import scipy.signal
    import soundfile

    for text, name in zip(blocks("docs/conventions.md", "yaml"), ("reading.yaml", "writing.yaml"), strict=True):
        (tmp_path / name).write_text(text, encoding="utf-8")
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 4321)
    soundfile.write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    tonearm.load_pipeline(tmp_path / "writing.yaml").run([tmp_path / "a.wav"], out=tmp_path / "out")
    expected = scipy.signal.stft(samples, nperseg=400, noverlap=300, nfft=512)[2]
    np.testing.assert_allclose(np.load(tmp_path / "out/a.npy")[0], expected, atol=1e-6)
    (wave,) = tonearm.load_pipeline(tmp_path / "reading.yaml").convert(tmp_path / "out/a.npy")
    np.testing.assert_allclose(wave.samples[0, : samples.size], samples, atol=1e-6)


def test_the_guide_to_conventions_names_every_field_and_value() -> None:
    from tonearm.signals.conventions import ConventionOptions
    from tonearm.signals.grid import CHOICES

    text = (ROOT / "docs/conventions.md").read_text(encoding="utf-8").partition("## Fields")[2]
    for name in ConventionOptions.__dataclass_fields__:
        if name != "convention":
            (row,) = (line for line in text.splitlines() if line.startswith(f"| `{name}`"))
            assert {value for value in CHOICES[name] if f"`{value}`" not in row} == set()


def test_the_guide_to_files_says_what_is_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
    encoders = {entry.name for entry in tonearm.plugins.registry.default().entries("encoder")}
    assert encoders == set(re.findall(r"`([a-z0-9]+-writer)`", text.partition("## Rounding and dither")[0]))
    for pipeline in blocks("docs/formats.md", "yaml"):
        assert tonearm.load_pipeline(yaml.safe_load(pipeline)).outputs
    (said,) = re.findall(r"^```\n(speech.yaml:.*?)^```", text, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("speech.yaml").write_text(
        "tonearm: 1\ninput:\n  use: npy-reader\n  files: outputs\n  with:\n    kind: waveform\n"
        "    sample_rate: 96000\noutputs:\n- use: mp3-writer\n  file: '{stem}.mp3'\n"
    )
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load_pipeline("speech.yaml")
    assert said.strip() == str(caught.value.problems[0])
    (sidecar,) = blocks("docs/formats.md", "json")
    assert list(json.loads(sidecar)) == ["tonearm", "source", "signal", "shape", "tags", "pipeline"]


def test_the_guide_names_every_field_of_a_template() -> None:
    from tonearm.writing.templates import FIELDS

    text = (ROOT / "docs/pipelines.md").read_text(encoding="utf-8")
    assert [field for field in FIELDS if f"`{{{field}}}`" not in text] == []


def test_what_inspect_says_is_what_the_guide_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tonearm.cli.main import main

    monkeypatch.chdir(ROOT)
    (command,) = blocks("docs/reading.md", "sh")[0].splitlines()
    assert main(command.split()[1:]) == 0
    printed = capsys.readouterr().out.splitlines()
    (text,) = blocks("docs/reading.md", "text")
    assert [line for line in text.splitlines() if line not in printed] == []
    pipeline = blocks("docs/reading.md", "yaml")[0]
    assert [line for line in pipeline.splitlines() if line not in [one.partition("  #")[0] for one in printed]] == []


def test_the_guide_names_every_decoder_and_what_it_needs() -> None:
    from tonearm.plugins.registry import default

    text = (ROOT / "docs/reading.md").read_text(encoding="utf-8")
    for entry in default().entries("decoder"):
        if entry.origin == "builtin":
            (line,) = (line for line in text.splitlines() if f"| `{entry.name}` |" in line)
            for need in entry.resolve().requires:
                assert need.hint.split("'")[1] in line


@pytest.mark.parametrize("number", [0, 1])
def test_the_guides_flags_make_pipelines(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    from tonearm.cli.main import main

    command = blocks("docs/reading.md", "sh")[1].splitlines()[number]
    assert main([*command.split()[1:], "--yaml"]) == 0
    assert capsys.readouterr().out.startswith("tonearm: 1\n")


def test_the_guides_picture_passes_check() -> None:
    (options,) = (block for block in blocks("docs/reading.md", "yaml") if block.startswith("with:"))
    import yaml

    pipeline = {
        "tonearm": 1,
        "input": {"use": "image-reader", **yaml.safe_load(options)},
        "steps": [{"use": "griffin-lim"}],
        "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
    }
    assert tonearm.load_pipeline(pipeline).checked.decoder.name == "image-reader"


class TestTheArchitecture:
    TEXT = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")

    def test_every_place_that_it_names_exists(self) -> None:
        files = [
            f"/{path.relative_to(ROOT)}"
            for top in ("core", "plugins", "tests", "docs")
            for path in ROOT.glob(f"{top}/**/*")
        ]
        places = re.findall(r"`([\w*./]+(?:/|\.(?:py|toml|md)))`", self.TEXT)
        assert len(places) > 60
        patterns = (
            re.compile(".*/" + re.escape(place.rstrip("/")).replace(r"\*", ".*").replace("X", r"\w+"))
            for place in places
        )
        found = {pattern.pattern: any(pattern.fullmatch(file) for file in files) for pattern in patterns}
        assert [place for place, exists in found.items() if not exists] == []

    def test_its_tree_has_every_room(self) -> None:
        (tree,) = re.findall(r"^```\n(core/tonearm/.*?)^```", self.TEXT, re.MULTILINE | re.DOTALL)
        named = set(re.findall(r"^ +([\w/]+)/ ", tree, re.MULTILINE))
        packages = [path.parent for top in ("core", "plugins") for path in ROOT.glob(f"{top}/*/*/**/__init__.py")]
        rooms = {package.name for package in packages} - {"native", "mel", "tokens"} | {"recipes/mel", "recipes/tokens"}
        assert rooms - {"recipes"} - named == set()
