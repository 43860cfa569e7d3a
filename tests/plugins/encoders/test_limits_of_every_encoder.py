"""What a format cannot hold: refused before any data is read, or else for the item, never bent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from encoder_helpers import mapping, noise, run, yaml_hint

import tonearm


def problem_of(use: str, suffix: str, rate: int, channels: int | None, options: dict[str, Any]) -> Any:
    """The only problem of a pipeline whose signal has so many channels."""
    if channels is None:
        pipeline = mapping(use, suffix, rate, **options)
    else:
        reader = {"encoding": "pcm_s16le", "sample_rate": rate, "channels": channels}
        output = {"use": use, "file": f"{{stem}}{suffix}", "with": options}
        pipeline = {"tonearm": 1, "input": {"use": "pcm-reader", "with": reader}, "outputs": [output]}
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load_pipeline(pipeline)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("use", "rate", "channels", "options", "message", "hint"),
    [
        ("mp3-writer", 96000, None, {}, "MP3 cannot have a sample rate of 96000 Hz", "sample_rate: 48000"),
        ("mp3-writer", 44100, 6, {}, "MP3 cannot have 6 channels, only up to 2", "flac-writer up to 8"),
        ("opus-writer", 22050, None, {"resample": False}, "Opus cannot have a sample rate of 22050 Hz", "24000"),
        ("opus-writer", 48000, 9, {}, "Opus cannot have 9 channels, only up to 8", "wav-writer"),
        (
            "opus-writer",
            48000,
            2,
            {"bitrate": 600},
            "Opus has 12 to 512 kbit/s for 2 channels, not 600",
            "bitrate: 128, which",
        ),
        (
            "opus-writer",
            48000,
            1,
            {"bitrate": 600},
            "Opus has 6 to 256 kbit/s for 1 channel, not 600",
            "bitrate: 64, which",
        ),
        ("opus-writer", 48000, 6, {"bitrate": 32}, "Opus has 36 to 1536 kbit/s for 6 channels, not 32", "bitrate: 384"),
        ("ogg-writer", 4000, None, {}, "Vorbis cannot have a sample rate of 4000 Hz", "sample_rate: 8000"),
        ("ogg-writer", 384000, None, {}, "Vorbis cannot have a sample rate of 384000 Hz", "sample_rate: 192000"),
        ("ogg-writer", 44100, 9, {}, "Vorbis cannot have 9 channels, only up to 8", "wav-writer"),
        ("m4a-writer", 192000, None, {}, "AAC cannot have a sample rate of 192000 Hz", "sample_rate: 96000"),
        ("m4a-writer", 44100, 8, {}, "AAC cannot have 8 channels, only up to 6", "flac-writer up to 8"),
        ("m4a-writer", 44100, 8, {"codec": "alac"}, "M4A cannot have 8 channels, only up to 6", "flac-writer"),
        ("m4a-writer", 44100, 1, {"codec": "alac", "bitrate": 96}, "ALAC is lossless", "leave bitrate out"),
        (
            "m4a-writer",
            44100,
            1,
            {"subtype": "PCM_24"},
            "subtype is only for integers, and AAC takes floats",
            "codec: alac",
        ),
        ("flac-writer", 44100, 9, {}, "FLAC cannot have 9 channels, only up to 8", "wav-writer"),
        ("wav-writer", 10_000_000, 1024, {}, "WAV cannot hold 10000000 Hz with 1024 channels of PCM_16", ""),
        ("npy-writer", 44100, 1, {"dtype": "int8"}, "'dtype' is 'int8'", "one of float16"),
    ],
)
def test_check_finds_it(
    use: str, rate: int, channels: int | None, options: dict[str, Any], message: str, hint: str
) -> None:
    problem = problem_of(use, ".x", rate, channels, options)
    assert message in problem.message
    assert hint in yaml_hint(problem)


@pytest.mark.parametrize(
    ("use", "channels", "rate", "options", "message"),
    [
        ("ogg-writer", 9, 44100, {}, "Vorbis cannot have 9 channels, only up to 8"),
        ("opus-writer", 9, 48000, {}, "Opus cannot have 9 channels, only up to 8"),
        ("opus-writer", 2, 48000, {"bitrate": 600}, "Opus has 12 to 512 kbit/s for 2 channels, not 600"),
        ("m4a-writer", 8, 44100, {}, "AAC cannot have 8 channels, only up to 6"),
        ("aiff-writer", 1025, 44100, {}, "AIFF cannot have 1,025 channels, only up to 1,024"),
        ("wav-writer", 32768, 44100, {}, "WAV cannot hold 32768 channels of PCM_16"),
    ],
)
def test_what_only_the_data_tell_fails_the_item(
    tmp_path: Path, use: str, channels: int, rate: int, options: dict[str, Any], message: str
) -> None:
    _, report = run(tmp_path, noise(channels, 3), mapping(use, ".x", rate, **options))
    (error,) = report.errors
    assert error.message == message
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".tonearm"]
