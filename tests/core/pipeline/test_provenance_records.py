"""What made a file, and the files beside a file: one record, one publishing, nothing that is not ours overwritten."""

import hashlib
import io
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from core_toys import checked, pipeline, registry_of

from tonearm.api import Context, Encoder, ItemError, NoOptions, Provenance, Sink, Source, Waveform
from tonearm.cli.main import main
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.provenance import fingerprint_of, fingerprints_of
from tonearm.run.convert_one import convert_one
from tonearm.run.options import RunOptions
from tonearm.run.run import Run
from tonearm.version import __version__


class Noted(Encoder[Waveform, NoOptions]):
    """Write a file, and a note of what made it beside it."""

    def encode(self, item, sink, context):
        sink.path.write_bytes(b"sound")
        made = context.provenance()
        sink.sidecar(".json").write_text(json.dumps([made.source, made.sha256, made.pipeline, made.stages]))


TEXT = pipeline(steps=("same",)).partition("outputs:")[0] + "outputs:\n  - {use: noted, file: '{stem}-{index}.snd'}"


def noted(text: str = TEXT) -> Converter:
    return Converter(checked(text, registry_of(encoders={"noted": Noted})))


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "a.tone"
    path.write_bytes(b"content")
    return Source(name="in/a.tone", path=path)


def run(made: Converter, source: Source, out: Path, **options):
    running = Run(made, RunOptions(out=str(out), **options))
    results = []
    return running.execute(running.plan([source]), results.append)


def records(out: Path):
    return [json.loads(line) for line in (out / ".tonearm/journal.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("made", [noted(), pickle.loads(pickle.dumps(noted()))], ids=["here", "in a worker"])
def test_an_encoder_learns_what_the_journal_says(source, tmp_path, made):
    assert run(made, source, tmp_path / "out").ok
    name, digest, fingerprint, stages = json.loads((tmp_path / "out/a-0.json").read_text())
    assert (name, digest) == ("a.tone", hashlib.sha256(b"content").hexdigest())
    assert (fingerprint,) == fingerprints_of(made.checked)
    assert fingerprint_of(made.checked) == records(tmp_path / "out")[0]["pipeline"]
    options = {"channels": 1, "count": 2, "nan": "error"}
    assert stages == [
        {"use": "tone-reader", "package": "tonearm_toys 1.2", "with": options},
        {"use": "same", "package": "tonearm_toys 1.2", "with": {}},
        {"use": "noted", "package": "tonearm_toys 1.2", "with": {}},
    ]


def test_a_source_is_hashed_once_and_only_if_it_is_asked_for(tmp_path):
    reads = []

    class Counted(io.BytesIO):
        def readinto(self, *arguments):
            reads.append(1)
            return super().readinto(*arguments)

    file = Counted(b"content")
    file.seek(3)
    outcomes = list(noted().items(Source(name="x", file=file)))
    assert not reads
    hashes = {outcome.context.provenance().sha256 for outcome in outcomes}
    assert hashes == {hashlib.sha256(b"content").hexdigest()}
    assert len(reads) <= 2  # the content, and its end
    assert file.tell() == 3


def test_what_has_no_source_says_only_the_version():
    assert Context().provenance() == Provenance(tonearm=__version__)
    assert Context(provenance=lambda: Provenance(source="x")).drain().provenance().source == "x"


def test_the_hash_of_an_array_is_that_of_its_values():
    array = np.arange(6, dtype="f4").reshape(2, 3)
    assert Source(name="x", array=array).sha256() == hashlib.sha256(array.tobytes()).hexdigest()


def test_options_and_versions_change_the_fingerprint():
    marks = {
        fingerprint_of(checked(text, registry_of(encoders={"noted": Noted})))
        for text in (TEXT, TEXT.replace("use: same", "use: join"), TEXT.replace("{index}", "{index:02}"))
    }
    assert len(marks) == 3


def test_both_files_are_journalled_and_the_one_beside_gets_its_name_first(source, tmp_path, monkeypatch):
    names = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda old, new, **at: (names.append(new), replace(old, new, **at)))
    report = run(noted(), source, tmp_path / "out")
    assert names == ["a-0.json", "a-0.snd", "a-1.json", "a-1.snd"]
    assert [path.name for path in report.outputs] == ["a-0.snd", "a-0.json", "a-1.snd", "a-1.json"]
    (begun,) = (one["outputs"] for one in records(tmp_path / "out") if one["record"] == "begin")
    files = [[file[0] for file in item[2]] for _fingerprint, items in begun for item in items]
    assert files == [["a-0.snd", "a-0.json"], ["a-1.snd", "a-1.json"]]


@pytest.mark.parametrize("killed_after", [0, 1, 2, 3])
def test_whenever_it_is_killed_the_next_run_completes_it(source, tmp_path, monkeypatch, killed_after):
    replace, done = os.replace, []

    def until(old, new, **at):
        if len(done) == killed_after:
            raise SystemExit  # nothing more is written, as if the power were gone
        done.append(replace(old, new, **at))

    monkeypatch.setattr(os, "replace", until)
    with pytest.raises(SystemExit):
        run(noted(), source, tmp_path / "out")
    found = sorted(path.name for path in (tmp_path / "out").glob("a-*"))
    assert found == ["a-0.json", "a-0.snd", "a-1.json", "a-1.snd"][:killed_after]
    monkeypatch.undo()
    report = run(noted(), source, tmp_path / "out")
    assert report.ok
    assert report.converted == 2  # one with both its files, too: the run was killed before it recorded what it measured
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        ".tonearm", "a-0.json", "a-0.snd", "a-1.json", "a-1.snd",
    ]  # fmt: skip
    assert run(noted(), source, tmp_path / "out").skipped == 1


@pytest.mark.parametrize("lost", ["a-1.json", "a-1.snd"])
def test_an_item_that_lost_one_of_its_files_is_done_again(source, tmp_path, lost):
    run(noted(), source, tmp_path / "out")
    (tmp_path / "out" / lost).unlink()
    assert run(noted(), source, tmp_path / "out").converted == 1
    assert (tmp_path / "out" / lost).exists()


def test_a_file_that_is_not_ours_is_not_replaced(source, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a-1.json").write_text("precious")
    report = run(noted(), source, out)
    (failure,) = report.errors
    assert (failure.code, failure.index) == ("not-ours", 1)
    assert failure.message.endswith("a-1.json exists, and no run wrote it")
    assert (out / "a-1.json").read_text() == "precious"
    assert sorted(path.name for path in out.iterdir()) == [".tonearm", "a-0.json", "a-0.snd", "a-1.json"]
    with pytest.raises(ItemError, match="exists, and no run wrote it"):
        convert_one(noted(TEXT.replace("-{index}", "-1")), source, out, force=False, on_warning=print)
    assert (out / "a-1.json").read_text() == "precious"
    assert not [path for path in out.iterdir() if path.suffix == ".part"]
    assert run(noted(), source, out, force=True).ok
    assert (out / "a-1.json").read_text() != "precious"


def test_one_file_with_no_run_around_it(source, tmp_path):
    one = noted(TEXT.replace("tone-reader", "tone-reader, with: {count: 1}").replace("-{index}", ""))
    paths = convert_one(one, source, tmp_path / "out", force=False, on_warning=print)
    assert [path.name for path in paths] == ["a.snd", "a.json"]
    assert json.loads(paths[1].read_text())[1] == hashlib.sha256(b"content").hexdigest()


def test_a_sidecar_that_was_promised_and_not_written_fails_the_item(source, tmp_path):
    class Forgetful(Encoder[Waveform, NoOptions]):
        def encode(self, item, sink: Sink, context):
            sink.path.write_bytes(b"sound")
            sink.sidecar(".json")

    made = Converter(checked(TEXT, registry_of(encoders={"noted": Forgetful})))
    report = run(made, source, tmp_path / "out")
    assert [failure.code for failure in report.errors] == ["nothing-written"] * 2
    assert all(failure.message.startswith("noted wrote no ") for failure in report.errors)
    with pytest.raises(ItemError, match=r"^noted wrote no "):
        convert_one(made, source, tmp_path / "one", force=False, on_warning=print)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".tonearm"]


class TestFolders:
    def pipeline(self, tmp_path: Path, provenance: str) -> Path:
        (tmp_path / "lab/in/deep").mkdir(parents=True)
        np.save(tmp_path / "lab/in/deep/a.npy", np.zeros(800, np.float32))
        np.save(tmp_path / "lab/window.npy", np.hanning(64))
        np.save(tmp_path / "elsewhere.npy", np.hanning(64))
        transform = "{use: wave-to-spectrogram, with: {n_fft: 64, hop_length: 16, window: %s}}"
        (tmp_path / "lab/p.yaml").write_text(
            "tonearm: 1\n"
            "input: {use: npy-reader, files: 'in/**/*.npy', with: {kind: waveform, sample_rate: 8000}}\n"
            f"steps: [{transform % 'window.npy'}, {{use: istft}},"
            f" {transform % (tmp_path / 'elsewhere.npy')}, {{use: istft}}]\n"
            "outputs:\n"
            f"- {{use: wav-writer, file: '{{stem}}.wav', with: {{provenance: {provenance}}}}}\n"
            f"- {{use: npy-writer, file: '{{stem}}.npy', with: {{provenance: {provenance}}}}}\n"
        )
        return tmp_path / "lab/p.yaml"

    @pytest.mark.parametrize("searched", [None, "pattern", "folder", "file"])
    def test_are_left_out(self, tmp_path: Path, searched: str | None) -> None:
        file = self.pipeline(tmp_path, "true")
        given = {
            "pattern": [str(tmp_path / "lab/in/**/*.npy")],
            "folder": [str(tmp_path / "lab/in")],
            "file": [str(tmp_path / "lab/in/deep/a.npy")],
        }
        out = tmp_path / "out"
        assert main(["run", str(file), *given.get(searched or "", []), "--out", str(out), "--jobs", "0"]) == 0
        for path in out.iterdir():
            if path.is_file():
                assert os.fsencode(tmp_path) not in path.read_bytes()
        said = json.loads((out / "a.wav.json").read_text())
        assert said["source"]["name"] == ("a.npy" if searched == "file" else "deep/a.npy")
        windows = [one["with"]["window"] for one in said["pipeline"]["stages"] if "window" in one["with"]]
        assert windows == ["window.npy", "hann", "elsewhere.npy", "hann"] or windows == ["window.npy", "elsewhere.npy"]

    def test_are_kept_where_the_user_asks_for_them(self, tmp_path: Path) -> None:
        file = self.pipeline(tmp_path, "paths")
        assert main(["run", str(file), "--out", str(tmp_path / "out"), "--jobs", "0"]) == 0
        said = json.loads((tmp_path / "out/a.wav.json").read_text())
        assert said["source"]["name"] == str(tmp_path / "lab/in/deep/a.npy")
        assert str(tmp_path / "elsewhere.npy") in json.dumps(said["pipeline"]["stages"])
