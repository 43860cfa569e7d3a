"""Reading by libsndfile: sounds in memory, bounds on what a header claims, and a stderr that is silent and returns."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from tonearm.api import InflationBound, ItemError, limited_memory
from tonearm_plugins.formats import sndfile_reading
from tonearm_plugins.formats.sndfile_reading import SOUND_BYTES

WAVE = np.random.default_rng(3).uniform(-1, 1, (2000, 2))


def made(container: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, WAVE, 22050, format=container, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize(
    ("container", "subtype", "dtype", "error"),
    [
        ("WAV", "PCM_16", "f4", 2**-15),
        ("FLAC", "PCM_24", "f8", 2**-23),
        ("WAV", "FLOAT", "f4", 2**-24),
        ("WAV", "DOUBLE", "f8", 0),
        ("WAV", "PCM_32", "f8", 2**-31),
    ],
)
def test_a_sound_in_memory(container: str, subtype: str, dtype: str, error: float) -> None:
    samples, rate = sndfile_reading.decode_bytes(made(container, subtype), "row 3")
    assert (samples.shape, samples.dtype, rate) == ((2, 2000), dtype, 22050)
    assert np.abs(samples - WAVE.T).max() <= error


def test_one_channel_and_double_precision_on_request() -> None:
    file = io.BytesIO()
    soundfile.write(file, WAVE[:, 0], 8000, format="WAV", subtype="PCM_16")
    for double in (False, True):
        samples, rate = sndfile_reading.decode_bytes(file.getvalue(), "a", double=double)
        assert (samples.shape, samples.dtype, rate) == ((1, 2000), "f8" if double else "f4", 8000)


@pytest.mark.parametrize(
    ("subtype", "double", "size"), [("PCM_16", False, 4), ("PCM_16", True, 8), ("PCM_24", False, 8)]
)
def test_memory_is_judged_before_samples_are_read(subtype: str, double: bool, size: int) -> None:
    data = made("WAV", subtype)
    needed = 2 * 2 * 2000 * size
    with limited_memory(needed):
        sndfile_reading.decode_bytes(data, "a", double=double)
    with limited_memory(needed - 1), pytest.raises(ItemError) as caught:
        sndfile_reading.decode_bytes(data, "a", double=double)
    assert caught.value.code == "too-large"


def test_only_files_on_which_notes_may_be_printed_are_hushed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    file = io.BytesIO()
    soundfile.write(file, WAVE.repeat(10, axis=0), 22050, format="MP3", subtype="MPEG_LAYER_III")
    mp3 = file.getvalue()
    data = mp3[:3000] + bytes(400) + mp3[3400:]  # "Illegal Audio-MPEG-Header"
    assert sndfile_reading.decode_bytes(data, "a")[0].size
    assert capfd.readouterr().err == ""

    def unwanted() -> None:
        pytest.fail("it was hushed")

    monkeypatch.setattr(sndfile_reading, "hushed_libraries", unwanted)
    assert sndfile_reading.decode_bytes(made("WAV", "PCM_16"), "a")[0].size
    with pytest.raises(pytest.fail.Exception):
        sndfile_reading.decode_bytes(data, "a")


def test_libsndfile_opens_no_other_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wav, mp3 = made("WAV", "PCM_16"), made("MP3", "MPEG_LAYER_III")
    memory = io.BytesIO(mp3)
    assert sndfile_reading.openable(memory, mp3) is memory
    (tmp_path / "a").write_bytes(b"")
    with (tmp_path / "a").open("rb") as file:
        assert sndfile_reading.openable(file, wav) == file.fileno()
        assert sndfile_reading.openable(file, b"caff") == file.fileno()
        assert sndfile_reading.openable(file, mp3) == f"/dev/fd/{file.fileno()}"
    with sndfile_reading._in_memory(wav, "a") as file:
        assert type(file) is sndfile_reading.SoundBytes
    with sndfile_reading._in_memory(mp3, "a") as file:
        assert file.fileno() > 2
        assert file.read() == mp3
    monkeypatch.setattr(sndfile_reading, "path_of", lambda _: None)  # as without /dev/fd
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert sndfile_reading.decode_bytes(mp3, "a")[0].shape[0] == 2
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_is_no_sound_is_named() -> None:
    with pytest.raises(ItemError, match="'row 3' cannot be read as audio: ") as caught:
        sndfile_reading.decode_bytes(b"RIFFnonsense", "row 3")
    assert caught.value.code == "broken-file"


def test_a_claim_is_refused_from_the_first_byte_beyond_the_bound() -> None:
    frames = SOUND_BYTES.free // 8
    sndfile_reading.check_claimed_length(SimpleNamespace(channels=1, frames=frames), 10)
    for channels, count in ((1, frames + 1), (2, frames)):
        with pytest.raises(ItemError) as caught:
            sndfile_reading.check_claimed_length(SimpleNamespace(channels=channels, frames=count), 10)
        assert caught.value.code == "too-long"
        assert caught.value.message == (
            f"the header claims {count:,} samples, but the file has 10 bytes, too few for so much sound"
        )
        assert caught.value.hint == "if it holds nothing but silence, leave it out"
    assert InflationBound(268_435_456, 3000) == SOUND_BYTES
    sndfile_reading.check_claimed_length(SimpleNamespace(channels=2, frames=frames), SOUND_BYTES.free)


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
