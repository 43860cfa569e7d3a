"""The context of an item, through which a plugin and the host communicate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from tonearm.errors import ItemError, Remedy, one_line
from tonearm.errors.text import counted
from tonearm.plugins.item import Item
from tonearm.plugins.progress import NamedStage, Progress, Reporter
from tonearm.recipes.catalogue import Catalogue
from tonearm.source import Source
from tonearm.usable_cores import default_threads
from tonearm.version import __version__

if TYPE_CHECKING:
    import numpy as np


class Provenance(Struct, frozen=True, kw_only=True):
    """The origin of an item: its source and the pipeline, for encoders that store it.

    Parameters
    ----------
    source
        Name of the source, without the folders above the one that was searched.
    sha256
        SHA-256 of the source's content in hex.
    pipeline
        Fingerprint of the output: of its plugins, their versions and options, the same as in the journal.
    stages
        Plugins in order, each as ``{"use": name, "package": …, "with": options with defaults}``. Paths below the folder
        of the pipeline's file are relative to it; of others, the name is left.
    full_source, full_stages
        The same with paths as they were given, for a user who asks for them: they tell names of users and machines.
    tonearm
        Version of tonearm.
    """

    source: str = ""
    sha256: str = ""
    pipeline: str = ""
    stages: tuple[Mapping[str, Any], ...] = ()
    tonearm: str = __version__
    full_source: str = ""
    full_stages: tuple[Mapping[str, Any], ...] = ()

    def with_paths(self) -> Provenance:
        """Return the provenance with paths as they were given."""
        return replace(self, source=self.full_source, stages=self.full_stages)


_PLAIN = (float, int, str)


def _plain(name: str, value: Any) -> float | int | str:
    """Return a number or text of NumPy's types, or of a subclass, as Python's own type."""
    value = value.item() if getattr(value, "ndim", None) == 0 else value
    kind = next((kind for kind in _PLAIN if isinstance(value, kind)), None)
    if kind is None:
        raise TypeError(f"the measurement {name} is {type(value).__name__}, not a number or text")
    return kind(value)


MAX_WARNINGS = 100
"""Number of different warnings of one item that are recorded."""

_FURTHER = "further warnings of this item are left out"


class Context:
    """The context in which a plugin processes one item.

    Parameters
    ----------
    threads
        Number of threads that a plugin may use; if None, as many as the process may have, found once a plugin asks.
    on_warning
        Function called with each new warning.
    on_progress
        Function called with the progress of a plugin, some 20 times a second at most.
    catalogue
        Function that returns the catalogue of a class of named structs: ``context.catalogue(MelDialect)``.
    provenance
        Function that returns the provenance of the item. It reads the whole source, so call it only if needed.
    source
        Source of the item; None if there is none.

    Attributes
    ----------
    stage
        Stage whose plugin works with the context; None if there is none. The host notes it.
    item
        Item whose encoder is being started. None elsewhere, and in a stream.
    reporter
        What passes reports of progress on; None if nobody wants them. All contexts of a source share it.
    may_leave_search
        Whether the decoder may leave it to the first step to search its values for NaN and infinity.
    is_unsearched
        Whether the decoder has left it so: the first step raises an error if a value is not finite.
    peak
        Largest absolute sample of the result, if a built-in step has found it on its way; else None.
    """

    def __init__(
        self,
        *,
        threads: int | None = 1,
        on_warning: Callable[[str], None] | None = None,
        catalogue: Callable[[type[Any]], Catalogue[Any]] = Catalogue,
        provenance: Callable[[], Provenance] = Provenance,
        on_progress: Callable[[Progress], None] | None = None,
        source: Source | None = None,
    ) -> None:
        self._threads = threads
        self.catalogue = catalogue
        self.provenance = provenance
        self.source = source
        self.measurements: dict[str, float | int | str] = {}
        self.warnings: list[str] = []
        self.doubts: list[ItemError] = []
        self._on_warning = on_warning
        self.stage: NamedStage | None = None
        self.item: Item[Any] | None = None
        self.may_leave_search = self.is_unsearched = False
        self.peak: float | None = None
        self.reporter = None if on_progress is None else Reporter(on_progress, source=source.name if source else "")

    def __repr__(self) -> str:
        of = f" of {one_line(self.source.name)}" if self.source else ""
        counts = f"{counted(len(self.measurements), 'measurement')}, {counted(len(self.warnings), 'warning')}"
        return f"<{type(self).__name__}{of}: {counts}>"

    @property
    def threads(self) -> int:
        """Number of threads that a plugin may use."""
        if self._threads is None:
            self._threads = default_threads()
        return self._threads

    def measure(self, **values: float | int | str) -> None:
        """Record measurements for the journal: ``context.measure(spectral_convergence_db=-31.2)``.

        Raises
        ------
        TypeError
            If a value is neither a number nor text.
        """
        for name, value in values.items():
            if type(value) not in _PLAIN:
                values[name] = _plain(name, value)
        self.measurements.update(values)

    def warn(self, message: str) -> None:
        """Record a warning, which is shown and written to the journal; of one item's, only the first hundred."""
        line = one_line(message) if len(self.warnings) < MAX_WARNINGS else _FURTHER
        if line not in self.warnings:
            self.warnings.append(line)
            if self._on_warning:
                self._on_warning(line)

    def doubt(self, message: str, *, code: str, remedies: tuple[Remedy, ...] = ()) -> None:
        """Record a doubt of a decoder about an item: that it is something else than the options say.

        The limits of the pipeline decide what becomes of it: a warning, or the error of the item.

        Parameters
        ----------
        message
            What is doubtful, on one line.
        code
            Stable identifier of the problem.
        remedies
            What to do about it, as data.
        """
        self.doubts.append(ItemError(message, code=code, remedies=remedies))

    def progress(self, done: float, total: float | None = None) -> None:
        """Report how far the work on the item is, in any unit: ``context.progress(block, blocks)``.

        The report is also a sign of life: a plugin that works for minutes without one may be taken to hang. Call it as
        often as you like, in any thread. Most calls only look at the clock.

        Parameters
        ----------
        done
            Amount of work that is done, from 0 to ``total``.
        total
            Amount of work in all; None if it is not known.
        """
        if self.reporter is not None:
            self.reporter.report(self.stage, done, total)

    def drain(self) -> Context:
        """Return a context with everything recorded so far, and clear this one: the record belongs to one item."""
        context = Context(
            threads=self._threads,
            on_warning=self._on_warning,
            catalogue=self.catalogue,
            provenance=self.provenance,
            source=self.source,
        )
        context.stage, context.reporter = self.stage, self.reporter
        context.measurements, self.measurements = self.measurements, {}
        context.warnings, self.warnings = self.warnings, []
        context.doubts, self.doubts = self.doubts, []
        context.is_unsearched, self.is_unsearched = self.is_unsearched, False
        return context

    def rng(self, seed: int = 0) -> np.random.Generator:
        """Return a random generator that depends only on the seed, so that the order of items does not matter."""
        import numpy as np

        return np.random.default_rng(seed)
