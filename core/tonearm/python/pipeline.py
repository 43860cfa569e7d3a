"""The Python interface: load a pipeline, convert in memory, run over many files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tonearm.errors import PipelineError, UsageError
from tonearm.errors.short_errors import short_errors
from tonearm.pipeline.check import check
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.document import read_pipeline
from tonearm.pipeline.structure import NO_OUTPUTS
from tonearm.plugins import registry
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.progress import Progress
from tonearm.python.disabled_packages import warn_of_disabled_packages
from tonearm.reporting import reporting
from tonearm.signals import Signal

if TYPE_CHECKING:
    from pathlib import Path

    from tonearm.run.report import Report
    from tonearm.run.result import Result
    from tonearm.source import Source

    Sources = Iterable[Any] | Mapping[str, Any]


class Pipeline(Converter):
    """A validated pipeline: `convert` works in memory, `run` writes files, for which the pipeline must have outputs."""

    @property
    def base(self) -> Path:
        """Folder of the pipeline's file, to which its own sources are relative."""
        from pathlib import Path

        return Path(self.checked.file).parent if self.checked.file else Path()

    @short_errors
    def run(
        self,
        sources: Sources | None = None,
        *,
        out: str | os.PathLike[str] = ".",
        jobs: int | None = 0,
        force: bool = False,
        verify: bool = False,
        fail_fast: bool = False,
        max_failures: int | None = None,
        timeout: float | None = None,
        executor: str | tuple[str, Mapping[str, object]] | None = None,
        fsync: bool = True,
        part: tuple[int, int] | str | None = None,
        quarantine: str | os.PathLike[str] | None = None,
        observe: Callable[[Result], None] | None = None,
        progress: bool | Callable[[Progress], object] = False,
    ) -> Report:
        """Convert files, publish the outputs, and return a report.

        Parameters
        ----------
        sources
            List of files, folders, patterns and what is in memory, or a mapping from names to these; the sources that
            the pipeline names if None. In memory is all that `convert` takes: arrays, tensors, lists of numbers,
            mappings of these, and signals. A name stands for ``{stem}``; an array without one is ``array-0``,
            ``array-1``, … by its position. A later run with the same arrays skips them.
        out
            Output folder.
        jobs
            Number of worker processes; 0 converts in this process, and None starts one for each usable core. With
            another executor, it is the number of chunks of sources that it has at once; with 0 or None, these are as
            many as keep its workers busy.
        force
            Whether to convert everything again, and to replace files that no run wrote.
        verify
            Whether to verify existing outputs by their content, not only by their size.
        fail_fast
            Whether to stop at the first failed item.
        max_failures
            Number of failed items that stops the run; no limit if None.
        timeout
            Time in seconds that work may go on without a sign of life; 0 for no limit. None is 600 if the executor can
            stop a source that hangs, as worker processes can, and no limit if not.
        executor
            Name of the executor, or its name and options: ``("local", {})``. If None, it is ``in-process`` with 0 jobs,
            and ``local`` with more.
        fsync
            Whether to flush each file to the disk before it gets its name.
        part
            Part of the sources to convert, as (index, count), or as the command takes it: (1, 4) and ``"1/4"`` are
            the first quarter, and ``"slurm"`` is the part of this task of a job array.
        quarantine
            Folder for copies of the waveforms that a step, a limit or an encoder refuses; None to keep none.
        observe
            Function that is called with the result of each source.
        progress
            Whether to draw a bar on stderr, where that is a terminal or a notebook; or a function that is called with
            the `Progress` of sources that are at work in this process or in worker processes. What it raises ends the
            run. With an executor that names its workers, the bar is that of the run, and shows their rates.

        Raises
        ------
        UsageError
            If there is no source, or an argument is invalid.
        PipelineError
            If the pipeline has no outputs, two outputs would have the same name, or an option of the executor is
            wrong.
        LockedError
            If another run holds the output folder.
        OutputError
            If an output cannot be written; finished files stay.
        """
        if not self.outputs:
            raise PipelineError([replace(NO_OUTPUTS, file=self.checked.file, place=self.checked.decoder.place)])
        from tonearm.run.options import RunOptions
        from tonearm.run.part import Part
        from tonearm.run.run import Run

        name, executor_options = (executor or "", {}) if not isinstance(executor, tuple) else executor
        options = RunOptions(
            out=os.fspath(out),
            jobs=jobs,
            force=force,
            verify=verify,
            max_failures=1 if fail_fast else max_failures,
            timeout=timeout,
            executor=name,
            executor_options=executor_options,
            fsync=fsync,
            part=Part.of(part),
            quarantine=os.fspath(quarantine) if quarantine is not None else "",
        )
        run = Run(self, options)
        found = self.find_sources(sources, warn=run.report.warnings.append)
        with reporting(progress) as reports:
            plan = run.plan(found)
            done = 0

            def observe_and_count(result: Result) -> None:
                nonlocal done
                if observe is not None:
                    observe(result)
                done += result.last
                tick()

            def tick() -> None:
                if reports is not None:
                    reports.count(done, len(plan))

            def note(line: str) -> None:
                import logging

                logging.getLogger("tonearm").info("%s", line)
                if reports is not None:
                    reports.note(line)

            if reports is not None:
                reports.watch(run.rates)
            return run.execute(plan, observe_and_count, tick, on_progress=reports, on_note=note)

    @short_errors
    def find_sources(
        self,
        given: Sources | None = None,
        *,
        warn: Callable[[str], None] = lambda _: None,
    ) -> Iterator[Source]:
        """Yield the sources that files, folders and patterns name, and what is in memory.

        Parameters
        ----------
        given
            Sources, as for `run`; those that the pipeline names if None.
        warn
            Function that is called with each warning, such as a pattern that matches nothing.

        Raises
        ------
        UsageError
            If a file does not exist, or a source is neither a path nor in memory.
        """
        if given is not None and self._takes_rows:
            given = _with_rows(given)
        if isinstance(given, Mapping):
            from tonearm.run.sources.given import keyed_sources

            return keyed_sources(given)
        if isinstance(given, (str, os.PathLike)) or _is_array(given):
            raise UsageError("the sources must be a list or a mapping", hint="put the source into brackets")
        from tonearm.run.sources.finding import find_sources

        decoder = self.checked.decoder.plugin
        suffixes, reads_folders = (
            (decoder.suffixes, decoder.reads_folders) if isinstance(decoder, Decoder) else ((), False)
        )
        written = given is None
        return find_sources(
            self.checked.files if given is None else given,
            self.base if written else "",
            suffixes,
            stores=reads_folders,
            written=written,
            warn=warn,
            masks=self.checked.masks if written else {},
        )


def _with_rows(given: Any) -> Any:
    """Return sources whose lists with rows of different lengths, as codec tokens have, are arrays by number."""
    from tonearm.given_arrays import coded_segments, rows_of

    if isinstance(given, Mapping):
        return {key: coded_segments(one) or rows_of(one) or one for key, one in given.items()}
    if isinstance(given, (list, tuple, Iterator)):
        return (coded_segments(one) or rows_of(one) or one for one in given)
    return given  # which `find_sources` refuses, or takes as paths


def _is_array(given: object) -> bool:
    """Return whether an array, a tensor or a signal was given in place of a list of sources."""
    return isinstance(given, Signal) or hasattr(given, "__array__") or hasattr(given, "__dlpack__")


@short_errors
def load_pipeline(
    given: str | os.PathLike[str] | Mapping[str, object],
    *,
    overrides: Iterable[str] = (),
    limits: Mapping[str, object] = {},
    strict: bool = False,
    env: Iterable[str] = (),
    plugins: registry.Registry | None = None,
) -> Pipeline:
    """Validate a pipeline and return it.

    Parameters
    ----------
    given
        Path of a YAML file, or a mapping with the same content. ``outputs`` may be left out where nothing is written:
        `Pipeline.convert` does not need them.
    overrides
        Assignments as ``--set`` takes them: ``steps.1.with.iterations=60``.
    limits
        Limits, in place of those of the pipeline: ``{"memory": "4GB", "beyond": 8.0}``.
    strict
        Whether what the limits would warn about is an error: clipped, very quiet or silent sound, doubtful recipes.
    env
        Names of environment variables that may stand anywhere in the pipeline. Others are read in sources and in
        options that name files only.
    plugins
        Registry of plugins; all that are installed if None. Then there is a `TonearmWarning` for each package that is
        disabled, once in the life of the process.

    Raises
    ------
    PipelineError
        If the pipeline is wrong; ``problems`` lists everything that is.
    UsageError
        If the file cannot be read.

    Examples
    --------
    >>> import tonearm
    >>> pipeline = tonearm.load_pipeline(
    ...     {
    ...         "tonearm": 1,
    ...         "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 22050}},
    ...         "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
    ...     }
    ... )
    >>> pipeline.checked.decoder.name
    'npy-reader'
    """
    if plugins is None:
        plugins = registry.default()
        warn_of_disabled_packages(plugins)
    root, name = read_pipeline(given, overrides, {**limits, "strict": True} if strict else limits)
    return Pipeline(check(root, name, plugins, env=env, needs_outputs=False))
