"""Tags and provenance: one option in all writers, read by others; what a source carries travels with its item."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import mutagen
import mutagen.wave
import numpy as np
import pytest
import soundfile
from encoder_helpers import encoded, mapping, noise, run, yaml_hint
from tagged_files import GIVEN, MADE, MERGED, OURS, SOUNDS, SUFFIXES, plugin_of, read_by_ffmpeg, tagged

import tonearm
from tonearm.api import Context, Item, ItemError, Provenance, Sink, Source, Waveform
from tonearm.plugins.registry import default
from tonearm_plugins.decoders.audio_reader import AudioOptions, AudioReader


def test_every_writer_is_here() -> None:
    builtin = {entry.name for entry in default().entries("encoder") if entry.origin == "builtin"}
    assert set(SUFFIXES) == builtin - {"tokens-writer"}  # which writes no sound


@pytest.mark.parametrize("name", SOUNDS)
def test_tags_of_the_source_and_of_the_user_are_read_by_ffmpeg(tmp_path: Path, name: str) -> None:
    path, sink = tagged(tmp_path, name, tags=GIVEN)
    found = read_by_ffmpeg(path)
    if name == "wav-writer":  # ffmpeg 5 reads INFO alone
        assert found == {key: value for key, value in MERGED.items() if key != "mood"}
        assert mutagen.wave.WAVE(path)["TXXX:mood"].text == ["calm"]
    else:
        assert {key.replace("tracknumber", "track"): value for key, value in found.items()} == MERGED
    assert not sink.sidecars


@pytest.mark.parametrize("name", [name for name in SOUNDS if name not in ("aac-writer", "ffmpeg-writer", "m4a-writer")])
def test_they_come_back_through_audio_reader(tmp_path: Path, name: str) -> None:
    path, _ = tagged(tmp_path, name, tags=GIVEN | {"albumartist": "B", "isrc": "X"})
    (item,) = AudioReader(AudioOptions()).decode(Source(name="x", path=path), Context())
    assert item.tags == MERGED | {"album_artist": "B", "isrc": "X"}
    with soundfile.SoundFile(path) as file:
        assert len(file.read()) == file.frames


@pytest.mark.parametrize("name", SOUNDS)
def test_provenance_is_in_the_tags(tmp_path: Path, name: str) -> None:
    path, _ = tagged(tmp_path, name, provenance=True, tags={"title": "new", "album": ""})
    wanted = {"artist": "Piper", "title": "new", **OURS}
    if name == "wav-writer":
        frames = mutagen.wave.WAVE(path).tags
        assert {frame.desc: frame.text[0] for frame in frames.getall("TXXX")} == OURS
    else:
        assert read_by_ffmpeg(path) == wanted


@pytest.mark.parametrize("name", SUFFIXES)
def test_provenance_is_in_full_beside_the_file(tmp_path: Path, name: str) -> None:
    _, sink = tagged(tmp_path, name, provenance=True, tags={"mood": "calm"})
    ((suffix, path),) = sink.sidecars.items()
    assert suffix == f"{SUFFIXES[name]}.json"
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "tonearm": MADE.tonearm,
        "source": {"name": "in/ä\udcff.npy", "sha256": "ab" * 32, "key": "wav", "index": 2},
        "signal": {"kind": "waveform", "axes": ["channel", "time"], "sample_rate": 48000},
        "shape": [[1, 5000]],
        "tags": {"album": "gone", "artist": "Piper", "mood": "calm", "title": "old"},
        "pipeline": {"fingerprint": "f00d", "stages": [{"use": "npy-reader"}]},
    }


@pytest.mark.parametrize("name", SUFFIXES)
def test_without_either_there_is_one_file_and_nothing_of_ours_in_it(tmp_path: Path, name: str) -> None:
    path, _ = encoded(plugin_of(name), tmp_path, noise(1, 100), 48000, suffix=SUFFIXES[name])
    assert b"tonearm_" not in path.read_bytes()
    assert [one.name for one in tmp_path.iterdir()] == ["one.part"]


def test_a_run_says_what_its_journal_says(tmp_path: Path) -> None:
    pipeline = mapping("wav-writer", ".wav", provenance=True)
    pipeline["outputs"].append({"use": "mp3-writer", "file": "{stem}.mp3", "with": {"provenance": True}})
    path, report = run(tmp_path, noise(1, 1000), pipeline)
    assert report.ok, report.errors
    names = ["sound.mp3", "sound.mp3.json", "sound.wav", "sound.wav.json"]
    assert sorted(one.name for one in report.outputs) == names
    assert sorted(one.name for one in path.parent.iterdir()) == [".tonearm", *names]
    said = json.loads((path.parent / "sound.wav.json").read_text(encoding="utf-8"))
    assert said["source"]["sha256"] == hashlib.sha256((tmp_path / "sound.npy").read_bytes()).hexdigest()
    journal = [json.loads(line) for line in (path.parent / ".tonearm/journal.jsonl").read_text().splitlines()]
    assert said["pipeline"]["fingerprint"] == journal[0]["outputs"][0]
    assert [stage["use"] for stage in said["pipeline"]["stages"]] == ["npy-reader", "wav-writer"]
    assert said["pipeline"]["stages"][0]["with"]["axes"] == ["channel", "time"]
    assert str(mutagen.File(path.with_suffix(".mp3"))["TXXX:tonearm_sha256"]) == said["source"]["sha256"]
    first = path.read_bytes(), (path.parent / "sound.wav.json").read_bytes()
    again, _ = run(tmp_path, noise(1, 1000), pipeline)
    assert (again.read_bytes(), (path.parent / "sound.wav.json").read_bytes()) == first


def test_what_made_a_source_is_not_said_of_its_copy(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", noise(1, 500)[0], 48000)
    copy = {"tonearm": 1, "input": {"use": "audio-reader"}, "steps": []}
    first = {**copy, "outputs": [{"use": "flac-writer", "file": "a.flac", "with": {"provenance": True}}]}
    tonearm.load_pipeline(first).run([tmp_path / "in.wav"], out=tmp_path)
    second = {**copy, "outputs": [{"use": "flac-writer", "file": "b.flac", "with": {"tags": {"mood": "calm"}}}]}
    tonearm.load_pipeline(second).run([tmp_path / "a.flac"], out=tmp_path / "b")
    assert dict(mutagen.File(tmp_path / "b/b.flac").tags) == {"mood": ["calm"]}


@pytest.mark.parametrize("name", ["npy-writer", "raw-writer"])
def test_a_format_without_a_place_for_tags(name: str) -> None:
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load_pipeline(mapping(name, SUFFIXES[name], tags={"title": "x"}))
    (problem,) = caught.value.problems
    assert (problem.code, problem.message) == ("no-tags", f"{name}: the format has no place for tags")
    assert yaml_hint(problem) == "provenance: true, which puts them into a file beside it"


@pytest.mark.parametrize("name", SUFFIXES)
def test_names_that_no_format_takes_are_refused(name: str) -> None:
    with pytest.raises(tonearm.PipelineError, match="'a=b' is not a valid tag name"):
        tonearm.load_pipeline(mapping(name, SUFFIXES[name], 48000, tags={"a=b": "x"}, provenance=True))


PIPELINE = """tonearm: 1
input: {use: audio-reader}
outputs:
  - use: NAME
    file: "{stem}.x"
    with:
      provenance: true
      tags:
        title: "{stem}"
        comment: "from {soruce_hash}"
        a=b: x
        date: 2024
        year: "20{4"
"""


@pytest.mark.parametrize("name", [name for name in SUFFIXES if name != "ffmpeg-writer"])
def test_check_points_at_each_tag(tmp_path: Path, name: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(PIPELINE.replace("NAME", name))
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load_pipeline(file)
    assert [(one.line, one.column, one.code, one.message) for one in caught.value.problems] == [
        (10, 18, "bad-template", f"{name}: comment: a template has no field {{soruce_hash}}"),
        (11, 14, "bad-option", f"{name}: 'a=b' is not a valid tag name"),
        (13, 15, "bad-template", f"{name}: year: '20{{4' has a single {{"),
        (13, 15, "bad-option", f"{name}: 'date' and 'year' are the same tag"),
    ]
    assert yaml_hint(caught.value.problems[0]) == "did you mean 'source_hash'?"


def test_tags_of_a_run_follow_from_each_item(tmp_path: Path) -> None:
    """Two items of two sources, in two formats: each file says which item it is."""
    folder = tmp_path / "night"
    folder.mkdir()
    for name in ("a", "b"):
        np.savez(folder / f"{name}.npz", left=noise(1, 500), right=noise(1, 500))
    reader = {"use": "npz-reader", "with": {"key": "*", "kind": "waveform", "sample_rate": 48000}}
    tags = {"title": "{stem} {key}", "track": "{index:02}/2", "album": "{parent}", "comment": "{{x}}"}
    outputs = [
        {"use": f"{kind}-writer", "file": f"{{stem}}-{{key}}.{kind}", "with": {"tags": tags}}
        for kind in ("mp3", "flac")
    ]
    pipeline = tonearm.load_pipeline({"tonearm": 1, "input": reader, "outputs": outputs})
    report = pipeline.run([folder], out=tmp_path / "out", jobs=1)
    assert report.ok, report.errors
    for stem in ("a", "b"):
        for index, key in enumerate(("left", "right")):
            found = mutagen.File(tmp_path / f"out/{stem}-{key}.flac").tags
            assert (found["title"], found["tracknumber"]) == ([f"{stem} {key}"], [f"{index:02}/2"])
            assert (found["album"], found["comment"]) == (["night"], ["{x}"])
            assert str(mutagen.File(tmp_path / f"out/{stem}-{key}.mp3").tags["TIT2"]) == f"{stem} {key}"


def test_a_source_that_is_gone_fails_the_item(tmp_path: Path) -> None:
    def gone() -> Provenance:
        raise ItemError("cannot read in.npy: no such file", code="unreadable")

    item = Item(signal=Waveform(samples=noise(1, 10), sample_rate=48000))
    with pytest.raises(ItemError, match="no such file"):
        plugin_of("wav-writer", provenance=True).encode(item, Sink(tmp_path / "x", ".wav"), Context(provenance=gone))
