"""The base classes of decoders of arrays; the host reads kind, axes and scale of the arrays."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Generic, TypeVar

from tonearm.arrays.options import ArrayOptions, KeyedArrayOptions
from tonearm.arrays.read import read_array
from tonearm.arrays.retry import retryable
from tonearm.errors import GiveOption, ItemError, RemoveOption, SetOption, one_line
from tonearm.plugins.context import Context
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.item import Item
from tonearm.plugins.ports import Spec
from tonearm.signals import Signal
from tonearm.source import Source

if TYPE_CHECKING:
    from tonearm.typing import Array


ArrayOpts = TypeVar("ArrayOpts", bound=ArrayOptions)
COMPANIONS = ("lengths", "imag", "phase")
"""Options of `KeyedArrayOptions` that name a companion: a second array that belongs to the first."""

KeyedOpts = TypeVar("KeyedOpts", bound=KeyedArrayOptions)


class ArrayDecoder(Decoder[Signal, ArrayOpts], Generic[ArrayOpts]):
    """A decoder that yields arrays; the host turns them into signals as the options describe them.

    Its options are `ArrayOptions` or a subclass.
    """

    @abstractmethod
    def arrays(self, source: Source, context: Context) -> Iterator[tuple[str, Array] | ItemError]:
        """Yield each array of a source with its name, which is empty if the format has no names.

        If one of several arrays cannot be read, yield its `ItemError` in its place.
        """

    def decode(self, source: Source, context: Context) -> Iterator[Item[Signal] | ItemError]:
        """Yield an item for each array, or for each element of its batch axis."""
        if source.array is not None:
            return self._items([("", source.array, {})], context)
        found = self.arrays(source, context)
        return self._items((one if isinstance(one, ItemError) else (*one, {}) for one in found), context)

    def _items(
        self, arrays: Iterable[tuple[str, Array, Mapping[str, Array]] | ItemError], context: Context
    ) -> Iterator[Item[Signal] | ItemError]:
        """Yield the items of arrays, each given with its name and its companions."""
        index = 0
        for one in arrays:
            for signal in [one] if isinstance(one, ItemError) else self.read(one[1], context, **one[2]):
                key = "" if isinstance(one, ItemError) else one[0]
                yield signal if isinstance(signal, ItemError) else Item(signal=signal, key=key, index=index)
                index += 1

    def read(self, array: Array, context: Context, **companions: Array) -> Iterator[Signal | ItemError]:
        """Yield the signals of one array, or its `ItemError`.

        Parameters
        ----------
        array
            Array to read.
        context
            Context of the item.
        **companions
            Arrays that belong to it: ``lengths``, ``imag`` and ``phase``, as for `read_array`.
        """
        index = 0
        try:
            for index, one in enumerate(read_array(array, self.options, context, **companions)):
                yield retryable(one, array, index, context, companions) if isinstance(one, ItemError) else one
        except ItemError as error:
            yield retryable(error, array, index, context, companions)

    def produces(self) -> Spec:
        """Return what the options determine."""
        return self.options.spec()


class KeyedArrayDecoder(ArrayDecoder[KeyedOpts], Generic[KeyedOpts]):
    """A decoder of files with several named arrays; the host selects those that the option ``key`` names.

    Its options are `KeyedArrayOptions` or a subclass.
    """

    @abstractmethod
    def open_arrays(self, source: Source, context: Context) -> AbstractContextManager[Mapping[str, Array]]:
        """Open a source as a mapping from names to arrays, each of which is loaded on access."""

    def arrays(self, source: Source, context: Context) -> Iterator[tuple[str, Array] | ItemError]:
        """Yield the arrays that ``key`` names, or the only array if there is no ``key``."""
        with self.open_arrays(source, context) as found:
            for one in self._with_companions(found, ()):
                yield one if isinstance(one, ItemError) else one[:2]

    def decode(self, source: Source, context: Context) -> Iterator[Item[Signal] | ItemError]:
        """Yield an item for each array, or for each element of its batch axis up to its true length.

        If ``imag`` or ``phase`` names a second array, both become one signal.
        """
        named = [name for name in COMPANIONS if getattr(self.options, name) is not None]
        if not named:
            yield from super().decode(source, context)
        elif source.array is not None:
            raise ItemError(
                f"{named[0]} names a second array, but {source.name} is one array",
                code="no-such-key",
                remedies=(RemoveOption(named[0]),),
                hint="or give a file",
            )
        else:
            with self.open_arrays(source, context) as found:
                yield from self._items(self._with_companions(found, named), context)

    def _with_companions(
        self, found: Mapping[str, Array], named: Iterable[str]
    ) -> Iterator[tuple[str, Array, Mapping[str, Array]] | ItemError]:
        """Yield each selected array with its name and its companions."""
        keys = set(found)
        for name in (getattr(self.options, option) for option in named):
            if name not in keys and "*" not in name:
                raise _no_such_key(name, found)
        for key in self._chosen(found):
            others = {name: self.options.companion(name, key) for name in named}
            missing = next((other for other in others.values() if other not in keys), None)
            try:
                if missing is not None:
                    raise _no_such_key(missing, found)
                yield key, found[key], {name: found[other] for name, other in others.items()}
            except ItemError as error:
                yield error

    def _chosen(self, found: Mapping[str, Array]) -> list[str]:
        """Return the names of the selected arrays, without companions."""
        from fnmatch import fnmatchcase

        keys = list(found)  # looking names up in the mapping might load an array
        others = [name for name in (getattr(self.options, option) for option in COMPANIONS) if name is not None]
        candidates = [key for key in keys if not any(key == name or fnmatchcase(key, name) for name in others)]
        pattern = self.options.key
        if pattern is None:
            if len(candidates) != 1:
                raise ItemError(
                    f"there are {len(candidates)} arrays: {_some(candidates)}" if candidates else "there is no array",
                    code="several-arrays" if candidates else "empty",
                    remedies=(GiveOption("key", "its name"), SetOption("key", "*", when="for all"))
                    if candidates
                    else (),
                )
            return candidates
        chosen = [pattern] if pattern in keys else [key for key in candidates if fnmatchcase(key, pattern)]
        if not chosen:
            raise _no_such_key(pattern, keys)
        return chosen


def _no_such_key(key: str, found: Iterable[str]) -> ItemError:
    names = list(found)
    hint = f"there are {_some(names)}" if names else "there are no arrays at all"
    return ItemError(f"there is no array {one_line(key)!r}", code="no-such-key", hint=hint)


def _some(keys: list[str], limit: int = 10) -> str:
    """Return the names of a few arrays on one line."""
    named = ", ".join(one_line(key, 60) for key in keys[:limit])
    return f"{named} and {len(keys) - limit} more" if len(keys) > limit else named
