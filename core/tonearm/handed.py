"""What a plugin is handed: items with their signals, a context to tell things to, and a sink to write to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, TypeVar

from msgspec import Struct

from tonearm.dialects import Catalogue
from tonearm.errors import one_line
from tonearm.signals import Signal
from tonearm.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

S_co = TypeVar("S_co", bound=Signal, covariant=True)


class Item(Struct, Generic[S_co], frozen=True, kw_only=True, eq=False):
    """One signal with where it came from.

    Parameters
    ----------
    signal
        The signal.
    key
        Name of the array or entry within the source; empty where it has none.
    index
        Position within the source, from 0.
    tags
        What the source says of the sound: title, artist, comment.
    """

    signal: S_co
    key: str = ""
    index: int = 0
    tags: Mapping[str, str] = {}


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

    def hand_over(self) -> Context:
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


class Sink:
    """Where an encoder writes.

    Parameters
    ----------
    path
        A temporary file, empty.
    suffix
        Of its final name, with dot, as the user wrote it; the temporary file's own says nothing.
    descriptor
        The same file, open for reading and writing; None opens it by its path.
    """

    def __init__(self, path: str | os.PathLike[str], suffix: str = "", descriptor: int | None = None) -> None:
        self.suffix = suffix
        self.sidecars: dict[str, Path] = {}
        self._path = path
        self._descriptor = descriptor

    @property
    def path(self) -> Path:
        """A temporary file, empty; the host publishes it under its name when the encoder has returned."""
        from pathlib import Path

        return Path(self._path)

    def open(self) -> BinaryIO:
        """Return the temporary file, open for writing bytes from its start; close it when all is written.

        It is cheaper than opening ``path``: some file systems start writing to the disk as soon as a file that was
        truncated, as ``open(path, "wb")`` does, is closed.
        """
        if self._descriptor is None:
            return open(self._path, "wb")  # noqa: PTH123 - the caller closes it
        if os.lseek(self._descriptor, 0, os.SEEK_END):
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.ftruncate(self._descriptor, 0)
        return self._opened(os.dup(self._descriptor))

    def _opened(self, descriptor: int) -> BinaryIO:
        """Return an open file for this descriptor."""
        return open(descriptor, "wb")

    def sidecar(self, suffix: str) -> Path:
        """Return a temporary path for a second file beside the first, published with it: ``sidecar(".json")``.

        It takes the place of the file's own suffix. The second file gets its name just before the first does.
        """
        if not suffix[1:] or not suffix.startswith(".") or "/" in suffix or "\0" in suffix:
            raise ValueError(f"a sidecar's suffix is a dot and more, like .json, not {suffix!r}")
        return self.sidecars.setdefault(suffix, _beside(self._path, suffix))


def _beside(path: str | os.PathLike[str], suffix: str) -> Path:
    from pathlib import Path

    return Path(path).with_name(f"{Path(path).stem}{suffix}.part")
