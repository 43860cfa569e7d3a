"""Sound in JSON: base64 of samples or of sound files, whole or in chunks, and lists of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tonearm.api import (
    MAX_SAMPLE_RATE,
    WRITE_AGAIN,
    Advice,
    ChooseOption,
    Context,
    ItemError,
    StatedRate,
    Waveform,
    channels_among,
    check_memory,
    file_types,
    quoted,
    quoted_reason,
    rate_among,
    reading_errors,
    with_configs,
)
from tonearm_plugins.decoders.contained import SoundOptions, content_of, is_hexadecimal
from tonearm_plugins.formats.json_text import (
    Found,
    find_field,
    is_number,
    parse_documents,
    sound_fields,
    text_of_numbers,
    without_positions,
)
from tonearm_plugins.formats.raw_pcm import bytes_per_sample

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

MOST_CHANNELS = 1024
"""Largest number of channels that JSON may say."""

_NUMBER_BYTES = 8
_LARGEST_BYTE = 255
_LONGEST_SCHEME = 16  # letters before and in the :// of an address
_MIME_RATE = re.compile(r"audio/[\w.+-]+.*?\brate=(\d{4,8})\b", re.IGNORECASE)
_MIME_CHANNELS = re.compile(r"audio/[\w.+-]+.*?\bchannels=(\d{1,2})\b", re.IGNORECASE)
_NO_SOUND = re.compile("transcript|text", re.IGNORECASE)  # types of events whose deltas are words


class JsonSound(NamedTuple):
    """Sound of a field of JSON.

    Parameters
    ----------
    value
        Waveforms of sound files; bytes of raw samples; or numbers, (samples,) or (samples, channels).
    sample_rate, channels
        Sample rates in Hz and number of channels that the JSON says beside it; None if it says none.
    """

    value: list[Waveform] | bytes | Array
    sample_rate: StatedRate | None
    channels: int | None


def missing_field(data: bytes, name: str) -> ItemError:
    """Return the error for JSON that is read without the name of a field."""
    fields = sound_fields(parse_documents(data, name))
    if fields:
        remedies = (ChooseOption("field", tuple(field or "*" for field in fields)),)
        return ItemError(f"{quoted(name)} is JSON, and 'field' is missing", code="missing-option", remedies=remedies)
    hint = "look at it with a text editor"
    return ItemError(f"{quoted(name)} is JSON in which no field seems to hold sound", code="wrong-format", hint=hint)


def read_field(data: bytes, field: str, name: str, options: SoundOptions, context: Context) -> JsonSound:
    """Return the sound of a field of JSON.

    Parameters
    ----------
    data
        Text of the file.
    field
        Names and positions that lead to it, as for `find_field`.
    name
        Name of the file, for messages.
    options
        Options of sound files.
    context
        Context of the item.

    Raises
    ------
    ItemError
        ``no-such-key``, ``broken-file``, ``wrong-format``, or any error of the reader of what the field holds.
    """
    found = [
        one._replace(value=without_positions(one.value)) for one in find_field(parse_documents(data, name), field, name)
    ]
    chunks = [one for one in found if one.value is not None and not _is_event_of_words(one)] or found
    rate, channels = _stated(chunks[0])
    if len(chunks) > 1 and len({said.rate for one in chunks if (said := _stated(one)[0]) is not None}) > 1:
        raise _parts_differ(name, field)
    written = [text_of_numbers(one.value, name) for one in chunks if isinstance(one.value, str)]
    if len(written) == len(chunks) and all(one is not None for one in written):
        return JsonSound(_numbers([one for one in written if one is not None], name, field), rate, channels)
    if all(isinstance(one.value, list) and _is_samples(one.value) for one in chunks):
        numbers = _numbers([one.value for one in chunks], name, field)
        if not _are_bytes(numbers, chunks[0], options.encoding):
            return JsonSound(numbers, rate, channels)
        pieces = [numbers.astype("u1").tobytes()]
    elif len(chunks) > 1 and all(is_number(one.value) for one in chunks):
        return JsonSound(_numbers([[one.value for one in chunks]], name, field), rate, channels)
    else:
        pieces = _decoded(list(_texts(chunks, name, field)), name, field)
    return JsonSound(_joined(pieces, name, field, options, context), rate, channels)


def _is_event_of_words(found: Found) -> bool:
    """Return whether a chunk belongs to an event of a stream whose type says that it holds words."""
    kind = found.beside[-1].get("type") if found.beside else None
    return isinstance(kind, str) and _NO_SOUND.search(kind) is not None


def _stated(chunk: Found) -> tuple[StatedRate | None, int | None]:
    """Return the sample rate and the number of channels that stand beside a chunk, or in its data URI."""
    rate: StatedRate | None = None
    channels = None
    beside = chunk.beside
    texts = [value for one in beside for value in one.values() if isinstance(value, str) and len(value) < 200]
    if isinstance(chunk.value, str):
        texts.insert(0, chunk.value[:200])
    for one in (described for mapping in beside for described in with_configs(dict(mapping))):
        rate = rate if rate is not None else rate_among(one)
        if channels is None and (found := channels_among(one, MOST_CHANNELS)) is not None:
            channels = found[0]
    for text in texts:
        if rate is None and (mime := _MIME_RATE.search(text)) and int(mime[1]) <= MAX_SAMPLE_RATE:
            rate = StatedRate(int(mime[1]), f"rate={mime[1]}")
        if channels is None and (mime := _MIME_CHANNELS.search(text)):
            channels = int(mime[1]) or None
    return rate, channels


def _is_samples(value: list[Any]) -> bool:
    """Return whether a list begins with a number, or with lists of numbers."""
    first = value[0] if value else None
    return is_number(first) or (isinstance(first, list) and bool(first) and is_number(first[0]))


def _numbers(lists: list[list[Any]], name: str, field: str) -> Array:
    """Return lists of numbers, one after the other, as one array."""
    import numpy as np

    check_memory(name, "", _NUMBER_BYTES * sum(len(one) for one in lists))
    with reading_errors(name, f"numbers under {field}"):
        arrays = [np.asarray(one) for one in lists]
        made: Array = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    if made.dtype.kind not in "iuf":
        raise ItemError(f"{quoted(name)}: {quoted(field)} is not a list of numbers alone", code="not-numbers")
    return made


def _are_bytes(numbers: Array, chunk: Found, encoding: str | None) -> bool:
    """Return whether numbers are the bytes of a file or of samples, as JavaScript writes its buffers."""
    if numbers.dtype.kind not in "iu" or numbers.ndim != 1 or numbers.min() < 0 or numbers.max() > _LARGEST_BYTE:
        return False
    if chunk.beside and chunk.beside[0].get("type") == "Buffer":
        return True
    # Samples are on both sides of 0.
    is_wide = encoding is not None and bytes_per_sample(encoding) > 1 and numbers.max() > _LARGEST_BYTE // 2
    head = numbers[: file_types.HEAD].astype("u1").tobytes()
    return is_wide or file_types.identify(head).reader == "audio-reader"


def _texts(chunks: Sequence[Found], name: str, field: str) -> Iterator[str]:
    """Yield the texts of chunks, without the start of a data URI."""
    for one in chunks:
        for text in one.value if isinstance(one.value, list) else [one.value]:
            if not isinstance(text, str):
                raise ItemError(
                    f"{quoted(name)}: {quoted(field)} is not text",
                    code="broken-file",
                    hint="name a field of base64 text, or of a list of numbers",
                )
            yield text.partition("base64,")[2] if text.startswith("data:") else text


def _decoded(texts: list[str], name: str, field: str) -> list[bytes]:
    """Return the bytes of texts of hexadecimal digits, together, or of base64: each alone if each is whole."""
    import base64

    texts = ["".join(text.split()) for text in texts]
    if texts[0][:2] in ("0x", "0X"):
        texts[0] = texts[0][2:]
    if is_hexadecimal("".join(texts)):
        with reading_errors(name, f"hexadecimal digits under {field}"):
            return [bytes.fromhex("".join(texts))]
    if any(len(text) % 4 for text in texts):
        texts = ["".join(texts)]
    if not any(texts):
        raise ItemError(f"{quoted(name)}: {quoted(field)} is empty text", code="empty", hint=WRITE_AGAIN)
    if "://" in texts[0][:_LONGEST_SCHEME]:
        raise ItemError(
            f"{quoted(name)}: {quoted(field)} holds the address of a file, not sound",
            code="wrong-format",
            hint="download the file, and convert that",
        )
    pieces = []
    try:
        for text in texts:
            urlsafe = "-" in text or "_" in text
            padded = text + "=" * (-len(text) % 4 if len(text) % 4 > 1 else 0)
            pieces.append(base64.b64decode(padded, b"-_" if urlsafe else None, validate=True))
    except ValueError as error:
        raise ItemError(
            f"{quoted(name)} cannot be read as base64 under {field}: {quoted_reason(error)}",
            code="broken-file",
            hint="write the bytes of the sound in base64; hexadecimal digits and numbers are read, too",
        ) from None
    return pieces


def _joined(
    pieces: list[bytes], name: str, field: str, options: SoundOptions, context: Context
) -> list[Waveform] | bytes | Array:
    """Return the content of chunks: each a file of its own, or parts of one file or of raw samples."""
    types = [file_types.identify(piece[: file_types.HEAD]) for piece in pieces]
    apart = len(pieces) > 1 and all(one.reader == "audio-reader" for one in types)
    if apart and set(types) != {file_types.MP3}:  # whose frames may be joined
        waveforms = [content_of(piece, name, field, options, context).value for piece in pieces]
        found = [one for one in waveforms if isinstance(one, Waveform)]
        if len({(one.sample_rate, one.channels) for one in found}) > 1:
            raise _parts_differ(name, field)
        return found
    value = content_of(b"".join(pieces), name, field, options, context).value
    return [value] if isinstance(value, Waveform) else value


def _parts_differ(name: str, field: str) -> ItemError:
    """Return the error for chunks that cannot be one sound."""
    return ItemError(
        f"{quoted(name)}: the chunks under {quoted(field)} have different rates or channels",
        code="parts-differ",
        remedies=(Advice("name one of them, as in field: chunks.0.data"),),
    )
