"""The context of an item, through which a plugin and the host communicate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tonearm.errors import one_line
from tonearm.recipes.mel import Catalogue
from tonearm.version import __version__

if TYPE_CHECKING:
    import numpy as np


class Provenance(Struct, frozen=True, kw_only=True):
    """The origin of an item: its source and the pipeline, for encoders that store it.

    Parameters
    ----------
    source
        Name of the source, as given by the user.
    sha256
        SHA-256 of the source's content in hex.
    pipeline
        Fingerprint of the output: of its plugins, their versions and options, the same as in the journal.
    stages
        Plugins in order, each as ``{"use": name, "package": …, "with": options with defaults}``.
    tonearm
        Version of tonearm.
    """

    source: str = ""
    sha256: str = ""
    pipeline: str = ""
    stages: tuple[Mapping[str, Any], ...] = ()
    tonearm: str = __version__


_PLAIN = (float, int, str)


def _plain(name: str, value: Any) -> float | int | str:
    """Return a number or text of NumPy's types, or of a subclass, as Python's own type."""
    value = value.item() if getattr(value, "ndim", None) == 0 else value
    kind = next((kind for kind in _PLAIN if isinstance(value, kind)), None)
    if kind is None:
        raise TypeError(f"the measurement {name} is {type(value).__name__}, not a number or text")
    return kind(value)


class Context:
    """The context in which a plugin processes one item.

    Parameters
    ----------
    threads
        Number of threads that a plugin may use.
    on_warning
        Function called with each new warning.
    dialects
        Function that returns all dialects by name.
    provenance
        Function that returns the provenance of the item. It reads the whole source, so call it only if needed.
    """

    def __init__(
        self,
        *,
        threads: int = 1,
        on_warning: Callable[[str], None] | None = None,
        dialects: Callable[[], Catalogue] = Catalogue,
        provenance: Callable[[], Provenance] = Provenance,
    ) -> None:
        self.threads = threads
        self.dialects = dialects
        self.provenance = provenance
        self.measurements: dict[str, float | int | str] = {}
        self.warnings: list[str] = []
        self._on_warning = on_warning

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
        """Record a warning, which is shown and written to the journal."""
        line = one_line(message)
        if line not in self.warnings:
            self.warnings.append(line)
            if self._on_warning:
                self._on_warning(line)

    def drain(self) -> Context:
        """Return a context with everything recorded so far, and clear this one: the record belongs to one item."""
        context = Context(
            threads=self.threads, on_warning=self._on_warning, dialects=self.dialects, provenance=self.provenance
        )
        context.measurements, self.measurements = self.measurements, {}
        context.warnings, self.warnings = self.warnings, []
        return context

    def rng(self, seed: int = 0) -> np.random.Generator:
        """Return a random generator that depends only on the seed, so that the order of items does not matter."""
        import numpy as np

        return np.random.default_rng(seed)
