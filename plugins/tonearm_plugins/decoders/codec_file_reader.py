"""``codec-file-reader``: codes in the files of descript-audio-codec (``.dac``) and EnCodec (``.ecdc``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from tonearm.api import (
    MAX_SAMPLE_RATE,
    ChooseOption,
    CodecTokens,
    Context,
    Decoder,
    Item,
    ItemError,
    Meta,
    OptionError,
    OriginalSound,
    Source,
    Spec,
    TokenLayout,
    check_memory,
    quoted,
    size_of,
)

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

LAYOUTS = {"dac": "dac-file", "ecdc": "encodec-ecdc-file"}
"""Layouts of the files by the name that `TokenLayout.file` has for them."""


@dataclass(frozen=True, kw_only=True)
class CodecFileOptions:
    """Options of ``codec-file-reader``; the files say what their layout is."""

    layout: Annotated[
        TokenLayout | None,
        Meta(description="Layout of the files: dac-file or encodec-ecdc-file. Not needed, because the files say it."),
    ] = None
    sample_rate: Annotated[
        int | None,
        Meta(
            description="Sample rate in Hz of the codec that wrote a .dac file, which does not say it; by default that"
            " of the decoder.",
            ge=1,
            le=MAX_SAMPLE_RATE,
        ),
    ] = None
    original: Annotated[
        bool,
        Meta(
            description="Whether the sound of a .dac file gets the loudness, the sample rate and the length back that"
            " the encoded sound had. If false, it stays as the decoder gives it."
        ),
    ] = True

    def problems(self) -> Iterator[OptionError]:
        """Yield the problem of a layout that is not one of files."""
        if self.layout is not None and not self.layout.file:
            yield OptionError(
                f"{self.layout.label} is no layout of .dac or .ecdc files",
                option="layout",
                remedies=(ChooseOption("layout", tuple(LAYOUTS.values()), when="or leave it out"),),
            )


class CodecFileReader(Decoder[CodecTokens, CodecFileOptions]):
    """Read the codes of a .dac or .ecdc file; the pickle in a .dac file is read without running anything in it."""

    suffixes = (".dac", ".ecdc")
    reads = "content"

    def decode(self, source: Source, context: Context) -> Iterator[Item[CodecTokens]]:
        """Yield the tokens of the file."""
        with source.open() as file:
            check_memory(source.name, "", size_of(file))
            data = file.read()
        kind = "ecdc" if data.startswith(b"ECDC") or (source.path_text or "").lower().endswith(".ecdc") else "dac"
        wanted = self.options.layout
        if wanted is not None and wanted.file != kind:
            raise ItemError(
                f"{quoted(source.name)} is a file of {LAYOUTS[kind]}, but layout is {wanted.label}",
                code="layout-mismatch",
                remedies=(ChooseOption("layout", (LAYOUTS[kind],), when="or leave it out"),),
            )
        yield Item(signal=self._ecdc(data, source.name) if kind == "ecdc" else self._dac(data, source.name, context))

    def _dac(self, data: bytes, name: str, context: Context) -> CodecTokens:
        """Return the tokens of a .dac file."""
        import numpy as np

        from tonearm_plugins.formats import dac_file

        found, options = dac_file.read(data, name), self.options
        size = _size(options.layout) or dac_file.SIZE
        _check_codes(found.codes, size, name)
        context.measure(encoded_rate=found.sample_rate, encoded_length=found.length)
        if found.loudness is not None:
            context.measure(encoded_loudness=round(found.loudness, 4))
        if not found.is_padded:
            context.warn(
                "it was encoded in chunks without padding: a decoder that pads, as all exported ones do, gives another"
                " sound at the edges of the chunks"
            )
        original = OriginalSound(sample_rate=found.sample_rate, length=found.length, loudness=found.loudness)
        return CodecTokens(
            codes=found.codes.astype(np.int32),
            sizes=(size,) * found.codes.shape[1],
            sample_rate=options.sample_rate or found.codec_rate,
            original=original if options.original else None,
        )

    def _ecdc(self, data: bytes, name: str) -> CodecTokens:
        """Return the tokens of an .ecdc file."""
        from tonearm_plugins.formats import ecdc

        found, rate = ecdc.read(data, name), self.options.sample_rate
        if rate not in (None, found.model.sample_rate):
            raise ItemError(
                f"{quoted(name)} says {found.model.sample_rate} Hz, but sample_rate is {rate}",
                code="rate-mismatch",
                hint="leave sample_rate out",
            )
        return CodecTokens(
            codes=found.codes[None],
            sizes=(ecdc.SIZE,) * found.codes.shape[0],
            sample_rate=found.model.sample_rate,
            samples_per_frame=ecdc.SAMPLES_PER_FRAME,
            segments=found.segments,
            scales=found.scales,
            length=found.length,
        )

    def produces(self) -> Spec:
        """Return the class, the sample rate if it is given, and that each file will tell what was encoded."""
        return Spec(signals=(CodecTokens,), sample_rate=self.options.sample_rate).carrying(OriginalSound())


def _size(layout: TokenLayout | None) -> int | None:
    """Return the number of codes of each book that a layout states."""
    size = None if layout is None else layout.size
    return size if isinstance(size, int) else None


def _check_codes(codes: Array, size: int, name: str) -> None:
    """Raise `ItemError` for the first code that is not below the size of its book."""
    import numpy as np

    wrong: Any = np.argwhere((codes < 0) | (codes >= size))
    if wrong.size:
        channel, book, frame = (int(one) for one in wrong[0])
        raise ItemError(
            f"{quoted(name)} holds the code {codes[channel, book, frame]} in book {book}, frame {frame}, but books have"
            f" {size:,} codes",
            code="bad-token",
            hint="a codec with larger books needs {base: dac-file, size: N} as its layout",
        )
