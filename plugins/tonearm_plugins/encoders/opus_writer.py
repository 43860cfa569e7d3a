"""``opus-writer``: Opus in Ogg."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from tonearm.api import Context, Meta, OptionError, Sink, Spec, Waveform
from tonearm_plugins.encoders.pcm_options import pcm_blocks
from tonearm_plugins.encoders.tag_options import TaggingEncoder, Tags, WithProvenance, tag_problems
from tonearm_plugins.formats.codec_limits import Limits, as_item_error

_RATES = (8000, 12000, 16000, 24000, 48000)
_LIMITS = Limits(name="Opus", rates=_RATES, channels=8)
_RESAMPLED = Limits(name="Opus", channels=8)
_BITS = 24
_LEAST, _MOST = 6, 256  # kbit/s of each channel, as libsndfile has it


@dataclass(frozen=True, kw_only=True)
class OpusOptions:
    """Options of ``opus-writer``."""

    bitrate: Annotated[
        int | None,
        Meta(
            ge=_LEAST,
            le=8 * _MOST,
            description="Bit rate of all channels in kbit/s, on average, 6 to 256 of each; libopus's own choice if not"
            " given, about 64 of each at 48 kHz.",
        ),
    ] = None
    resample: Annotated[
        bool,
        Meta(
            description="Whether a sample rate that Opus does not have becomes the next one that it has (22,050 Hz"
            " becomes 24,000), with a warning, or is refused. Opus has 8, 12, 16, 24 and 48 kHz."
        ),
    ] = True
    tags: Tags = field(default_factory=dict)
    provenance: WithProvenance = False

    def problems(self) -> Iterator[OptionError]:
        """Yield what is wrong with the tags."""
        return tag_problems(self)


class OpusWriter(TaggingEncoder[Waveform, OpusOptions]):
    """Write an Opus file of exact length, up to 8 channels; a rate that Opus lacks is resampled to the next it has."""

    suffixes = (".opus",)

    def accepts(self, spec: Spec) -> None:
        """Refuse more than 8 channels, bit rates that these cannot have, and other rates if they are not resampled."""
        self._limits().check(spec.sample_rate, spec.channels)
        problem = None if spec.channels is None else self._bitrate_problem(spec.channels)
        if problem:
            raise problem

    def write(self, signal: Waveform, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the file and its tags, and measure the rate if it is another one, and what was clipped."""
        from tonearm_plugins.formats.channel_order import vorbis_order
        from tonearm_plugins.formats.sndfile import write
        from tonearm_plugins.formats.tags import write_comments

        self._limits().check_signal(signal)
        problem = self._bitrate_problem(signal.channels)
        if problem:
            raise as_item_error(problem)
        signal = _at_a_rate(signal, context)
        order = vorbis_order(signal.channels)
        write(
            sink.path,
            (block[:, order] for block in pcm_blocks(signal, _BITS, context)),
            sample_rate=signal.sample_rate,
            channels=signal.channels,
            container="OGG",
            subtype="OPUS",
            compression_level=self._level(signal.channels),
        )
        write_comments(sink.path, tags, "opus")

    def _limits(self) -> Limits:
        return _RESAMPLED if self.options.resample else _LIMITS

    def _bitrate_problem(self, channels: int) -> OptionError | None:
        """Say if so many channels cannot have the bit rate that is wanted."""
        bitrate = self.options.bitrate
        if bitrate is None or _LEAST * channels <= bitrate <= _MOST * channels:
            return None
        return OptionError(
            f"Opus has {_LEAST * channels} to {_MOST * channels} kbit/s for {channels} channel{'s' * (channels > 1)},"
            f" not {bitrate}",
            option="bitrate",
            hint="64 kbit/s of each channel is good for anything",
        )

    def _level(self, channels: int) -> float | None:
        """Return libsndfile's compression level, which spreads 0 to 1 over the bit rates, the highest first."""
        bitrate = self.options.bitrate
        return None if bitrate is None else (_MOST - bitrate / channels) / (_MOST - _LEAST)


def _at_a_rate(signal: Waveform, context: Context) -> Waveform:
    """Return the signal at the next rate that Opus has, its own if it is one; beyond 48 kHz it is that."""
    rate = next((rate for rate in _RATES if rate >= signal.sample_rate), _RATES[-1])
    if rate == signal.sample_rate:
        return signal
    from tonearm_plugins.dsp.resampling import resample

    context.measure(resampled_to=rate)
    context.warn(f"resampled from {signal.sample_rate} Hz to {rate} Hz, which Opus has")
    samples = resample(signal.samples, signal.sample_rate, rate)
    return Waveform(samples=samples, sample_rate=rate)
