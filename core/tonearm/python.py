"""The Python interface: load a pipeline, convert in memory, run over many files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from tonearm import pipeline, registry
from tonearm.config.check import check
from tonearm.config.document import from_plain, override, read_document
from tonearm.contract import Decoder
from tonearm.errors import ItemError, UsageError, one_line

if TYPE_CHECKING:
    from pathlib import Path

    from tonearm.batch.run import Report, Result


class TonearmWarning(UserWarning):
    """Something is worth knowing that is no error: a package whose plugins are set aside."""


class Pipeline(pipeline.Pipeline):
    """A checked pipeline: `convert` works in memory, `run` writes files."""

    @property
    def base(self) -> Path:
        """Folder that the pipeline's own sources are relative to: that of its file."""
        from pathlib import Path

        return Path(self.checked.file).parent if self.checked.file else Path()

    def run(
        self,
        sources: Iterable[str | os.PathLike[str]] | None = None,
        *,
        out: str | os.PathLike[str] = ".",
        force: bool = False,
        fail_fast: bool = False,
        fsync: bool = True,
        observe: Callable[[Result], None] | None = None,
    ) -> Report:
        """Convert files and publish the outputs; return what became of each.

        Parameters
        ----------
        sources
            Files, folders or patterns; the pipeline's own if None.
        out
            The output folder.
        force
            Convert what is done already, and replace files that no run wrote.
        fail_fast
            Stop at the first item that fails.
        fsync
            Flush each file to the disk before it gets its name.
        observe
            Called with each source's result as it comes.

        Raises
        ------
        UsageError
            If there is no source.
        PipelineError
            If outputs would clash.
        OutputError
            If the output side fails; what was finished stays.
        """
        from pathlib import Path

        from tonearm.batch.run import RunOptions, make_plan, run
        from tonearm.batch.sources import find_sources

        options = RunOptions(out=Path(out), force=force, fail_fast=fail_fast, fsync=fsync)
        decoder = self.checked.decoder.plugin
        suffixes = decoder.suffixes if isinstance(decoder, Decoder) else ()
        patterns, base = (self.checked.files, self.base) if sources is None else (sources, Path())
        plan = make_plan(self, find_sources(patterns, base, suffixes), options)
        return run(self, plan, options, observe or (lambda _: None))


def load(
    given: str | os.PathLike[str] | Mapping[str, object],
    *,
    overrides: Iterable[str] = (),
    plugins: registry.Registry | None = None,
) -> Pipeline:
    """Return a checked pipeline.

    Parameters
    ----------
    given
        Path of a YAML file, or a mapping with the same content.
    overrides
        Assignments as ``--set`` takes them: ``steps.1.with.iterations=60``.
    plugins
        Where plugins are looked up; those that are installed if None. A package that is set aside is warned of.

    Raises
    ------
    PipelineError
        With everything that is wrong with it, in ``problems``.
    UsageError
        If the file cannot be read.
    """
    if plugins is None:
        plugins = registry.default()
        for problem in plugins.problems:
            warnings.warn(str(problem), TonearmWarning, stacklevel=2)
    if isinstance(given, Mapping):
        root, name = from_plain(given), None
    else:
        name = os.fspath(given)
        root = read_document(_content(name), name)
    for assignment in overrides:
        root = override(root, assignment)
    return Pipeline(check(root, name, plugins))


def _content(name: str) -> bytes:
    """Return what a pipeline file holds; no more than is needed to see that it is too large."""
    from tonearm.config.nodes import MAX_BYTES
    from tonearm.source import open_regular

    try:
        with open_regular(name) as file:
            return file.read(MAX_BYTES + 1)
    except (ItemError, OSError) as error:
        raise UsageError(one_line(error), code="unreadable") from error
