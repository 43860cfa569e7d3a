"""``audio-reader``: audio files, read by libsndfile, or by ffmpeg where it alone knows the format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tonearm.api import Context, Decoder, Item, ItemError, Source, Spec, Waveform
from tonearm_plugins.decoders.waveforms import FullScale, NonFinite, waveforms
from tonearm_plugins.formats.audio_suffixes import AUDIO_SUFFIXES
from tonearm_plugins.formats.sound_reading import look_at_sound, opened, read_sound

_FLOATS = ("FLOAT", "DOUBLE")


@dataclass(frozen=True, kw_only=True)
class AudioOptions:
    """Options of ``audio-reader``; everything else is in the file."""

    full_scale: FullScale = None
    nan: NonFinite = "error"


class AudioReader(Decoder[Waveform, AudioOptions]):
    """Read WAV, FLAC, Ogg, MP3, AIFF, CAF, and with PyAV or ffmpeg M4A, WMA, WebM and others; with tags."""

    suffixes = AUDIO_SUFFIXES
    reads = "content"

    def decode(self, source: Source, context: Context) -> Iterator[Item[Waveform]]:
        """Yield the sound: float32, or float64 if the file has more digits."""
        if source.array is not None:
            raise ItemError(
                "an array in memory is not an audio file",
                code="not-a-file",
                hint="npy-reader takes arrays; give audio-reader a path or an open file",
            )
        with opened(source) as file:
            copies = 1 if self.options.full_scale in (None, 1.0) else 2
            sound = read_sound(file, source.name, copies=copies, on_progress=context.progress)
        for warning in sound.warnings:
            context.warn(warning)
        for signal in waveforms(
            sound.samples,
            ("channel", "time"),
            sample_rate=sound.sample_rate,
            full_scale=self._full_scale(sound.subtype),
            nan=self.options.nan,
            context=context,
        ):
            yield Item(signal=signal, tags=sound.tags)

    def _full_scale(self, subtype: str) -> float | None:
        """Return the value of full scale of floats: lossy codecs may exceed ±1.0, integers have their own."""
        if subtype in _FLOATS:
            return self.options.full_scale
        return None if subtype.startswith(("PCM", "ALAC")) else 1.0

    def produces(self) -> Spec:
        """Return the spec of a waveform; its rate, channels and length are in each file."""
        return Spec(signals=(Waveform,))

    def look(self, source: Source) -> Spec:
        """Return the spec of the waveform in one file, from its header."""
        with opened(source) as file:
            found = look_at_sound(file, source.name)
            return self.produces().replace(sample_rate=found.sample_rate, channels=found.channels, length=found.length)
