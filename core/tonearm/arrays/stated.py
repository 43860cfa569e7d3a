"""What a file says about its arrays, above all their sample rate.

Every decoder of arrays gets this from the host. A statement is a single number beside an array whose name is that of a
sample rate, a number that the decoder hands over with `LazyArrays`, or a `Waveform` in place of an array.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tonearm.arrays.options import ArrayOptions, misses_rate
from tonearm.arrays.stated_channels import is_channels_name
from tonearm.arrays.stated_lengths import fitting_lengths, has_name_of_lengths, is_lengths, unused_lengths
from tonearm.errors import Advice, ChooseOption, GiveOption, ItemError, RemoveOption, SetOption, one_line
from tonearm.reading.nearby import end_of_group, is_config, letters_of, levels_of, whose
from tonearm.signals import MAX_SAMPLE_RATE, Waveform

RATE_NAMES: Final = frozenset(
    (
        "sr",
        "fs",
        "rate",
        "samplerate",
        "samplingrate",
        "samplefrequency",
        "samplingfrequency",
        "sampleratehz",
        "samplingratehz",
        "sampleratehertz",
        "audiosamplerate",
        "framerate",
    )
)
"""Names of a sample rate, in lower case and without anything but letters."""

LOWEST_RATE: Final = 1000
"""Lowest number in Hz that is taken for a sample rate."""

USUAL_RATES: Final = frozenset(
    (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 176400, 192000)
)
"""Sample rates in Hz that a number beside a sound stands for even without a name."""

MAX_COMPARED: Final = 100
"""Largest number of arrays of a file of which those that hold one number, or text, are left out unasked."""

_LONGEST_NAME: Final = 40
_REMEMBERED: Final = 1024  # names


_NOT_NUMBERS: Final = ("holds text", "holds truth values", "holds a Python object")
"""Parts of the messages of readers about arrays that hold no numbers."""


class StatedRate(NamedTuple):
    """Sample rate that a file states.

    Parameters
    ----------
    rate
        Sample rate in Hz.
    origin
        The statement, for messages: ``sr = 22050``.
    other
        Another rate that the file states as near to the array, and its origin; None if it states none.
    """

    rate: int
    origin: str
    other: tuple[int, str] | None = None


class Statements:
    """Statements of a file about its arrays.

    Parameters
    ----------
    found
        Arrays of the file by name, as `KeyedArrayDecoder.open_arrays` gives them.
    """

    def __init__(self, found: Mapping[str, Any]) -> None:
        self._found = found
        self._says = getattr(found, "says", None)
        self._numbers: dict[str, Any] = {}
        self._held: dict[str, Any] = {}
        self._described: dict[str, list[str]] = {}

    @functools.cached_property
    def _named(self) -> dict[str, list[str]]:
        """Names of the arrays that may state something, by group. Those in configs are also kept in `_described`."""
        groups: dict[str, list[str]] = {}
        for key in self._found:
            end = end_of_group(key)
            if _may_state(key[end:]):
                group = key[:end]
                groups.setdefault(group, []).append(key)
                if group and is_config(group):
                    self._described.setdefault(group[: end_of_group(group)], []).append(key)
        return groups

    @functools.cached_property
    def lengths(self) -> list[str]:
        """Names of the arrays that may hold the true lengths of others."""
        return [key for key in self._found if has_name_of_lengths(key)]

    def load(self, key: str) -> Any:
        """Return an array, which may have been loaded before."""
        return self._held.pop(key) if key in self._held else self._found[key]

    def states_rate(self, key: str) -> bool:
        """Return whether an array is a single number that states a sample rate."""
        end = end_of_group(key)
        is_named = key in self._named.get(key[:end], ()) and _is_rate_name(key[end:])
        return is_named and plausible_rate(self._number(key)) is not None

    def _number(self, key: str) -> Any:
        """Return the number that an array holds; None if it holds another, or cannot be read."""
        if key not in self._numbers:
            try:
                array = self._found[key]
                self._numbers[key] = None if isinstance(array, Waveform) or array.size != 1 else array
            except ItemError:
                self._numbers[key] = None
        return self._numbers[key]

    def of_many_values(self, keys: list[str]) -> list[str]:
        """Return the names of the arrays that hold more than a number, a text or the lengths of others.

        All are returned if none does, or if there are too many to look at.
        """
        if len(keys) > MAX_COMPARED:
            return keys
        found: list[str] = []
        lengths: list[str] = []
        for key in keys:
            if len(found) > 1 and not has_name_of_lengths(key):
                found.append(key)  # the choice is the user's, whatever it holds
                continue
            try:
                array = self._found[key]
            except ItemError as error:
                if not holds_no_numbers(error):
                    found.append(key)
                continue
            if is_one_value(array):
                continue
            if not isinstance(array, Waveform) and is_lengths(key, array):
                lengths.append(key)
                continue
            self._held = {} if found else {key: array}
            found.append(key)
        if len(found) == 1 and found[0] in self._held and self.lengths_of(found[0], self._held[found[0]]) is None:
            found += lengths
        return found or lengths or keys

    def lengths_of(self, key: str, array: Any) -> str | None:
        """Return the name of the array that holds the true lengths of another, a batch; None if there is none."""
        return None if isinstance(array, Waveform) else fitting_lengths(array, self._lengths_near(key))

    def unused_lengths(self, key: str, array: Any) -> str | None:
        """Return the name of lengths that seem to be those of an array but do not fit it; None if there is none."""
        if isinstance(array, Waveform):
            return None
        return unused_lengths(key[end_of_group(key) :], array, self._lengths_near(key))

    def _lengths_near(self, key: str) -> dict[str, Any]:
        """Return the arrays of a group that may hold lengths, by name: those with the name of an array first."""
        end = end_of_group(key)
        near = [name for name in self.lengths if name != key and name[: end_of_group(name)] == key[:end]]
        own = letters_of(key[end:])
        near.sort(key=lambda name: not letters_of(name[end:]).startswith(own))
        loaded = {}
        for name in near:
            with contextlib.suppress(ItemError):
                loaded[name] = self._found[name]
        return loaded

    def about(self, key: str) -> Mapping[str, Any]:
        """Return what the file says about an array: what stands nearest to it, by name.

        Its own attributes come first, then numbers in its group, then those around it.
        """
        says: Mapping[str, Any] = self._says(key) if self._says is not None else {}
        if not self._named or rate_among(says) is not None:
            return says
        group = key
        while group:
            group = group[: end_of_group(group)]
            for names in (self._named.get(group, ()), self._described.get(group, ())):
                near = {name: number for name in names if (number := self._number(name)) is not None}
                if rate_among(near) is not None:
                    return {**says, **near}
                says = {**says, **near} if near else says
        return says


def holds_no_numbers(error: ItemError) -> bool:
    """Return whether an array could not be read because it holds text, truth values or a Python object."""
    return any(what in error.message for what in _NOT_NUMBERS)


def is_one_value(array: Any) -> bool:
    """Return whether an array holds a single value, or text, or truth values."""
    return not isinstance(array, Waveform) and (array.size == 1 or array.dtype.kind in "USOb")


def is_setting(key: str, array: Any) -> bool:
    """Return whether an array that a pattern selects is a number or lengths, and no sound of one sample."""
    if isinstance(array, Waveform):
        return False
    is_sample = array.ndim == 1 and array.dtype.kind == "f"
    return (is_one_value(array) and not is_sample) or is_lengths(key, array)


def rate_among(says: Mapping[str, Any]) -> StatedRate | None:
    """Return the sample rate among what a file says, by name; None if it says none.

    Examples
    --------
    >>> rate_among({"text": "hello", "sampling_rate": 16000})
    StatedRate(rate=16000, origin='sampling_rate = 16000', other=None)
    """
    if not says:
        return None
    for level in levels_of(says):
        found: dict[int, str] = {}
        for name, value in level.items():
            if _is_rate_name(name[end_of_group(name) :]) and (rate := plausible_rate(value)) is not None:
                found.setdefault(rate, f"{one_line(name, 60)} = {rate}")
        if found:
            (first, *others) = found.items()
            return StatedRate(*first, *others[:1])
    return None


@functools.lru_cache(_REMEMBERED)
def _is_rate_name(name: str) -> bool:
    return letters_of(name) in RATE_NAMES


@functools.lru_cache(_REMEMBERED)
def _may_state(name: str) -> bool:
    """Return whether an array with this name may state a rate or channels."""
    return len(name) <= _LONGEST_NAME and (_is_rate_name(name) or is_channels_name(name))


def plausible_rate(value: Any) -> int | None:
    """Return a single number as a sample rate in Hz; None if it cannot be one.

    Parameters
    ----------
    value
        Number, text of a number, or array of one number.

    Examples
    --------
    >>> plausible_rate("22050"), plausible_rate(1.5), plausible_rate([8000, 16000])
    (22050, None, None)
    """
    if getattr(value, "size", 1) != 1 or isinstance(value, bool):
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, str):
        value = float(value) if re.fullmatch(r"\d{4,8}(\.0*)?", value.strip()) else None
    if not isinstance(value, (int, float)) or not LOWEST_RATE <= value <= MAX_SAMPLE_RATE:
        return None
    return round(value)


def with_stated(options: ArrayOptions, stated: StatedRate | None, key: str = "") -> ArrayOptions:
    """Return options with the sample rate that the file states.

    Parameters
    ----------
    options
        Options of the decoder.
    stated
        Statement of the file; None if there is none.
    key
        Name of the array, for messages.

    Raises
    ------
    ItemError
        ``rate-mismatch`` if the options say another rate, or the file says two and the options neither;
        ``missing-option`` if neither says one.
    """
    if stated is not None and ignores_file(options):
        stated = None
    if stated is None and options.of_kind("sample_rate") is not None:
        return options  # the usual case, which costs nothing
    known = options.kind.spec().sample_rate
    if stated is None:
        if known is None and any(map(misses_rate, options.kind.problems(options.axes))):
            meaning = "the rate that the model was made for, such as 22050"
            why = "what the source says is ignored" if ignores_file(options) else "the source does not say it"
            raise ItemError(
                f"'sample_rate' is missing, and {why}",
                code="missing-option",
                remedies=(GiveOption("sample_rate", meaning),),
            )
        return options
    if known is None:
        if stated.other is not None and hasattr(options.kind.options, "sample_rate"):
            raise _two_rates(stated, key)
        if not hasattr(options.kind.options, "sample_rate"):
            return options
        kind = type(options.kind)(dataclasses.replace(options.kind.options, sample_rate=stated.rate))
        kind.registered = options.kind.registered
        return dataclasses.replace(options, kind=kind)
    check_rate(options, stated, key)
    return options


def check_rate(options: ArrayOptions, stated: StatedRate, key: str = "") -> None:
    """Raise `ItemError` (``rate-mismatch``) if options say another sample rate than the file."""
    known = options.kind.spec().sample_rate
    if known in (None, stated.rate, *(stated.other or ())[:1]) or ignores_file(options):
        return
    given = options.of_kind("sample_rate")
    said = f"sample_rate is {given}" if given is not None else f"the {options.kind.name} options are of {known} Hz"
    ignored = (SetOption("stated", "ignore", "if the source is wrong"),) if hasattr(options, "stated") else ()
    raise ItemError(
        f"{whose(key)}the source says {stated.origin}, but {said}",
        code="rate-mismatch",
        remedies=(RemoveOption("sample_rate", "as the source says it"), SetOption("sample_rate", stated.rate), *ignored)
        if given is not None
        else (*ignored, Advice("choose a model of that rate, or correct the number")),
    )


def _two_rates(stated: StatedRate, key: str) -> ItemError:
    """Return the error for a file that states two rates, of which the options choose none."""
    rate, origin = stated.other or (0, "")
    return ItemError(
        f"{whose(key)}the source says {stated.origin}, and {origin}",
        code="rate-mismatch",
        remedies=(ChooseOption("sample_rate", (stated.rate, rate), "the right one"),),
    )


def ignores_file(options: Any) -> bool:
    """Return whether options say that what the file says about its arrays is wrong."""
    return getattr(options, "stated", "use") == "ignore"
