"""Tags and provenance: an encoder writes the tags of source and user, and its sidecar only if it is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tonearm.api import Context, Item, Provenance, Sink, TaggingEncoder, Tags, Waveform, WithProvenance, tag_problems


@dataclass(frozen=True, kw_only=True)
class Options:
    tags: Tags = field(default_factory=dict)
    provenance: WithProvenance = False


class Writer(TaggingEncoder[Waveform, Options]):
    """Keep the tags that it is given."""

    suffixes = (".txt",)

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the tags as JSON."""
        sink.path.write_text(json.dumps(dict(tags)), encoding="utf-8")


def written(folder: Path, options: Options) -> tuple[dict[str, str], Sink]:
    sink = Sink(folder / "one.txt", ".txt")
    signal = Waveform(samples=np.zeros((1, 4), "f4"), sample_rate=8000)
    context = Context(provenance=lambda: Provenance(source="a.npy", sha256="ab", pipeline="cd", stages=()))
    Writer(options).encode(Item(signal=signal, tags={"title": "old", "artist": "A"}), sink, context)
    return json.loads(sink.path.read_text(encoding="utf-8")), sink


def test_tags_of_the_user_replace_those_of_the_source(tmp_path: Path) -> None:
    tags, sink = written(tmp_path, Options(tags={"title": "new", "artist": "", "track": 3}))
    assert tags == {"title": "new", "track": "3"}
    assert not sink.sidecars


def test_provenance_is_in_tags_and_beside_the_file(tmp_path: Path) -> None:
    tags, sink = written(tmp_path, Options(provenance=True))
    assert tags["tonearm_source"] == "a.npy"
    ((suffix, path),) = sink.sidecars.items()
    assert suffix == ".txt.json"
    assert json.loads(path.read_text(encoding="utf-8"))["tags"] == {"title": "old", "artist": "A"}


@pytest.mark.parametrize(
    ("options", "has_tags", "messages"),
    [
        (Options(tags={"title": "x"}), True, []),
        (
            Options(tags={"a=b": "x", "ok": "y", "~": "z"}),
            True,
            ["'a=b' is not a valid tag name", "'~' is not"],
        ),
        (Options(tags={"title": "x"}), False, ["the format has no place for tags"]),
        (Options(tags={"title": "x"}, provenance=True), False, []),
    ],
)
def test_tags_that_cannot_be_written_are_problems(options: Options, has_tags: bool, messages: list[str]) -> None:
    found = [problem.message for problem in tag_problems(options, has_tags=has_tags)]
    assert len(found) == len(messages)
    assert all(text.startswith(message) for text, message in zip(found, messages, strict=True))
