"""Tags and provenance: an encoder writes the tags of source and user, and its sidecar only if it is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tonearm.api import (
    Context,
    Item,
    OptionError,
    Provenance,
    Sink,
    Source,
    Spec,
    StartedEncoder,
    TaggingBlockEncoder,
    TaggingEncoder,
    TagOptions,
    Waveform,
)


@dataclass(frozen=True, kw_only=True)
class Options(TagOptions):
    text_only: bool = False

    @property
    def has_tags(self) -> bool:
        return not self.text_only


class Writer(TaggingEncoder[Waveform, Options]):
    """Keep the tags that it is given."""

    suffixes = (".txt",)

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the tags as JSON."""
        sink.path.write_text(json.dumps(dict(tags)), encoding="utf-8")


class Written(StartedEncoder):
    """Write nothing more."""

    def write(self, block: object) -> None:
        """Write nothing."""

    def finish(self) -> None:
        """Write nothing."""


class BlockWriter(TaggingBlockEncoder[Waveform, Options]):
    """Keep the tags that it is given, before the first block."""

    suffixes = (".txt",)

    def begin(self, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> StartedEncoder:
        """Write the tags as JSON."""
        sink.path.write_text(json.dumps(dict(tags)), encoding="utf-8")
        return Written()


class Measuring(BlockWriter):
    """Measure the length of the signal as a tag."""

    def measured_tags(self, signal: Waveform, context: Context) -> Mapping[str, str]:
        return {"samples": str(signal.length)}


def written(
    folder: Path, options: Options, writer: type[Writer | BlockWriter] = Writer, source: Source | None = None
) -> tuple[dict[str, str], Sink]:
    sink = Sink(folder / "one.txt", ".txt")
    signal = Waveform(samples=np.zeros((1, 4), "f4"), sample_rate=8000)
    made = Provenance(source="a.npy", sha256="ab", pipeline="cd", stages=())
    context = Context(provenance=lambda: made, source=source)
    item = Item(signal=signal, tags={"title": "old", "artist": "A"}, key="vocals", index=7)
    writer(options).encode(item, sink, context)
    return json.loads(sink.path.read_text(encoding="utf-8")), sink


both = pytest.mark.parametrize("writer", [Writer, BlockWriter])


@both
def test_tags_of_the_user_replace_those_of_the_source(tmp_path: Path, writer: type[Writer | BlockWriter]) -> None:
    tags, sink = written(tmp_path, Options(tags={"title": "new", "artist": "", "Tracknumber": 3}), writer)
    assert tags == {"title": "new", "track": "3"}
    assert not sink.sidecars


@both
def test_provenance_is_in_tags_and_beside_the_file(tmp_path: Path, writer: type[Writer | BlockWriter]) -> None:
    tags, sink = written(tmp_path, Options(provenance=True), writer)
    assert tags["tonearm_source"] == "a.npy"
    ((suffix, path),) = sink.sidecars.items()
    assert suffix == ".txt.json"
    assert json.loads(path.read_text(encoding="utf-8"))["tags"] == {"title": "old", "artist": "A"}


def test_values_are_templates_of_the_item_but_tags_of_the_source_are_not(tmp_path: Path) -> None:
    file = tmp_path / "night" / "utt 08.npy"
    file.parent.mkdir()
    file.write_bytes(b"anything")
    source = Source(name="utt 08.npy", path=file, relative_dir="batch/3")
    given: dict[str, str | int | float] = {
        "title": "{stem}",
        "comment": "{name} of {parent}, {{stem}} in {relative_dir}",
        "track": "{index:03}",
        "disc": "{index}",
        "part": "{key}",
        "hash": "{source_hash}",
    }
    tags, _ = written(tmp_path, Options(tags=given), source=source)
    assert tags == {
        "artist": "A",
        "title": "utt 08",
        "comment": "utt 08.npy of night, {stem} in batch/3",
        "track": "007",
        "disc": "7",
        "part": "vocals",
        "hash": source.sha256()[:16],
    }
    sink = Sink(tmp_path / "two.txt", ".txt")
    item = Item(signal=Waveform(samples=np.zeros((1, 4), "f4"), sample_rate=8000), tags={"title": "{stem} {x"})
    Writer(Options()).encode(item, sink, Context(source=source))
    assert json.loads(sink.path.read_text(encoding="utf-8")) == {"title": "{stem} {x"}


def test_a_field_without_a_value_leaves_nothing(tmp_path: Path) -> None:
    tags, _ = written(tmp_path, Options(tags={"title": "{stem}{relative_dir}", "mood": "a{name}b"}))
    assert tags == {"artist": "A", "mood": "ab"}


def test_what_is_measured_is_written_unless_the_user_says_otherwise(tmp_path: Path) -> None:
    assert written(tmp_path, Options(), Measuring)[0] == {"title": "old", "artist": "A", "samples": "4"}
    assert written(tmp_path, Options(tags={"samples": "many"}), Measuring)[0]["samples"] == "many"
    assert "samples" not in written(tmp_path, Options(tags={"samples": ""}), Measuring)[0]


@pytest.mark.parametrize("name", ["samples", "SAMPLES"])
def test_what_is_measured_replaces_what_the_source_has(tmp_path: Path, name: str) -> None:
    sink = Sink(tmp_path / "one.txt", ".txt")
    item = Item(signal=Waveform(samples=np.zeros((1, 4), "f4"), sample_rate=8000), tags={name: "99", "title": "old"})
    Measuring(Options()).encode(item, sink, Context())
    assert json.loads(sink.path.read_text(encoding="utf-8")) == {"samples": "4", "title": "old"}


@pytest.mark.parametrize(
    ("options", "codes", "messages"),
    [
        (Options(tags={"title": "x"}), [], []),
        (
            Options(tags={"a=b": "x", "ok": "y", "~": "z"}),
            ["bad-option", "bad-option"],
            ["'a=b' is not a valid tag name", "'~' is not"],
        ),
        (Options(tags={"title": "x"}, text_only=True), ["no-tags"], ["the format has no place for tags"]),
        (Options(tags={"title": "x"}, text_only=True, provenance=True), [], []),
        (Options(tags={"title": "{stm}"}), ["bad-template"], ["title: a template has no field {stm}"]),
        (Options(tags={"title": "a { b"}), ["bad-template"], ["title: 'a { b' has a single {"]),
        (Options(tags={"title": "a {{ b }}", "track": 3}), [], []),
        (Options(tags={"year": 2024, "date": "2024-05-01"}), ["bad-option"], ["'year' and 'date' are the same tag"]),
        (Options(tags={"track": "3/9", "disc": "", "bpm": 99.5, "Tracknumber2": "x"}), [], []),
        (Options(tags={"track": "{stem}", "disc": "{index}/{{"}), [], []),
        (
            Options(tags={"track": "three", "discnumber": "1/", "bpm": "fast", "tbpm2": "fast"}),
            ["bad-option"] * 3,
            ["track is 'three', not a number", "discnumber is '1/', not", "bpm is 'fast', not"],
        ),
    ],
)
def test_tags_that_cannot_be_written_are_problems(options: Options, codes: list[str], messages: list[str]) -> None:
    found = list(options.problems())
    assert [problem.code for problem in found] == codes
    assert {(problem.option or "").partition(".")[0] for problem in found} <= {"tags"}
    assert all(one.message.startswith(message) for one, message in zip(found, messages, strict=True))


def test_a_number_that_is_none_once_its_fields_are_known_is_warned_of() -> None:
    context = Context(source=Source(name="utt 08.npy"))
    Writer(Options(tags={"track": "{index:03}/9", "bpm": "{stem}"}))._given(context, "", 7)
    assert context.warnings == ["the tag bpm is 'utt 08', not a number such as 120 or 99.5"]


class TestStreams:
    SPEC = Spec(signals=(Waveform,), sample_rate=8000, channels=1)

    def test_tags_of_the_user_stand_in_front(self, tmp_path: Path) -> None:
        sink = Sink(tmp_path / "one.txt", ".txt")
        writer = BlockWriter(Options(tags={"title": "{{new}}", "track": 3}))
        writer.check_blocks(self.SPEC)
        writer.start(self.SPEC, sink, Context())
        assert json.loads(sink.path.read_text(encoding="utf-8")) == {"title": "{new}", "track": "3"}

    @pytest.mark.parametrize(
        ("options", "message", "option"),
        [
            (Options(provenance=True), "provenance names the source of a sound, and a stream has none", "provenance"),
            (
                Options(tags={"title": "{stem}"}),
                "the tag title has fields of a source, and a stream has none",
                "tags.title",
            ),
        ],
    )
    def test_what_needs_a_source_is_refused(self, options: Options, message: str, option: str) -> None:
        with pytest.raises(OptionError) as error:
            BlockWriter(options).check_blocks(self.SPEC)
        assert (error.value.code, error.value.message, error.value.option) == ("needs-whole", message, option)


def test_a_misspelt_field_is_guessed() -> None:
    (problem,) = Options(tags={"title": "{stm}"}).problems()
    assert problem.hint == "did you mean 'stem'?"
