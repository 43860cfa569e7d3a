"""``tonearm check`` as a user runs it: every mistake in a pipeline exits with 2, a message, and no traceback."""

import json
import os
import re

import numpy as np
import pytest
from core_toys import ROOT, tonearm

from tonearm.cli import main as cli

HEAVY = ("numpy", "scipy", "librosa", "soundfile", "pydub", "numba", "llvmlite", "soxr", "rich", "torch", "mutagen")
RIGHT = """\
tonearm: 1
input: {use: npy-reader, files: "*.npy", with: {kind: waveform, sample_rate: 8000}}
steps: [{use: normalize}]
outputs: [{use: wav-writer, file: "{stem}.wav"}]
"""
SPECTRAL = "kind: complex, sample_rate: 8000, n_fft: 1024, hop_length: 256"


def reading(options):
    return RIGHT.replace("kind: waveform, sample_rate: 8000", options)


def writing(file):
    return RIGHT.replace('"{stem}.wav"', file)


def nested(depth):
    return "a: " + "[" * depth + "]" * depth


# Each row: what stands in the file, where the first problem is, and its code.
ROWS = {
    # a file that is no pipeline file
    "over 1 MiB": ("#" + "x" * (1 << 20), "", "too-large"),
    "not UTF-8": (b"tonearm: 1\n# \xff\n", "2:3", "not-utf8"),
    "UTF-16": (RIGHT.encode("utf-16"), "1:1", "not-utf8"),
    "deeper than 50": (nested(60), "1:53", "too-deep"),
    "50,000 brackets": ("[" * 50_000, "1:51", "too-deep"),
    "over 10,000 nodes": ("a: [" + "1, " * 11_000 + "]", "1:29996", "too-many-nodes"),
    "over 10,000 nodes by aliases": ("a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"{new}: &{new} [{', '.join(['*' + old] * 10)}]\n" for old, new in zip("abcd", "bcde", strict=True)
    ), "4:36", "too-many-nodes"),
    "a tag": (RIGHT.replace("1\n", "!!python/object/apply:os.system [ls]\n", 1), "1:10", "tag-refused"),
    "a plain tag": (RIGHT.replace("1\n", "!!int 1\n", 1), "1:10", "tag-refused"),
    "recursion": ("a: &a [*a]", "1:8", "recursive-alias"),
    "a duplicate key": (RIGHT + "tonearm: 1\n", "5:1", "duplicate-key"),
    "a key that is no text": (RIGHT + "7: x\n", "5:1", "bad-key"),
    "tab indentation": ("tonearm: 1\ninput:\n\tuse: x\n", "3:1", "tab-indentation"),
    "empty": ("", "1:1", "empty"),
    "only comments": ("# nothing\n", "1:1", "empty"),
    "two documents": (RIGHT + "---\n" + RIGHT, "5:1", "several-documents"),
    "broken syntax": ("a: [1, 2", "1:9", "yaml-syntax"),
    "a NUL": ("tonearm: 1\na: \0\n", "2:4", "yaml-syntax"),
    # scalars
    "0123": (reading("sample_rate: 0123"), "2:62", "ambiguous-number"),
    "1:30": (reading("sample_rate: 1:30"), "2:62", "bad-option"),
    "22_050": (reading("sample_rate: 22_050"), "2:62", "bad-option"),
    "a date": (reading("sample_rate: 2024-01-01"), "2:62", "bad-option"),
    "a variable that is not set": (reading("sample_rate: '${TONEARM_NOT_SET}'"), "2:62", "unset-variable"),
    # keys, plugins, options
    "an unknown key": (RIGHT + "step: []\n", "5:1", "unknown-key"),
    "an unknown plugin": (RIGHT.replace("normalize", "normalise"), "3:15", "unknown-plugin"),
    "an unknown option": (RIGHT.replace("normalize", "normalize, with: {peek_db: 1}"), "3:33", "unknown-option"),
    "a rate of 0": (reading("kind: waveform, sample_rate: 0"), "2:78", "bad-option"),
    "a negative rate": (reading("kind: waveform, sample_rate: -8000"), "2:78", "bad-option"),
    "a fractional rate": (reading("kind: waveform, sample_rate: 8000.5"), "2:78", "bad-option"),
    "truth as a rate": (reading("kind: waveform, sample_rate: true"), "2:78", "bad-option"),
    "a rate of 1e9": (reading("kind: waveform, sample_rate: 1e9"), "2:78", "bad-option"),
    "a hop of 0": (reading(SPECTRAL.replace("256", "0")), "2:108", "bad-option"),
    "a window that cannot be inverted": (reading(SPECTRAL.replace("256", "1500")), "2:108", "not-invertible"),
    "n_mels that does not fit": (reading("kind: mel, dialect: {base: hifigan, n_mels: 10000}"), "2:93", "bad-option"),
    "a rate that the encoder cannot write": (
        RIGHT.replace("8000", "96000").replace("wav-writer", "mp3-writer"), "4:17", "unsupported-rate"
    ),
    # names of outputs
    "..": (writing("'../{stem}.wav'"), "4:35", "bad-template"),
    "an absolute name": (writing("'/tmp/{stem}.wav'"), "4:35", "bad-template"),
    "attribute access": (writing("'{stem.__class__}.wav'"), "4:35", "bad-template"),
    "a format spec": (writing("'{index:>10}.wav'"), "4:35", "bad-template"),
    "the suffix of another format": (writing("'{stem}.mp3'"), "4:35", "wrong-suffix"),
    "two outputs of one name": (
        RIGHT.replace('wav"}]', 'wav"}, {use: wav-writer, file: "{stem}.wav"}]'), "4:74", "same-output"
    ),
}  # fmt: skip


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", ROWS)
def test_a_users_mistake_exits_2_with_a_message_and_no_traceback(name, tmp_path):
    text, place, code = ROWS[name]
    path = tmp_path / "p.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = tonearm("check", "p.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    first, *rest = done.stderr.splitlines()
    assert first.startswith(f"p.yaml:{place}: {code}: " if place else f"p.yaml: {code}: ")
    assert re.fullmatch(r"\d+ problems?", rest[-1])
    assert max(map(len, done.stderr.splitlines())) < 600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "arguments"),
    [
        (lambda text: text.replace("\n", "\r\n"), ()),
        (lambda text: "\ufeff" + text, ()),
        (lambda text: text.replace("{use: normalize}", "&n {use: normalize}, *n"), ()),
        (lambda text: text.replace("sample_rate: 8000}", "<<: {sample_rate: 8000}}"), ()),
        (
            lambda text: (
                text.replace("{use: normalize}", "\n- use: normalize\n  with:\n    peak_db: ${TONEARM_DB:-3}\n")
                .replace("[\n-", "\n-")
                .replace("\n]", "\n")
            ),
            ("--env", "TONEARM_DB"),
        ),
        (lambda text: text.replace("8000", "0"), ("--set", "input.with.sample_rate=8000")),
    ],
    ids=["CRLF", "byte order mark", "alias", "merge key", "variable", "override"],
)
def test_accepted_spellings(change, arguments, tmp_path):
    path = tmp_path / "p.yaml"
    path.write_bytes(change(RIGHT).encode())
    (tmp_path / "a.npy").touch()
    done = tonearm("check", path, *arguments)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith(f"{path}: ok: npy-reader → normalize")


class TestFiles:
    def said(self, *arguments, capsys, status=2):
        assert cli.main(["check", *map(str, arguments)]) == status
        found = capsys.readouterr()
        assert found.out == ""
        return found.err

    def test_a_missing_file(self, tmp_path, capsys):
        path = tmp_path / "no.yaml"
        expected = f"unreadable: cannot read {path}: no such file or directory\n1 problem\n"
        assert self.said(path, capsys=capsys) == expected

    def test_a_folder(self, tmp_path, capsys):
        expected = f"unreadable: cannot read {tmp_path}: it is a folder\n1 problem\n"
        assert self.said(tmp_path, capsys=capsys) == expected

    def test_a_pipe_is_refused_without_waiting(self, tmp_path, capsys):
        os.mkfifo(tmp_path / "p.yaml")
        assert "it is not a regular file" in self.said(tmp_path / "p.yaml", capsys=capsys)

    def test_a_loop_of_links(self, tmp_path, capsys):
        (tmp_path / "p.yaml").symlink_to("p.yaml")
        assert "too many levels of symbolic links" in self.said(tmp_path / "p.yaml", capsys=capsys)

    def test_an_odd_name_is_escaped(self, tmp_path, capsys):
        assert r"a\nb\x1b[31m\x00.yaml" in self.said("a\nb\x1b[31m\0.yaml", capsys=capsys)

    def test_all_of_several_files_are_checked(self, tmp_path, capsys):
        good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
        good.write_text(RIGHT)
        bad.write_text(RIGHT.replace("8000", "0").replace("normalize", "x"))
        lines = self.said(bad, tmp_path / "no.yaml", good, capsys=capsys).splitlines()
        assert lines[-2:] == [f"{good}: ok: npy-reader → normalize → wav-writer", "3 problems"]

    def test_steps_of_one_output_are_shown_with_it(self, tmp_path, capsys):
        (tmp_path / "a.npy").touch()
        path = tmp_path / "p.yaml"
        second = "{use: flac-writer, file: b.flac, steps: [{use: resample, with: {sample_rate: 8000}}]}"
        path.write_text(RIGHT.replace('wav"}]', f'wav"}}, {second}]'))
        said = self.said(path, capsys=capsys, status=0)
        assert said == f"{path}: ok: npy-reader → normalize → wav-writer and (resample → flac-writer)\n"

    def test_a_pipeline_without_outputs_is_one_for_python_alone(self, tmp_path, capsys):
        path = tmp_path / "p.yaml"
        path.write_text(RIGHT.partition("outputs")[0])
        np.save(tmp_path / "a.npy", np.zeros(9))
        assert cli.main(["check", str(path)]) == 0
        assert capsys.readouterr().err == (
            f"warning: {path}: missing-key: 'outputs' is missing, so that the pipeline converts in Python, but tonearm"
            ' run refuses it\n    hint: outputs: [{use: wav-writer, file: "{stem}.wav"}]\n'
            f"{path}: ok: npy-reader → normalize\n"
        )
        assert cli.main(["run", str(path), "--out", str(tmp_path / "out")]) == 2
        assert "missing-key: 'outputs' is missing\n" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()

    def test_a_bad_override(self, tmp_path, capsys):
        path = tmp_path / "p.yaml"
        path.write_text(RIGHT)
        said = self.said(path, "--set", "steps.7.use=x", capsys=capsys)
        assert said == (
            "bad-override: --set 'steps.7.use=x': 'steps' is a list, and has no '7'\n    hint: its indexes are 0 to 0"
            "\n1 problem\n"
        )

    @pytest.mark.parametrize(
        ("assignment", "said"),
        [
            ("input.with.sample_rat=1", "unknown-option: {}: npy-reader has no option 'sample_rat'"),
            ("input.with.sample_rate=x", "bad-option: {}: npy-reader: 'sample_rate' is 'x'"),
            ("input.with.axes=[tim]", "bad-option: {}: npy-reader: a waveform array has no tim axis"),
            ("steps.0.use=sane", "unknown-plugin: {}: there is no transform 'sane'"),
            ("steps.0={us: x}", "unknown-key: {}: steps.0 has no key 'us'"),
            ("outputz.with=1", "unknown-key: {}: "),
        ],
    )
    def test_an_override_is_named_in_what_is_wrong_with_it(self, assignment, said, tmp_path, capsys):
        path = tmp_path / "p.yaml"
        path.write_text(RIGHT)
        wanted = f"{path}: {said.format(f'--set {assignment!r}')}"
        assert wanted in self.said(path, "--set", assignment, capsys=capsys)

    def test_every_pipeline_of_configs(self, capsys):
        paths = sorted((ROOT / "configs").glob("*.yaml"))
        said = self.said(*paths, capsys=capsys, status=0)
        assert said.count(": ok: ") == len(paths) > 3


class TestFormats:
    @pytest.fixture(autouse=True)
    def files(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "good.yaml").write_text(RIGHT)
        (tmp_path / "bad.yaml").write_text(RIGHT.replace("8000", "0").replace("normalize", "normalise"))

    def test_each_pipeline_is_an_object_of_json(self, capsys, tmp_path):
        assert cli.main(["check", "--json", "good.yaml", "bad.yaml", "no.yaml"]) == 2
        found = capsys.readouterr()
        assert found.err == ""
        good, bad, missing = map(json.loads, found.out.splitlines())
        assert (good["pipeline"], good["ok"], good["stages"]) == (
            "good.yaml", True, "npy-reader → normalize → wav-writer"
        )  # fmt: skip
        (warning,) = good["problems"]
        assert (warning["level"], warning["code"], warning["line"], warning["column"]) == (
            "warning",
            "no-source",
            2,
            33,
        )
        assert warning["message"] == f"*.npy matches no source in {tmp_path}"
        assert (bad["ok"], bad["stages"]) == (False, None)
        assert [(one["level"], one["code"], one["file"], one["line"]) for one in bad["problems"]] == [
            ("error", "bad-option", "bad.yaml", 2),
            ("error", "unknown-plugin", "bad.yaml", 3),
        ]
        assert bad["problems"][1]["hint"] == "did you mean 'normalize'?"
        assert [one["code"] for one in missing["problems"]] == ["unreadable"]

    def test_format_json_is_the_same(self, capsys):
        cli.main(["check", "--json", "good.yaml"])
        first = capsys.readouterr()
        assert cli.main(["check", "--format", "json", "good.yaml"]) == 0
        assert capsys.readouterr() == first

    def test_annotations_for_github(self, capsys):
        assert cli.main(["check", "--format", "github", "good.yaml", "bad.yaml", "no.yaml"]) == 2
        found = capsys.readouterr()
        lines = found.out.splitlines()
        assert lines[0].startswith("::warning title=tonearm (no-source),file=good.yaml,line=2,col=33::*.npy matches")
        assert lines[2] == (
            "::error title=tonearm (unknown-plugin),file=bad.yaml,line=3,col=15::there is no transform 'normalise'"
            "%0Ahint: did you mean 'normalize'?"
        )
        assert lines[3].startswith("::error title=tonearm (unreadable),file=no.yaml::cannot read no.yaml")
        assert len(lines) == 4
        assert found.err == "good.yaml: ok: npy-reader → normalize → wav-writer\n3 problems\n"

    def test_a_pattern_without_a_source_is_a_warning(self, capsys, tmp_path):
        assert cli.main(["check", "good.yaml"]) == 0
        assert capsys.readouterr().err == (
            f"warning: good.yaml:2:33: no-source: *.npy matches no source in {tmp_path}\n"
            "good.yaml: ok: npy-reader → normalize → wav-writer\n"
        )
