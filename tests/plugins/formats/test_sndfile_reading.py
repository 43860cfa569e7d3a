"""Reading by libsndfile: sounds in memory, bounds on what a header claims, and a stderr that is silent and returns."""

from __future__ import annotations

import io
import os
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from tonearm.api import ItemError
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
    ],
)
def test_a_sound_in_memory(container: str, subtype: str, dtype: str, error: float) -> None:
    samples, rate = sndfile_reading.decode_bytes(made(container, subtype), "row 3")
    assert (samples.shape, samples.dtype, rate) == ((2, 2000), dtype, 22050)
    assert np.abs(samples - WAVE.T).max() <= error


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
    sndfile_reading.check_claimed_length(SimpleNamespace(channels=2, frames=frames), SOUND_BYTES.free)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"ID3\4", True),
        (b"\xff\xfb\x90", True),
        (b"\xff\xd8\xff", False),
        (b"\xff", False),
        (b"RIFF", False),
        (b"", False),
    ],
)
def test_a_start_of_mp3(head: bytes, expected: bool) -> None:
    assert sndfile_reading.may_be_mpeg(head) == expected


def test_stderr_is_silent_and_returns(capfd: pytest.CaptureFixture[str]) -> None:
    with sndfile_reading.silenced_stderr():
        os.write(2, b"unheard")
        with sndfile_reading.silenced_stderr():
            os.write(2, b"unheard")
        os.write(2, b"still unheard")
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_stderr_returns_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), sndfile_reading.silenced_stderr():
        raise KeyboardInterrupt
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_stderr_returns_when_the_last_of_several_threads_is_done(capfd: pytest.CaptureFixture[str]) -> None:
    first_is_in, second_is_in = threading.Event(), threading.Event()

    def first() -> None:
        with sndfile_reading.silenced_stderr():
            first_is_in.set()
            second_is_in.wait(20)

    thread = threading.Thread(target=first)
    thread.start()
    first_is_in.wait(20)
    with sndfile_reading.silenced_stderr():
        second_is_in.set()
        thread.join()
        os.write(2, b"unheard")
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


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
