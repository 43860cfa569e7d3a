"""``wav-writer``: WAV, RF64 beyond 4 GB, Wave64, and the Broadcast Wave Format.

The writer is tonearm's own because it does what no library does in one pass: RF64 as soon as the size needs it, W64,
``bext`` and ``INFO`` chunks, and a hash that is taken while the file is written, since nothing is patched afterwards
where the length is known.
It is not there for speed: 3 s and 60 s take 264 and 2,708 µs of CPU here, 260 and 2,679 in the standard library's
``wave``, and 397 and 2,891 in soundfile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal

from tonearm.api import (
    Context,
    Meta,
    OptionError,
    PcmOptions,
    RemoveOption,
    SetOption,
    Sink,
    Spec,
    StartedEncoder,
    note_clipped,
)
from tonearm_plugins.encoders.sound_tags import SoundEncoder, SoundTagOptions
from tonearm_plugins.formats.wav_header import Chunk, Form, bext_chunk, frame, info_chunk

if TYPE_CHECKING:
    from tonearm.api import Cover
    from tonearm_plugins.dsp.typing import Array

# msgspec bounds the length of a text, but not of a text that may be None.
Description = Annotated[str, Meta(max_length=256)]
Originator = Annotated[str, Meta(max_length=32)]


@dataclass(frozen=True, kw_only=True)
class BextOptions:
    """Description of a sound in the Broadcast Wave Format (EBU Tech 3285)."""

    description: Annotated[
        Description | None, Meta(description="Description of the sound; by default the tag title.")
    ] = None
    originator: Annotated[
        Originator | None, Meta(description="Originator of the sound; by default the tag artist.")
    ] = None
    originator_reference: Annotated[Originator, Meta(description="Reference that the originator gave it.")] = ""
    date: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="Date of origination: 2024-12-31.")] = ""
    time: Annotated[str, Meta(pattern=r"^(\d{2}:\d{2}:\d{2})?$", description="Time of origination: 23:59:59.")] = ""
    time_reference: Annotated[
        int, Meta(ge=0, le=(1 << 63) - 1, description="Samples from midnight to the first sample.")
    ] = 0
    coding_history: Annotated[str, Meta(max_length=10_000, description="History of the coding, one step a line.")] = ""

    def problems(self) -> Iterator[OptionError]:
        """Yield an error for each text that is not ASCII, as the format requires."""
        for name in ("description", "originator", "originator_reference", "coding_history"):
            if not (getattr(self, name) or "").isascii():
                yield OptionError(f"{name} has letters beyond ASCII, which bext cannot hold", option=name)


@dataclass(frozen=True, kw_only=True)
class WavOptions(PcmOptions, SoundTagOptions):
    """Options of ``wav-writer``."""

    subtype: Annotated[
        Literal["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"],
        Meta(description="Sample format: rounded to 16, 24 or 32 bits, or 32-bit or 64-bit float."),
    ] = "PCM_16"
    format: Annotated[
        Literal["WAV", "RF64", "W64"] | None,
        Meta(
            description="Format: WAV (which becomes RF64 beyond 4 GB), RF64 in any case, or Sony's Wave64; by default"
            " that of the file's suffix: .wav, .rf64, .w64."
        ),
    ] = None
    bext: Annotated[
        BextOptions | None,
        Meta(
            description="Description in the Broadcast Wave Format: {} to make it from the tags, or with description,"
            " originator, originator_reference, date, time, time_reference, coding_history."
        ),
    ] = None

    @property
    def has_tags(self) -> bool:
        """Whether the format has a place for tags."""
        return self.format != "W64"

    def problems(self) -> Iterator[OptionError]:
        """Yield an error for each option that the format cannot hold."""
        yield from super().problems()
        if self.format == "W64" and self.bext is not None:
            remedies = (SetOption("format", "RF64", "which has it"), RemoveOption("bext"))
            yield OptionError("W64 has no bext", option="bext", remedies=remedies)


class WavWriter(SoundEncoder[WavOptions]):
    """Write a WAV file, RF64 beyond 4 GB, W64 or BWF; samples are rounded and never wrap around."""

    suffixes = (".wav", ".rf64", ".w64", ".bwf")
    any_blocks = True
    pipes = True

    def accepts(self, spec: Spec) -> None:
        """Refuse a rate or channels that no header can hold, and options that a W64 file cannot hold."""
        super().accepts(spec)
        if spec.suffix is not None and self._format(spec.suffix) == "W64":
            for problem in replace(self.options, format="W64").problems():
                raise problem
        try:
            frame(spec.sample_rate or 1, spec.channels or 1, spec.length or 0, self.options.subtype)
        except ValueError as error:
            raise _too_much(error) from error

    def check_pipe(self, spec: Spec) -> None:
        """Refuse RF64 and W64, whose headers have the length."""
        super().check_pipe(spec)
        form = self._format(spec.suffix or "")
        if form != "WAV":
            raise OptionError(
                f"{form} has the length of the sound in front of it, and a pipe cannot go back to write it",
                option="format",
                code="needs-file",
                remedies=(SetOption("format", "WAV", "which can be piped"),),
            )

    def begin(self, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> StartedEncoder:
        """Return the encoder at work on a file."""
        form: Form = {"RF64": "RF64", "W64": "W64"}.get(self._format(sink.suffix), "auto")  # type: ignore[assignment]
        file = sink.open()
        try:
            return _StartedWav(
                file,
                context,
                sample_rate=spec.sample_rate or 0,
                channels=spec.channels or 0,
                frames=spec.length,
                subtype=self.options.subtype,
                form=form,
                before=() if form == "W64" else self._before(tags),
                after=() if form == "W64" else _after(tags, self.cover),
                dither=self.options.generator(context),
                is_pipe=not sink.seekable,
            )
        except BaseException:
            file.close()
            raise

    def _format(self, suffix: str) -> str:
        """Return the format that the options give, or else the suffix of the file."""
        return self.options.format or {".rf64": "RF64", ".w64": "W64"}.get(suffix.lower(), "WAV")

    def _before(self, tags: Mapping[str, str]) -> list[Chunk]:
        bext = self.options.bext
        if bext is None:
            return []
        return [
            bext_chunk(
                description=tags.get("title", "") if bext.description is None else bext.description,
                originator=tags.get("artist", "") if bext.originator is None else bext.originator,
                originator_reference=bext.originator_reference,
                date=bext.date,
                time=bext.time,
                time_reference=bext.time_reference,
                coding_history=bext.coding_history,
            )
        ]


class _StartedWav(StartedEncoder):
    """A WAV file at work."""

    def __init__(self, file: BinaryIO, context: Context, **how: Any) -> None:
        from tonearm_plugins.formats.wav import WavFile

        self._file = file
        self._context = context
        self._wav = WavFile(file, **how)

    def write(self, block: Array) -> None:
        """Write a block."""
        self._wav.write(block)

    def finish(self) -> None:
        """Write the end of the file, and measure the number of clipped samples."""
        with self._file:
            stats = self._wav.finish()
        note_clipped(stats.clipped, self._context)

    def abort(self) -> None:
        """Close the file."""
        self._file.close()


def _after(tags: Mapping[str, str], cover: Cover | None) -> list[Chunk]:
    """Return the chunks of tags. They follow the samples, which some programs expect at byte 44."""
    from tonearm_plugins.formats.wav_header import INFO

    info = info_chunk(tags)
    chunks = [] if info is None else [info]
    if cover or tags.keys() - INFO.keys():
        from tonearm_plugins.formats.tags import id3_bytes

        chunks.append((b"id3 ", id3_bytes(tags, cover)))
    return chunks


def _too_much(error: ValueError) -> OptionError:
    return OptionError(str(error), code="unsupported-rate" if "Hz" in str(error) else "too-many-channels")
