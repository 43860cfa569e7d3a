"""The context of an item: what a plugin asks of the host, and what it reports to it."""

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
    """Where an item comes from and what makes a file of it, for those encoders that write it down.

    Parameters
    ----------
    source
        Name of the source, as the user gave it.
    sha256
        Of its content, in hex.
    pipeline
        Fingerprint of the pipeline: its plugins, their versions, their options; the journal has the same.
    stages
        The plugins in their order, each as ``{"use": name, "package": …, "with": options after defaults}``.
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
    """Return a number or text of numpy's, or one of a subclass, as Python's own."""
    value = value.item() if getattr(value, "ndim", None) == 0 else value
    kind = next((kind for kind in _PLAIN if isinstance(value, kind)), None)
    if kind is None:
        raise TypeError(f"{name} is measured as {type(value).__name__}, not as a number or a text")
    return kind(value)


class Context:
    """What a plugin may ask of the host, and tell it, while it works on one item.

    Parameters
    ----------
    threads
        How many threads a plugin may use.
    on_warning
        Called with each warning as it comes.
    dialects
        Returns the dialects that there are by name.
    provenance
        Returns where the item comes from; it reads the source to its end, so ask only if it is wanted.
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
        """Note measurements for the journal: ``context.measure(spectral_convergence_db=-31.2)``.

        Raises
        ------
        TypeError
            If one is neither a number nor a text.
        """
        for name, value in values.items():
            if type(value) not in _PLAIN:
                values[name] = _plain(name, value)
        self.measurements.update(values)

    def warn(self, message: str) -> None:
        """Note something worth knowing that is no error; it is shown and goes into the journal."""
        line = one_line(message)
        if line not in self.warnings:
            self.warnings.append(line)
            if self._on_warning:
                self._on_warning(line)

    def drain(self) -> Context:
        """Return a context with all that was noted so far, which is forgotten here: it belongs to one item."""
        context = Context(
            threads=self.threads, on_warning=self._on_warning, dialects=self.dialects, provenance=self.provenance
        )
        context.measurements, self.measurements = self.measurements, {}
        context.warnings, self.warnings = self.warnings, []
        return context

    def rng(self, seed: int = 0) -> np.random.Generator:
        """Return a generator that depends on the seed alone: an item sounds the same in whatever order it comes."""
        import numpy as np

        return np.random.default_rng(seed)
