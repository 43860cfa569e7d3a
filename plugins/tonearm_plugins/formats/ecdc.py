"""Files of EnCodec (``.ecdc``): a JSON header, then segments of codes of ten bits."""

from __future__ import annotations

import itertools
import json
import math
import struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tonearm.api import WRITE_AGAIN, ItemError, check_memory, quoted

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

MAGIC: Final = b"ECDC"
BITS: Final = 10
SIZE: Final = 1 << BITS
"""Number of codes of each book."""

SAMPLES_PER_FRAME: Final = 320
_HEADER = struct.Struct("!4sBI")
_MAX_HEADER: Final = 4096  # bytes of JSON: real ones have about 60


class EcdcModel(NamedTuple):
    """Model of EnCodec.

    Parameters
    ----------
    sample_rate
        Sample rate in Hz.
    books
        Numbers of books that its bandwidths have.
    segment, stride
        Samples of a segment, and from the start of one to that of the next; None if a sound is one segment.
    """

    sample_rate: int
    books: tuple[int, ...]
    segment: int | None = None
    stride: int | None = None


MODELS: Final = {
    "encodec_24khz": EcdcModel(24000, (2, 4, 8, 16, 32)),
    "encodec_48khz": EcdcModel(48000, (2, 4, 8, 16), 48000, 47520),
}
"""Models by the name that a file has."""


class EcdcFile(NamedTuple):
    """Content of a file.

    Parameters
    ----------
    codes
        Codes of all segments one after the other, (books, frames), int32.
    model
        Model whose decoder takes them.
    length
        Number of samples of the sound.
    segments
        Number of frames of each segment; None if the model has none.
    scales
        Factor of each segment; None if the model has none.
    """

    codes: Array
    model: EcdcModel
    length: int
    segments: tuple[int, ...] | None
    scales: tuple[float, ...] | None


def read(data: bytes, name: str) -> EcdcFile:
    """Return the content of a file.

    Parameters
    ----------
    data
        Bytes of the file.
    name
        Name of the file, for messages.

    Raises
    ------
    ItemError
        ``wrong-format``, ``ecdc-language-model``, ``ecdc-model``, ``broken-file``, or ``too-large``.
    """
    import numpy as np

    header, at = _header(data, name)
    model, books, length = _figures(header, name)
    present = len(data) - at
    has_scale = model.segment is not None
    counts = _frames(model, length, present)
    size = sum(_bytes_of(frames, books) + 4 * has_scale for frames in counts)
    if present != size:
        what = "is cut off: its segments" if present < size else "continues after its end: its segments"
        raise ItemError(
            f"{quoted(name)} {what} have {size:,} bytes ({length:,} samples in {books} books), but {present:,} follow"
            " its header",
            code="broken-file",
            hint=WRITE_AGAIN,
        )
    check_memory(name, "", 4 * books * sum(counts) * BITS)
    parts, scales = [], []
    for frames in counts:
        if has_scale:
            scales.append(float(struct.unpack_from("!f", data, at)[0]))
            at += 4
        taken = _bytes_of(frames, books)
        parts.append(_unpacked(data[at : at + taken], frames, books))
        at += taken
    if any(not (math.isfinite(scale) and scale > 0) for scale in scales):
        raise _broken(name, "the scale of a segment is no number above 0")
    codes = np.concatenate(parts, axis=1)
    return EcdcFile(codes, model, length, tuple(counts) if has_scale else None, tuple(scales) if has_scale else None)


def _header(data: bytes, name: str) -> tuple[dict[str, Any], int]:
    """Return the header, and the position behind it."""
    if not data.startswith(MAGIC):
        from tonearm.api import file_types

        found = file_types.identify(data[: file_types.HEAD])
        raise ItemError(
            f"{quoted(name)} is not an .ecdc file; it looks like {found.name}",
            code="wrong-format" if data else "empty",
            hint=found.hint,
        )
    if len(data) < _HEADER.size:
        raise _broken(name, "it is cut off within its header")
    _, version, count = _HEADER.unpack_from(data)
    if version != 0:
        raise _broken(name, f"it is of version {version}, and only 0 is known")
    if count > _MAX_HEADER or len(data) < _HEADER.size + count:
        raise _broken(name, f"its header claims {count:,} bytes, of which {len(data) - _HEADER.size:,} follow")
    end = _HEADER.size + count
    try:
        found = json.loads(data[_HEADER.size : end])
    except (ValueError, RecursionError):
        raise _broken(name, "its header is not JSON") from None
    if not isinstance(found, dict):
        raise _broken(name, "its header is no JSON object")
    return found, end


def _figures(header: dict[str, Any], name: str) -> tuple[EcdcModel, int, int]:
    """Return the model, the number of books and the length that a header has."""
    if header.get("lm"):
        raise ItemError(
            f"{quoted(name)} was packed with EnCodec's language model, whose weights are needed to unpack it",
            code="ecdc-language-model",
            hint="write it without --lm, or unpack it by encodec and save the codes",
        )
    named = header.get("m")
    model = MODELS.get(named) if isinstance(named, str) else None
    if model is None:
        raise ItemError(
            f"{quoted(name)} was written by the model {quoted(str(named), 40)}, which is not known",
            code="ecdc-model",
            hint=f"known models are {', '.join(MODELS)}",
        )
    books, length = header.get("nc"), header.get("al")
    if books not in model.books or type(books) is not int:
        listed = ", ".join(map(str, model.books))
        raise _broken(name, f"it has {quoted(repr(books), 40)} books, but {named} has {listed}")
    if type(length) is not int or not 1 <= length < 1 << 40:
        raise _broken(name, f"its length is {quoted(repr(length), 40)} samples")
    return model, books, length


def _frames(model: EcdcModel, length: int, most: int) -> list[int]:
    """Return the number of frames of each segment, at most so many; the last ones are shorter."""
    segment, stride = model.segment or length, model.stride or length
    lengths = (min(segment, length - start) for start in itertools.islice(range(0, length, stride), most + 1))
    return [-(-samples // SAMPLES_PER_FRAME) for samples in lengths]


def _bytes_of(frames: int, books: int) -> int:
    """Return the number of bytes of a segment's codes, the last of which is filled up."""
    return -(-BITS * books * frames // 8)


def _unpacked(data: bytes, frames: int, books: int) -> Array:
    """Return the codes of a segment, frame by frame and book by book, least bit first, as (books, frames)."""
    import numpy as np

    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[: BITS * books * frames]
    codes = bits.reshape(-1, BITS).astype(np.int32) @ (1 << np.arange(BITS, dtype=np.int32))
    made: Array = np.ascontiguousarray(codes.reshape(frames, books).T, dtype=np.int32)
    return made


def _broken(name: str, what: str) -> ItemError:
    return ItemError(f"{quoted(name)} is not a valid .ecdc file: {what}", code="broken-file", hint=WRITE_AGAIN)
