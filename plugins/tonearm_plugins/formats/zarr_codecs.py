"""Chunks of Zarr arrays, decoded within bounds; codecs that run code are refused.

zarr's own pipeline believes what a chunk inflates to, and visits every chunk of the grid, whether it exists or not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from tonearm.api import (
    SAVE_AS_FLOAT32,
    WRITE_AGAIN,
    Compression,
    ItemError,
    check_claimed_size,
    check_stored_size,
    inflate,
    quoted,
    quoted_array,
)

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

CHUNK_COMPRESSIONS: Final[Mapping[str, Compression]] = {
    "blosc": "blosc",
    "zlib": "zlib",
    "gzip": "gzip",
    "bz2": "bz2",
    "lzma": "lzma",
    "lz4": "lz4",
    "zstd": "zstd",
}
"""Compressions of chunks by the names of their codecs."""

ARRAY_FILTERS: Final = frozenset(("delta", "astype", "bitround", "fixedscaleoffset", "quantize", "packbits"))
"""Names of the filters that turn arrays into arrays, which may be of another type."""

BYTE_FILTERS: Final = frozenset(("crc32", "crc32c", "adler32", "fletcher32", "jenkins_lookup3", "shuffle"))
"""Names of the filters that turn bytes into as many bytes, give or take a checksum."""

CODECS: Final = frozenset(
    (*CHUNK_COMPRESSIONS, *ARRAY_FILTERS, *BYTE_FILTERS, "bytes", "endian", "transpose", "sharding_indexed")
)
"""Names of the codecs and filters for numbers. Others exist, and one of them is a pickle."""

MAX_CODECS: Final = 32
"""Number of codecs of one array."""

_SLACK = 4096  # bytes for checksums and headers between two codecs
_WIDEST = 16  # bytes of a value
_ENTRY = 16  # bytes of the index of a shard for each chunk
_ABSENT = (1 << 64) - 1  # position of a chunk that a shard does not hold


class ZarrChunk(NamedTuple):
    """Shape, type and codecs of the chunks of an array.

    Parameters
    ----------
    shape
        Dimensions of a chunk.
    dtype
        Type of its values.
    fill
        Value where a shard has no chunk.
    order
        Memory order of format 2.
    codecs
        Codecs in the order of encoding, as in the metadata.
    version
        Version of the format, 2 or 3.
    name, key
        Names of the store and of the array, for messages.
    until
        Processor time of this thread in seconds at which decoding ends.
    """

    shape: tuple[int, ...]
    dtype: Any
    fill: Any
    order: str
    codecs: Sequence[Mapping[str, Any]]
    version: int
    name: str
    key: str
    until: float = math.inf

    @property
    def nbytes(self) -> int:
        """Size of a chunk in bytes."""
        return math.prod(self.shape) * int(self.dtype.itemsize)


def codecs_of(metadata: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the codecs of an array in the order of encoding, by its metadata of format 2 or 3."""
    if "codecs" in metadata:
        given = _as_list(metadata["codecs"])
    else:
        given = [*_as_list(metadata.get("filters")), metadata.get("compressor")]
    return [codec if isinstance(codec, dict) else {"id": str(codec)} for codec in given if codec is not None]


def _as_list(value: Any) -> list[Any]:
    """Return a value if it is a list, else an empty list."""
    return value if isinstance(value, list) else []


def _codec_name(codec: Mapping[str, Any]) -> str:
    """Return the name of a codec of format 2 or 3."""
    return str(codec.get("id", codec.get("name", codec))).removeprefix("numcodecs.")


def check_codecs(codecs: Sequence[Mapping[str, Any]], label: str) -> None:
    """Refuse codecs that are not for numbers, those within shards included."""
    if len(codecs) > MAX_CODECS:
        raise ValueError(f"it has {len(codecs)} codecs")
    for codec in codecs:
        known = _codec_name(codec)
        if known not in CODECS:
            raise ItemError(
                f"{quoted(label)} is coded by {quoted(known)}, which is not for arrays of numbers",
                code="not-numbers",
                hint=SAVE_AS_FLOAT32,
            )
        inner = codec.get("configuration")
        if isinstance(inner, dict):  # the configuration of shards
            check_codecs(codecs_of({"codecs": inner.get("codecs")}), label)
            check_codecs(codecs_of({"codecs": inner.get("index_codecs")}), label)


def decoded_chunk(chunk: ZarrChunk, data: bytes) -> Array:
    """Return the values of a chunk.

    Parameters
    ----------
    chunk
        Shape, type and codecs.
    data
        Stored bytes of the chunk.

    Returns
    -------
    ndarray
        Values of the chunk's shape and type.

    Raises
    ------
    ItemError
        ``broken-file`` or ``too-large``.
    Exception
        Whatever numcodecs and NumPy raise on nonsense.
    """
    return _decoded_2(chunk, data) if chunk.version == 2 else _decoded_3(chunk, data)


def _decoded_2(chunk: ZarrChunk, data: Any) -> Array:
    """Decode a chunk of format 2: every codec gives bytes, or an array that counts as its bytes."""
    import numpy as np

    for codec in reversed(chunk.codecs):
        data = _undone(codec, data, chunk)
    values = np.frombuffer(data, "B") if not isinstance(data, np.ndarray) else np.ascontiguousarray(data).reshape(-1)
    order = cast("Any", chunk.order)
    return cast("Array", values.view(chunk.dtype).reshape(chunk.shape, order=order))


def _decoded_3(chunk: ZarrChunk, data: Any) -> Array:
    """Decode a chunk of format 3: filters of arrays, one codec that makes bytes of them, codecs of bytes."""
    import numpy as np

    steps: list[tuple[Mapping[str, Any], ZarrChunk]] = []
    inner, middle = chunk, len(chunk.codecs)
    for at, codec in enumerate(chunk.codecs):
        steps.append((codec, inner))
        if _codec_name(codec) in ("bytes", "endian", "sharding_indexed"):
            middle = at
            break
        inner = _encoded(codec, inner)
    for codec in reversed(chunk.codecs[middle + 1 :]):
        data = _undone(codec, data, chunk)
    maker = chunk.codecs[middle]
    settings = _settings(maker)
    if _codec_name(maker) == "sharding_indexed":
        values = _shard(inner, settings, bytes(data))
    else:
        order = "<" if settings.get("endian", "little") == "little" else ">"
        values = np.frombuffer(data, inner.dtype.newbyteorder(order)).reshape(inner.shape)
    for codec, outer in reversed(steps[:-1]):
        if _codec_name(codec) == "transpose":
            values = values.transpose(np.argsort(_axes(codec, outer)))
        else:
            values = np.asarray(_undone(codec, np.ascontiguousarray(values), outer)).reshape(outer.shape)
    return values


def _axes(codec: Mapping[str, Any], chunk: ZarrChunk) -> list[int]:
    """Return the order of axes of a codec ``transpose``."""
    order = _settings(codec).get("order")
    if order == "F":
        return list(range(len(chunk.shape)))[::-1]
    return list(range(len(chunk.shape))) if order == "C" else [int(axis) for axis in cast("list[int]", order)]


def _encoded(codec: Mapping[str, Any], chunk: ZarrChunk) -> ZarrChunk:
    """Return the shape and type of a chunk of format 3 behind a filter of arrays."""
    import numpy as np

    name, settings = _codec_name(codec), _settings(codec)
    if name == "transpose":
        return chunk._replace(shape=tuple(chunk.shape[axis] for axis in _axes(codec, chunk)))
    if name == "packbits":
        return chunk._replace(shape=(1 + math.ceil(math.prod(chunk.shape) / 8),), dtype=np.dtype("u1"))
    other = settings.get("encode_dtype" if name == "astype" else "astype")
    return chunk._replace(dtype=np.dtype(other)) if other and name not in ("bitround", "quantize") else chunk


def _settings(codec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a codec, without its name."""
    if "name" in codec and "id" not in codec:
        found = codec.get("configuration")
        return dict(found) if isinstance(found, dict) else {}
    return {key: value for key, value in codec.items() if key != "id"}


def _undone(codec: Mapping[str, Any], data: Any, chunk: ZarrChunk) -> Any:
    """Undo one codec; its result is bounded before it is allocated."""
    import numcodecs
    import numpy as np

    name, settings = _codec_name(codec), _settings(codec)
    most = max(chunk.nbytes + chunk.nbytes // 8, min(_WIDEST * math.prod(chunk.shape), 64 << 20)) + _SLACK
    if name in CHUNK_COMPRESSIONS:
        given = data.tobytes() if isinstance(data, np.ndarray) else bytes(data)
        raw = settings.get("filters") if name == "lzma" and settings.get("format") == 3 else None  # FORMAT_RAW
        return inflate(given, CHUNK_COMPRESSIONS[name], most, chunk.name, chunk.key, filters=raw)
    if name == "crc32c" and chunk.version == 3:
        return _checked(data)
    if name == "shuffle" and settings.get("elementsize") is None:
        settings["elementsize"] = chunk.dtype.itemsize
    if name in ARRAY_FILTERS:
        kind = "decode_dtype" if name == "astype" else "dtype"
        if chunk.version == 3 and name in ("astype", "fixedscaleoffset", "quantize", "delta"):
            settings.setdefault(kind, str(chunk.dtype))
        before = np.dtype(settings.get("encode_dtype") or settings.get("astype") or settings.get("dtype") or "u1")
        after = np.dtype(settings.get(kind) or before)
        size = memoryview(data).nbytes
        claimed = 8 * size if name == "packbits" else size // before.itemsize * after.itemsize
        if claimed > most or after.kind not in "iufcb" or before.kind not in "iufcb":
            raise ValueError(f"codec {name} makes {claimed:,} bytes of a chunk of {chunk.nbytes:,}")
    elif name not in BYTE_FILTERS:
        raise ValueError(f"codec {name} stands in the wrong place")
    return numcodecs.get_codec({"id": name, **settings}).decode(data)


def _checked(data: Any) -> bytes:
    """Return bytes without the CRC-32C at their end, which must be right."""
    import google_crc32c

    body, check = bytes(data[:-4]), bytes(data[-4:])
    if google_crc32c.value(body) != int.from_bytes(check, "little"):
        raise ValueError("a checksum is wrong")
    return body


def _shard(shard: ZarrChunk, settings: Mapping[str, Any], data: bytes) -> Array:
    """Decode the chunks of a shard."""
    import numpy as np

    inner = shard._replace(
        shape=tuple(int(size) for size in settings["chunk_shape"]), codecs=codecs_of({"codecs": settings["codecs"]})
    )
    if len(inner.shape) != len(shard.shape) or min(inner.shape, default=1) < 1:
        raise ValueError("the chunks of a shard have another number of axes")
    check_claimed_size(shard.name, shard.key, inner.nbytes, len(data))
    grid = tuple(-(-outer // size) for outer, size in zip(shard.shape, inner.shape, strict=True))
    coding = codecs_of({"codecs": settings["index_codecs"]})
    names = [_codec_name(codec) for codec in coding]
    if names not in (["bytes"], ["endian"], ["bytes", "crc32c"], ["endian", "crc32c"]):
        raise ValueError("the index of a shard is compressed")
    size = _ENTRY * math.prod(grid) + 4 * (names[-1] == "crc32c")
    if size > len(data):
        raise ValueError("a shard is cut off: its index is missing")
    index = data[:size] if settings.get("index_location", "end") == "start" else data[len(data) - size :]
    table = ZarrChunk((*grid, 2), np.dtype("u8"), 0, "C", coding, 3, shard.name, shard.key)
    found = _decoded_3(table, index)
    values = np.full(shard.shape, shard.fill, shard.dtype)
    for at in np.argwhere((found != _ABSENT).any(axis=-1)):
        where = tuple(int(axis) for axis in at)
        start, length = (int(part) for part in found[where])
        if start + length > len(data):
            raise ValueError("a chunk lies outside of its shard")
        check_stored_size(shard.name, shard.key, inner.nbytes, length)
        place_chunk(values, inner, where, data[start : start + length])
    return values


def place_chunk(values: Array, chunk: ZarrChunk, where: tuple[int, ...], data: bytes) -> None:
    """Decode a chunk and copy it to its place in an array; what lies beyond the array's edges is left out."""
    if time.thread_time() > chunk.until:
        whose = quoted_array(chunk.name, chunk.key)
        raise ItemError(f"{whose} takes too long to inflate", code="too-large", hint=WRITE_AGAIN)
    region = tuple(slice(at * size, (at + 1) * size) for at, size in zip(where, chunk.shape, strict=True))
    target: Array = values[cast("Any", (*region, ...))]  # a view, of one value too
    target[...] = decoded_chunk(chunk, data)[tuple(slice(size) for size in target.shape)]
