"""``ffmpeg-writer``: every other format that ffmpeg knows, by pydub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, NamedTuple

from tonearm.api import Context, Meta, OptionError, Sink, Spec, Waveform
from tonearm_plugins.encoders.pcm_options import Dither, Seed, dither_of, pcm_blocks
from tonearm_plugins.encoders.tag_options import TaggingEncoder, Tags, WithProvenance, tag_problems
from tonearm_plugins.formats.codec_limits import Limits, as_item_error
from tonearm_plugins.formats.ffmpeg import FFMPEG

# ffmpeg's name of the format that a suffix stands for, where it is not the suffix itself.
_NAMES = {"aac": "adts", "aif": "aiff", "m4a": "ipod", "m4b": "ipod", "mka": "matroska", "wma": "asf"}

# The encoder of each format, said outright: builds differ in what they take without a word, some of it experimental.
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

_OPUS = Limits(name="Opus", rates=(8000, 12000, 16000, 24000, 48000), channels=8)
_MPEG_RATES = (16000, 22050, 24000, 32000, 44100, 48000)
# What is known of encoders before ffmpeg is asked: it would resample or mix down without a word.
_LIMITS: Mapping[str, Limits] = {
    "aac": Limits(
        name="AAC",
        rates=(7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000),
        channels=8,
    ),
    "ac3": Limits(name="AC-3", rates=(32000, 44100, 48000), channels=6),
    "eac3": Limits(name="E-AC-3", rates=(32000, 44100, 48000), channels=6),
    "libmp3lame": Limits(name="MP3", rates=(8000, 11025, 12000, *_MPEG_RATES), channels=2),
    "libopus": _OPUS,
    "libvorbis": Limits(name="Vorbis", rates=range(8000, 192_001), channels=8),
    "mp2": Limits(name="MP2", rates=_MPEG_RATES, channels=2),
    "wmav2": Limits(name="WMA", rates=range(8000, 48_001), channels=2),
}


class _Target(NamedTuple):
    """What ffmpeg is to write: its names of the format and the encoder."""

    container: str
    codec: str | None


@dataclass(frozen=True, kw_only=True)
class FfmpegOptions:
    """Options of ``ffmpeg-writer``."""

    format: Annotated[
        str | None,
        Meta(
            pattern=r"^[a-z0-9_]+$",
            description="The format, by suffix or by ffmpeg's name; without it, the file's own suffix says it: .m4a,"
            " .ogg, .opus, .aac.",
        ),
    ] = None
    codec: Annotated[
        str | None,
        Meta(
            pattern=r"^[A-Za-z0-9_]+$", description="ffmpeg's name of the encoder; the format's usual one if not given."
        ),
    ] = None
    bitrate: Annotated[
        int | None, Meta(ge=1, le=10_000, description="Bit rate in kbit/s; the encoder's own choice if not given.")
    ] = None
    subtype: Annotated[
        Literal["PCM_16", "PCM_24", "PCM_32"],
        Meta(
            description="What ffmpeg is handed: samples rounded to 16, 24 or 32 bits. Lossless encoders of 24 bits"
            " want 24, as ffmpeg does not round."
        ),
    ] = "PCM_16"
    parameters: Annotated[
        list[str], Meta(description="More arguments for ffmpeg, each as one text: ['-compression_level', '10'].")
    ] = field(default_factory=list)
    dither: Dither = False
    seed: Seed = 0
    tags: Tags = field(default_factory=dict)
    provenance: WithProvenance = False

    def problems(self) -> Iterator[OptionError]:
        """Yield what does not fit together."""
        if self.format == "raw":
            yield OptionError("'raw' does not say how samples are stored", option="format", hint="format: s16le")
        yield from tag_problems(self)


class FfmpegWriter(TaggingEncoder[Waveform, FfmpegOptions]):
    """Write any format that ffmpeg knows, from M4A to Opus; what it would resample or mix down is refused."""

    requires = (FFMPEG,)

    def preflight(self) -> None:
        """See that ffmpeg is there, and has the format and the encoder that the options name."""
        from tonearm_plugins.formats import ffmpeg

        container = self._container()
        codec = self.options.codec or _CODECS.get(container or "")
        ffmpeg.require(ffmpeg.find(), container=container, codec=codec)

    def accepts(self, spec: Spec) -> None:
        """Refuse a suffix that says no format, and what is known not to fit the encoder."""
        if spec.suffix is None and self.options.format is None:
            return  # each file's own name will say it
        codec = self._target(spec.suffix or "").codec
        if codec is not None and codec in _LIMITS:
            _LIMITS[codec].check(spec.sample_rate, spec.channels)

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the file and its tags, and measure how many samples were clipped."""
        from tonearm_plugins.formats import ffmpeg

        try:
            target = self._target(sink.suffix)
        except OptionError as error:
            raise as_item_error(error) from error
        if target.codec is not None:
            if target.codec in _LIMITS:
                _LIMITS[target.codec].check_signal(signal)
            rates, channels = ffmpeg.limits(ffmpeg.find(), target.codec)
            Limits(name=target.codec, rates=rates, channels=channels).check_signal(signal)
        ffmpeg.export(
            sink.path,
            pcm_blocks(signal, int(self.options.subtype[-2:]), context, dither_of(self.options, context)),
            sample_rate=signal.sample_rate,
            channels=signal.channels,
            container=target.container,
            codec=target.codec,
            bitrate=self.options.bitrate,
            parameters=self.options.parameters,
            tags=tags,
        )

    def _container(self) -> str | None:
        """Return ffmpeg's name of the format that the options say, be it by that name or by its suffix."""
        given = self.options.format
        return given if given is None else _NAMES.get(given, given)

    def _target(self, suffix: str) -> _Target:
        """Return what is to be written into a file of this suffix, or raise `OptionError` if that is open."""
        container = self._container()
        if container is None:
            word = suffix.lower().removeprefix(".")
            container = _NAMES.get(word, word)
            if container not in _CODECS:
                raise OptionError(
                    f"the suffix {suffix!r} stands for no format that is known here"
                    if suffix
                    else "the file's name has no suffix to say the format",
                    code="unknown-format",
                    hint="format: NAME says it, as ffmpeg -muxers lists them",
                )
        return _Target(container, self.options.codec or _CODECS.get(container))
