"""``pcm-reader``: raw samples of a declared type, also as base64 in JSON, as speech services return them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal

from tonearm.api import (
    ArrayOptions,
    Context,
    Decoder,
    Item,
    ItemError,
    Meta,
    NanPolicy,
    OptionError,
    Source,
    Spec,
    Waveform,
    read_array,
)
from tonearm_plugins.formats.file_types import HEAD, looks_like, shown
from tonearm_plugins.formats.reading import AGAIN, judged, size_of

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Encoding = Literal[
    "pcm_s8",
    "pcm_u8",
    "pcm_s16le",
    "pcm_s16be",
    "pcm_s24le",
    "pcm_s24be",
    "pcm_s32le",
    "pcm_s32be",
    "pcm_f32le",
    "pcm_f32be",
    "pcm_f64le",
    "pcm_f64be",
    "mulaw",
    "alaw",
]
"""As ffmpeg names them."""

_DTYPES = {
    "pcm_s8": "i1",
    "pcm_u8": "u1",
    "pcm_s16le": "<i2",
    "pcm_s16be": ">i2",
    "pcm_s32le": "<i4",
    "pcm_s32be": ">i4",
    "pcm_f32le": "<f4",
    "pcm_f32be": ">f4",
    "pcm_f64le": "<f8",
    "pcm_f64be": ">f8",
}
_OF_SOUNDFILE = {"mulaw": "ULAW", "alaw": "ALAW"}
_CONTAINERS = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"ID3", b"\x93NUMPY")
MAX_JSON = 256 << 20  # bytes


@dataclass(frozen=True, kw_only=True)
class PcmOptions:
    """Options of ``pcm-reader``; raw samples say nothing of themselves."""

    encoding: Annotated[Encoding, Meta(description="Type and byte order of the samples; LINEAR16 is pcm_s16le.")]
    sample_rate: Annotated[int, Meta(description="In Hz.", ge=1, le=10_000_000)]
    channels: Annotated[int, Meta(description="Channels, interleaved.", ge=1, le=1024)] = 1
    skip: Annotated[int, Meta(description="Bytes of a header to leave out.", ge=0)] = 0
    field: Annotated[
        str | None,
        Meta(
            description="Where base64 stands in a JSON file, as in audioContent or candidates.0.content.parts.0."
            "inlineData.data. Without it the file is the samples.",
            min_length=1,
        ),
    ] = None
    precision: Annotated[Literal["single", "double"], Meta(description="double keeps float64 as it is.")] = "single"
    full_scale: Annotated[
        float | None,
        Meta(gt=0, description="The value that is full scale, of floats which are not within ±1.0: 32768, for one."),
    ] = None
    nan: Annotated[
        NanPolicy,
        Meta(
            description="What becomes of NaN and infinity in floats: error refuses the item, zero puts 0 there, keep"
            " leaves them to a later step (what is written must be finite)."
        ),
    ] = "error"

    def problems(self) -> Iterator[OptionError]:
        """Yield what does not fit together."""
        if self.full_scale is not None and not self.encoding.startswith("pcm_f"):
            hint = "leave it out"
            yield OptionError(f"{self.encoding} has its full scale by itself", option="full_scale", hint=hint)


class PcmReader(Decoder[Waveform, PcmOptions]):
    """Read raw PCM of a declared type, large files mapped; or base64 in a JSON file."""

    suffixes = (".pcm", ".raw", ".json")

    def decode(self, source: Source, context: Context) -> Iterator[Item[Waveform]]:
        """Yield the waveform."""
        with source.open() as file:
            raw = self._bytes(file, source.name)
            samples = _samples(raw, self.options.encoding, double=self.options.precision == "double")
            options = ArrayOptions(
                kind="waveform",
                axes=["time", "channel"],
                sample_rate=self.options.sample_rate,
                precision="double" if samples.dtype == "f8" else "single",
                full_scale=self.options.full_scale,
                nan=self.options.nan,
            )
            for signal in read_array(samples.reshape(-1, self.options.channels), options, warn=context.warn):
                if isinstance(signal, Waveform):
                    yield Item(signal=signal)

    def produces(self) -> Spec:
        """Return what the options say."""
        options = self.options
        return Spec(signals=(Waveform,), sample_rate=options.sample_rate, channels=options.channels)

    def _bytes(self, file: BinaryIO, name: str) -> Array:
        """Return the samples' bytes, whole frames of them."""
        import io

        import numpy as np

        size = size_of(file)
        raw: Array
        if self.options.field is not None:
            raw = np.frombuffer(_from_json(file, size, self.options.field, name), np.uint8)
        else:
            head = file.read(HEAD)
            if not self.options.skip and head.startswith(_CONTAINERS):
                what, hint = looks_like(head)
                what = "a .npy file" if head.startswith(b"\x93NUMPY") else what
                raise ItemError(f"{shown(name)} is not raw samples: it is {what}", code="wrong-format", hint=hint)
            try:
                raw = np.memmap(file, np.uint8, "r") if size else np.empty(0, np.uint8)
            except (io.UnsupportedOperation, AttributeError):
                file.seek(0)
                raw = np.frombuffer(file.read(), np.uint8)
        raw = raw[self.options.skip :]
        frame = _bytes_per_sample(self.options.encoding) * self.options.channels
        if not raw.size:
            raise ItemError(f"{shown(name)} has no samples", code="empty", hint=AGAIN)
        if raw.size % frame:
            raise ItemError(
                f"{shown(name)} has {raw.size:,} bytes of samples, no multiple of {frame} (a sample of each channel)",
                code="pcm-size",
                hint="check encoding, channels and skip; or the file is cut off",
            )
        return raw


def _bytes_per_sample(encoding: str) -> int:
    return 1 if encoding in _OF_SOUNDFILE else int("".join(filter(str.isdigit, encoding))) // 8


def _samples(raw: Array, encoding: str, *, double: bool) -> Array:
    """Return samples within ±1.0, float32; float64 where float32 would lose what there is, or if asked for."""
    import numpy as np

    wide = double or encoding.startswith(("pcm_s24", "pcm_s32"))
    dtype: Any = np.float64 if wide else np.float32
    if encoding in _OF_SOUNDFILE:
        import io

        import soundfile

        with soundfile.SoundFile(
            io.BytesIO(raw.tobytes()), samplerate=8000, channels=1, subtype=_OF_SOUNDFILE[encoding], format="RAW"
        ) as file:
            samples: Array = file.read(dtype=np.dtype(dtype).name)
            return samples
    if encoding.startswith("pcm_s24"):
        # Into the upper three bytes of 32-bit words, little-endian.
        words = np.zeros((raw.size // 3, 4), np.uint8)
        words[:, 1:] = raw.reshape(-1, 3) if encoding.endswith("le") else raw.reshape(-1, 3)[:, ::-1]
        scaled: Array = words.view("<i4")[:, 0] / dtype(1 << 31)
        return scaled
    values: Any = raw.view(_DTYPES[encoding])
    if values.dtype.kind == "f":
        floats: Array = values.astype(dtype, copy=False)
        return floats
    full_scale = dtype(1 << (8 * values.dtype.itemsize - 1))
    made: Array = ((values.astype(dtype) - full_scale) if values.dtype.kind == "u" else values) / full_scale
    return made


def _from_json(file: BinaryIO, size: int, field: str, name: str) -> bytes:
    """Return the bytes that stand as base64 under a field of a JSON file."""
    import base64
    import json

    if size > MAX_JSON:
        raise ItemError(f"{shown(name)} has {size:,} bytes of JSON", code="too-large", hint="save the samples apart")
    try:
        found = json.loads(file.read())
    except (ValueError, RecursionError) as error:
        raise ItemError(f"{shown(name)} is no JSON: {shown(str(error))}", code="broken-file", hint=AGAIN) from None
    walked = ""
    for part in field.split("."):
        inside = found if isinstance(found, dict) else dict(enumerate(found)) if isinstance(found, list) else {}
        key = int(part) if isinstance(found, list) and part.isascii() and part.isdigit() else part
        if key not in inside:
            known = ", ".join(shown(str(known), 40) for known in list(inside)[:8]) or "nothing"
            where = f"under {shown(walked)}" if walked else "at the top"
            raise ItemError(f"{shown(name)} has no {shown(part)} {where}", code="no-such-key", hint=f"there is {known}")
        found, walked = inside[key], f"{walked}.{part}" if walked else part
    if not isinstance(found, str):
        raise ItemError(f"{shown(name)}: {shown(field)} is no text", code="broken-file", hint="field names base64 text")
    text = found.partition("base64,")[2] if found.startswith("data:") else found
    with judged(name, f"base64 under {field}"):
        urlsafe = "-" in text or "_" in text
        return base64.b64decode("".join(text.split()), b"-_" if urlsafe else None, validate=True)
