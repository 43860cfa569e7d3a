"""Opus at work: its end is as good as its middle, and its start is early."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from encoder_helpers import noise
from other_decoders import call
from streamed_files import piped, spy, started, streamed

from tonearm_plugins.encoders.opus_writer import OpusOptions, OpusWriter

RATE = 48000
TIME = np.arange(RATE + 33) / RATE


def rms(values: Any) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype="f8"))))


def decoded(path: Path) -> Any:
    wav = path.with_suffix(".wav")
    call("opusdec", "--quiet", "--float", "--rate", RATE, path, wav)
    return soundfile.read(wav, dtype="float64", always_2d=True)[0].T


SOUNDS: dict[str, Callable[[], Any]] = {
    "sine": lambda: 0.3 * np.sin(2 * np.pi * 440 * TIME),
    "chord": lambda: 0.3 * np.sin(2 * np.pi * 220 * TIME) + 0.2 * np.sin(2 * np.pi * 1200 * TIME + 1),
    "loud": lambda: 0.9 * np.sin(2 * np.pi * 150 * TIME + 0.3),
    "noise": lambda: np.convolve(noise(1, RATE + 33, 1.0)[0], np.ones(20) / 20, "same"),
}


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("bitrate", [None, 64])
def test_the_end_is_as_good_as_the_middle_or_as_opusencs(tmp_path: Path, name: str, bitrate: int | None) -> None:
    for cut in range(33):  # ends anywhere in a period, and in a frame
        if cut % 8:
            continue
        samples = SOUNDS[name]()[None, : RATE + cut].astype("f4")
        path = tmp_path / "x.opus"
        path.write_bytes(streamed(OpusWriter(OpusOptions(bitrate=bitrate)), samples, RATE))
        error = decoded(path) - samples
        middle, end = rms(error[:, 20_000:30_000]), rms(error[:, -240:])
        if end > 3 * middle:
            wav, theirs = tmp_path / "theirs.wav", tmp_path / "theirs.opus"
            soundfile.write(wav, samples.T, RATE, subtype="FLOAT")
            call("opusenc", "--quiet", *(("--bitrate", bitrate) if bitrate else ()), wav, theirs)
            assert end <= rms((decoded(theirs) - samples)[:, -240:])


@pytest.mark.parametrize("rate", [48000, 44100, 24000, 22050, 16000, 11025, 8000])
def test_bytes_have_left_when_three_tenths_of_a_second_are_written(rate: int) -> None:
    pieces: list[bytes] = []
    samples = noise(1, 3 * rate // 10)
    encoder = started(OpusWriter(OpusOptions(bitrate=64)), samples, rate, spy(pieces, ".opus"))
    step = rate // 100
    for at in range(0, samples.shape[1], step):
        encoder.write(samples[:, at : at + step])
    assert sum(map(len, pieces)) > 1000
    encoder.abort()


def test_resampling_is_reported_when_a_stream_begins() -> None:
    from streamed_files import write_all

    context = write_all(OpusWriter(OpusOptions()), noise(1, 999), 22050, spy([], ".opus"))
    assert context.measurements["resampled_to"] == 24000
    assert context.warnings == ["resampled from 22050 Hz to 24000 Hz, which Opus has"]


def test_the_sound_is_what_libsndfile_alone_would_write(tmp_path: Path) -> None:
    """But for its end: packets are those of libsndfile."""
    import io

    from tonearm_plugins.formats.ogg_pages import PacketReader

    samples = noise(1, 50_000)
    file = io.BytesIO()
    values = np.rint(samples.T.astype("f8") * 2**23).astype("i4") << 8
    soundfile.write(file, values, RATE, format="OGG", subtype="OPUS")
    mine, theirs = (
        list(PacketReader().push(one)) for one in (piped(OpusWriter(OpusOptions()), samples, RATE), file.getvalue())
    )
    assert mine[0] == theirs[0]
    assert mine[2:-2] == theirs[2 : len(mine) - 2]
