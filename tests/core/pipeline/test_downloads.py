"""``--download``: which options it sets, and where nothing takes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest

from tonearm.api import Context, Meta, Transform, UsageError, Waveform, hookimpl
from tonearm.errors import PipelineError
from tonearm.pipeline.check import check
from tonearm.pipeline.document import read_document
from tonearm.pipeline.downloads import with_downloads
from tonearm.pipeline.yaml.nodes import to_plain
from tonearm.plugins.discovery import Package, installed_packages
from tonearm.plugins.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Options:
    fetch: Annotated[bool, Meta(description="Fetch.", extra={"by_user": "--download"})] = False
    names: list[str] = field(default_factory=list)


class Fetching(Transform[Waveform, Waveform, Options]):
    """Needs something from elsewhere."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        return signal


@hookimpl
def tonearm_transforms() -> dict[str, Any]:
    return {"fetching": Fetching}


@pytest.fixture
def registry() -> Iterator[Registry]:
    hooks = type("hooks", (), {"tonearm_transforms": staticmethod(tonearm_transforms)})
    return Registry([*installed_packages(), Package("acme", lambda: hooks, "acme 1")])


TEXT = """\
tonearm: 1
input: {use: npy-reader, with: {kind: waveform, sample_rate: 8000}}
steps:
  - use: normalize
  - use: fetching
    with: {names: [a]}
outputs:
  - use: wav-writer
    file: a.wav
    steps: [{use: fetching}, {use: no-such-plugin}]
"""


def test_it_sets_the_option_of_every_step_that_has_one(registry: Registry) -> None:
    root = with_downloads(read_document(TEXT, "a.yaml"), registry)
    plain: Any = to_plain(root)
    assert plain["steps"] == [{"use": "normalize"}, {"use": "fetching", "with": {"names": ["a"], "fetch": True}}]
    assert plain["outputs"][0]["steps"] == [{"use": "fetching", "with": {"fetch": True}}, {"use": "no-such-plugin"}]
    with pytest.raises(PipelineError) as caught:
        check(root, "a.yaml", registry)
    assert [problem.code for problem in caught.value.problems] == ["unknown-plugin"]  # none is of the option


def test_it_is_refused_where_nothing_downloads(registry: Registry) -> None:
    with pytest.raises(UsageError, match="no step of the pipeline downloads anything") as caught:
        with_downloads(read_document(TEXT.replace("fetching", "normalize"), "a.yaml"), registry)
    assert caught.value.hint == "leave --download out"


def test_a_pipeline_of_another_shape_is_left_to_the_check(registry: Registry) -> None:
    root = read_document("tonearm: 1\nsteps: 3\n", "a.yaml")
    assert with_downloads(root, registry) is root


def test_a_file_may_not_give_the_option(registry: Registry) -> None:
    text = TEXT.replace("names: [a]", "fetch: true").replace(", {use: no-such-plugin}", "")
    with pytest.raises(PipelineError) as caught:
        check(read_document(text, "a.yaml"), "a.yaml", registry)
    (problem,) = caught.value.problems
    assert (problem.code, problem.line, problem.column) == ("user-only", 6, 19)
    assert problem.message == "fetching: 'fetch' is not for a pipeline's file, which may come from somebody else"
    assert problem.hint == "leave fetch out, and give --download to the command"
