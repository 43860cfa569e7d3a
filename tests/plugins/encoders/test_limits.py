"""What a format cannot hold: refused before any data is read, or else for the item, never bent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import soundfile
from encoder_helpers import encoded, mapping, noise, run

import tonearm
from tonearm_plugins.encoders.m4a_writer import M4aOptions, M4aWriter
from tonearm_plugins.encoders.opus_writer import OpusOptions, OpusWriter


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
        ("opus-writer", 48000, 2, {"bitrate": 600}, "Opus has 12 to 512 kbit/s for 2 channels, not 600", "64 kbit/s"),
        ("opus-writer", 48000, 1, {"bitrate": 600}, "Opus has 6 to 256 kbit/s for 1 channel, not 600", "64 kbit/s"),
        ("opus-writer", 48000, 6, {"bitrate": 32}, "Opus has 36 to 1536 kbit/s for 6 channels, not 32", "64 kbit/s"),
        ("ogg-writer", 4000, None, {}, "Vorbis cannot have a sample rate of 4000 Hz", "sample_rate: 8000"),
        ("ogg-writer", 384000, None, {}, "Vorbis cannot have a sample rate of 384000 Hz", "sample_rate: 192000"),
        ("ogg-writer", 44100, 9, {}, "Vorbis cannot have 9 channels, only up to 8", "wav-writer"),
        ("m4a-writer", 192000, None, {}, "AAC cannot have a sample rate of 192000 Hz", "sample_rate: 96000"),
        ("m4a-writer", 44100, 8, {}, "AAC cannot have 8 channels, only up to 6", "flac-writer up to 8"),
        ("m4a-writer", 44100, 8, {"codec": "alac"}, "M4A cannot have 8 channels, only up to 6", "flac-writer"),
        ("m4a-writer", 44100, 1, {"codec": "alac", "bitrate": 96}, "ALAC is lossless", "leave bitrate out"),
        ("m4a-writer", 44100, 1, {"subtype": "PCM_24"}, "subtype is for what is rounded, but AAC takes floats", "alac"),
        ("flac-writer", 44100, 9, {}, "FLAC cannot have 9 channels, only up to 8", "wav-writer"),
        ("wav-writer", 10_000_000, 1024, {}, "WAV cannot say 10000000 Hz with 1024 channels of PCM_16", ""),
        ("npy-writer", 44100, 1, {"dtype": "int8"}, "'dtype' is 'int8'", "one of float16"),
    ],
)
def test_check_finds_it(
    use: str, rate: int, channels: int | None, options: dict[str, Any], message: str, hint: str
) -> None:
    problem = problem_of(use, ".x", rate, channels, options)
    assert message in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("use", "channels", "rate", "options", "message"),
    [
        ("ogg-writer", 9, 44100, {}, "Vorbis cannot have 9 channels, only up to 8"),
        ("opus-writer", 9, 48000, {}, "Opus cannot have 9 channels, only up to 8"),
        ("opus-writer", 2, 48000, {"bitrate": 600}, "Opus has 12 to 512 kbit/s for 2 channels, not 600"),
        ("m4a-writer", 8, 44100, {}, "AAC cannot have 8 channels, only up to 6"),
        ("aiff-writer", 1025, 44100, {}, "AIFF cannot have 1025 channels, only up to 1024"),
        ("raw-writer", 1025, 44100, {}, "libsndfile cannot have 1025 channels, only up to 1024"),
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


@pytest.mark.parametrize(("rate", "found"), [(22050, 24000), (44100, 48000), (96000, 48000), (4000, 8000)])
def test_opus_says_that_it_resamples(tmp_path: Path, rate: int, found: int) -> None:
    path, context = encoded(OpusWriter(OpusOptions()), tmp_path, noise(1, 999), rate)
    assert context.measurements["resampled_to"] == found
    assert context.warnings == [f"resampled from {rate} Hz to {found} Hz, which Opus has"]
    info = soundfile.info(path)
    assert (info.samplerate, info.frames) == (found, -(-999 * found // rate))


@pytest.mark.parametrize("rate", [8000, 12000, 16000, 24000, 48000])
def test_opus_leaves_its_own_rates_alone(tmp_path: Path, rate: int) -> None:
    path, context = encoded(OpusWriter(OpusOptions(resample=False)), tmp_path, noise(1, 999), rate)
    assert not context.measurements
    assert not context.warnings
    assert soundfile.info(path).samplerate == rate


def test_the_bit_rate_of_opus_is_that_of_all_channels(tmp_path: Path) -> None:
    for channels, bitrate in ((1, 32), (2, 64), (2, 192), (6, 256)):
        path, _ = encoded(OpusWriter(OpusOptions(bitrate=bitrate)), tmp_path, noise(channels, 240_000), 48000)
        assert path.stat().st_size * 8 / 5000 == pytest.approx(bitrate, rel=0.2)


@pytest.mark.parametrize(
    ("channels", "rate", "wanted", "found"), [(1, 44100, None, 96), (2, 44100, None, 192), (1, 8000, 320, 48)]
)
def test_the_bit_rate_of_aac_is_measured(
    tmp_path: Path, channels: int, rate: int, wanted: int | None, found: int
) -> None:
    path, context = encoded(M4aWriter(M4aOptions(bitrate=wanted)), tmp_path, noise(channels, rate * 4), rate)
    assert context.measurements["bitrate"] == found
    assert path.stat().st_size * 8 / 4000 == pytest.approx(found, rel=0.2)


@pytest.mark.parametrize("length", [1, 2, 4097, 8194])
def test_alac_refuses_what_would_end_the_whole_process(tmp_path: Path, length: int) -> None:
    _, report = run(tmp_path, noise(6, length), mapping("m4a-writer", ".m4a", 44100, codec="alac"))
    (error,) = report.errors
    assert error.message.startswith(f"ALAC cannot have {length} samples of 6 channels")
    assert error.hint == "pad it by a few samples, or flac-writer"


def test_a_full_disk_is_the_output_sides(tmp_path: Path) -> None:
    """Wherever it is full: at the first byte, in the middle, or at the last one, which libraries write on closing."""
    import subprocess
    import sys

    writers = ("wav", "flac", "mp3", "m4a", "aiff", "ogg", "opus", "raw", "npy", "safetensors")
    script = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import numpy as np
import tonearm
from pathlib import Path
from tonearm.run.store.temporaries import Temporaries
from tonearm.errors import OutputError
from tonearm.pipeline.converter import as_source
noise = np.random.default_rng(0).standard_normal(60_000).astype("f4") * 0.1

def write(name, length, limit):
    pipeline = tonearm.load_pipeline({{
        "tonearm": 1, "input": {{"use": "npy-reader", "with": {{"sample_rate": 48000}}}},
        "outputs": [{{"use": name + "-writer", "file": "x." + name}}],
    }})
    (outcome,) = pipeline.items(as_source(noise[:length]))
    with Temporaries({str(tmp_path)!r}, owner_id="0" * 8, fsync=False) as temporaries:
        sink = temporaries.sink("x." + name)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            pipeline.encode(pipeline.outputs[0], outcome.item, sink, outcome.context)
            return sink.path.stat().st_size
        except OutputError as error:
            return error.code
        except BaseException as error:
            return f"{{error!r}}"
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

for name in {writers!r}:
    for length in (3000, 60_000):
        size = write(name, length, resource.RLIM_INFINITY)
        print(name, length, *(write(name, length, limit) for limit in (1, size // 2, size - 1)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    expected = [f"{name} {length} output output output" for name in writers for length in (3000, 60_000)]
    assert done.stdout.splitlines() == expected


@pytest.mark.parametrize("name", ["npy", "safetensors"])
@pytest.mark.parametrize(
    ("kind", "dtype", "message"),
    [
        ("complex", "float32", "cannot hold complex values"),
        ("magnitude", "int16", "int16 is for waveforms, which have a full scale"),
    ],
)
def test_a_type_that_does_not_fit_the_signal(name: str, kind: str, dtype: str, message: str) -> None:
    reader = {"kind": kind, "sample_rate": 8000, "n_fft": 64, "hop_length": 16}
    output = {"use": f"{name}-writer", "file": "x", "with": {"dtype": dtype}}
    with pytest.raises(tonearm.PipelineError, match=message):
        tonearm.load_pipeline({"tonearm": 1, "input": {"use": "npy-reader", "with": reader}, "outputs": [output]})
