"""An encoder and a decoder for tapes, as a third party writes them.

A tape is 'TAPE', the size of a header as a number of four bytes, the header in JSON, and chunks of 16-bit samples: each
is its size as a number of four bytes, and its bytes, compressed by zlib.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

from tonearm.api import (
    BoundedFile,
    Context,
    Decoder,
    Decoders,
    Encoders,
    Item,
    Limits,
    Meta,
    NoOptions,
    PcmOptions,
    Sink,
    Source,
    Spec,
    TaggingEncoder,
    TagOptions,
    Waveform,
    check_claimed_size,
    check_magic,
    hookimpl,
    pcm_blocks,
    reading_errors,
)

TAPE = Limits(name="a tape", rates=(range(8000, 48001),), channels=2, longest=1 << 26)


class Header(msgspec.Struct, kw_only=True):
    """Header of a tape."""

    sample_rate: Annotated[int, Meta(ge=1)]
    channels: Annotated[int, Meta(ge=1, le=2)]
    length: Annotated[int, Meta(ge=1)]
    tags: dict[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class TapeOptions(PcmOptions, TagOptions):
    """Options of ``tape-writer``: its own, those of dither and those of tags."""

    bits: Annotated[int, Meta(ge=4, le=16, description="Bits of a sample.")] = 16


class TapeWriter(TaggingEncoder[Waveform, TapeOptions]):
    """Write a tape: compressed samples of up to 16 bits, with tags."""

    suffixes = (".tape",)
    limits = TAPE
    revision = 1

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the tape, and measure how well it was compressed."""
        import zlib

        found = Header(sample_rate=signal.sample_rate, channels=signal.channels, length=signal.length, tags=dict(tags))
        header = msgspec.json.encode(found)
        given = stored = 0
        with sink.open() as file:
            file.write(b"TAPE" + len(header).to_bytes(4, "little") + header)
            for block in pcm_blocks(signal, self.options.bits, context, self.options.generator(context)):
                raw = block.astype("<i2").tobytes()
                chunk = zlib.compress(raw)
                file.write(len(chunk).to_bytes(4, "little") + chunk)
                given, stored = given + len(raw), stored + len(chunk)
        context.measure(compression=round(given / stored, 3))


class TapeReader(Decoder[Waveform, NoOptions]):
    """Read a tape, with its tags."""

    suffixes = (".tape",)
    reads = "content"
    revision = 1

    def decode(self, source: Source, context: Context) -> Iterator[Item[Waveform]]:
        """Yield the waveform."""
        import numpy as np

        with source.open() as opened, reading_errors(source.name, "a tape"):
            file = BoundedFile(opened, source.name)
            header = read_header(file)
            size = 2 * header.channels * header.length
            check_claimed_size(source.name, "", size, file.left)
            samples = np.frombuffer(read_chunks(file, size), "<i2").reshape(-1, header.channels).T
        values = samples.astype(np.float32) / 32768
        yield Item(signal=Waveform(samples=values, sample_rate=header.sample_rate), tags=header.tags)

    def produces(self) -> Spec:
        """Return the class, for each tape has a rate of its own."""
        return Spec(signals=(Waveform,))

    def look(self, source: Source) -> Spec:
        """Return what the header of a tape says."""
        with source.open() as opened, reading_errors(source.name, "a tape"):
            header = read_header(BoundedFile(opened, source.name))
        found = {"sample_rate": header.sample_rate, "channels": header.channels, "length": header.length}
        return self.produces().replace(**found)


def read_header(file: BoundedFile) -> Header:
    """Return the header of a tape, and go to its first chunk."""
    check_magic(file.file, file.name, "a tape", (b"TAPE",))
    start = file.read_exactly(8)
    return msgspec.json.decode(file.read_exactly(int.from_bytes(start[4:], "little")), type=Header)


def read_chunks(file: BoundedFile, size: int) -> bytes:
    """Return the bytes of all chunks, of which there must be ``size``; never inflate more."""
    import zlib

    found = b""
    while file.left:
        chunk = file.read_exactly(int.from_bytes(file.read_exactly(4), "little"))
        found += zlib.decompressobj().decompress(chunk, size - len(found) + 1)
        if len(found) > size:
            break
    if len(found) != size:
        raise ValueError(f"its header claims {size:,} bytes of samples, and its chunks hold another number")
    return found


@hookimpl
def tonearm_encoders() -> Encoders:
    return {"tape-writer": "tonearm_tape:TapeWriter"}


@hookimpl
def tonearm_decoders() -> Decoders:
    return {"tape-reader": "tonearm_tape:TapeReader"}
