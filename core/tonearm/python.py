"""The Python interface: load a pipeline, convert in memory, run over many files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from tonearm.errors import ItemError, UsageError, one_line
from tonearm.pipeline.check import check
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.document import from_plain, override, read_document
from tonearm.plugins import registry
from tonearm.plugins.decoder import Decoder

if TYPE_CHECKING:
    from pathlib import Path

    from tonearm.run.report import Report
    from tonearm.run.result import Result
    from tonearm.source import Source


class TonearmWarning(UserWarning):
    """Something is worth knowing that is no error: a package whose plugins are set aside."""


class Pipeline(Converter):
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
        jobs: int | None = 0,
        force: bool = False,
        verify: bool = False,
        fail_fast: bool = False,
        max_failures: int | None = None,
        timeout: float | None = None,
        fsync: bool = True,
        part: tuple[int, int] | None = None,
        observe: Callable[[Result], None] | None = None,
    ) -> Report:
        """Convert files and publish the outputs; return what became of each.

        Parameters
        ----------
        sources
            Files, folders or patterns; the pipeline's own if None.
        out
            The output folder.
        jobs
            How many worker processes; 0 converts in this one, and None takes as many as there are cores to use.
        force
            Convert what is done already, and replace files that no run wrote.
        verify
            Look at the content of outputs that are there, not only at their sizes.
        fail_fast
            Stop at the first item that fails.
        max_failures
            Stop when so many items have failed.
        timeout
            Seconds that a source may take; it needs worker processes.
        fsync
            Flush each file to the disk before it gets its name.
        part
            Part of the sources to convert, as (index, count): (1, 4) is the first quarter.
        observe
            Called with each source's result as it comes.

        Raises
        ------
        UsageError
            If there is no source.
        PipelineError
            If outputs would clash.
        LockedError
            If another run holds the output folder.
        OutputError
            If the output side fails; what was finished stays.
        """
        from tonearm.run.options import RunOptions
        from tonearm.run.part import Part
        from tonearm.run.run import Run

        options = RunOptions(
            out=os.fspath(out),
            jobs=jobs,
            force=force,
            verify=verify,
            max_failures=1 if fail_fast else max_failures,
            timeout=timeout,
            fsync=fsync,
            part=Part(*part) if part else None,
        )
        run = Run(self, options)
        found = self.find_sources(sources, warn=run.report.warnings.append)
        return run.execute(run.plan(found), observe or (lambda _: None))

    def find_sources(
        self,
        given: Iterable[str | os.PathLike[str]] | None = None,
        *,
        warn: Callable[[str], None] = lambda _: None,
    ) -> Iterator[Source]:
        """Yield the sources that files, folders and patterns name; the pipeline's own if None.

        Parameters
        ----------
        given
            Files, folders or patterns.
        warn
            Called with what may have been missed.
        """
        from tonearm.run.sources.finding import find_sources

        decoder = self.checked.decoder.plugin
        suffixes, reads_folders = (
            (decoder.suffixes, decoder.reads_folders) if isinstance(decoder, Decoder) else ((), False)
        )
        patterns, base = (self.checked.files, self.base) if given is None else (given, "")
        return find_sources(patterns, base, suffixes, stores=reads_folders, warn=warn)


def load_pipeline(
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
    from tonearm.pipeline.yaml.nodes import MAX_BYTES
    from tonearm.source import open_regular

    try:
        with open_regular(name) as file:
            return file.read(MAX_BYTES + 1)
    except (ItemError, OSError) as error:
        raise UsageError(one_line(error), code="unreadable") from error
