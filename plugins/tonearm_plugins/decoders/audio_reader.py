"""``audio-reader``: audio files, as libsndfile reads them."""

from __future__ import annotations

from collections.abc import Iterator

from tonearm.api import Context, Decoder, Item, ItemError, NoOptions, Source, Waveform

# Formats whose samples have more digits than float32.
DOUBLE = frozenset({"PCM_32", "DOUBLE"})


class AudioReader(Decoder[Waveform, NoOptions]):
    """Read an audio file: WAV, FLAC, OGG, MP3, AIFF and what else libsndfile knows, with its tags."""

    suffixes = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".w64", ".rf64", ".caf", ".au")

    def decode(self, source: Source, context: Context) -> Iterator[Item[Waveform]]:
        """Yield the sound, channel first; 32-bit integers and doubles stay float64."""
        import soundfile

        with source.open() as file:
            try:
                with soundfile.SoundFile(file) as audio:
                    dtype = "float64" if audio.subtype in DOUBLE else "float32"
                    samples = audio.read(dtype=dtype, always_2d=True)
                    rate, tags = audio.samplerate, audio.copy_metadata()
            except soundfile.LibsndfileError as error:
                raise ItemError(f"libsndfile cannot read it: {error.error_string}", code="not-audio") from error
            if not samples.size:
                raise ItemError("there are no samples in it", code="empty")
            yield Item(signal=Waveform(samples=samples.T.copy(), sample_rate=rate), tags=tags)
