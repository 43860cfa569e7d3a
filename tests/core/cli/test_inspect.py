"""``tonearm inspect`` on real arrays: kind, axes, honest confidence, and pipelines that pass ``check``."""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kaldiio
import numpy as np
import pyarrow.parquet
import pytest
import soundfile
import yaml

import tonearm
from tonearm.api import Context, MelDialect, Source
from tonearm.cli.main import main
from tonearm.inspect import folders
from tonearm.plugins.registry import default

SAMPLES = Path(__file__).parents[3] / "configs" / "samples"
DIALECTS = default().catalogue(MelDialect)
MELS = [path for path in sorted((SAMPLES / "mel").glob("*.npy")) if not DIALECTS.find(path.stem).standardised]
RNG = np.random.default_rng(4)


def inspect(capsys: Any, *arguments: str) -> tuple[int, str, str]:
    status = main(["inspect", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def printed_yaml(out: str) -> str:
    """The first pipeline that is printed."""
    return out[out.index("tonearm: 1") :].partition("\n\n")[0]


def filled(text: str, **truth: Any) -> Any:
    """The pipeline with a user's answers in place of the question marks."""
    pipeline = yaml.safe_load(text)
    options = pipeline["input"].get("with", {})
    answers = {"sample_rate": 22050, "n_fft": 1024, "full_scale": 32768.0, "kind": "magnitude"} | truth
    answers.setdefault("recipe", {"log": "ln"})
    if options.get("kind") == "tokens":  # whose decoder is a file of the user's: the codes alone are written
        answers.setdefault("layout", "dac")
        pipeline |= {"steps": [], "outputs": [{"use": "npy-writer", "file": "{stem}-{index}.npy"}]}
    for name, value in options.items():
        if value == "?" and name == "hop_length":
            options[name] = answers.get(
                "hop_length", max((options["n_fft"] if options["n_fft"] != "?" else 1024) // 4, 1)
            )
        elif value == "?":
            options[name] = answers[name]
        elif isinstance(value, list):
            options[name] = [answers.get("axis", "batch") if one == "?" else one for one in value]
    return pipeline


def passes_check(pipeline: Any, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "filled.yaml").write_text(yaml.safe_dump(pipeline))
    status = main(["check", str(tmp_path / "filled.yaml")])
    assert status == 0, capsys.readouterr().err
    capsys.readouterr()


@pytest.mark.parametrize("path", MELS, ids=lambda path: path.stem)
def test_real_mels(path: Path, tmp_path: Path, capsys: Any) -> None:
    """Each is what the extractor of the dialect that it is named after computed."""
    dialect = DIALECTS.find(path.stem)
    shape = np.load(path, mmap_mode="r").shape
    status, out, _ = inspect(capsys, "--json", str(path))
    found = json.loads(out)
    assert status == 0
    values = {one["what"]: one["value"] for one in reversed(found["findings"])}
    assert values["kind"] == "mel"
    assert values["axes"] == ("[mel, frame]" if shape[0] == dialect.n_mels else "[frame, mel]")
    assert {one["what"] for one in found["findings"] if one["confidence"] == "certain"} == {"values"}
    name = DIALECTS.entry(path.stem).alias or path.stem
    assert name in found["dialects"]
    likely = [one for one in found["findings"] if one["what"] == "dialect" and one["confidence"] == "likely"]
    if likely:  # what gives itself away does not give away another
        best = found["dialects"][: likely[0]["value"].count(",") + 1]
        assert name in best or len(best) >= 8
    _, out, _ = inspect(capsys, str(path))
    options = yaml.safe_load(printed_yaml(out))["input"]["with"]
    assert options == {"kind": "mel", "axes": values["axes"].strip("[]").split(", "), "dialect": "?"}
    passes_check(filled(printed_yaml(out), dialect=path.stem), tmp_path, capsys)
    (note,) = (line.partition("# one of ")[2] for line in out.splitlines() if "# one of " in line)
    assert note.endswith(f"or of {len(found['dialects']) - 8} more: --json lists them") or name in note.split(", ")
    pipeline = filled(printed_yaml(out), dialect=path.stem)
    assert [step["use"] for step in pipeline["steps"]] == ["mel-to-wave"]
    decoder: Any = tonearm.load_pipeline(pipeline).checked.decoder.plugin
    (item,) = decoder.decode(Source(name=path.name, path=path), Context())
    assert item.signal.values.shape[1] == dialect.n_mels


@pytest.mark.parametrize("name", ["fastspeech2-conformer", "mozilla-tts", "nemo-asr", "xtts-dvae"])
def test_standardised_mels(name: str, capsys: Any) -> None:
    dialect = DIALECTS.find(name)
    assert dialect.standardised
    _, out, _ = inspect(capsys, "--json", str(SAMPLES / f"mel/{name}.npy"))
    findings = json.loads(out)["findings"]
    values = {one["what"]: one["value"] for one in reversed(findings)}
    assert (values["kind"], values["axes"]) == (
        "mel",
        "[mel, frame]" if dialect.layout == "mels-frames" else "[frame, mel]",
    )
    assert any(name in one["value"] and one["confidence"] == "possible" for one in findings if one["what"] == "dialect")


@pytest.mark.parametrize(
    ("array", "steps"),
    [
        (np.zeros((1, 1, 1, 5000), "f4"), []),
        (np.zeros((2, 50_000), "i2"), []),
        (np.full(50, 5000.5), []),
        (np.ones((513, 200), "c8"), ["istft"]),
        (np.ones((513,), "c8"), ["istft"]),
        (np.ones((513, 200, 1), "f4"), ["griffin-lim"]),
        (np.linspace(-80, 0, 513 * 200).reshape(1, 513, 200), ["griffin-lim"]),
        (np.stack([np.ones((513, 200)), -np.ones((513, 200))]), ["istft"]),
        (np.ones((77, 55)), ["griffin-lim"]),
        (RNG.integers(0, 500, (8, 300)), ["griffin-lim"]),
    ],
)
def test_the_yaml_passes_check_once_filled(array: Any, steps: list[str], tmp_path: Path, capsys: Any) -> None:
    np.save(tmp_path / "a.npy", array)
    status, out, _ = inspect(capsys, str(tmp_path / "a.npy"))
    assert status == 0
    for kind in ("magnitude", "power", "db"):
        for axis in ("batch", "channel"):
            pipeline = filled(printed_yaml(out), kind=kind, axis=axis)
            passes_check(pipeline, tmp_path, capsys)
            assert [step["use"] for step in pipeline.get("steps", [])] == steps


def test_the_yaml_of_tokens_names_the_layout_and_leaves_the_model_open(tmp_path: Path, capsys: Any) -> None:
    ids = 128266 + 4096 * np.arange(84) % 28672 + RNG.integers(0, 4096, 84)
    ids[-1] = 156937
    np.save(tmp_path / "a.npy", ids)
    status, out, _ = inspect(capsys, str(tmp_path / "a.npy"))
    assert status == 0
    pipeline = yaml.safe_load(printed_yaml(out))
    assert pipeline["input"]["with"] == {"kind": "tokens", "layout": "orpheus-snac24"}
    assert pipeline["steps"] == [{"use": "onnx-codec", "with": {"model": "?"}}]
    assert "tonearm layouts NAME" in out


@pytest.mark.one_in(3)
@pytest.mark.parametrize("seed", range(12))
def test_the_yaml_of_every_array_passes_check(seed: int, tmp_path: Path, capsys: Any) -> None:
    rng = np.random.default_rng(seed)
    for number in range(6):
        shape: tuple[int, ...] = (3000, 3000)
        while math.prod(shape) > 600_000:
            shape = (*rng.choice([1, 2, 4], rng.integers(0, 3)), *rng.choice([1, 2, 9, 80, 100, 257, 513, 3000], 2))
        values = rng.normal(size=shape) * 10 ** rng.uniform(-2, 4) + rng.choice([0, 1000])
        path = tmp_path / f"{number} [x] #.npy"
        np.save(path, values.astype(rng.choice(["f2", ">f4", "f8", "i2", "u1", "i8", "c8"])))
        status, out, _ = inspect(capsys, str(path))
        assert status == 0
        names = json.loads(inspect(capsys, "--json", str(path))[1]).get("dialects", ["hifigan"])
        passes_check(filled(printed_yaml(out), dialect=names[0]), tmp_path, capsys)


@pytest.mark.parametrize("name", ["utt00", "utt01", "utt08", "utt08-stft", "utt08-magnitude"])
def test_real_arrays_are_read_as_the_yaml_says(name: str, tmp_path: Path, capsys: Any) -> None:
    path = SAMPLES / f"{name}.npy"
    _, out, _ = inspect(capsys, str(path))
    pipeline = filled(printed_yaml(out))
    passes_check(pipeline, tmp_path, capsys)
    (signal,) = tonearm.load_pipeline(pipeline).convert(path)
    assert signal.length == {"utt00": 61184, "utt01": 60416}.get(name, 28928)


def test_the_page_for_people(capsys: Any) -> None:
    _, out, _ = inspect(capsys, str(SAMPLES / "utt08.npy"))
    lines = out.splitlines()
    assert lines[0].endswith("utt08.npy  1×1×1×28928 float32")
    assert "█" in lines[1]
    assert len(lines[1]) == 2 + 64
    assert lines[2].startswith("  values:      -0.343446 to 0.216816  (certain: ")
    assert lines[3].startswith("  kind:        waveform  (likely: ")
    assert lines[4].startswith("  axes:        [time]  (likely: ")
    assert '    sample_rate: "?"  # in Hz, from the model\'s settings' in lines
    _, out, _ = inspect(capsys, str(SAMPLES / "utt08-magnitude.npy"))
    assert len({len(line) for line in out.splitlines()[1:9]}) == 1
    assert set("".join(out.splitlines()[1:9])) <= set(" ░▒▓█")


def test_names_with_characters_of_yaml_are_quoted(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = 'a ${HOME} "b" {c} #\n.npy'
    np.save(name, np.zeros(500, "f4"))
    pipeline = tonearm.load_pipeline(yaml_file(filled(printed_yaml(inspect(capsys, name)[1])), tmp_path))
    assert pipeline.checked.files == (name,)
    main(["convert", name, "a.wav", "--sample-rate", "8000", "--yaml"])
    (tmp_path / "b.yaml").write_text(capsys.readouterr().out)
    assert tonearm.load_pipeline(tmp_path / "b.yaml").checked.files == (name,)


def yaml_file(pipeline: Any, folder: Path) -> Path:
    (folder / "p.yaml").write_text(yaml.safe_dump(pipeline))
    return folder / "p.yaml"


def test_an_encoding_without_block_characters_gets_no_preview() -> None:
    code = "import sys; from tonearm.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "inspect", str(SAMPLES / "utt08.npy")]
    for encoding, shown in (("utf-8", True), ("ascii", False)):
        done = subprocess.run(command, capture_output=True, check=True, env=os.environ | {"PYTHONIOENCODING": encoding})
        assert ("█".encode() in done.stdout, b"2588" in done.stdout) == (shown, False)


def test_every_array_of_a_file(tmp_path: Path, capsys: Any) -> None:
    np.savez(tmp_path / "a.npz", wav=np.zeros(50), text=np.array(["a"]), stft=np.zeros((513, 9), "c8"), step=7)
    status, out, _ = inspect(capsys, "--json", str(tmp_path / "a.npz"))
    assert status == 3
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(one["key"], "error" in one, one.get("note")) for one in lines] == [
        ("wav", False, None),
        ("text", True, None),
        ("stft", False, None),
        ("step", False, "a single number: 7"),
    ]
    assert lines[2]["pipeline"]["input"]["with"]["key"] == "stft"
    status, out, _ = inspect(capsys, "--key", "s*", "--json", str(tmp_path / "a.npz"))
    assert (status, [json.loads(line)["key"] for line in out.splitlines()]) == (0, ["stft", "step"])
    status, _, err = inspect(capsys, "--key", "x", str(tmp_path / "a.npz"))
    assert (status, err) == (3, "no-such-key: there is no array 'x'\n    hint: --key wav, text, stft or step\n")


def test_arrays_that_are_not_inspected_are_counted(tmp_path: Path, capsys: Any) -> None:
    np.savez(tmp_path / "a.npz", **{f"a{number:02}": np.zeros(5) for number in range(25)})
    _, out, _ = inspect(capsys, str(tmp_path / "a.npz"))
    assert out.count("tonearm: 1") == 1
    assert out.startswith(f"{tmp_path}/a.npz:a00  5 float64\n  and 19 alike arrays: a01, a02, a03, a04 and 15 more\n")
    assert out.rstrip().endswith("5 more arrays are not inspected; --key NAME inspects one")


def test_alike_arrays_are_described_once(tmp_path: Path, capsys: Any) -> None:
    waves = {f"utt{number}": np.load(SAMPLES / "utt08.npy").reshape(-1)[number:] for number in range(12)}
    np.savez(tmp_path / "a.npz", **waves)
    status, out, _ = inspect(capsys, str(tmp_path / "a.npz"))
    assert status == 0
    assert len(out.splitlines()) < 30
    pipeline = filled(printed_yaml(out))
    assert pipeline["input"]["with"] == {"sample_rate": 22050, "key": "*"}
    passes_check(pipeline, tmp_path, capsys)
    _, out, _ = inspect(capsys, "--json", str(tmp_path / "a.npz"))
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(one["key"], one["alike"]) for one in lines] == [(key, 12) for key in waves]
    assert {json.dumps(one["pipeline"]) for one in lines} == {json.dumps(lines[0]["pipeline"])}
    assert lines[0]["pipeline"]["outputs"][0]["file"] == "{stem}-{key}.wav"


def test_rows_of_a_column_are_described_once(tmp_path: Path, capsys: Any) -> None:
    wave = np.load(SAMPLES / "utt08.npy").reshape(-1)
    rows = pyarrow.table({"wav": [wave[:9000].tolist(), wave[9:9900].tolist(), wave[99:9500].tolist()]})
    pyarrow.parquet.write_table(rows, tmp_path / "a.parquet")
    _, out, _ = inspect(capsys, str(tmp_path / "a.parquet"))
    assert out.startswith(f"{tmp_path}/a.parquet:wav  9000 float64\n  and 2 alike arrays\n")
    pipeline = filled(printed_yaml(out))
    assert pipeline["outputs"][0]["file"] == "{stem}-{index}.wav"
    passes_check(pipeline, tmp_path, capsys)


class TestFolders:
    def test_alike_files_are_described_once(self, tmp_path: Path, capsys: Any) -> None:
        for name in ("a.npy", "x/b.npy", "x/c.npy"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            shutil.copy(SAMPLES / "utt08.npy", tmp_path / name)
        (tmp_path / "notes.md").write_text("no array")
        status, out, err = inspect(capsys, str(tmp_path))
        assert (status, err) == (0, "")
        assert out.startswith(
            f"{tmp_path}  3 files (3 .npy); 1 file that no decoder reads\n\n{tmp_path}/a.npy  1×1×1×28928"
        )
        assert f"  and 2 alike files: {tmp_path}/x/b.npy, {tmp_path}/x/c.npy\n" in out
        pipeline = filled(printed_yaml(out))
        assert pipeline["input"]["files"] == f"{tmp_path}/**/*.npy"
        passes_check(pipeline, tmp_path, capsys)

    def test_what_cannot_be_read_is_reported_and_the_rest_described(
        self, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(folders, "MAX_FILES", 2)
        (tmp_path / "a.npy").write_bytes(b"no array")
        for name in ("b.npy", "c.npy"):
            shutil.copy(SAMPLES / "utt08.npy", tmp_path / name)
        status, out, err = inspect(capsys, str(tmp_path))
        assert status == 3
        assert err.startswith("not-npy: ")
        assert f"{tmp_path}/b.npy  1×1×1×28928 float32\n" in out
        assert out.endswith(f"1 more file of {tmp_path} not inspected\n")
        status, out, _ = inspect(capsys, "--json", str(tmp_path))
        assert status == 3
        assert {json.loads(line)["file"]: "error" in json.loads(line) for line in out.splitlines()} == {
            f"{tmp_path}/a.npy": True,
            f"{tmp_path}/b.npy": False,
        }

    def test_an_empty_folder(self, tmp_path: Path, capsys: Any) -> None:
        status, out, err = inspect(capsys, str(tmp_path))
        assert (status, out) == (3, "")
        assert err.startswith(f"nothing-to-inspect: the folder {tmp_path} has no file that a decoder reads\n")


@pytest.mark.parametrize("name", ["sr", "Sample_Rate", "fs"])
def test_a_number_beside_the_array_is_its_rate(name: str, tmp_path: Path, capsys: Any) -> None:
    np.savez(tmp_path / "a.npz", wav=np.load(SAMPLES / "utt08.npy"), **{name: 22050})
    _, out, _ = inspect(capsys, "--json", "--key", "wav", str(tmp_path / "a.npz"))
    found = json.loads(out)
    finding = next(one for one in found["findings"] if one["what"] == "sample_rate")
    assert finding == {
        "what": "sample_rate",
        "value": "22050",
        "confidence": "likely",
        "reason": f"the file has {name} = 22050",
    }
    assert found["pipeline"]["input"]["with"] == {"kind": "waveform", "sample_rate": 22050, "key": "wav"}
    passes_check(found["pipeline"], tmp_path, capsys)


def test_formats_that_store_the_rate(tmp_path: Path, capsys: Any) -> None:
    pcm = (RNG.uniform(-0.5, 0.5, 5000) * 32767).astype("i2")
    with kaldiio.WriteHelper(f"ark:{tmp_path}/a.ark") as writer:
        writer("utt1", (16000, pcm))
    audio = io.BytesIO()
    soundfile.write(audio, pcm, 16000, format="WAV")
    rows = pyarrow.table({"audio": [{"bytes": audio.getvalue(), "path": "a.wav"}]})
    pyarrow.parquet.write_table(rows, tmp_path / "a.parquet")
    for name, confidence in (("a.ark", "likely"), ("a.parquet", "certain")):
        _, out, _ = inspect(capsys, "--json", str(tmp_path / name))
        found = json.loads(out)
        assert next([one["value"], one["confidence"]] for one in found["findings"] if one["what"] == "sample_rate") == [
            "16000",
            confidence,
        ]
        passes_check(found["pipeline"], tmp_path, capsys)


def test_sound_files_and_images_declare_their_kind(tmp_path: Path, capsys: Any) -> None:
    for name, kind, rate in (("utt08-16k.wav", "waveform", "16000"), ("utt08-riffusion.png", "mel", "44100")):
        _, out, _ = inspect(capsys, "--json", str(SAMPLES / name))
        found = json.loads(out)
        values = {one["what"]: one["value"] for one in found["findings"]}
        assert (values["kind"], values["sample_rate"]) == (kind, rate)
        passes_check(found["pipeline"], tmp_path, capsys)
        assert "?" not in json.dumps(found["pipeline"])


@pytest.mark.parametrize(
    ("name", "code", "status"),
    [
        ("a.xyz", "unknown-suffix", 2),
        ("a.pcm", "nothing-to-inspect", 2),
        ("a.npy", "not-npy", 3),
        ("none.npy", "unreadable", 3),
    ],
)
def test_files_that_cannot_be_inspected(name: str, code: str, status: int, tmp_path: Path, capsys: Any) -> None:
    if name != "none.npy":
        (tmp_path / name).write_bytes(b"\1nonsense")
    found, out, err = inspect(capsys, str(tmp_path / name))
    assert found == status
    assert code in err + out
    assert "Traceback" not in err


def test_a_file_that_is_missing_or_unknown_keeps_no_other_from_being_inspected(tmp_path: Path, capsys: Any) -> None:
    np.save(tmp_path / "a.npy", np.zeros(100, np.float32))
    (tmp_path / "a.xyz").write_bytes(b"<!DOCTYPE html>")
    status, out, err = inspect(capsys, str(tmp_path / "nofile"), str(tmp_path / "a.npy"))
    assert (status, err) == (3, f"unreadable: cannot read {tmp_path}/nofile: no such file or directory\n")
    assert "100 float32" in out
    status, out, err = inspect(capsys, str(tmp_path / "a.xyz"), str(tmp_path / "a.npy"))
    assert status == 2
    assert err.startswith("unknown-suffix: no decoder reads .xyz; it looks like a web page")
    assert "100 float32" in out
    status, out, err = inspect(capsys, "--decoder", "nyp-reader", "a", "b")
    assert (status, out, err.count("unknown-plugin")) == (2, "", 1)


def test_a_key_of_a_file_without_keys(tmp_path: Path, capsys: Any) -> None:
    np.save(tmp_path / "a.npy", np.zeros(100, np.float32))
    status, out, err = inspect(capsys, str(tmp_path / "a.npy"), "--key", "x")
    assert (status, out) == (2, "")
    assert err == f"unknown-option: {tmp_path}/a.npy holds one array, which has no name\n    hint: leave --key out\n"
    assert inspect(capsys, str(tmp_path), "--key", "x")[0] == 0


def test_a_pipeline_is_to_be_checked(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "p.yaml").write_text("tonearm: 1\n")
    status, _, err = inspect(capsys, str(tmp_path / "p.yaml"))
    assert status == 2
    assert err.endswith(f"\n    hint: tonearm check {tmp_path}/p.yaml, if it is a pipeline\n")


def test_a_pipe_that_stands_alone(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(100, np.float32))
    command = [sys.executable, "-m", "tonearm", "inspect", "-"]
    content = (tmp_path / "a.npy").read_bytes()
    done = subprocess.run(command, input=content, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith("stdin.npy  100 float32\n")
    assert b'files: "stdin.npy"' in done.stdout
    done = subprocess.run([*command, str(tmp_path)], input=content, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"stream-refused: - is a stream, and files are expected here")
