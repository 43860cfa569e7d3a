"""MP3 files that are written as frames come: patched where they can seek, plain in a pipe."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from tonearm.api import ItemError, Sink
from tonearm.run.store.memory_sink import MemorySink
from tonearm.run.store.pipe_sink import PipeSink
from tonearm_plugins.formats import mp3_file
from tonearm_plugins.formats.lame import Lame, Rate
from tonearm_plugins.formats.mp3_file import Mp3File
from tonearm_plugins.formats.mpeg_audio import Frames

RATE = Rate("cbr", 64)
LENGTH = 30_000
SAMPLES = (0.3 * np.sin(np.arange(LENGTH) / 9)).astype("f4")[None]
ID3 = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)


def written(*, length: int = LENGTH, cut: int = 3000) -> bytes:
    with MemorySink(".mp3") as sink:
        make(sink, length, cut)
        return sink.content("it")


def make(sink: Sink, length: int, cut: int) -> None:
    lame = Lame(RATE, 24000, 1)
    made = Mp3File(sink, ID3, RATE)
    for at in range(0, LENGTH, cut):
        made.write(lame.encode(SAMPLES[:, at : at + cut]))
    made.write(lame.flush())
    try:
        made.finish(length)
    finally:
        made.close()


@pytest.mark.parametrize("cut", [500, 3000, LENGTH])
def test_a_patched_file_is_that_of_one_go(monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    whole = written(cut=LENGTH)
    assert soundfile.info(io.BytesIO(whole)).frames == LENGTH
    monkeypatch.setattr(mp3_file, "_HELD", 2000)
    assert written(cut=cut) == whole


def test_a_pipe_gets_whole_frames_as_they_come() -> None:
    got: list[bytes] = []
    make(PipeSink(lambda view: got.append(bytes(view)), ".mp3"), LENGTH, 1000)
    assert got[0] == ID3
    for frames in got[1:]:
        Frames.of(frames)  # and nothing else
    assert len(got) > 20
    whole = written()[len(ID3) :]
    assert b"".join(got[1:]) == whole[Frames.of(whole).sizes[0] :], "without the frame of information"


def test_a_wrong_length_is_no_proper_mp3() -> None:
    with pytest.raises(ItemError, match="LAME made an invalid MP3 file") as caught:
        written(length=50_000)
    assert caught.value.code == "encoder-failed"
    assert caught.value.message.endswith("frames cannot have 50000 samples")
    assert caught.value.hint == "engine: soundfile"


def test_what_is_no_frame_is_refused() -> None:
    with MemorySink(".mp3") as sink:
        made = Mp3File(sink, b"", RATE)
        with pytest.raises(ItemError, match="there is no frame at byte 0"):
            made.write(b"RIFF")
        made.close()
