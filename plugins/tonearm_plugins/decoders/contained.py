"""Bytes that stand in another file (JSON, base64, a table, a dict), judged as a file of their own would be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tonearm.api import (
    ARRAY_BYTES,
    MAX_NESTING,
    WRITE_AGAIN,
    ArrayOptions,
    Context,
    InflatedFile,
    ItemError,
    LazyArrays,
    Source,
    Waveform,
    check_memory,
    compression_of,
    file_types,
    inflate,
    quoted_array,
)

if TYPE_CHECKING:
    from tonearm.api import NanPolicy
    from tonearm_plugins.dsp.typing import Array
    from tonearm_plugins.formats.raw_pcm import Encoding

_SHORTEST = 16  # bytes of a file of sound
_HEXADECIMAL = re.compile(r"[0-9a-f]{32,}|[0-9A-F]{32,}")
_STEP = 4 << 20  # bytes that are inflated at a time


class Content(NamedTuple):
    """Content of some bytes.

    Parameters
    ----------
    value
        The sound of a file of sound, the array of a .npy file, or bytes that are no known format.
    type
        Type that the bytes begin as.
    """

    value: Waveform | Array | bytes
    type: file_types.FileType


class SoundOptions(NamedTuple):
    """Options by which a sound file within another file is read.

    Parameters
    ----------
    full_scale
        Value of full scale among floats; None if they are within ±1.0.
    nan
        Treatment of NaN and infinity.
    encoding
        Encoding of raw samples; None if it is not known.
    """

    full_scale: float | None = None
    nan: NanPolicy = "error"
    encoding: Encoding | None = None


def content_of(data: bytes, name: str, key: str, options: SoundOptions, context: Context) -> Content:
    """Return the content of bytes that stand in another file.

    Parameters
    ----------
    data
        Bytes.
    name, key
        Names of the file and of the bytes within it, for messages.
    options
        Options of sound files.
    context
        Context of the item.

    Raises
    ------
    ItemError
        ``wrong-format`` for a known format that cannot be read here; ``broken-file``, ``too-large``, or any error of
        the reader of the format.
    """
    for _ in range(MAX_NESTING):
        found = file_types.identify(data[: file_types.HEAD])
        compression = compression_of(data[:6])
        if compression is None:
            break
        data = _inflated(data, compression, name, key)
    if found is file_types.NPY:
        from tonearm_plugins.formats import npy

        return Content(npy.load_bytes(data, name=f"{name}:{key}" if key else name), found)
    if found.reader == "audio-reader":
        return Content(_sound(data, name, key, options, context), found)
    if found in (file_types.UNKNOWN, file_types.ZEROS, file_types.EMPTY):
        return Content(data, found)
    raise ItemError(
        f"{quoted_array(name, key)} holds {found.name}, not sound", code="wrong-format", hint=_hint_of(found)
    )


def _hint_of(found: file_types.FileType) -> str:
    """Return what to do with bytes of a type that is not read within another file."""
    if found is file_types.BASE64:
        return "it was encoded twice: decode it once more, and save the result as a file"
    if found.reader:
        return f"save these bytes as a file of their own, which {found.reader} reads"
    return found.hint


def _inflated(data: bytes, compression: Any, name: str, key: str) -> bytes:
    """Return bytes inflated, as far as memory allows."""
    import io

    if compression == "zstd":
        return inflate(data, compression, ARRAY_BYTES.limit(len(data)), name, key)
    pieces, size = [], 0
    with InflatedFile(io.BytesIO(data), compression, name, key) as file:
        while piece := file.read(_STEP):
            size += len(piece)
            check_memory(name, key, size)
            pieces.append(piece)
    return b"".join(pieces)


def _sound(data: bytes, name: str, key: str, options: SoundOptions, context: Context) -> Waveform:
    """Return the sound of a file, read by ``audio-reader``."""
    from tonearm_plugins.decoders.audio_reader import AudioOptions, AudioReader

    reader = AudioReader(AudioOptions(full_scale=options.full_scale, nan=options.nan))
    source = Source(name=f"{name}:{key}" if key else name, content=data)
    try:
        for item in reader.decode(source, context):
            if isinstance(item, ItemError):
                raise item
            return item.signal
    except ItemError as error:
        named = error.message if error.message.startswith("'") else f"{quoted_array(name, key)}: {error.message}"
        raise ItemError(named, code=error.code, remedies=error.remedies) from None
    raise ItemError(f"{quoted_array(name, key)} has no samples", code="empty", hint=WRITE_AGAIN)


def with_sounds(found: LazyArrays, name: str, options: ArrayOptions, context: Context) -> LazyArrays:
    """Return arrays by name in which a row of bytes that is a sound file, or a .npy file, is what it holds.

    Parameters
    ----------
    found
        Arrays by name.
    name
        Name of the file, for messages.
    options
        Options of the decoder.
    context
        Context of the item.
    """
    return LazyArrays(found, lambda key: _judged(found[key], name, key, options, context), found.says)


def content_of_text(text: str, name: str, key: str, options: SoundOptions, context: Context) -> Waveform | Array:
    """Return the sound or the array of a file in base64, which stands in another file as text.

    Raises
    ------
    ItemError
        ``wrong-format`` if it is no file, because raw samples do not say what they are, or any error of its reader.
    """
    import base64
    import binascii

    whose = quoted_array(name, key)
    check_memory(name, key, len(text))
    letters = "".join(text.partition("base64,")[2].split() if text.startswith("data:") else text.split())
    try:
        if is_hexadecimal(letters):
            data = bytes.fromhex(letters)
        else:
            urlsafe = "-" in letters or "_" in letters
            padded = letters + "=" * (-len(letters) % 4)
            data = base64.b64decode(padded, b"-_" if urlsafe else None, validate=True)
    except (ValueError, binascii.Error):
        raise ItemError(
            f"{whose} holds text, not numbers", code="not-numbers", hint="save the samples as numbers"
        ) from None
    value = content_of(data, name, key, options, context).value
    if isinstance(value, bytes):
        raise ItemError(
            f"{whose} holds text of raw samples, whose type it does not say",
            code="wrong-format",
            hint="save them as numbers: np.frombuffer(base64.b64decode(text), '<i2')",
        )
    return value


def is_hexadecimal(text: str) -> bool:
    """Return whether a text is hexadecimal digits of one case, and not base64, which is not like that for long."""
    return len(text) % 2 == 0 and _HEXADECIMAL.fullmatch(text) is not None


def _judged(array: Any, name: str, key: str, options: ArrayOptions, context: Context) -> Any:
    """Return an array as it is, or what its bytes or its text hold if they are a file."""
    if isinstance(array, str):
        return content_of_text(array, name, key, sound_options(options), context)
    if is_row_of_bytes(array):
        head = array.reshape(-1)[: file_types.HEAD].tobytes()
        found = file_types.identify(head)
        if found.reader == "audio-reader" or found is file_types.NPY or head[:3] == b"\x1f\x8b\x08":
            check_memory(name, key, array.size)
            return content_of(array.tobytes(), name, key, sound_options(options), context).value
    return array


def is_row_of_bytes(array: Any) -> bool:
    """Return whether an array is one row of bytes, long enough to be a file of sound."""
    dtype = getattr(array, "dtype", None)
    return (
        getattr(dtype, "itemsize", 0) == 1
        and getattr(dtype, "kind", "") in "iu"
        and array.size >= _SHORTEST
        and array.size == max(array.shape)
    )


def sound_options(options: ArrayOptions) -> SoundOptions:
    """Return the options of sound files among those of arrays."""
    return SoundOptions(options.of_kind("full_scale"), options.nan)
