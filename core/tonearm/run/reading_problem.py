"""The problem of reading a source, which is reported together with those of missing options."""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tonearm.errors import ChooseOption, GiveOption, ItemError, PipelineError, TonearmError
from tonearm.pipeline.blame import as_item_error
from tonearm.pipeline.check import bind_decoder
from tonearm.pipeline.document import override
from tonearm.pipeline.stages import plugin_as
from tonearm.plugins.context import Context
from tonearm.plugins.decoder import Decoder
from tonearm.reading.compressed_sources import inflated_source
from tonearm.reading.memory import limited_memory
from tonearm.source import Source

if TYPE_CHECKING:
    from tonearm.errors import Form
    from tonearm.pipeline.checked import BoundPlugin
    from tonearm.pipeline.yaml.nodes import Node
    from tonearm.plugins.registry import Registry

ANY_VALUES: Mapping[str, Any] = {"sample_rate": 22050, "encoding": "pcm_s16le"}
"""Values of options with which a source is read if they are missing, only to find what else is."""

OTHER_FILE = frozenset(("wrong-format", "not-npy"))
"""Codes of errors of a source that is no file of its decoder, whose options do not matter."""

MOST_LAYOUTS = 4
"""Largest number of layouts that a message names."""

MAX_SEARCHED = 1000
"""Number of matches of a pattern among which the first file is searched."""


def with_reading_problem(
    error: PipelineError,
    root: Node,
    registry: Registry,
    read: Callable[[BoundPlugin], Source | None],
    *,
    file: str | None = None,
    form: Form | None = None,
    env: Iterable[str] = (),
    memory: Callable[[], int],
) -> PipelineError:
    """Return the problems of missing options together with that of reading a source, such as a missing kind.

    The source is read with any values, to find all at once. If the source shows what an option must be, such as the
    field of JSON that holds the sound, it may say the others itself.

    Parameters
    ----------
    error
        Problems of a pipeline. Others than missing options leave them as they are.
    root
        Root node of the pipeline.
    registry
        Registry of plugins.
    read
        Function that returns the source for its decoder; None if there is none.
    file, form, env
        Arguments of `check`.
    memory
        Function that returns the memory in bytes that the source may take.
    """
    if any(problem.code != "missing-option" for problem in error.problems):
        return error
    try:
        bare = root
        asked = {remedy.option for one in error.problems for remedy in one.remedies if isinstance(remedy, GiveOption)}
        for name in sorted(asked & ANY_VALUES.keys()):
            root = override(root, f"input.with.{name}={ANY_VALUES[name]}")
        bound = bind_decoder(root, file, registry, form=form, env=env)
        source = read(bound)
        if source is None:
            return error
        _read_first(bound, source, registry, memory)
    except PipelineError:
        return error
    except ItemError as found:
        is_found_in_file = not any(isinstance(remedy, GiveOption) for remedy in found.remedies)
        if (found.code == "missing-option" and is_found_in_file) or found.code in OTHER_FILE:
            return PipelineError([found.problem])
        if found.code == "rate-mismatch":
            return error
        asking = error.problems[0]
        problem = replace(found.problem, file=asking.file, line=asking.line, column=asking.column)
        if found.code == "unknown-kind" and not any(one.option == "layout" for one in _choices(found)):
            fit = _fitting_layouts(bare, registry, read, file=file, form=form, env=env, memory=memory)
            problem = replace(problem, remedies=(*fit, *problem.remedies))
        return PipelineError([*error.problems, problem])
    except TonearmError:
        return error
    return error


def _read_first(bound: BoundPlugin, source: Source, registry: Registry, memory: Callable[[], int]) -> None:
    """Raise the `ItemError` of a source, or of its first item."""
    with as_item_error(bound, source=source), limited_memory(memory()):
        decoder = plugin_as(bound, Decoder)
        context = Context(catalogue=registry.catalogue)
        first = next(iter(decoder.decode(inflated_source(source, type(decoder).suffixes), context)), None)
        if isinstance(first, ItemError):
            raise first


def _choices(error: ItemError) -> list[ChooseOption]:
    """Return the remedies of an error that are choices."""
    return [remedy for remedy in error.remedies if isinstance(remedy, ChooseOption)]


def _fitting_layouts(
    root: Node,
    registry: Registry,
    read: Callable[[BoundPlugin], Source | None],
    *,
    file: str | None,
    form: Form | None,
    env: Iterable[str],
    memory: Callable[[], int],
) -> list[ChooseOption]:
    """Return the layouts in which a source may hold codec tokens.

    It is read without a sample rate, as tokens need none, and any rate would contradict that of the layout.
    """
    try:
        bound = bind_decoder(override(root, "input.with.kind=tokens"), file, registry, form=form, env=env)
        source = read(bound)
        if source is not None and (source.path is not None or source.holds_arrays):
            _read_first(bound, source, registry, memory)
    except ItemError as found:
        if found.code == "no-layout":
            return [ChooseOption("layout", one.values[:MOST_LAYOUTS], "if these are tokens") for one in _choices(found)]
    except TonearmError:
        pass  # a decoder that reads no tokens
    return []


def first_file(patterns: Iterable[str], folder: str = "") -> Source | None:
    """Return the first file that patterns match; None if they match none.

    Parameters
    ----------
    patterns
        Names and patterns.
    folder
        Folder to which they are relative; empty for the current one.
    """
    matches = (glob.iglob(pattern, root_dir=folder or None, recursive=True) for pattern in patterns)
    for name in itertools.islice(itertools.chain.from_iterable(matches), MAX_SEARCHED):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return Source(name=name, path=path)
    return None
