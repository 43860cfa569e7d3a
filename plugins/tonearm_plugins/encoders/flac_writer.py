"""``flac-writer``: FLAC, lossless at half the size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from tonearm.api import Context, Meta, PcmOptions, PcmRounding, Sink, Spec, StartedEncoder, note_clipped
from tonearm_plugins.encoders.gathering import Gathering
from tonearm_plugins.encoders.sound_tags import SoundEncoder, SoundTagOptions
from tonearm_plugins.formats.codec_limits import FLAC

if TYPE_CHECKING:
    from tonearm.api import Cover
    from tonearm_plugins.dsp.typing import Array

_CALLS = 2  # calls of libsndfile in a second at most: of more samples, FLAC takes longer than a call
_BITS = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}


@dataclass(frozen=True, kw_only=True)
class FlacOptions(PcmOptions, SoundTagOptions):
    """Options of ``flac-writer``."""

    subtype: Annotated[
        Literal["PCM_S8", "PCM_16", "PCM_24"], Meta(description="Sample format: rounded to 8, 16 or 24 bits.")
    ] = "PCM_16"
    compression: Annotated[
        int, Meta(ge=0, le=8, description="Compression from 0 (fast) to 8 (small); the sound is the same.")
    ] = 5


class FlacWriter(SoundEncoder[FlacOptions]):
    """Write a FLAC file of up to 8 channels; samples are rounded, never wrap around, and come back bit by bit."""

    suffixes = (".flac",)
    limits = FLAC
    any_blocks = True
    pipes = True

    def begin(self, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> StartedEncoder:
        """Return libFLAC by libsndfile, with metadata of ours in front."""
        return _StartedFlac(self.options, self.cover, spec, sink, tags, context)


class _StartedFlac(StartedEncoder):
    """An encoder of FLAC at work on one file."""

    def __init__(
        self,
        options: FlacOptions,
        cover: Cover | None,
        spec: Spec,
        sink: Sink,
        tags: Mapping[str, str],
        context: Context,
    ) -> None:
        from tonearm_plugins.formats.flac_file import FlacFile
        from tonearm_plugins.formats.sndfile_writing import SndfileWriter
        from tonearm_plugins.formats.tags import flac_picture, with_comments

        self._context = context
        self._gathering = Gathering((spec.sample_rate or 1) // _CALLS)
        self._rounding = PcmRounding(_BITS[options.subtype], options.generator(context))
        self._file = FlacFile(
            sink.open(),
            seekable=sink.seekable,
            comments=lambda old: with_comments(old, tags),
            picture=flac_picture(cover) if cover else b"",
            length=spec.length,
        )
        self._sndfile = SndfileWriter(
            self._file,
            sample_rate=spec.sample_rate or 1,
            channels=spec.channels or 1,
            container="FLAC",
            subtype=options.subtype,
            compression_level=options.compression / 8,
        )

    def write(self, block: Array) -> None:
        """Encode a block, or keep it if it is short, and write the frames that are complete."""
        gathered = self._gathering.push(block)
        if gathered is not None:
            self._sndfile.write(self._rounding(gathered))

    def finish(self) -> None:
        """Write the last frames, complete STREAMINFO, and measure the number of clipped samples."""
        rest = self._gathering.rest()
        if rest is not None:
            self._sndfile.write(self._rounding(rest))
        self._sndfile.finish(self._file.finish)
        note_clipped(self._rounding.clipped, self._context)

    def abort(self) -> None:
        """Release the encoder, and close the file."""
        self._sndfile.abort()
