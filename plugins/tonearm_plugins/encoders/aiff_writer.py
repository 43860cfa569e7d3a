"""``aiff-writer``: AIFF, or AIFF-C if samples are floats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from tonearm.api import (
    WELL_KNOWN_TAGS,
    Context,
    Limits,
    Meta,
    PcmOptions,
    SampleFormat,
    Sink,
    Spec,
    StartedEncoder,
    note_clipped,
)
from tonearm_plugins.encoders.sound_tags import SoundBlockEncoder, SoundTagOptions
from tonearm_plugins.formats.codec_limits import AIFF

if TYPE_CHECKING:
    from tonearm.api import Cover
    from tonearm_plugins.dsp.typing import Array

_BITS = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
_FLOATS = {"FLOAT": "f4", "DOUBLE": "f8"}
_STRINGS = [name for name, tag in WELL_KNOWN_TAGS.items() if tag.aiff]  # texts that have a chunk of their own


@dataclass(frozen=True, kw_only=True)
class AiffOptions(PcmOptions, SoundTagOptions):
    """Options of ``aiff-writer``."""

    subtype: Annotated[
        Literal["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"],
        Meta(description="Sample format: rounded to 16, 24 or 32 bits, or 32-bit or 64-bit float."),
    ] = "PCM_16"


class AiffWriter(SoundBlockEncoder[AiffOptions]):
    """Write an AIFF file of up to 4 GB; integers are rounded and never wrap around, floats are written as AIFF-C."""

    suffixes = (".aiff", ".aif", ".aifc")
    any_blocks = True

    def limits_for(self, spec: Spec) -> Limits:
        """Return the limits of AIFF, which ends at 4 GB."""
        return AIFF.replace(sample_size=self._sample_size())

    def begin(self, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> StartedEncoder:
        """Return libsndfile at work; it completes the header at the end."""
        return _StartedAiff(self.options, self.cover, spec, sink, tags, context)

    def _sample_size(self) -> int:
        """Return the size of a sample in bytes."""
        subtype = self.options.subtype
        return _BITS.get(subtype, 0) // 8 or int(_FLOATS[subtype][1])


class _StartedAiff(StartedEncoder):
    """libsndfile at work on one file. Tags that have no chunk of AIFF's own follow the sound."""

    def __init__(
        self,
        options: AiffOptions,
        cover: Cover | None,
        spec: Spec,
        sink: Sink,
        tags: Mapping[str, str],
        context: Context,
    ) -> None:
        from tonearm_plugins.formats.sndfile_writing import SndfileWriter

        self._path = sink.path
        self._cover = cover
        self._tags = tags
        self._context = context
        self._samples = SampleFormat(_BITS.get(options.subtype) or _FLOATS[options.subtype], options.generator(context))
        self._writer = SndfileWriter(
            open(self._path, "w+b", buffering=0),  # noqa: PTH123, SIM115 - the writer closes it
            sample_rate=spec.sample_rate or 1,
            channels=spec.channels or 1,
            container="AIFF",
            subtype=options.subtype,
            strings={name: tags[name] for name in _STRINGS if name in tags},
        )

    def write(self, block: Array) -> None:
        """Write a block."""
        self._writer.write(self._samples(block))

    def finish(self) -> None:
        """Complete the header, write the other tags, and measure the number of clipped samples."""
        from tonearm_plugins.formats.tags import write_aiff

        self._writer.finish()
        write_aiff(self._path, self._tags, self._cover)
        note_clipped(self._samples.clipped, self._context)

    def abort(self) -> None:
        """Release libsndfile, and close the file."""
        self._writer.abort()
