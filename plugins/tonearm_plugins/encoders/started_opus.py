"""An encoder of Opus at work on one file: at a rate of Opus, and up to the last sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tonearm.api import Context, PcmRounding, Sink, Spec
from tonearm_plugins.dsp.resampling import Resampler
from tonearm_plugins.encoders.ogg_encoding import StartedOgg
from tonearm_plugins.formats.codec_limits import OPUS
from tonearm_plugins.formats.ogg_sound import OPUS_RATE, Opus

if TYPE_CHECKING:
    from tonearm.api import Cover
    from tonearm_plugins.dsp.typing import Array

_FRAMES = 50  # frames of libsndfile in a second
_CALLS = 25  # calls of libsndfile in a second at most


class StartedOpus(StartedOgg):
    """An encoder of Opus at work on one file.

    The encoder looks ahead, and has not encoded the last samples when it has got them. So the sound is continued beyond
    its end, as opusenc does, which brings them out without a click, and the last page states where the sound ends.

    Parameters
    ----------
    spec
        Specification of the sound, at any rate.
    sink
        Sink.
    context
        Context, which takes the new sample rate, if any, and the number of clipped samples.
    level
        libsndfile's compression level.
    tags, cover
        Tags and cover.
    """

    def __init__(
        self,
        spec: Spec,
        sink: Sink,
        context: Context,
        *,
        level: float | None,
        tags: Mapping[str, str],
        cover: Cover | None,
    ) -> None:
        import numpy as np

        from tonearm_plugins.dsp.linear_prediction import Ending

        given, channels = spec.sample_rate or 1, spec.channels or 1
        self._rate = OPUS.nearest_rate(given)
        self._resampler: Resampler | None = None
        dtype = "f8" if spec.precision == "double" else "f4"
        if self._rate != given:
            context.measure(resampled_to=self._rate)
            context.warn(f"resampled from {given} Hz to {self._rate} Hz, which Opus has")
            self._resampler = Resampler(given, self._rate)
        self._none: Array = np.zeros((channels, 0), dtype)
        self._ending = Ending(channels, self._rate)
        self._opus = Opus()
        super().__init__(
            spec.replace(sample_rate=self._rate),
            sink,
            context,
            codec=self._opus,
            subtype="OPUS",
            compression_level=level,
            tags=tags,
            cover=cover,
            shortest=self._rate // _CALLS,
        )

    def write(self, block: Array) -> None:
        """Resample and encode a block, and write the pages that are complete."""
        self._take(block if self._resampler is None else self._resampler.push(block))

    def finish(self) -> None:
        """Encode what is left and a continuation, and write the last pages."""
        if self._resampler is not None:
            self._take(self._resampler.push(self._none, is_last=True))
        self._encode_rest()
        if self._length:
            frame = self._rate // _FRAMES
            end = self._length + self._opus.skipped * self._rate // OPUS_RATE
            self._encode(self._ending.continuation(end - self._length + -end % frame), PcmRounding(24))
        super().finish()

    def _take(self, block: Array) -> None:
        """Encode a block at the rate of the file, and remember its end."""
        self._ending.push(block)
        super().write(block)
