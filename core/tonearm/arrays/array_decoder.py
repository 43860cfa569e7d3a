"""The base classes of decoders of arrays; the host reads kind, axes and scale of the arrays."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from tonearm.arrays.joined import read_joined
from tonearm.arrays.options import ArrayOptions, KeyedArrayOptions
from tonearm.arrays.read import read_array
from tonearm.arrays.retry import retryable
from tonearm.arrays.selection import SelectedArray, companions_of, selected_arrays
from tonearm.arrays.stated import ignores_file, rate_among, with_stated
from tonearm.arrays.stated_channels import check_channels
from tonearm.arrays.stated_figures import check_figures
from tonearm.arrays.stated_lengths import stated_lengths
from tonearm.arrays.stated_segments import with_stated_segments
from tonearm.arrays.whole_sounds import refuse_file, sound
from tonearm.errors import ItemError, RemoveOption, one_line
from tonearm.given_arrays import GivenRows
from tonearm.plugins.context import Context
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.item import Item
from tonearm.plugins.ports import Spec
from tonearm.signals import CodecTokens, Signal, Waveform
from tonearm.source import Source

if TYPE_CHECKING:
    from tonearm.typing import Array


ArrayOpts = TypeVar("ArrayOpts", bound=ArrayOptions)
KeyedOpts = TypeVar("KeyedOpts", bound=KeyedArrayOptions)


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
        if source.arrays is not None and self.joins_arrays:
            return read_joined(source.arrays, self.options, context)
        if source.arrays is not None:
            return self._items(self._selected(source.arrays, context, companions_of(self.options)), context)
        if source.array is not None:
            return self._items([("", source.array, {}, {})], context)
        found = self.arrays(source, context)
        return self._items((one if isinstance(one, ItemError) else (*one, {}, {}) for one in found), context)

    @property
    def joins_arrays(self) -> bool:
        """Whether all arrays of a source make one signal together, as the kind says of its layout."""
        return self.options.read_kind.joins_arrays and not self.holds_many

    def _selected(
        self, found: Mapping[str, Array], context: Context, named: Iterable[str]
    ) -> Iterator[SelectedArray | ItemError]:
        """Yield the arrays that the options select, each with the companions that are named."""
        several = self.of_one_sort if self.holds_many else list if self._are_rows(found) else None
        return selected_arrays(found, self.options, context, named=named, several=several)

    def _are_rows(self, found: Mapping[str, Array]) -> bool:
        """Return whether arrays are the elements of a batch: rows in memory, or a list in a file."""
        if isinstance(found, GivenRows):
            return True
        is_list = len(found) > 1 and all(name == str(number) for number, name in enumerate(found))
        return is_list and self.options.read_kind.takes_rows

    def of_one_sort(self, keys: list[str]) -> list[str]:
        """Return the names of arrays to read without ``key``, or raise `ItemError` if they are of several sorts."""
        return keys

    def _items(
        self, arrays: Iterable[SelectedArray | ItemError], context: Context
    ) -> Iterator[Item[Signal] | ItemError]:
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
                    context.warn(f"{_named(key)} has {array.sample_rate} Hz, but the source says {stated.origin}")
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
                yield with_stated_segments(one, says) if is_used and isinstance(one, CodecTokens) else one
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
            for one in self._selected(found, context, ()):
                yield one if isinstance(one, ItemError) else one[:2]

    def decode(self, source: Source, context: Context) -> Iterator[Item[Signal] | ItemError]:
        """Yield an item for each array, or for each element of its batch axis up to its true length.

        If ``imag`` or ``phase`` names a second array, both become one signal.
        """
        named = companions_of(self.options)
        if source.array is not None and named:
            raise ItemError(
                f"{named[0]} names a second array, but {source.name} is one array",
                code="no-such-key",
                remedies=(RemoveOption(named[0]),),
                hint="or give both arrays by name",
            )
        if source.holds_arrays:
            yield from super().decode(source, context)
            return
        with self.open_arrays(source, context) as found:
            if self.joins_arrays:
                yield from read_joined(found, self.options, context)
            else:
                yield from self._items(self._selected(found, context, named), context)

    def is_several(self) -> bool:
        """Return whether the options tell that a source becomes several items: lengths are those of a batch."""
        is_archive = self.holds_many and self.options.key is None
        return is_archive or self.options.lengths is not None or "batch" in (self.options.axes or ())


def _named(key: str) -> str:
    return f"the sound {one_line(key, 60)!r}" if key else "the sound"
