"""What a file says about its arrays: their sample rate, and sounds that stand in it whole.

Every decoder of arrays gets this from the host. A statement is a single number beside an array whose name is that of a
sample rate, a number that the decoder hands over with `LazyArrays`, or a `Waveform` in place of an array.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from tonearm.arrays.extent import extent_of
from tonearm.arrays.not_finite import not_finite_error, replace_not_finite
from tonearm.arrays.options import ArrayOptions, misses_rate
from tonearm.errors import Advice, GiveOption, ItemError, RemoveOption, SetOption, one_line
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

_LONGEST_NAME: Final = 40
_SHORTEST_FILE: Final = 16  # bytes


class StatedRate(NamedTuple):
    """Sample rate that a file states.

    Parameters
    ----------
    rate
        Sample rate in Hz.
    origin
        The statement, for messages: ``sr = 22050``.
    """

    rate: int
    origin: str


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
        self._rates: dict[str, int | None] = {}

    @functools.cached_property
    def _named(self) -> dict[str, list[str]]:
        """Names of the arrays that may state a sample rate, by the group that they stand in."""
        groups: dict[str, list[str]] = {}
        for key in self._found:
            end = _end_of_group(key)
            if len(key) - end <= _LONGEST_NAME and _is_rate_name(key[end:]):
                groups.setdefault(key[:end], []).append(key)
        return groups

    def states_rate(self, key: str) -> bool:
        """Return whether an array is a single number that states a sample rate."""
        end = _end_of_group(key)
        return key in self._named.get(key[:end], ()) and self._rate(key) is not None

    def _rate(self, key: str) -> int | None:
        """Return the sample rate that an array states; None if it states none, or cannot be read."""
        if key not in self._rates:
            try:
                self._rates[key] = plausible_rate(self._found[key])
            except ItemError:
                self._rates[key] = None
        return self._rates[key]

    def about(self, key: str) -> Mapping[str, Any]:
        """Return what the file says about an array: what stands nearest to it, by name.

        Its own attributes come first, then numbers in its group, then those around it.
        """
        says: Mapping[str, Any] = self._says(key) if self._says is not None else {}
        if not self._named or rate_among(says) is not None:
            return says
        group = key
        while group:
            group = group[: _end_of_group(group)]
            near = {name: rate for name in self._named.get(group, ()) if (rate := self._rate(name)) is not None}
            if near:
                return {**says, **near} if len(set(near.values())) == 1 else says
        return says


def rate_among(says: Mapping[str, Any]) -> StatedRate | None:
    """Return the sample rate among what a file says, by name; None if it says none.

    Examples
    --------
    >>> rate_among({"text": "hello", "sampling_rate": 16000})
    StatedRate(rate=16000, origin='sampling_rate = 16000')
    """
    for name, value in says.items():
        if _is_rate_name(_last_part(str(name))) and (rate := plausible_rate(value)) is not None:
            return StatedRate(rate, f"{one_line(str(name), 60)} = {rate}")
    return None


def _end_of_group(name: str) -> int:
    """Return the position in a name behind which its last part begins, without the mark between them."""
    return max(name.rfind("/"), name.rfind("."), 0)


def _last_part(name: str) -> str:
    return name[_end_of_group(name) :]


def _is_rate_name(name: str) -> bool:
    return re.sub(r"[^a-z]", "", name.lower()) in RATE_NAMES


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
        ``rate-mismatch`` if the options say another rate; ``missing-option`` if neither says one.
    """
    if stated is None and options.of_kind("sample_rate") is not None:
        return options  # the usual case, which costs nothing
    known = options.kind.spec().sample_rate
    if stated is None:
        if known is None and any(map(misses_rate, options.kind.problems(options.axes))):
            meaning = "the rate that the model was made for, such as 22050"
            raise ItemError(
                "'sample_rate' is missing, and the file does not say it",
                code="missing-option",
                remedies=(GiveOption("sample_rate", meaning),),
            )
        return options
    if known is None:
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
    if known in (None, stated.rate):
        return
    whose = f"{one_line(key, 60)!r}: " if key else ""
    given = options.of_kind("sample_rate")
    said = f"sample_rate is {given}" if given is not None else f"the {options.kind.name} options are of {known} Hz"
    raise ItemError(
        f"{whose}the file says {stated.origin}, but {said}",
        code="rate-mismatch",
        remedies=(RemoveOption("sample_rate", "as the file says it"), SetOption("sample_rate", stated.rate))
        if given is not None
        else (Advice("choose a model of the file's rate, or correct the number in the file"),),
    )


def refuse_file(array: Any, key: str = "") -> None:
    """Raise `ItemError` if an array is a row of bytes, in any type of numbers, that is a file and not samples."""
    if array.dtype.kind not in "iuf" or array.size < _SHORTEST_FILE or array.size != max(array.shape):
        return
    is_wide = array.dtype.itemsize > 1
    first = array.item(0)
    if is_wide and not (0 <= first <= 255 and first == int(first)):
        return  # most sounds, at no cost
    row = array.reshape(-1)
    if is_wide and not _are_bytes(row[:_SHORTEST_FILE]):
        return
    from tonearm.reading import file_types  # not at the top: only rows of bytes need it

    head = row[: file_types.HEAD]
    if is_wide and not _are_bytes(head):
        return
    found = file_types.identify((head.astype("u1") if is_wide else head).tobytes())
    if found is file_types.NPY or found.reader == "audio-reader":
        whose = f"{one_line(key, 60)!r} holds" if key else "the array holds"
        line = "array.astype('uint8').tofile(path)" if is_wide else "array.tofile(path)"
        raise ItemError(
            f"{whose} the bytes of {found.name}, not samples",
            code="wrong-format",
            remedies=(Advice(f"save them as a file of its own, which {found.reader} reads: {line}"),),
        )


def _are_bytes(values: Any) -> bool:
    """Return whether numbers are whole and from 0 to 255, but not all 0."""
    numbers = values.tolist()
    return all(0 <= number <= 255 and number == int(number) for number in numbers) and any(numbers)


def sound(waveform: Waveform, options: ArrayOptions, key: str = "") -> Iterator[Waveform]:
    """Yield a sound that stands in a file whole, after it was compared with the options.

    Parameters
    ----------
    waveform
        Sound, with its own rate.
    options
        Options of the decoder.
    key
        Name of the sound, for messages.

    Raises
    ------
    ItemError
        ``rate-mismatch``, ``kind-mismatch``, or ``not-finite``.
    """
    if Waveform not in options.kind.spec().signals:
        raise ItemError(
            f"this is a sound file, not a {options.kind.name} array",
            code="kind-mismatch",
            remedies=(SetOption("kind", "waveform"),),
        )
    check_rate(options, StatedRate(waveform.sample_rate, f"sample_rate = {waveform.sample_rate}"), key)
    samples = waveform.samples
    if options.nan != "keep" and not extent_of(samples).finite:
        if options.nan == "error":
            raise not_finite_error(samples, "waveform")
        samples = replace_not_finite(samples)
    if options.precision == "double":
        samples = samples.astype("f8", copy=False)
    yield waveform if samples is waveform.samples else Waveform(samples=samples, sample_rate=waveform.sample_rate)
