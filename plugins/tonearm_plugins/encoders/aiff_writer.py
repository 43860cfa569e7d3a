"""``aiff-writer``: AIFF, or AIFF-C if samples are floats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import (
    WELL_KNOWN_TAGS,
    Context,
    Limits,
    Meta,
    PcmOptions,
    Sink,
    Spec,
    Waveform,
    float_blocks,
    pcm_blocks,
)
from tonearm_plugins.encoders.sound_tags import SoundEncoder, SoundTagOptions
from tonearm_plugins.formats.codec_limits import AIFF

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


class AiffWriter(SoundEncoder[AiffOptions]):
    """Write an AIFF file of up to 4 GB; integers are rounded and never wrap around, floats are written as AIFF-C."""

    suffixes = (".aiff", ".aif", ".aifc")

    def limits_for(self, spec: Spec) -> Limits:
        """Return the limits of AIFF, which ends at 4 GB."""
        return AIFF.replace(sample_size=self._sample_size())

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the file with its tags, and measure the number of clipped samples."""
        from tonearm_plugins.formats.sndfile_writing import write
        from tonearm_plugins.formats.tags import write_aiff

        subtype = self.options.subtype
        write(
            sink.path,
            pcm_blocks(signal, _BITS[subtype], context, self.options.generator(context))
            if subtype in _BITS
            else float_blocks(signal, _FLOATS[subtype], context),
            sample_rate=signal.sample_rate,
            channels=signal.channels,
            container="AIFF",
            subtype=subtype,
            strings={name: tags[name] for name in _STRINGS if name in tags},
        )
        write_aiff(sink.path, tags, self.cover)

    def _sample_size(self) -> int:
        """Return the size of a sample in bytes."""
        subtype = self.options.subtype
        return _BITS.get(subtype, 0) // 8 or int(_FLOATS[subtype][1])
