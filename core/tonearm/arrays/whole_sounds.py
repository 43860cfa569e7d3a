"""Sounds that stand in a file whole, and rows of bytes that are a file and no samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tonearm.arrays.extent import extent_of
from tonearm.arrays.not_finite import not_finite_error, replace_not_finite
from tonearm.arrays.options import ArrayOptions
from tonearm.arrays.stated import StatedRate, check_rate
from tonearm.errors import Advice, ItemError, SetOption, one_line
from tonearm.signals import Waveform

_SHORTEST_FILE: Final = 16  # bytes


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
