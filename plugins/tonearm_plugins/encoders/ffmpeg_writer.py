"""``ffmpeg-writer``: every other format that ffmpeg writes, through pydub."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from tonearm.api import (
    Context,
    GiveOption,
    ItemError,
    Limits,
    Meta,
    OptionError,
    PcmOptions,
    PcmRounding,
    RemoveOption,
    SetOption,
    Sink,
    Spec,
    StartedEncoder,
    TaggingBlockEncoder,
    TagOptions,
    Waveform,
    note_clipped,
)
from tonearm_plugins.formats.codec_limits import OF_FFMPEG
from tonearm_plugins.formats.ffmpeg import FFMPEG
from tonearm_plugins.formats.ffmpeg_arguments import FORMATS, argument_problem

if TYPE_CHECKING:
    from pathlib import Path

    from tonearm_plugins.dsp.typing import Array

# ffmpeg's name of the format, for suffixes that are not that name.
_NAMES = {"aac": "adts", "aif": "aiff", "m4a": "ipod", "m4b": "ipod", "mka": "matroska", "wma": "asf"}

# The encoder of each format, always given: builds of ffmpeg differ in their defaults, some of which are experimental.
_CODECS = {
    "ac3": "ac3",
    "adts": "aac",
    "aiff": "pcm_s16be",
    "asf": "wmav2",
    "au": "pcm_s16be",
    "caf": "pcm_s16be",
    "eac3": "eac3",
    "flac": "flac",
    "ipod": "aac",
    "matroska": "libvorbis",
    "mov": "aac",
    "mp2": "mp2",
    "mp3": "libmp3lame",
    "mp4": "aac",
    "oga": "flac",
    "ogg": "libvorbis",
    "opus": "libopus",
    "tta": "tta",
    "w64": "pcm_s16le",
    "wav": "pcm_s16le",
    "webm": "libopus",
    "wv": "wavpack",
}


class _Format(NamedTuple):
    """Format and encoder, by ffmpeg's names."""

    container: str
    codec: str | None


def _tags_by_mutagen(container: str) -> Callable[[Path, Mapping[str, str]], None] | None:
    """Return the function that writes the tags of a format of which ffmpeg knows some alone; None for others."""
    if container == "mp3":
        from tonearm_plugins.formats.tags import write_id3

        return write_id3
    if container in ("ipod", "mp4"):
        from tonearm_plugins.formats.mp4 import write_tags

        return write_tags
    return None


@dataclass(frozen=True, kw_only=True)
class FfmpegOptions(PcmOptions, TagOptions):
    """Options of ``ffmpeg-writer``."""

    format: Annotated[
        str | None,
        Meta(
            pattern=r"^[a-z0-9_]+$",
            description="Format, as a suffix or by ffmpeg's name; by default that of the file's suffix: .m4a, .ogg,"
            " .opus, .aac.",
        ),
    ] = None
    codec: Annotated[
        str | None,
        Meta(
            pattern=r"^[A-Za-z0-9_]+$", description="Encoder, by ffmpeg's name; by default the usual one of the format."
        ),
    ] = None
    bitrate: Annotated[
        int | None, Meta(ge=1, le=10_000, description="Bit rate in kbit/s; by default the encoder chooses.")
    ] = None
    subtype: Annotated[
        Literal["PCM_16", "PCM_24", "PCM_32"],
        Meta(
            description="Sample format that ffmpeg is given: rounded to 16, 24 or 32 bits. Lossless encoders of 24"
            " bits need 24, since ffmpeg does not round."
        ),
    ] = "PCM_16"
    parameters: Annotated[
        list[str],
        Meta(
            description="Additional arguments for ffmpeg, one text each: ['-compression_level', '10']. Options that"
            " can read or write other files are refused."
        ),
    ] = field(default_factory=list)

    def problems(self) -> Iterator[OptionError]:
        """Yield an error for each pair of options that contradict each other."""
        if self.format == "raw":
            remedies = (SetOption("format", "s16le"),)
            yield OptionError("'raw' does not tell how samples are stored", option="format", remedies=remedies)
        elif self.format is not None and _NAMES.get(self.format, self.format) not in FORMATS:
            yield OptionError(
                f"{self.format!r} is not a format that is one file of sound",
                option="format",
                code="unknown-format",
                hint="playlists, segments, devices and addresses are not written",
            )
        unsafe = argument_problem(self.parameters)
        if unsafe:
            yield OptionError(
                unsafe, option="parameters", code="unsafe-argument", remedies=(RemoveOption("parameters"),)
            )
        yield from super().problems()


class FfmpegWriter(TaggingBlockEncoder[Waveform, FfmpegOptions]):
    """Write any format that ffmpeg knows, from M4A to Opus; whatever it would resample or mix down is refused."""

    requires = (FFMPEG,)
    any_blocks = True

    def preflight(self) -> None:
        """Check that ffmpeg is installed, and has the format and the encoder that the options name."""
        from tonearm_plugins.formats import ffmpeg

        container = self._container()
        codec = self.options.codec or _CODECS.get(container or "")
        ffmpeg.require(ffmpeg.find(), container=container, codec=codec)

    def limits_for(self, spec: Spec) -> Limits | None:
        """Return the limits of the encoder; a suffix that stands for no format is refused."""
        if spec.suffix is None and self.options.format is None:
            return None  # the name of each file will tell
        return OF_FFMPEG.get(self._format(spec.suffix or "").codec or "")

    def begin(self, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> StartedEncoder:
        """Return ffmpeg at work on the file."""
        from tonearm_plugins.formats import ffmpeg

        target = self._format(sink.suffix)
        if target.codec is not None:
            rates, channels = ffmpeg.limits(ffmpeg.find(), target.codec)
            try:
                Limits(name=target.codec, rates=rates or (), channels=channels).check(spec)
            except OptionError as error:
                raise ItemError(error.message, code=error.code, remedies=error.remedies) from error
        return _StartedFfmpeg(self.options, target, spec, sink, tags, context)

    def _container(self) -> str | None:
        """Return ffmpeg's name of the format that the options give, by that name or by its suffix."""
        given = self.options.format
        return given if given is None else _NAMES.get(given, given)

    def _format(self, suffix: str) -> _Format:
        """Return the format of a file with this suffix, or raise `OptionError` if it is not known."""
        container = self._container()
        if container is None:
            word = suffix.lower().removeprefix(".")
            container = _NAMES.get(word, word)
            if container not in _CODECS:
                raise OptionError(
                    f"the suffix {suffix!r} does not stand for a known format"
                    if suffix
                    else "the file name has no suffix that tells the format",
                    code="unknown-format",
                    remedies=(GiveOption("format", "a name that ffmpeg -muxers lists"),),
                )
        return _Format(container, self.options.codec or _CODECS.get(container))


class _StartedFfmpeg(StartedEncoder):
    """ffmpeg at work on one file, and the rounding of what it gets."""

    def __init__(
        self,
        options: FfmpegOptions,
        target: _Format,
        spec: Spec,
        sink: Sink,
        tags: Mapping[str, str],
        context: Context,
    ) -> None:
        from tonearm_plugins.formats import ffmpeg

        self._path, self._tags, self._context = sink.path, tags, context
        self._by_mutagen = _tags_by_mutagen(target.container)
        bits = int(options.subtype[-2:])
        self._rounding = PcmRounding(bits, options.generator(context))
        self._encoding = ffmpeg.FfmpegEncoding(
            sink.path,
            width=2 if bits == 16 else 4,
            sample_rate=spec.sample_rate or 0,
            channels=spec.channels or 0,
            container=target.container,
            codec=target.codec,
            bitrate=options.bitrate,
            parameters=options.parameters,
            tags=None if self._by_mutagen else tags,
        )

    def write(self, block: Array) -> None:
        """Pass on a block, rounded."""
        self._encoding.write(self._rounding(block))

    def finish(self) -> None:
        """Wait for ffmpeg, report the clipped samples, and write the tags that ffmpeg does not know."""
        self._encoding.finish()
        note_clipped(self._rounding.clipped, self._context)
        if self._by_mutagen:
            self._by_mutagen(self._path, self._tags)

    def abort(self) -> None:
        """End ffmpeg."""
        self._encoding.abort()
