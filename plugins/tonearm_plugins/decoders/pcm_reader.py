"""``pcm-reader``: raw samples of a given encoding, also as base64 in JSON, as speech services return them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

from tonearm.api import (
    WRITE_AGAIN,
    Context,
    Decoder,
    Item,
    ItemError,
    Meta,
    OptionError,
    RemoveOption,
    Source,
    Spec,
    Waveform,
    check_holes,
    check_memory,
    file_types,
    listed,
    map_array,
    quoted,
    reading_errors,
    size_of,
)
from tonearm_plugins.decoders.waveforms import FullScale, NonFinite, waveforms
from tonearm_plugins.formats.json_text import parse_json
from tonearm_plugins.formats.raw_pcm import Encoding, bytes_per_sample, decode, decoded_size

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import UInt8Array

MAX_JSON = 256 << 20
"""Size of a JSON file in bytes."""


@dataclass(frozen=True, kw_only=True)
class PcmOptions:
    """Options of ``pcm-reader``: raw samples have no header."""

    encoding: Annotated[Encoding, Meta(description="Type and byte order of the samples; LINEAR16 is pcm_s16le.")]
    sample_rate: Annotated[int, Meta(description="Sample rate in Hz.", ge=1, le=10_000_000)]
    channels: Annotated[int, Meta(description="Number of interleaved channels.", ge=1, le=1024)] = 1
    skip: Annotated[int, Meta(description="Size in bytes of a header to leave out.", ge=0)] = 0
    field: Annotated[
        str | None,
        Meta(
            description="Field of a JSON file that holds the samples in base64, as in audioContent or"
            " candidates.0.content.parts.0.inlineData.data. Without it, the file is the samples.",
            min_length=1,
        ),
    ] = None
    precision: Annotated[
        Literal["single", "double"], Meta(description="Precision of the waveform; double keeps float64.")
    ] = "single"
    full_scale: FullScale = None
    nan: NonFinite = "error"

    def problems(self) -> Iterator[OptionError]:
        """Yield the errors of options that conflict."""
        if self.full_scale is not None and not self.encoding.startswith("pcm_f"):
            yield OptionError(
                f"{self.encoding} has its own full scale", option="full_scale", remedies=(RemoveOption("full_scale"),)
            )


class PcmReader(Decoder[Waveform, PcmOptions]):
    """Read raw PCM of a given encoding, or base64 in a JSON file; large files are mapped."""

    suffixes = (".pcm", ".raw", ".json")
    reads = "content"

    def decode(self, source: Source, context: Context) -> Iterator[Item[Waveform]]:
        """Yield the waveform."""
        options = self.options
        with source.open() as file:
            raw = self._bytes(file, source.name)
            double = options.precision == "double"
            check_memory(source.name, "", decoded_size(raw.size, options.encoding, double=double))
            samples = decode(raw, options.encoding, double=double)
            for signal in waveforms(
                samples.reshape(-1, options.channels),
                ("time", "channel"),
                sample_rate=options.sample_rate,
                full_scale=options.full_scale,
                nan=options.nan,
                context=context,
            ):
                yield Item(signal=signal)

    def produces(self) -> Spec:
        """Return the spec of the waveform that the options describe."""
        options = self.options
        return Spec(
            signals=(Waveform,),
            sample_rate=options.sample_rate,
            channels=options.channels,
            precision=options.precision,
        )

    def _bytes(self, file: BinaryIO, name: str) -> UInt8Array:
        """Return the bytes of the samples, uint8: whole samples of all channels."""
        import numpy as np

        size = size_of(file)
        if self.options.field is not None:
            raw = np.frombuffer(_from_json(file, size, self.options.field, name), np.uint8)
        else:
            if not self.options.skip:
                _check_headerless(file.read(file_types.HEAD), name)
            check_holes(file, name, "", size)
            mapped = map_array(file, np.uint8, (size,)) if size else np.empty(0, np.uint8)
            if mapped is None:
                check_memory(name, "", size)
                file.seek(0)
                mapped = np.frombuffer(file.read(), np.uint8)
            raw = mapped
        raw = raw[self.options.skip :]
        frame = bytes_per_sample(self.options.encoding) * self.options.channels
        if not raw.size:
            raise ItemError(f"{quoted(name)} has no samples", code="empty", hint=WRITE_AGAIN)
        if raw.size % frame:
            raise ItemError(
                f"{quoted(name)} has {raw.size:,} bytes, not a multiple of {frame} (one sample of each channel)",
                code="pcm-size",
                hint="check encoding, channels and skip; or the file is cut off",
            )
        return raw


def _check_headerless(head: bytes, name: str) -> None:
    """Raise `ItemError` if a file is audio of a known format, or a .npy file."""
    found = file_types.identify(head)
    if found.reader == "audio-reader" or found is file_types.NPY:
        raise ItemError(
            f"{quoted(name)} is not raw samples; it looks like {found.name}", code="wrong-format", hint=found.hint
        )


def _from_json(file: BinaryIO, size: int, field: str, name: str) -> bytes:
    """Return the bytes that a field of a JSON file holds as base64."""
    import base64

    if size > MAX_JSON:
        raise ItemError(f"{quoted(name)} has {size:,} bytes of JSON", code="too-large", hint="save the samples alone")
    try:
        found = parse_json(file.read(), name)
    except (ValueError, RecursionError) as error:
        raise ItemError(
            f"{quoted(name)} is not JSON: {quoted(str(error))}", code="broken-file", hint=WRITE_AGAIN
        ) from None
    walked = ""
    for part in field.split("."):
        inside = found if isinstance(found, dict) else dict(enumerate(found)) if isinstance(found, list) else {}
        key = int(part) if isinstance(found, list) and part.isascii() and part.isdigit() else part
        if key not in inside:
            where = f"under {quoted(walked)}" if walked else "at the top"
            raise ItemError(
                f"{quoted(name)} has no {quoted(part)} {where}",
                code="no-such-key",
                hint=f"it has {listed(map(str, inside))}",
            )
        found, walked = inside[key], f"{walked}.{part}" if walked else part
    if not isinstance(found, str):
        raise ItemError(
            f"{quoted(name)}: {quoted(field)} is not text", code="broken-file", hint="name a field of base64 text"
        )
    text = found.partition("base64,")[2] if found.startswith("data:") else found
    with reading_errors(name, f"base64 under {field}"):
        urlsafe = "-" in text or "_" in text
        return base64.b64decode("".join(text.split()), b"-_" if urlsafe else None, validate=True)
