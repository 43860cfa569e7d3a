"""The base classes of decoders of arrays; the host reads kind, axes and scale of the arrays."""

from __future__ import annotations

from abc import abstractmethod
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, TypeVar

from tonearm.arrays.options import ArrayOptions, KeyedArrayOptions
from tonearm.arrays.read import read_array
from tonearm.arrays.retry import retryable
from tonearm.arrays.stated import Statements, holds_no_numbers, ignores_file, is_setting, rate_among, with_stated
from tonearm.arrays.stated_channels import check_channels
from tonearm.arrays.stated_figures import beside as figures_beside
from tonearm.arrays.stated_figures import check_figures
from tonearm.arrays.stated_lengths import stated_lengths
from tonearm.arrays.whole_sounds import refuse_file, sound
from tonearm.errors import GiveOption, ItemError, RemoveOption, SetOption, one_line
from tonearm.plugins.context import Context
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.item import Item
from tonearm.plugins.ports import Spec
from tonearm.reading.nearby import levels_of
from tonearm.signals import Signal, Waveform
from tonearm.source import Source

if TYPE_CHECKING:
    from tonearm.typing import Array


ArrayOpts = TypeVar("ArrayOpts", bound=ArrayOptions)
COMPANIONS = ("lengths", "imag", "phase")
"""Options of `KeyedArrayOptions` that name a companion: a second array that belongs to the first."""

KeyedOpts = TypeVar("KeyedOpts", bound=KeyedArrayOptions)

_Read: TypeAlias = "tuple[str, Array | Waveform, Mapping[str, Array], Mapping[str, Any]]"


class ArrayDecoder(Decoder[Signal, ArrayOpts], Generic[ArrayOpts]):
    """A decoder that yields arrays; the host turns them into signals as the options describe them.

    Its options are `ArrayOptions` or a subclass.

    Attributes
    ----------
    holds_many
        Whether files hold many arrays of one sort by their nature, as archives of utterances and tables do.
    """

    holds_many: ClassVar[bool] = False

    @abstractmethod
    def arrays(self, source: Source, context: Context) -> Iterator[tuple[str, Array | Waveform] | ItemError]:
        """Yield each array of a source with its name, which is empty if the format has no names.

        A sound file that the source holds is yielded as its `Waveform`. If one of several arrays cannot be read, yield
        its `ItemError` in its place.
        """

    def decode(self, source: Source, context: Context) -> Iterator[Item[Signal] | ItemError]:
        """Yield an item for each array, or for each element of its batch axis."""
        if source.array is not None:
            return self._items([("", source.array, {}, {})], context)
        found = self.arrays(source, context)
        return self._items((one if isinstance(one, ItemError) else (*one, {}, {}) for one in found), context)

    def _items(self, arrays: Iterable[_Read | ItemError], context: Context) -> Iterator[Item[Signal] | ItemError]:
        """Yield the items of arrays, each given with its name, its companions and what the file says about it."""
        index = 0
        for one in arrays:
            if isinstance(one, ItemError):
                yield one
                index += 1
                continue
            key, array, companions, says = one
            for signal in self.read(array, context, key=key, says=says, **companions):
                yield signal if isinstance(signal, ItemError) else Item(signal=signal, key=key, index=index)
                index += 1

    def read(
        self,
        array: Array | Waveform,
        context: Context,
        *,
        key: str = "",
        says: Mapping[str, Any] = MappingProxyType({}),
        **companions: Array,
    ) -> Iterator[Signal | ItemError]:
        """Yield the signals of one array as the options and the file describe it, or its `ItemError`.

        Parameters
        ----------
        array
            Array to read, or the `Waveform` of a sound file, which is compared with the options.
        context
            Context of the item.
        key
            Name of the array, for messages.
        says
            What the file says about the array, by name, such as its ``sample_rate``.
        **companions
            Arrays that belong to it: ``lengths``, ``imag`` and ``phase``, as for `read_array`.
        """
        index, stated = 0, None
        try:
            if isinstance(array, Waveform):
                stated = rate_among(says) if says else None
                if stated is not None and stated.rate != array.sample_rate and not ignores_file(self.options):
                    context.warn(f"{_named(key)} has {array.sample_rate} Hz, but the file says {stated.origin}")
                yield from sound(array, self.options, key)
                return
            refuse_file(array, key)
            is_used = bool(says) and not ignores_file(self.options)
            if is_used and "lengths" not in companions:
                companions |= stated_lengths(array, says, self.options.axes)
            stated = rate_among(says) if says else None
            options = with_stated(self.options, stated, key)
            if options is not self.options:
                context.measure(sample_rate=options.of_kind("sample_rate"))
            if is_used:
                check_figures(options, says, array, key)
            for index, one in enumerate(read_array(array, options, context, **companions)):
                if isinstance(one, ItemError):
                    yield retryable(one, array, index, context, companions, stated)
                    continue
                if is_used:
                    check_channels(one, says, key)
                yield one
        except ItemError as error:
            yield error if isinstance(array, Waveform) else retryable(error, array, index, context, companions, stated)

    def produces(self) -> Spec:
        """Return what the options determine; a batch, or a file that holds many arrays, becomes several items."""
        known = self.options.spec()
        return known.replace(several=True) if self.is_several() else known

    def is_several(self) -> bool:
        """Return whether the options tell that a source becomes several items."""
        return self.holds_many or "batch" in (self.options.axes or ())


class KeyedArrayDecoder(ArrayDecoder[KeyedOpts], Generic[KeyedOpts]):
    """A decoder of files with several named arrays; the host selects those that the option ``key`` names.

    Its options are `KeyedArrayOptions` or a subclass. Without ``key``, the only array is read, or all arrays of files
    that hold many.
    """

    @abstractmethod
    def open_arrays(self, source: Source, context: Context) -> AbstractContextManager[Mapping[str, Array]]:
        """Open a source as a mapping from names to arrays, each of which is loaded on access."""

    def arrays(self, source: Source, context: Context) -> Iterator[tuple[str, Array | Waveform] | ItemError]:
        """Yield the arrays that ``key`` names; without ``key``, the only array, or all if files hold many."""
        with self.open_arrays(source, context) as found:
            for one in self._with_companions(found, (), context):
                yield one if isinstance(one, ItemError) else one[:2]

    def decode(self, source: Source, context: Context) -> Iterator[Item[Signal] | ItemError]:
        """Yield an item for each array, or for each element of its batch axis up to its true length.

        If ``imag`` or ``phase`` names a second array, both become one signal.
        """
        named = [name for name in COMPANIONS if getattr(self.options, name) is not None]
        if source.array is not None and not named:
            yield from super().decode(source, context)
        elif source.array is not None:
            raise ItemError(
                f"{named[0]} names a second array, but {source.name} is one array",
                code="no-such-key",
                remedies=(RemoveOption(named[0]),),
                hint="or give a file",
            )
        else:
            given = nullcontext(source.arrays) if source.arrays is not None else self.open_arrays(source, context)
            with given as found:
                yield from self._items(self._with_companions(found, named, context), context)

    def of_one_sort(self, keys: list[str]) -> list[str]:
        """Return the names of arrays to read without ``key``, or raise `ItemError` if they are of several sorts."""
        return keys

    def is_several(self) -> bool:
        """Return whether the options tell that a source becomes several items: lengths are those of a batch."""
        is_archive = self.holds_many and self.options.key is None
        return is_archive or self.options.lengths is not None or "batch" in (self.options.axes or ())

    def _with_companions(
        self, found: Mapping[str, Array], named: Iterable[str], context: Context
    ) -> Iterator[_Read | ItemError]:
        """Yield each selected array with its name, its companions and what the file says about it."""
        keys = set(found)
        statements = Statements(found)
        for name in (getattr(self.options, option) for option in named):
            if name not in keys and "*" not in name:
                raise _no_such_key(name, found)
        chosen = self._chosen(found, statements)
        takes_all = len(chosen) > 1 and (self.options.key or "").endswith("*")
        is_found = False
        values: list[_Read] = []
        for key in chosen:
            others = {name: self.options.companion(name, key) for name in named}
            missing = next((other for other in others.values() if other not in keys), None)
            try:
                if missing is not None:
                    raise _no_such_key(missing, found)
                array, beside = statements.load(key), {name: found[other] for name, other in others.items()}
                if "lengths" not in others and (name := self._stated_lengths(key, array, statements, context)):
                    beside["lengths"] = found[name]
                    context.measure(lengths=name)
                says = statements.about(key)
                if len(keys) > 1 and (figures := figures_beside(found, key, keys)):
                    says = ChainMap(*levels_of(says), figures)
                read = key, array, beside, says
            except ItemError as error:
                if not (takes_all and holds_no_numbers(error)):
                    yield error
                continue
            if takes_all and is_setting(key, array):
                values.append(read)
            else:
                is_found = True
                yield read
        if not is_found:
            yield from values

    def _stated_lengths(
        self, key: str, array: Array | Waveform, statements: Statements, context: Context
    ) -> str | None:
        """Return the name of the lengths that the file has beside an array, if it may be a batch; else None."""
        axes = self.options.axes
        if not statements.lengths or ignores_file(self.options) or (axes and "batch" not in axes):
            return None
        name = statements.lengths_of(key, array)
        if name is None and (unused := statements.unused_lengths(key, array)):
            context.warn(f"{one_line(unused, 60)!r} is not used, because there is no padding behind these lengths")
        return name

    def _chosen(self, found: Mapping[str, Array], statements: Statements) -> list[str]:
        """Return the names of the selected arrays, without companions and numbers that state a sample rate."""
        from fnmatch import fnmatchcase

        keys = list(found)  # looking names up in the mapping might load an array
        others = [name for name in (getattr(self.options, option) for option in COMPANIONS) if name is not None]
        candidates = [key for key in keys if not any(key == name or fnmatchcase(key, name) for name in others)]
        if len(candidates) > 1:
            candidates = [key for key in candidates if not statements.states_rate(key)]
        pattern = self.options.key
        if pattern is None and self.holds_many and candidates:
            return self.of_one_sort(candidates)
        if pattern is None and len(candidates) > 1:
            candidates = statements.of_many_values(candidates)
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


def _named(key: str) -> str:
    return f"the sound {one_line(key, 60)!r}" if key else "the sound"


def _no_such_key(key: str, found: Iterable[str]) -> ItemError:
    names = list(found)
    hint = f"there are {_some(names)}" if names else "there are no arrays at all"
    return ItemError(f"there is no array {one_line(key)!r}", code="no-such-key", hint=hint)


def _some(keys: list[str], limit: int = 10) -> str:
    """Return the names of a few arrays on one line."""
    named = ", ".join(one_line(key, 60) for key in keys[:limit])
    return f"{named} and {len(keys) - limit} more" if len(keys) > limit else named
