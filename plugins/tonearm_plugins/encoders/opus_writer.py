"""``opus-writer``: Opus in Ogg."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from tonearm.api import Context, Limits, Meta, OptionError, SetOption, Sink, Spec, StartedEncoder
from tonearm_plugins.encoders.sound_tags import SoundEncoder, SoundTagOptions
from tonearm_plugins.formats.codec_limits import OPUS, OPUS_BITRATES, OPUS_RESAMPLED

_LEAST, _MOST = OPUS_BITRATES


@dataclass(frozen=True, kw_only=True)
class OpusOptions(SoundTagOptions):
    """Options of ``opus-writer``."""

    bitrate: Annotated[
        int | None,
        Meta(
            ge=_LEAST,
            le=8 * _MOST,
            description="Average bit rate of all channels together in kbit/s: 6 to 256 for each channel. By default"
            " libopus chooses, about 64 for each channel at 48 kHz.",
        ),
    ] = None
    resample: Annotated[
        bool,
        Meta(
            description="Whether a sample rate that Opus does not have is resampled to the next one (22,050 Hz to"
            " 24,000), with a warning, or refused. Opus has 8, 12, 16, 24 and 48 kHz."
        ),
    ] = True


class OpusWriter(SoundEncoder[OpusOptions]):
    """Write an Opus file of exact length and up to 8 channels, resampled to the next rate that Opus has."""

    suffixes = (".opus",)
    other_suffixes = (".ogg", ".oga")
    has_r128_gain = True
    any_blocks = True
    pipes = True

    def limits_for(self, spec: Spec) -> Limits:
        """Return the limits of Opus, with all sample rates if they are resampled."""
        return OPUS_RESAMPLED if self.options.resample else OPUS

    def accepts(self, spec: Spec) -> None:
        """Refuse what Opus cannot hold, and a bit rate that does not fit the channels."""
        super().accepts(spec)
        problem = None if spec.channels is None else self._bitrate_problem(spec.channels)
        if problem:
            raise problem

    def begin(self, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> StartedEncoder:
        """Return libsndfile's encoder of Opus, on pages of ours, and measure the new sample rate, if any."""
        from tonearm_plugins.encoders.started_opus import StartedOpus

        return StartedOpus(spec, sink, context, level=self._level(spec.channels or 1), tags=tags, cover=self.cover)

    def _bitrate_problem(self, channels: int) -> OptionError | None:
        """Return the error for a bit rate that these channels cannot have; None if they can."""
        bitrate = self.options.bitrate
        if bitrate is None or _LEAST * channels <= bitrate <= _MOST * channels:
            return None
        return OptionError(
            f"Opus has {_LEAST * channels} to {_MOST * channels} kbit/s for {channels} channel{'s' * (channels > 1)},"
            f" not {bitrate}",
            option="bitrate",
            remedies=(SetOption("bitrate", 64 * channels, "which is enough for anything"),),
        )

    def _level(self, channels: int) -> float | None:
        """Return libsndfile's compression level, which spreads 0 to 1 over the bit rates, the highest first."""
        bitrate = self.options.bitrate
        return None if bitrate is None else (_MOST - bitrate / channels) / (_MOST - _LEAST)
