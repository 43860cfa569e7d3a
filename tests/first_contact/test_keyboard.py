"""The keyboard, as people first met it: each line of section 8 of what first users found, as it is typed.

More of each stands with the command that it concerns, in `core/cli`, `core/run` and `core/inspect`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml
from at_the_prompt import RATE, ROOT, SPEECH, Prompt, heard, rate_of

PIPELINE = """\
tonearm: 1
input: {{use: npy-reader, files: "{files}", with: {{kind: waveform, sample_rate: 22050}}}}
steps: [{steps}]
outputs: [{{use: wav-writer, file: "{{stem}}.wav"}}]
"""
RUN = "run p.yaml -o out --executor in-process"
MEL = np.load(ROOT / "configs/samples/mel/hifigan.npy")


def pipeline(files: str = "in/*.npy", steps: str = "") -> None:
    Path("p.yaml").write_text(PIPELINE.format(files=files, steps=steps))


@pytest.fixture
def arrays(tonearm: Prompt) -> None:
    """Three sounds, and a pipeline for them."""
    Path("in").mkdir()
    for number in range(3):
        np.save(f"in/{number}.npy", SPEECH[1000 * number :][:4000])
    pipeline()


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("convert s3://bucket/a.npy o.wav --sample-rate 22050", "address-refused"),
        ("convert in/0.npy gs://bucket/o.wav --sample-rate 22050", "address-refused"),
        ("convert https://example.org/a.npy o.wav --sample-rate 22050", "address-refused"),
        ("inspect s3://bucket/a.npy", "address-refused"),
        ("run p.yaml -o s3://bucket/out", "address-refused"),
        ("run p.yaml s3://bucket/a.npy -o out", "address-refused"),
        ("run p.yaml - -o out", "stream-refused"),
    ],
)
@pytest.mark.usefixtures("arrays")
def test_nothing_is_called_as_a_stream_or_an_address_is(line: str, code: str, tonearm: Prompt) -> None:
    before = sorted(path.name for path in Path().iterdir())
    said = tonearm(line)
    assert (said.status, said.code) == (2, code)
    assert said.hint
    assert sorted(path.name for path in Path().iterdir()) == before


@pytest.mark.usefixtures("arrays")
def test_json_of_a_second_run_has_all_that_the_first_had(tonearm: Prompt) -> None:
    first = records(tonearm(f"{RUN} --json").out)
    again = records(tonearm(f"{RUN} --json").out)
    assert [one["status"] for one in first] == ["converted"] * 3
    assert [one["outputs"] for one in again] == [["0.wav"], ["1.wav"], ["2.wav"]]
    for before, after in zip(first, again, strict=True):
        assert after == {**before, "status": "skipped", "reason": "done before, and unchanged"}


@pytest.mark.usefixtures("arrays")
def test_json_of_a_dry_run_is_json(tonearm: Prompt) -> None:
    planned = records(tonearm(f"{RUN} --dry-run --json").out)
    assert [one["status"] for one in planned] == ["planned"] * 3 + ["summary"]
    assert not Path("out").exists()


@pytest.mark.parametrize("files", ["in/*.npy", "nothing.npy", "in/**/*.npy"])
def test_a_pattern_without_a_source_names_itself_and_its_folder(files: str, tonearm: Prompt) -> None:
    pipeline(files)
    checked = tonearm("check p.yaml")
    assert checked.status == 0
    assert checked.err.startswith("warning: p.yaml:2:")
    ran = tonearm(RUN)
    assert ran.status != 0
    for said in (checked, ran):
        assert "no-source: " in said.err
        assert files in said.err
        assert str(Path.cwd()) in said.err


def test_twelve_alike_arrays_are_described_once_with_a_pipeline_for_all(tonearm: Prompt) -> None:
    np.savez("in.npz", **{f"utt{number}": SPEECH[number * 100 :][:3000] for number in range(12)})
    shown = tonearm("inspect in.npz").out
    assert len(shown.splitlines()) < 40
    assert "and 11 alike arrays" in shown
    assert shown.count("tonearm: 1") == 1
    text = shown[shown.index("tonearm: 1") :].replace('sample_rate: "?"', f"sample_rate: {RATE}")
    assert yaml.safe_load(text)["input"]["with"]["key"] == "*"
    Path("p.yaml").write_text(text)
    assert tonearm(RUN).status == 0
    assert len(list(Path("out").glob("*.wav"))) == 12


@pytest.mark.usefixtures("arrays")
def test_a_folder_is_inspected(tonearm: Prompt) -> None:
    said = tonearm("inspect in")
    assert said.status == 0
    assert "3 files" in said.out
    assert 'files: "in/*.npy"' in said.out


def padded() -> tuple[Any, list[int]]:
    lengths = [MEL.shape[1], 30, 20]
    batch = np.zeros((3, *MEL.shape), np.float32)
    for row, length in zip(batch, lengths, strict=True):
        row[:, :length] = MEL[:, :length]
    return batch, lengths


def test_lengths_beside_a_batch_and_zeros_behind_it_are_used(tonearm: Prompt) -> None:
    batch, lengths = padded()
    np.savez("in.npz", mel=batch, lengths=lengths)
    shown = tonearm("inspect in.npz").out
    assert "axes: [batch, mel, frame]" in shown
    assert "lengths: lengths" in shown
    np.save("in.npy", batch)
    shown = tonearm("inspect in.npy").out
    assert "exact zeros" in shown
    said = tonearm.convert("in.npz 'o{index}.wav' --dialect hifigan --lengths lengths")
    assert said.status == 0, said.err
    assert [round(len(heard(f"o{number}.wav")) / 256) for number in range(3)] == lengths


@pytest.mark.parametrize(
    "options", ["key: mel, lengths: lengths", "key: mel, axes: [batch, mel, frame]"], ids=["lengths", "axes"]
)
def test_several_items_that_become_one_file_are_refused_at_check(options: str, tonearm: Prompt) -> None:
    Path("p.yaml").write_text(
        f"""\
tonearm: 1
input: {{use: npz-reader, files: in.npz, with: {{kind: mel, dialect: hifigan, {options}}}}}
steps: [{{use: mel-to-wave}}]
outputs: [{{use: wav-writer, file: "{{stem}}.wav"}}]
"""
    )
    batch, lengths = padded()
    np.savez("in.npz", mel=batch, lengths=lengths)
    said = tonearm("check p.yaml")
    assert said.status == 2
    assert "same-output: a source becomes several items here" in said.err
    assert "{index" in said.hint or "{key" in said.hint


def test_a_table_of_many_utterances_is_read_whole(tonearm: Prompt) -> None:
    import pyarrow as pa
    from pyarrow import parquet as table

    table.write_table(pa.table({"wav": [SPEECH[:3000].tolist(), SPEECH[3000:5000].tolist()]}), "in.parquet")
    said = tonearm.convert(f"in.parquet 'o{{index}}.wav' --kind waveform --sample-rate {RATE}")
    assert said.status == 0, said.err
    assert [len(heard(f"o{number}.wav")) for number in range(2)] == [3000, 2000]


@pytest.mark.usefixtures("arrays")
def test_all_that_is_missing_is_reported_at_once(tonearm: Prompt) -> None:
    said = tonearm.convert("in/0.npy o.wav --kind magnitude")
    assert said.status == 2
    assert [line.split("'")[1] for line in said.err.splitlines() if line.startswith("missing-option: ")] == [
        "sample_rate",
        "n_fft",
        "hop_length",
    ]


BAD = {"nan1": np.full(4000, np.nan, "f4"), "nan2": np.full(4000, np.nan, "f4"), "quiet": np.zeros(4000, "f4")}


@pytest.mark.usefixtures("arrays")
def test_failures_are_printed_once_counted_right_and_listed_on_request(tonearm: Prompt) -> None:
    for name, array in BAD.items():
        np.save(f"in/{name}.npy", array)
    pipeline(steps="{use: guard}")
    said = tonearm(f"{RUN} --quarantine refused")
    assert said.status == 3
    for name in BAD:
        assert said.err.count(f"in/{name}.npy") == 1
    assert "3 converted, 3 failed in " in said.err
    assert "2 × not-finite" in said.err
    assert "1 × guard-silence" in said.err
    (kept,) = Path("refused").glob("*.wav")
    assert f"kept: {kept}" in said.err
    assert len(heard(str(kept))) == 4000
    listed = tonearm("status out --code not-finite").out
    assert [name in listed for name in BAD] == [True, True, False]
    assert all(name in tonearm("status out --failed").out for name in BAD)


@pytest.mark.usefixtures("arrays")
def test_no_line_is_hidden_and_one_is_no_items(tonearm: Prompt) -> None:
    np.save("in/nan.npy", BAD["nan1"])
    said = tonearm(RUN)
    assert "and 1 more" not in said.err
    assert [f"out/{number}.wav" in said.err for number in range(3)] == [True] * 3
    status = tonearm("status out").out
    assert "failed: 1 item of 1 source\n" in status
    assert not re.search(r"(?<![\d.,])1 (?:items|sources)(?! a second)", said.err + status)


@pytest.mark.parametrize("rank", ["loudest", "quietest", "longest", "shortest", "peak_db:1"])
@pytest.mark.usefixtures("arrays")
def test_files_are_ranked(rank: str, tonearm: Prompt) -> None:
    np.save("in/long.npy", 2 * SPEECH[:9000])
    tonearm(RUN)
    found = tonearm(f"status out --rank {rank}").out
    assert found.count(".wav") >= (2 if ":" in rank else 4)
    lines = [line for line in found.splitlines() if ".wav" in line]
    assert ("long.wav" in lines[0]) == (rank in ("loudest", "longest"))


@pytest.mark.parametrize("columns", [40, 80, 109])
@pytest.mark.parametrize("command", ["plugins", "plugins npy-reader", "dialects", "inspect in/0.npy", "convert --help"])
@pytest.mark.usefixtures("arrays")
def test_no_word_is_broken_at_any_width(
    command: str, columns: int, tonearm: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    words = set(tonearm(command).out.split())
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = tonearm(command).out
    broken = {word for word in shown.split() if word not in words and not set(word) & set("▁▂▃▄▅▆▇█")}
    assert not {word for word in broken if word.isalpha()}


def test_dialects_have_a_command_and_one_number(tonearm: Prompt) -> None:
    assert "hifigan" in {one["name"] for one in json.loads(tonearm("dialects --json").out)}
    assert "n_fft" in tonearm("dialects hifigan").out
    said = tonearm("dialects hifgan")
    assert (said.status, said.hint) == (2, "did you mean 'hifigan'?")
    assert "model families" not in tonearm("--help").out
    np.save("in.npy", MEL)
    said = tonearm.convert("in.npy o.wav --kind mel")
    assert said.status == 2
    assert "tonearm dialects" in said.hint


def test_the_readme_begins_with_its_title() -> None:
    assert (ROOT / "README.md").read_text(encoding="utf-8").startswith("# tonearm\n")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("in/0.npy o.wav", "--sample-rate …"),
        ("in/2d.npy o.wav --sample-rate 22050", "--kind "),
        ("in/2d.npy o.wav --kind waveform --sample-rate 22050", "--axes "),
        ("in/dict.npz o.wav --sample-rate 22050", "--key "),
        ("in/0.npy o.wav --sample-rate 22050 --kind wavefrom", "did you mean 'waveform'"),
        ("in/0.npy o.wav --sampel-rate 22050", "did you mean '--sample-rate'?"),
        ("in/0.npy there.wav --sample-rate 22050", ""),
    ],
)
@pytest.mark.usefixtures("arrays")
def test_hints_of_convert_are_flags_and_speak_of_what_there_is(line: str, hint: str, tonearm: Prompt) -> None:
    np.save("in/2d.npy", np.stack([SPEECH[:9000], SPEECH[9000:18000]]))
    np.savez("in/dict.npz", a=SPEECH[:500], b=SPEECH[:500])
    Path("there.wav").write_bytes(b"")
    said = tonearm(f"convert {line}")
    assert said.status in (2, 3)
    assert hint in said.hint
    assert said.hint
    assert "options are flags here" not in said.err
    assert "--out" not in said.err


@pytest.mark.usefixtures("arrays")
def test_flags_of_the_encoder_are_known_before_its_suffix(tonearm: Prompt) -> None:
    assert tonearm.convert(f"--bitrate 64 in/0.npy o.mp3 --sample-rate {RATE}").status == 0
    assert rate_of("o.mp3") == RATE
    said = tonearm.convert(f"in/0.npy o.wav --sample-rate {RATE} --bitrate 64")
    assert (said.status, said.code) == (2, "unknown-option")
    assert "wav-writer has no option 'bitrate'" in said.err


def test_help_shows_the_choices_and_whose_option_it_is(tonearm: Prompt) -> None:
    shown = " ".join(tonearm("convert --help").out.split())
    encoding = shown[shown.index("--encoding VALUE") :][:600]
    for name in ("pcm_s16le", "pcm_f32be", "mulaw", "alaw"):
        assert name in encoding
    key = shown[shown.index("--key VALUE") :][:200]
    assert "hdf5-reader, kaldi-reader, mat-reader and " in key


@pytest.mark.parametrize(
    "line", ["convert vioce.wav o.wav", "inspect vioce.wav", "check vioce.yaml", "run voice.yml --out o"]
)
def test_a_missing_file_comes_with_the_name_that_was_meant(line: str, tonearm: Prompt) -> None:
    soundfile.write("voice.wav", SPEECH, RATE)
    Path("voice.yaml").write_text(
        'tonearm: 1\ninput: {use: audio-reader, files: "*.wav"}\noutputs: [{use: flac-writer, file: "{stem}.flac"}]'
    )
    said = tonearm(line)
    assert said.code == "unreadable"
    meant = said.hint.removeprefix("did you mean '").removesuffix("'?")
    wrong = line.split()[1]
    assert tonearm(line.replace(wrong, meant)).status == 0
