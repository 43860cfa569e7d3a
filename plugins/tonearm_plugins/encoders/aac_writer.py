"""``aac-writer``: AAC in ADTS frames, through PyAV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from tonearm.api import Context, Meta, Requirement, Sink, Spec, StartedEncoder
from tonearm_plugins.encoders.sound_tags import SoundEncoder, SoundTagOptions
from tonearm_plugins.formats.codec_limits import AAC_OF_PYAV, nearest_aac_bitrate

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array


@dataclass(frozen=True, kw_only=True)
class AacOptions(SoundTagOptions):
    """Options of ``aac-writer``."""

    bitrate: Annotated[
        int | None,
        Meta(
            ge=8,
            le=3456,
            description="Average bit rate for all channels together in kbit/s; by default 96 for each channel. A bit"
            " rate above 6 bits a sample, the highest that AAC has, is lowered to it.",
        ),
    ] = None


class AacWriter(SoundEncoder[AacOptions]):
    """Write AAC in ADTS frames, for radio and streams; decoders add up to 1,024 samples at the start and at the end."""

    suffixes = (".aac",)
    requires = (Requirement(name="av", hint="pip install 'tonearm[m4a]'"),)
    limits = AAC_OF_PYAV
    any_blocks = True
    pipes = True

    def clips(self) -> bool:
        """Return False: AAC takes floats."""
        return False

    def begin(self, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> StartedEncoder:
        """Write the tags as ID3v2, measure the bit rate, and return the encoder at work."""
        return _StartedAac(self, spec, sink, tags, context)


class _StartedAac(StartedEncoder):
    """AAC on its way into a file or a pipe."""

    def __init__(self, writer: AacWriter, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        from tonearm_plugins.formats.pyav_writing import PyavEncoding

        sample_rate, channels = spec.sample_rate or 0, spec.channels or 0
        bitrate = nearest_aac_bitrate(writer.options.bitrate, sample_rate, channels)
        context.measure(bitrate=bitrate)
        self._file: Any = sink.open()
        try:
            if tags or writer.cover:
                from tonearm_plugins.formats.tags import id3_bytes

                self._file.write(id3_bytes(tags, writer.cover))
            self._encoding = PyavEncoding(
                self._file.write,
                "adts",
                "aac",
                sample_rate=sample_rate,
                channels=channels,
                bitrate=bitrate,
                options={"flush_packets": "1"},
            )
        except BaseException:
            self._file.close()
            raise

    def write(self, block: Array) -> None:
        """Encode a block."""
        self._encoding.write(block.astype("f4", copy=False))

    def finish(self) -> None:
        """Write the last frames."""
        self._encoding.finish()
        self._file.close()

    def abort(self) -> None:
        """Close the file."""
        self._encoding.abort()
        self._file.close()
