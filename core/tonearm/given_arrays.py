"""Arrays that a call gives by name, which are converted when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tonearm.errors import ItemError, UsageError, one_line
from tonearm.signals import Signal, Waveform
from tonearm.tensors import as_array

if TYPE_CHECKING:
    from tonearm.typing import Array

_LOWEST_RATE: Final = 1000
"""Lowest whole number beside an array that makes a pair of sound and sample rate of the two."""


class GivenArrays(Mapping[str, Any]):
    """Arrays in memory by name. Each is converted when it is asked for first, and moved from its device once.

    Mappings within a mapping are groups, as in a file: ``{"audio": {"array": …}}`` has the array ``audio/array``.
    Numbers and text are arrays of one value, as `numpy.savez` makes them, so that ``sampling_rate`` states the rate.

    Parameters
    ----------
    given
        Arrays, tensors, lists, numbers and text by name. A `Waveform` is a sound with a rate of its own.

    Examples
    --------
    >>> found = GivenArrays({"audio": {"array": [0.0, 0.5], "sampling_rate": 16000}, "text": "hello"})
    >>> list(found)
    ['audio/array', 'audio/sampling_rate', 'text']
    >>> found["audio/array"]
    array([0. , 0.5])
    """

    def __init__(self, given: Mapping[Any, Any]) -> None:
        self._given = dict(_flat(given, ""))
        self._converted: dict[str, Array | Waveform | ItemError] = {}

    def __getitem__(self, name: str) -> Any:
        found = self._converted.get(name)
        if found is None:
            found = self._converted[name] = _converted(name, self._given[name])
            self._given[name] = None  # a run of many sources must not keep the memory of a device
        if isinstance(found, ItemError):
            raise found
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._given

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)

    def all(self) -> dict[str, Array | Waveform | ItemError]:
        """Return every array, and for those that are none the error that asking for them raises."""
        for name in self:
            try:
                self[name]
            except ItemError:
                continue
        return {name: self._converted[name] for name in self}

    def __getstate__(self) -> dict[str, Any]:
        """Pickle arrays, and no tensors of other libraries."""
        return {"_given": dict.fromkeys(self), "_converted": self.all()}


class GivenRows(GivenArrays):
    """Rows of a list by their numbers: levels of codec tokens, or the elements of a batch of other lengths each.

    Parameters
    ----------
    given
        Arrays, tensors or lists of numbers.

    Examples
    --------
    >>> list(GivenRows([[1, 2], [3]]))
    ['0', '1']
    """

    def __init__(self, given: Sequence[Any]) -> None:
        digits = len(str(len(given) - 1))
        super().__init__({f"{number:0{digits}}": one for number, one in enumerate(given)})


def rows_of(given: object) -> GivenRows | None:
    """Return the rows of a list that have different lengths, so that no array can hold them; None for anything else.

    Examples
    --------
    >>> rows_of([[1, 2], [3, 4]]) is None
    True
    """
    if not isinstance(given, (list, tuple)) or len(given) < 2 or arrays_of_pair(given) is not None:
        return None
    if not all(isinstance(one, (list, tuple)) or _has_axes(one) for one in given):
        return None
    try:
        as_array(given)
    except UsageError as error:
        return GivenRows(given) if error.code == "ragged" else None
    return None


def arrays_within(given: object, *, takes_rows: bool = False) -> GivenArrays | None:
    """Return the arrays of a mapping, of a pair of sound and sample rate, or of rows; None if it is nothing of these.

    Parameters
    ----------
    given
        What a caller gives.
    takes_rows
        Whether a list may have rows of different lengths, or be the segments of codec tokens.
    """
    if isinstance(given, GivenArrays):
        return given
    if isinstance(given, Mapping):
        return GivenArrays(given)
    found = coded_segments(given) if takes_rows else None
    if found is None:
        found = arrays_of_pair(given)
    return rows_of(given) if found is None and takes_rows else found


def coded_segments(given: object) -> GivenArrays | None:
    """Return segments of codec tokens, pairs of codes and their factor or None, by name; None for anything else.

    EnCodec's own ``encode()`` returns a list of these pairs, one for each segment. A pair alone is one segment.

    Examples
    --------
    >>> import numpy as np
    >>> list(coded_segments([(np.zeros((1, 8, 75), int), np.ones((1, 1))), (np.zeros((1, 8, 20), int), None)]))
    ['codes.0', 'scale.0', 'codes.1']
    """
    pairs = [given] if isinstance(given, tuple) and _is_segment(given) and given[1] is None else given
    if not isinstance(pairs, (list, tuple)) or not pairs or not all(map(_is_segment, pairs)):
        return None
    found: dict[str, Any] = {}
    for number, (codes, scale) in enumerate(pairs):
        found[f"codes.{number}"] = codes
        if scale is not None:
            found[f"scale.{number}"] = scale if getattr(scale, "shape", ()) else [float(scale)]
    return GivenArrays(found)


def _is_segment(given: Any) -> bool:
    """Return whether something is a pair of codes and the factor of each element of their batch, or None."""
    if not isinstance(given, (tuple, list)) or len(given) != 2 or len(getattr(given[0], "shape", ())) < 2:
        return False
    codes, scale = given
    if scale is None or isinstance(scale, float):
        return True
    shape = getattr(scale, "shape", None)
    if shape is None or "int" in str(scale.dtype):
        return False
    elements = codes.shape[0] if len(codes.shape) > 2 else 1
    return len(shape) < 3 and math.prod(shape) == elements


def arrays_of_pair(given: object) -> GivenArrays | None:
    """Return a pair of sound and sample rate, in either order, as arrays by name; None if it is no such pair.

    Functions of librosa, soundfile, torchaudio and SciPy return these pairs, and Gradio takes them. Nothing else can be
    meant: a row that holds a number and an array is none.

    Examples
    --------
    >>> list(arrays_of_pair((24000, [0.0, 0.5])))
    ['audio', 'sample_rate']
    >>> arrays_of_pair((0.0, 0.5)) is None
    True
    """
    if not isinstance(given, tuple) or len(given) != 2:
        return None
    for rate, audio in (given, given[::-1]):
        if _is_rate(rate) and (isinstance(audio, (list, tuple)) or _has_axes(audio)):
            return GivenArrays({"audio": audio, "sample_rate": rate})
    return None


def _is_rate(given: Any) -> bool:
    """Return whether a value is a whole number that can be a sample rate, of Python or of any library."""
    if not hasattr(given, "__float__") or _has_axes(given):
        return False
    rate = float(given)
    return rate >= _LOWEST_RATE and rate.is_integer()


def _has_axes(given: Any) -> bool:
    """Return whether a value is an array of at least one axis."""
    shape = getattr(given, "shape", None)
    return shape is not None and len(shape) > 0


def _flat(given: Mapping[Any, Any], group: str) -> Iterator[tuple[str, Any]]:
    """Yield the values of a mapping and of those within it, with the names of their groups before theirs."""
    for name, value in given.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{group}{name}/")
        else:
            yield f"{group}{name}", value


def _converted(name: str, given: Any) -> Array | Waveform | ItemError:
    """Return what a mapping holds under a name as an array or a waveform, or the error of it."""
    if isinstance(given, Waveform):
        return given
    shown = repr(one_line(name, 60))
    if isinstance(given, Signal):
        return ItemError(f"{shown} holds a {given.port} signal, not an array", code="not-numbers", hint="give it alone")
    if isinstance(given, (bool, int, float, complex, str)):
        import numpy as np

        return np.asarray(given)
    try:
        return as_array(given)
    except UsageError as error:
        # Readers pass over Python objects among arrays.
        before = f"{shown} holds a Python object" if error.code == "not-an-array" else shown
        return ItemError(f"{before}: {error.message}", code=error.code, remedies=error.remedies)
