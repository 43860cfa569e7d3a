"""Reading by libsndfile: what it opens, bounds on what a header claims, and files on which it prints notes."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from tonearm.api import InflationBound, ItemError
from tonearm_plugins.formats import sndfile_reading
from tonearm_plugins.formats.sndfile_reading import SILENCE_BYTES, SOUND_BYTES

WAVE = np.random.default_rng(3).uniform(-1, 1, (2000, 2))


def made(container: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, WAVE, 22050, format=container, subtype=subtype)
    return file.getvalue()


def test_libsndfile_opens_no_other_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wav, mp3 = made("WAV", "PCM_16"), made("MP3", "MPEG_LAYER_III")
    memory = io.BytesIO(mp3)
    assert sndfile_reading.openable(memory, mp3) is memory
    (tmp_path / "a").write_bytes(b"")
    with (tmp_path / "a").open("rb") as file:
        assert sndfile_reading.openable(file, wav) == file.fileno()
        assert sndfile_reading.openable(file, b"caff") == file.fileno()
        assert sndfile_reading.openable(file, mp3) == f"/dev/fd/{file.fileno()}"


def test_a_file_is_read_on_without_seeking() -> None:
    """soundfile seeks after each block, and MP3 goes on with other samples then."""
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 60_000)
    file = io.BytesIO()
    soundfile.write(file, sound, 44100, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="VARIABLE")
    file.seek(0)
    whole = soundfile.read(file, dtype="float32")[0]
    file.seek(0)
    with sndfile_reading.sequential_file(file) as opened:
        parts = [opened.read(7000, dtype="float32") for _ in range(9)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize(
    ("container", "bound"), [("WAV", SOUND_BYTES), ("FLAC", SILENCE_BYTES), ("OGG", SILENCE_BYTES)]
)
def test_a_claim_is_refused_from_the_first_byte_beyond_the_bound(container: str, bound: InflationBound) -> None:
    frames = bound.free // 8

    def sound(channels: int, count: int) -> SimpleNamespace:
        return SimpleNamespace(format=container, channels=channels, frames=count)

    sndfile_reading.check_claimed_length(sound(1, frames), 10)
    sndfile_reading.check_claimed_length(sound(2, 5 * frames), 10, frames // 2)
    for channels, count in ((1, frames + 1), (2, frames)):
        for given, length in ((count, None), (5, count)):
            with pytest.raises(ItemError) as caught:
                sndfile_reading.check_claimed_length(sound(channels, given), 10, length)
            assert caught.value.code == "too-long"
            assert caught.value.message == (
                f"the header claims {count:,} samples, but the file has 10 bytes, too few for so much sound"
            )
            assert caught.value.hint == "if it holds nothing but silence, leave it out"
    sndfile_reading.check_claimed_length(sound(2, frames), bound.free)


def test_bounds_that_legal_files_keep() -> None:
    assert InflationBound(268_435_456, 3000) == SOUND_BYTES
    # Frames of FLAC have up to 65,535 samples of 8 channels, in float64, and at least 26 bytes if all are silent.
    assert SILENCE_BYTES.ratio > 65_535 * 8 * 8 / 26
    # Packets of Opus have up to 5,760 samples in a byte, and another for its size.
    assert SILENCE_BYTES.ratio > 5760 * 2 * 8 / 2


@pytest.mark.parametrize(
    ("container", "subtype", "expected"),
    [
        ("WAV", "PCM_16", False),
        ("WAV", "FLOAT", False),
        ("WAVEX", "PCM_24", False),
        ("RF64", "PCM_16", True),
        ("WAV", "IMA_ADPCM", True),
        ("FLAC", "PCM_16", False),
        ("OGG", "VORBIS", False),
        ("AIFF", "PCM_16", False),
        ("AU", "PCM_16", False),
        ("CAF", "ALAC_16", True),
        ("MP3", "MPEG_LAYER_III", True),
    ],
)
def test_files_on_which_notes_may_be_printed(container: str, subtype: str, expected: bool) -> None:
    assert sndfile_reading.may_print(made(container, subtype)[:22]) == expected


def test_what_is_no_sound_may_be_taken_for_mp3() -> None:
    assert sndfile_reading.may_print(b"")
    assert sndfile_reading.may_print(b"ID3\4")
    assert sndfile_reading.may_print(b"RIFF----WAVEfmt \x10\0\0\0\x55\0")  # MP3 in WAV


def test_an_error_without_a_text_has_its_number() -> None:
    assert sndfile_reading.reason_of(SimpleNamespace(error_string="No such thing.", code=7)) == "No such thing"
    assert sndfile_reading.reason_of(SimpleNamespace(error_string="", code=7)) == "libsndfile's error 7"


def test_a_file_in_memory_takes_any_seek() -> None:
    file = sndfile_reading.SoundBytes(b"123")
    assert file.seek(1) == 1
    assert file.seek(-5, io.SEEK_CUR) == 0
    assert file.seek(2) == 2
    assert file.seek(-1) == -1
    assert file.tell() == 2
    assert file.read() == b"3"
