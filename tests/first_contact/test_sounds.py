"""Sound files, as people first met them: read whole and right, whatever wrote them.

Section 6 of what first users found. `plugins/decoders/foreign_files.py` has two hundred more files by other programs.
"""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
import soundfile
from at_the_prompt import RATE, SPEECH, Prompt, heard, rate_of, snr

FLOAT = "--set outputs.0.with.subtype=FLOAT"
BLOCK = 131072
"""Samples between which earlier reading lost what came before."""

LONG = np.tile(SPEECH, 6)[: 2 * BLOCK + 4321]
"""Speech of more than two blocks."""

ROUNDED = 2.0**-15


def call(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


def ffmpeg(path: str, samples: Any = LONG, *options: str, rate: int = RATE) -> None:
    """Write a file by ffmpeg."""
    soundfile.write("given.wav", samples, rate)
    call("ffmpeg", "-v", "error", "-y", "-i", "given.wav", *options, path)


def by_mpg123(path: str) -> Any:
    call("mpg123", "-q", "-e", "f32", "-w", "wanted.wav", path)
    return heard("wanted.wav")


def by_ffmpeg(path: str) -> Any:
    """Decode a file that says its length, behind which ffmpeg keeps the rest of the last frame."""
    call("ffmpeg", "-v", "error", "-y", "-i", path, "-c:a", "pcm_f32le", "wanted.wav")
    return heard("wanted.wav")[: len(LONG)]


def by_oggdec(path: str) -> Any:
    call("oggdec", "-Q", "-o", "wanted.wav", path)
    return heard("wanted.wav")


def whole(path: str) -> Any:
    """Read a file by libsndfile in one go."""
    return soundfile.read(path)[0]


def bursts() -> Any:
    """Noise, a sine and silence, whose frames take very different numbers of bytes."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 2 * RATE)
    sine = 0.4 * np.sin(2 * np.pi * 440 / RATE * np.arange(8 * RATE))
    return np.concatenate([noise, sine, np.zeros(2 * RATE)])


LOSSY: dict[str, tuple[str, Callable[[str], None], Callable[[str], Any], float]] = {
    "VBR without a Xing frame": (
        "in.mp3",
        lambda path: ffmpeg(path, bursts(), "-c:a", "libmp3lame", "-q:a", "6", "-write_xing", "0"),
        by_mpg123,
        4e-6,
    ),
    "VBR with a Xing frame": (
        "in.mp3",
        lambda path: ffmpeg(path, LONG, "-c:a", "libmp3lame", "-q:a", "6"),
        by_mpg123,
        4e-6,
    ),
    "Vorbis": ("in.ogg", lambda path: ffmpeg(path, LONG, "-c:a", "libvorbis"), by_oggdec, ROUNDED),
    "Opus": ("in.opus", lambda path: soundfile.write(path, LONG, 48000, format="OGG", subtype="OPUS"), whole, 1e-6),
    "AAC": ("in.m4a", lambda path: ffmpeg(path, LONG, "-c:a", "aac"), by_ffmpeg, 4e-6),
}
"""Lossy files longer than two blocks: their name, what writes them, whose samples are right, and the largest error."""


@pytest.mark.parametrize("case", LOSSY)
def test_a_lossy_file_has_the_samples_of_one_reading_to_its_end(case: str, tonearm: Prompt) -> None:
    name, write, decoder, error = LOSSY[case]
    write(name)
    wanted = decoder(name)
    assert len(wanted) > 2 * BLOCK
    said = tonearm.convert(f"{name} o.wav {FLOAT}")
    assert said.status == 0, said.err
    found = heard()
    assert len(found) == len(wanted)
    assert np.abs(found - wanted).max() <= error
    shown = tonearm(f"inspect {name}").out
    assert f"{len(wanted):,}" in shown or str(len(wanted)) in shown


def joined(path: str, made: Callable[[str], None]) -> None:
    made(path)
    data = Path(path).read_bytes()
    Path(path).write_bytes(data + data)


SHORT = SPEECH[:22050]

TWICE: dict[str, tuple[str, Callable[[str], None], float]] = {
    "MP3": ("in.mp3", lambda path: ffmpeg(path, SHORT, "-c:a", "libmp3lame", "-q:a", "6"), 4e-6),
    "Vorbis": ("in.ogg", lambda path: ffmpeg(path, SHORT, "-c:a", "libvorbis"), ROUNDED),
    "FLAC": ("in.flac", lambda path: soundfile.write(path, SHORT, RATE), 0),
    "W64": ("in.w64", lambda path: ffmpeg(path, SHORT), 0),
    "CAF": ("in.caf", lambda path: soundfile.write(path, SHORT, RATE), 0),
    "AU": ("in.au", lambda path: soundfile.write(path, SHORT, RATE), 0),
}


@pytest.mark.parametrize("case", TWICE)
def test_two_files_one_after_the_other_are_both_read(case: str, tonearm: Prompt) -> None:
    name, write, error = TWICE[case]
    write(name)
    assert tonearm.convert(f"{name} one.wav {FLOAT}").status == 0
    joined(name, write)
    said = tonearm.convert(f"{name} o.wav {FLOAT}")
    assert said.status == 0, said.err
    once, found = heard("one.wav"), heard()
    assert len(found) == 2 * len(once)
    assert np.abs(found - np.tile(once, 2)).max() <= error


@pytest.mark.parametrize("suffix", [".m4a", ".tta", ".wma"])
def test_two_files_that_ffmpeg_reads_as_one_are_refused(suffix: str, tonearm: Prompt) -> None:
    joined(f"in{suffix}", lambda path: ffmpeg(path, SHORT))
    said = tonearm.convert(f"in{suffix} o.wav {FLOAT}")
    assert said.code == "bad-audio"
    first = re.search(r"head -c (\d+)", said.hint)
    assert first
    data = Path(f"in{suffix}").read_bytes()
    for part in (data[: int(first[1])], data[int(first[1]) :]):
        Path(f"part{suffix}").write_bytes(part)
        said = tonearm.convert(f"part{suffix} o.wav {FLOAT}")
        assert said.status == 0, said.err


def test_ten_minutes_of_digital_silence_of_our_own_are_read(tonearm: Prompt) -> None:
    np.save("in.npy", np.zeros(600 * 8000, np.int16))
    assert tonearm.convert("in.npy in.flac --sample-rate 8000").status == 0
    assert Path("in.flac").stat().st_size < 9_600_000 / 500
    assert tonearm.convert("in.flac o.wav").status == 0
    found = heard()
    assert (len(found), found.any()) == (4_800_000, np.False_)


def with_wrong_count(path: str) -> None:
    ffmpeg(path, SHORT, "-rf64", "always", "-f", "wav")
    data = bytearray(Path(path).read_bytes())
    at = data.index(b"ds64") + 24
    data[at : at + 8] = (777_777).to_bytes(8, "little")
    Path(path).write_bytes(data)


def behind(junk: bytes) -> Callable[[str], None]:
    def write(path: str) -> None:
        ffmpeg(path, SHORT, "-c:a", "libmp3lame", "-id3v2_version", "0")
        Path(path).write_bytes(junk + Path(path).read_bytes())

    return write


JUNK = bytes(range(1, 200)) * 7

ODD: dict[str, tuple[str, Callable[[str], None], bool]] = {
    "RF64 with a wrong number of samples": ("in.wav", with_wrong_count, False),
    "zeros before the first frame": ("in.mp3", behind(bytes(5000)), True),
    "junk before the first frame": ("in.mp3", behind(JUNK), True),
    "FLAC in Ogg": ("in.ogg", lambda path: ffmpeg(path, SHORT, "-c:a", "flac", "-f", "ogg"), False),
    "AAC": ("in.m4a", lambda path: ffmpeg(path, SHORT, "-c:a", "aac", "-b:a", "128k"), True),
}
"""Odd but legal files: their name, what writes them, and whether a codec loses something."""


@pytest.mark.parametrize("case", ODD)
def test_an_odd_file_is_read(case: str, tonearm: Prompt) -> None:
    name, write, lossy = ODD[case]
    write(name)
    said = tonearm.convert(f"{name} o.wav {FLOAT}")
    assert said.status == 0, said.err
    found = heard()
    assert rate_of() == RATE
    assert len(SHORT) <= len(found) <= len(SHORT) + (4 * 1152 if lossy else 0)
    delay = int(scipy.signal.correlate(found, SHORT[4000:18000], "valid").argmax())
    assert delay == 4000 or lossy
    assert snr(found[delay : delay + 14000], SHORT[4000:18000]) > (15 if lossy else 70)


def test_junk_in_front_gives_the_samples_of_the_file_without_it(tonearm: Prompt) -> None:
    behind(b"")("clean.mp3")
    assert tonearm.convert(f"clean.mp3 clean.wav {FLOAT}").status == 0
    for junk in (bytes(5000), JUNK, bytes(1)):
        Path("in.mp3").write_bytes(junk + Path("clean.mp3").read_bytes())
        assert tonearm.convert(f"in.mp3 o.wav {FLOAT}").status == 0
        np.testing.assert_array_equal(heard(), heard("clean.wav"))


@pytest.mark.parametrize("kind", ["", "kind: waveform, "])
def test_audio_in_a_table_says_its_own_rate_whatever_its_kind(kind: str, tonearm: Prompt) -> None:
    import pyarrow as pa
    from pyarrow import parquet as table

    file = io.BytesIO()
    soundfile.write(file, SHORT, RATE, format="FLAC")
    rows = [{"bytes": file.getvalue(), "path": f"{number}.flac"} for number in range(2)]
    table.write_table(pa.table({"audio": rows}), "in.parquet")
    Path("p.yaml").write_text(
        f"""\
tonearm: 1
input: {{use: parquet-reader, files: in.parquet, with: {{{kind}key: audio}}}}
outputs: [{{use: wav-writer, file: "{{index}}.wav"}}]
"""
    )
    said = tonearm("run p.yaml -o out --executor in-process")
    assert said.status == 0, said.err
    for number in range(2):
        assert rate_of(f"out/{number}.wav") == RATE
        assert np.abs(heard(f"out/{number}.wav") - SHORT).max() <= 2 * ROUNDED


def test_double_precision_is_kept_through_an_analysis_and_griffin_lim(tonearm: Prompt) -> None:
    np.save("in.npy", SHORT.astype(np.float64))
    options = f"--sample-rate {RATE} --precision double"
    analysis = "--step 'wave-to-spectrogram:n_fft=512;hop_length=128'"
    assert tonearm.convert(f"in.npy o.npy {options} {analysis} --step istft").status == 0
    found = np.load("o.npy")
    assert found.dtype == np.float64
    assert np.abs(found.ravel()[: len(SHORT)] - SHORT).max() < 1e-12
    magnitudes = "--step 'wave-to-spectrogram:n_fft=512;hop_length=128;kind=magnitude'"
    assert tonearm.convert(f"in.npy o.npy {options} {magnitudes} --step griffin-lim:iterations=2").status == 0
    assert np.load("o.npy").dtype == np.float64
