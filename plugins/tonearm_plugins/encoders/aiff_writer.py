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
    PcmRounding,
    Sink,
    Spec,
    StartedEncoder,
    note_clipped,
)
from tonearm_plugins.encoders.sound_tags import SoundEncoder, SoundTagOptions
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


class AiffWriter(SoundEncoder[AiffOptions]):
    """Write an AIFF file of up to 4 GB; integers are rounded and never wrap around, floats are written as AIFF-C."""

    suffixes = (".aiff", ".aif", ".aifc")
    any_blocks = True

    def limits_for(self, spec: Spec) -> Limits:
        """Return the limits of AIFF, which ends at 4 GB."""
        return AIFF.replace(sample_size=self._sample_size())

    def begin(self, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> StartedEncoder:
        """Return libsndfile at work on a file; tags that it does not know follow at the end."""
        return _StartedAiff(self.options, self.cover, spec, sink, tags, context)

    def _sample_size(self) -> int:
        """Return the size of a sample in bytes."""
        subtype = self.options.subtype
        return _BITS.get(subtype, 0) // 8 or int(_FLOATS[subtype][1])


class _StartedAiff(StartedEncoder):
    """An AIFF file at work. libsndfile goes back to its header at the end, so it needs no length beforehand."""

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

        bits = _BITS.get(options.subtype)
        self._rounding = PcmRounding(bits, options.generator(context)) if bits else None
        self._floats = _FLOATS.get(options.subtype, "")
        self._context = context
        self._path, self._tags, self._cover = sink.path, tags, cover
        self._sndfile = SndfileWriter(
            self._path.open("w+b", buffering=0),
            sample_rate=spec.sample_rate or 0,
            channels=spec.channels or 0,
            container="AIFF",
            subtype=options.subtype,
            strings={name: tags[name] for name in _STRINGS if name in tags},
        )

    def write(self, block: Array) -> None:
        """Write a block."""
        import numpy as np

        rounding = self._rounding
        self._sndfile.write(np.ascontiguousarray(block.T, self._floats) if rounding is None else rounding(block))

    def finish(self) -> None:
        """Write the end of the file and the tags, and measure the number of clipped samples."""
        from tonearm_plugins.formats.tags import write_aiff

        self._sndfile.finish()
        write_aiff(self._path, self._tags, self._cover)
        if self._rounding is not None:
            note_clipped(self._rounding.clipped, self._context)

    def abort(self) -> None:
        """Release libsndfile, and close the file."""
        self._sndfile.abort()
