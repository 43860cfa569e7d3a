"""What a plugin class is: its one method, its ports, its options, what it needs.

The generic arguments are the ports: ``class Istft(Transform[ComplexSpectrogram, Waveform, IstftOptions])``. mypy checks
them, and the host reads them to prove a pipeline before it reads any data.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Generic, Literal, TypeVar

from msgspec import Struct

from tonearm.arrays import ArrayOptions, KeyedArrayOptions, read_array
from tonearm.dialects import Catalogue
from tonearm.errors import ItemError, one_line
from tonearm.ports import Spec, ports_of
from tonearm.requirement import Requirement
from tonearm.signals import Signal
from tonearm.source import Source
from tonearm.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    Array = np.ndarray[Any, Any]

In = TypeVar("In", bound=Signal)
Out = TypeVar("Out", bound=Signal)
Opts = TypeVar("Opts")
S_co = TypeVar("S_co", bound=Signal, covariant=True)
ArrayOpts = TypeVar("ArrayOpts", bound=ArrayOptions)
Together = Literal["source", "key", "item"]

BESIDE = ("lengths", "imag", "phase")
"""Options of `KeyedArrayOptions` that name an array beside the one that is read."""

KeyedOpts = TypeVar("KeyedOpts", bound=KeyedArrayOptions)


@dataclass(frozen=True)
class NoOptions:
    """Options of a plugin that has none."""


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
        """Note measurements for the journal: ``context.measure(spectral_convergence_db=-31.2)``."""
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
        file = open(os.dup(self._descriptor), "wb")  # noqa: PTH123, SIM115 - the caller closes it
        if file.seek(0, os.SEEK_END):
            file.seek(0)
            file.truncate()
        return file

    def sidecar(self, suffix: str) -> Path:
        """Return a temporary path for a second file beside the first, published with it: ``sidecar(".json")``.

        It takes the place of the file's own suffix. The second file gets its name just before the first does.
        """
        if not suffix[1:] or not suffix.startswith(".") or "/" in suffix or "\0" in suffix:
            raise ValueError(f"a sidecar's suffix is a dot and more, like .json, not {suffix!r}")
        return self.sidecars.setdefault(suffix, self.path.with_name(f"{self.path.stem}{suffix}.part"))


class Plugin(ABC, Generic[Opts]):
    """What decoders, transforms and encoders share.

    The first line of a plugin's docstring is its description in tables.

    Attributes
    ----------
    requires
        Packages and programs that it always needs. ``check`` looks for them without importing.
    """

    role: ClassVar[str]
    port_names: ClassVar[tuple[str, ...]]
    requires: ClassVar[tuple[Requirement, ...]] = ()

    def __init__(self, options: Opts) -> None:
        self.options = options

    def needs(self) -> Iterable[Requirement]:
        """Return what it needs with these options; ``requires``, unless a plugin says otherwise."""
        return self.requires

    def preflight(self) -> None:
        """Prepare once, when a run starts; raise what is missing before the first of many files."""


class Decoder(Plugin[Opts], Generic[Out, Opts]):
    """Reads one source and yields one or more items.

    Attributes
    ----------
    suffixes
        Of the files that it reads, with dot, in lower case.
    stores
        Whether a folder with one of these suffixes is a source, too.
    """

    role = "decoder"
    port_names = ("gives", "options")
    suffixes: ClassVar[tuple[str, ...]] = ()
    stores: ClassVar[bool] = False

    @abstractmethod
    def decode(self, source: Source, context: Context) -> Iterator[Item[Out] | ItemError]:
        """Yield the items of a source; an `ItemError` in place of one that cannot be read, where others can.

        Raises
        ------
        ItemError
            If the source cannot be read, or is not what the options say.
        """

    def produces(self) -> Spec:
        """Return what is known of its signals beforehand; the port's classes, unless a plugin knows better."""
        return Spec(signals=ports_of(type(self)).gives)

    def look(self, source: Source) -> Spec:  # noqa: ARG002 - for plugins that know more
        """Return what a source says of itself without being decoded; what is known beforehand, if it says no more.

        Raises
        ------
        ItemError
            If the source cannot be read.
        """
        return self.produces()


class ArrayDecoder(Decoder[Signal, ArrayOpts], Generic[ArrayOpts]):
    """A decoder that has arrays to give; the host reads kind, axes and scale as its options say.

    Its options are `ArrayOptions`, or a subclass that adds to them.
    """

    @abstractmethod
    def arrays(self, source: Source, context: Context) -> Iterator[tuple[str, Array] | ItemError]:
        """Yield each array of a source with its name; the name is empty where the format has none.

        An `ItemError` stands in place of one that cannot be read, where others can.
        """

    def decode(self, source: Source, context: Context) -> Iterator[Item[Signal] | ItemError]:
        """Yield an item for each array, and for each element of its batch axis."""
        if source.array is not None:
            return self._items([("", source.array, {})], context)
        found = self.arrays(source, context)
        return self._items((one if isinstance(one, ItemError) else (*one, {}) for one in found), context)

    def _items(
        self, arrays: Iterable[tuple[str, Array, Mapping[str, Array]] | ItemError], context: Context
    ) -> Iterator[Item[Signal] | ItemError]:
        """Yield the items of arrays, each with its name and those beside it, as `read_array` takes them."""
        index = 0
        for one in arrays:
            for signal in [one] if isinstance(one, ItemError) else self.read(one[1], context, **one[2]):
                key = "" if isinstance(one, ItemError) else one[0]
                yield signal if isinstance(signal, ItemError) else Item(signal=signal, key=key, index=index)
                index += 1

    def read(self, array: Array, context: Context, **beside: Array) -> Iterator[Signal | ItemError]:
        """Yield the signals of one array as the options say, or what is wrong with it.

        ``beside`` are further arrays, as `read_array` takes them: lengths, imag, phase.
        """
        try:
            yield from read_array(array, self.options, warn=context.warn, dialects=context.dialects, **beside)
        except ItemError as error:
            yield error

    def produces(self) -> Spec:
        """Return what the options say."""
        options = self.options
        spectral = options.kind is not None and options.kind != "waveform"
        return Spec(
            signals=options.signals(),
            sample_rate=options.rate,
            length=options.length,
            grid=options.grid() if spectral else None,
            dialect=options.dialect,
        )


class KeyedArrayDecoder(ArrayDecoder[KeyedOpts], Generic[KeyedOpts]):
    """A decoder of files that hold several arrays by name; the host picks those that ``key`` says.

    Its options are `KeyedArrayOptions`, or a subclass that adds to them.
    """

    @abstractmethod
    def open_arrays(self, source: Source, context: Context) -> AbstractContextManager[Mapping[str, Array]]:
        """Open a source as a mapping from names to arrays, each loaded when it is asked for."""

    def arrays(self, source: Source, context: Context) -> Iterator[tuple[str, Array] | ItemError]:
        """Yield the arrays that ``key`` names; without it, the only one there is."""
        with self.open_arrays(source, context) as found:
            for one in self._with_beside(found, ()):
                yield one if isinstance(one, ItemError) else one[:2]

    def decode(self, source: Source, context: Context) -> Iterator[Item[Signal] | ItemError]:
        """Yield an item for each array, and for each element of its batch axis up to its true length.

        Where ``imag`` or ``phase`` name a second array, both together are one.
        """
        named = [name for name in BESIDE if getattr(self.options, name) is not None]
        if not named:
            yield from super().decode(source, context)
        elif source.array is not None:
            raise ItemError(
                f"{named[0]} names an array beside the first, but {source.name} is one array",
                code="no-such-key",
                hint=f"give a file, or leave {named[0]} out",
            )
        else:
            with self.open_arrays(source, context) as found:
                yield from self._items(self._with_beside(found, named), context)

    def _with_beside(
        self, found: Mapping[str, Array], named: Iterable[str]
    ) -> Iterator[tuple[str, Array, Mapping[str, Array]] | ItemError]:
        """Yield each chosen array with its name and those that the options name beside it."""
        keys = set(found)
        for name in (getattr(self.options, option) for option in named):
            if name not in keys and "*" not in name:
                raise _no_such_key(name, found)
        for key in self._chosen(found):
            others = {name: self.options.beside(name, key) for name in named}
            missing = next((other for other in others.values() if other not in keys), None)
            try:
                if missing is not None:
                    raise _no_such_key(missing, found)
                yield key, found[key], {name: found[other] for name, other in others.items()}
            except ItemError as error:
                yield error

    def _chosen(self, found: Mapping[str, Array]) -> list[str]:
        """Return the names of the arrays to read; what the options name beside them is none of those."""
        from fnmatch import fnmatchcase

        keys = list(found)  # asking the mapping itself might load an array
        others = [name for name in (getattr(self.options, option) for option in BESIDE) if name is not None]
        candidates = [key for key in keys if not any(key == name or fnmatchcase(key, name) for name in others)]
        pattern = self.options.key
        if pattern is None:
            if len(candidates) != 1:
                raise ItemError(
                    f"there are {len(candidates)} arrays: {_some(candidates)}" if candidates else "there is no array",
                    code="several-arrays" if candidates else "empty",
                    hint="key: NAME takes one, key: '*' takes all" if candidates else "",
                )
            return candidates
        chosen = [pattern] if pattern in keys else [key for key in candidates if fnmatchcase(key, pattern)]
        if not chosen:
            raise _no_such_key(pattern, keys)
        return chosen


class Transform(Plugin[Opts], Generic[In, Out, Opts]):
    """Turns one signal into another."""

    role = "transform"
    port_names = ("takes", "gives", "options")

    @abstractmethod
    def apply(self, signal: In, context: Context) -> Out:
        """Return the new signal; the given one stays as it is."""

    def produces(self, spec: Spec) -> Spec:
        """Return what is known of the result, from what is known of the input.

        The same but for the port's class, unless a plugin knows better. Raise `OptionError` if options and input do not
        fit one another.
        """
        return spec.but(signals=ports_of(type(self)).gives)


class Regroup(Plugin[Opts], Generic[In, Out, Opts]):
    """Turns the items of one source into others: splits, concatenates. It stands among the transforms.

    The host numbers the new items: ``index`` counts those of each key within the source.
    """

    role = "transform"
    port_names = ("takes", "gives", "options")

    @abstractmethod
    def regroup(self, items: Iterator[Item[In]], context: Context) -> Iterator[Item[Out]]:
        """Yield the new items."""

    def together(self) -> Together:
        """Return which items are regrouped together, by one call: those fail together, and no others with them.

        ``source`` are all of a source, ``key`` those that follow one another with the same key, and ``item`` is each by
        itself.
        """
        return "source"

    def produces(self, spec: Spec) -> Spec:
        """As in `Transform`; the length is no longer known. ``several`` says that one source becomes several items."""
        return spec.but(signals=ports_of(type(self)).gives, length=None)


class Encoder(Plugin[Opts], Generic[In, Opts]):
    """Writes one signal to one file.

    Attributes
    ----------
    suffixes
        Of the files that it writes, with dot, in lower case.
    """

    role = "encoder"
    port_names = ("takes", "options")
    suffixes: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def encode(self, item: Item[In], sink: Sink, context: Context) -> None:
        """Write the item's signal to ``sink.path``."""

    def accepts(self, spec: Spec) -> None:
        """Raise `OptionError` if what is known of the signal cannot be written: 6 channels as MP3.

        ``spec.suffix`` is that of the file's name, where its template says it.
        """


def _no_such_key(key: str, found: Iterable[str]) -> ItemError:
    there = list(found)
    hint = f"there are {_some(there)}" if there else "there is none at all"
    return ItemError(f"there is no array {one_line(key)!r}", code="no-such-key", hint=hint)


def _some(keys: list[str], limit: int = 10) -> str:
    """Return the names of a few arrays on one line."""
    named = ", ".join(one_line(key, 60) for key in keys[:limit])
    return f"{named} and {len(keys) - limit} more" if len(keys) > limit else named
