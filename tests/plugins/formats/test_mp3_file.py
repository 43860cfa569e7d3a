"""MP3 files that are written as frames come: patched where they can seek, plain in a pipe."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from tonearm.api import ItemError
from tonearm_plugins.formats import mp3_file
from tonearm_plugins.formats.lame import LameFloats, Rates
from tonearm_plugins.formats.mp3_file import Mp3File
from tonearm_plugins.formats.mpeg_audio import frame_sizes

RATES = Rates("cbr", 64)
LENGTH = 30_000
SAMPLES = (0.3 * np.sin(np.arange(LENGTH) / 9)).astype("f4")[None]
ID3 = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)


class Kept(io.BytesIO):
    """A file whose content is known when it is closed."""

    def close(self) -> None:
        self.content = self.getvalue()
        super().close()


def written(*, seekable: bool, length: int = LENGTH, cut: int = 3000) -> bytes:
    file, stream = Kept(), LameFloats(24000, 1, RATES)
    made = Mp3File(file, ID3, RATES, seekable=seekable)
    for at in range(0, LENGTH, cut):
        made.write(stream.encode(SAMPLES[:, at : at + cut]))
    made.write(stream.flush())
    made.finish(length)
    return file.content


@pytest.mark.parametrize("cut", [500, 3000, LENGTH])
def test_a_patched_file_is_that_of_one_go(monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    whole = written(seekable=True, cut=LENGTH)
    assert soundfile.info(io.BytesIO(whole)).frames == LENGTH
    monkeypatch.setattr(mp3_file, "HELD", 2000)
    assert written(seekable=True, cut=cut) == whole


def test_a_pipe_gets_whole_frames_as_they_come() -> None:
    file, stream = Kept(), LameFloats(24000, 1, RATES)
    made = Mp3File(file, ID3, RATES, seekable=False)
    for at in range(0, LENGTH, 1000):
        made.write(stream.encode(SAMPLES[:, at : at + 1000]))
        if file.getvalue():
            frame_sizes(file.getvalue()[len(ID3) :])
        if at == 7000:  # a third of a second
            assert len(file.getvalue()) > 1000
    made.write(stream.flush())
    made.finish(LENGTH)
    assert file.content.startswith(ID3)
    assert b"Info" not in file.content
    assert file.content == ID3 + written(seekable=True)[len(ID3) + frame_sizes(written(seekable=True)[len(ID3) :])[0] :]


def test_a_wrong_length_is_no_proper_mp3() -> None:
    with pytest.raises(ItemError, match="LAME made an invalid MP3 file") as caught:
        written(seekable=True, length=50_000)
    assert caught.value.code == "encoder-failed"
    assert caught.value.message.endswith("frames cannot have 50000 samples")
    assert caught.value.hint == "report it, with the sound"


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(ItemError, match="there is no frame at byte 0"):
        Mp3File(Kept(), b"", RATES, seekable=True).write(b"RIFF")
