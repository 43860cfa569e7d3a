"""The part that ``ogg-writer`` and ``opus-writer`` share: an encoder of libsndfile at work on an Ogg file."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tonearm.api import Context, PcmRounding, Sink, Spec, StartedEncoder, note_clipped
from tonearm_plugins.encoders.gathering import Gathering
from tonearm_plugins.formats.channel_order import vorbis_order
from tonearm_plugins.formats.ogg_sound import Codec, OggSound
from tonearm_plugins.formats.sndfile_writing import SndfileWriter
from tonearm_plugins.formats.tags import with_comments

if TYPE_CHECKING:
    from tonearm.api import Cover
    from tonearm_plugins.dsp.typing import Array

_BITS = 24


class StartedOgg(StartedEncoder):
    """An encoder of Vorbis or Opus at work on one file.

    Parameters
    ----------
    spec
        Specification of the sound, at a rate that the codec has.
    sink
        Sink.
    context
        Context, which takes the number of clipped samples.
    codec
        Codec.
    subtype
        libsndfile's name of the codec.
    compression_level
        Compression from 0 to 1 on the scale of libsndfile.
    tags, cover
        Tags and cover.
    shortest
        Samples that the encoder gets at least at once, if there are as many, and exactly so many at the start.
    """

    def __init__(
        self,
        spec: Spec,
        sink: Sink,
        context: Context,
        *,
        codec: Codec,
        subtype: str,
        compression_level: float | None,
        tags: Mapping[str, str],
        cover: Cover | None,
        shortest: int = 0,
    ) -> None:
        channels, rate = spec.channels or 1, spec.sample_rate or 1
        self._context = context
        self._order = vorbis_order(channels)
        self._rounding = PcmRounding(_BITS)
        self._length = 0
        self._gathering = Gathering(shortest)
        self._shortest = shortest
        self._is_begun = False
        self._file = sink.open()
        self._ogg = OggSound(self._file.write, codec, lambda old: with_comments(old, tags, cover))
        try:
            self._sndfile = SndfileWriter(
                self._ogg.push,
                sample_rate=rate,
                channels=channels,
                container="OGG",
                subtype=subtype,
                compression_level=compression_level,
                page_latency=0.0,
            )
        except BaseException:
            self._file.close()
            raise

    def write(self, block: Array) -> None:
        """Encode a block, and write the pages that are complete."""
        self._length += block.shape[-1]
        gathered = self._gathering.push(block)
        if gathered is None:
            return
        block = gathered
        if not self._is_begun:
            self._encode(block[:, : self._shortest])
            block = block[:, self._shortest :]
            self._is_begun = True
        self._encode(block)

    def finish(self) -> None:
        """Write the last pages with the exact length, and measure the number of clipped samples."""
        self._encode_rest()
        self._ogg.end_at(self._length)
        self._sndfile.finish(self._end)
        note_clipped(self._rounding.clipped, self._context)

    def abort(self) -> None:
        """Release the encoder, and close the file."""
        self._sndfile.abort()
        with contextlib.suppress(OSError):
            self._file.close()

    def _encode_rest(self) -> None:
        """Encode what waits for more samples."""
        rest = self._gathering.rest()
        if rest is not None:
            self._encode(rest)

    def _encode(self, block: Array, rounding: PcmRounding | None = None) -> None:
        if block.shape[-1]:
            values: Any = (rounding or self._rounding)(block)
            self._sndfile.write(values[:, self._order])

    def _end(self) -> None:
        self._ogg.finish()
        self._file.close()
