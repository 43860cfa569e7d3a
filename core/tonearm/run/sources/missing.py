"""Patterns of sources that match no file, as ``tonearm check`` warns of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from tonearm.errors import Problem, one_line
from tonearm.pipeline import RESERVED_PREFIX
from tonearm.pipeline.checked import CheckedPipeline
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from tonearm.plugins.decoder import Decoder
from tonearm.run.sources.pattern_hints import pattern_hint


def missing_sources(checked: CheckedPipeline, root: Node) -> list[Problem]:
    """Return a warning for each pattern of sources that matches no file.

    Parameters
    ----------
    checked
        Pipeline.
    root
        Root node of the pipeline, which has the places of the patterns.
    """
    problems = Problems(checked.file)
    folder = os.path.abspath(problems.folder)
    marks = {node.value: node.mark for node in _patterns(root)}
    for pattern in checked.files:
        if not _matches(checked, pattern, folder):
            shown = one_line(checked.masks.get(pattern, pattern))
            where = "" if os.path.isabs(pattern) else f" in {one_line(folder)}"
            hint = "" if checked.masks.get(pattern, "") else pattern_hint(pattern)
            problems.add(marks.get(pattern), "no-source", f"{shown} matches no source{where}", hint)
    return problems.found


def _patterns(root: Node) -> Iterator[ScalarNode]:
    """Yield the nodes of the patterns in a pipeline that has no problems."""
    for key in ("input", "files"):
        if not isinstance(root, MappingNode) or key not in root.entries:
            return
        root = root.entries[key].node
    for node in root.items if isinstance(root, SequenceNode) else (root,):
        if isinstance(node, ScalarNode):
            yield node


def _matches(checked: CheckedPipeline, pattern: str, folder: str) -> bool:
    """Return whether a pattern matches a source.

    The search of a run takes 23 ms to import, half of ``tonearm check``. Names, and patterns whose last part alone has
    wildcards, do without.
    """
    decoder = checked.decoder.plugin
    stores = isinstance(decoder, Decoder) and decoder.reads_folders
    path = os.path.join(folder, pattern)
    above, name = os.path.split(path)
    if os.path.lexists(path):
        if stores or not os.path.isdir(path):
            return True
    elif not _has_wildcards(pattern):
        return False
    elif not stores and name != "**" and not _has_wildcards(os.path.dirname(pattern)):
        return _is_in(above, name)
    from tonearm.run.sources.finding import find_sources

    suffixes = decoder.suffixes if isinstance(decoder, Decoder) else ()
    return any(True for _ in find_sources([pattern], folder, suffixes, stores=stores, written=True))


def _has_wildcards(pattern: str) -> bool:
    return not {"*", "?", "["}.isdisjoint(pattern)


def _is_in(folder: str, pattern: str) -> bool:
    """Return whether a folder has a file that matches a pattern without slashes, as the search of a run finds it."""
    import fnmatch

    fits = re.compile(fnmatch.translate(pattern)).match
    hidden = RESERVED_PREFIX if pattern.startswith(".") else "."
    try:
        with os.scandir(folder) as entries:
            return any(fits(one.name) and not one.name.startswith(hidden) and not one.is_dir() for one in entries)
    except OSError:
        return False
