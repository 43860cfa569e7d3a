"""MP3 files as they are written: nothing but frames is taken, and a file is closed whatever happens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tonearm.api import ItemError, Sink
from tonearm_plugins.formats.lame import Lame, Rate
from tonearm_plugins.formats.mp3_file import Mp3File
from tonearm_plugins.formats.mpeg_audio import Header

RATE = Rate("cbr", 64)


@pytest.fixture
def stream() -> bytes:
    encoder = Lame(RATE, 24000, 1)
    return encoder.encode(np.zeros((1, 5000), "f4")) + encoder.flush()


def test_tags_then_the_frame_of_information_then_the_sound(tmp_path: Path, stream: bytes) -> None:
    file = Mp3File(Sink(tmp_path / "x", ".mp3"), b"TAGS", RATE)
    file.write(stream)
    file.finish(5000)
    content = (tmp_path / "x").read_bytes()
    assert content[:4] == b"TAGS"
    assert content[4 + Header(int.from_bytes(content[4:8], "big")).size :] == stream


@pytest.mark.parametrize(
    ("cut", "length", "message"),
    [(0, 50_000, "frames cannot have 50000 samples"), (1, 5000, "the last frame is cut short"), (9999, 0, "no frame")],
)
def test_another_length_is_an_error(tmp_path: Path, stream: bytes, cut: int, length: int, message: str) -> None:
    file = Mp3File(Sink(tmp_path / "x", ".mp3"), b"", RATE)
    file.write(stream[: max(0, len(stream) - cut)])
    with pytest.raises(ItemError, match=f"LAME made an invalid MP3 file: .*{message}"):
        file.finish(length)
    file.close()


def test_what_is_no_frame_is_an_error(tmp_path: Path) -> None:
    file = Mp3File(Sink(tmp_path / "x", ".mp3"), b"", RATE)
    with pytest.raises(ItemError, match="there is no frame at byte 0"):
        file.write(b"RIFFxxxx")
    file.close()
    file.close()
