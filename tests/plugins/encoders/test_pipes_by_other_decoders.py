"""What encoders write into pipes, read from a pipe: the samples of the file, but for what a pipe cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encoder_helpers import encoded
from foreign_cases import sound
from other_decoders import heard_by_command
from streamed_files import piped

from tonearm_plugins.encoders.aac_writer import AacOptions, AacWriter
from tonearm_plugins.encoders.flac_writer import FlacOptions, FlacWriter
from tonearm_plugins.encoders.m4a_writer import M4aOptions, M4aWriter
from tonearm_plugins.encoders.mp3_writer import Mp3Options, Mp3Writer
from tonearm_plugins.encoders.ogg_writer import OggOptions, OggWriter
from tonearm_plugins.encoders.opus_writer import OpusOptions, OpusWriter
from tonearm_plugins.encoders.wav_writer import WavOptions, WavWriter

RATE = 48_000


@dataclass(frozen=True, kw_only=True)
class Piped:
    """An encoder, and what its form in a pipe cannot tell.

    Attributes
    ----------
    before
        Samples that are heard before the sound.
    after
        Most samples that are heard behind it.
    why
        Reason for both.
    """

    plugin: Any
    form: str
    decoders: tuple[str, ...]
    channels: tuple[int, ...] = (1, 2, 6)
    before: int = 0
    after: int = 0
    why: str = ""


PIPED = {
    "WAV": Piped(plugin=WavWriter(WavOptions()), form="wav", decoders=("ffmpeg", "sox")),
    "FLAC": Piped(plugin=FlacWriter(FlacOptions()), form="flac", decoders=("flac", "ffmpeg", "sox")),
    "Vorbis": Piped(plugin=OggWriter(OggOptions()), form="ogg", decoders=("oggdec", "ffmpeg", "sox")),
    "Opus": Piped(plugin=OpusWriter(OpusOptions()), form="opus", decoders=("opusdec", "ffmpeg with libopus")),
    "MP3": Piped(
        plugin=Mp3Writer(Mp3Options()),
        form="mp3",
        decoders=("mpg123", "ffmpeg"),
        channels=(1, 2),
        before=576 + 529,
        after=4096,
        why="the delays of encoder and decoder, and the length, stand in the frame of information, which comes last",
    ),
    "AAC": Piped(
        plugin=M4aWriter(M4aOptions()),
        form="m4a",
        decoders=("another ffmpeg",),  # Debian's plays the first frame, which the edit list in front leaves out
        after=1023,
        why="the length stands in the last fragment, of whose last frame ffmpeg plays all",
    ),
    "ALAC": Piped(plugin=M4aWriter(M4aOptions(codec="alac")), form="m4a", decoders=("ffmpeg",)),
    "ADTS": Piped(
        plugin=AacWriter(AacOptions()),
        form="aac",
        decoders=("ffmpeg told the form",),  # two frames, of 7 samples, are not always enough for it to know ADTS
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "by"), [(name, by) for name, one in PIPED.items() for by in one.decoders])
def test_a_pipe_is_heard_as_the_file(tmp_path: Path, name: str, by: str) -> None:
    one = PIPED[name]
    for channels in one.channels:
        for length in (7, 22_051):
            samples = sound("sine", RATE, length, channels)
            path, _ = encoded(one.plugin, tmp_path, samples, RATE)
            rate, of_file = heard_by_command(by, path, tmp_path / "file.wav", one.form)
            content = piped(one.plugin, samples, RATE, [length // 3])
            found, of_pipe = heard_by_command(by, content, tmp_path / "pipe.wav", one.form)
            assert found == rate == RATE
            more = of_pipe.shape[1] - one.before - of_file.shape[1]
            assert 0 <= more <= one.after, f"{more} samples more"
            np.testing.assert_array_equal(of_pipe[:, one.before :][:, : of_file.shape[1]], of_file)
