"""Windows on files: one piece or several, held against the same bytes in memory."""

from __future__ import annotations

import io
import os
import random
from pathlib import Path

import numpy as np
import pytest

from tonearm.reading.bounded_file import map_array
from tonearm.reading.file_windows import FileWindow, Segment

STORED = bytes(range(1, 101))
SPARSE = [Segment(3, 5, 10), Segment(8, 4, 40), Segment(20, 1, 99)]
EXPECTED = bytes(3) + STORED[10:15] + STORED[40:44] + bytes(8) + STORED[99:] + bytes(4)


def test_reads_and_seeks_are_those_of_a_file_in_memory() -> None:
    window, reference = FileWindow(io.BytesIO(STORED), len(EXPECTED), SPARSE), io.BytesIO(EXPECTED)
    assert window.read() == EXPECTED
    window.seek(0)
    rng = random.Random(7)
    for _ in range(300):
        whence = rng.choice((os.SEEK_SET, os.SEEK_CUR, os.SEEK_END))
        at = rng.randrange(0, 30) if whence == os.SEEK_SET else rng.randrange(-3, 4)
        if whence == os.SEEK_CUR:
            at = max(at, -reference.tell())
        assert window.seek(at, whence) == reference.seek(at, whence)
        count = rng.randrange(12)
        assert window.read(count) == reference.read(count)
        assert window.tell() == reference.tell()


def test_a_window_without_bytes_is_zeros() -> None:
    assert FileWindow(io.BytesIO(), 4, []).read() == bytes(4)
    assert FileWindow(io.BytesIO(), 0, []).read() == b""


def test_a_file_that_ends_within_the_window_is_an_error() -> None:
    with pytest.raises(EOFError, match="unexpected end"):
        FileWindow(io.BytesIO(STORED), 20, [Segment(0, 20, 90)]).read()


def test_no_position_is_negative() -> None:
    with pytest.raises(ValueError, match="-1"):
        FileWindow(io.BytesIO(STORED), 20, [Segment(0, 20, 0)]).seek(-1)


@pytest.mark.parametrize(
    ("size", "segments", "start"),
    [(20, [Segment(0, 20, 7)], 7), (21, [Segment(0, 20, 7)], None), (len(EXPECTED), SPARSE, None), (4, [], None)],
)
def test_only_one_whole_piece_has_a_start(size: int, segments: list[Segment], start: int | None) -> None:
    assert FileWindow(io.BytesIO(STORED), size, segments).start == start


def test_a_window_of_one_piece_is_mapped_through_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(STORED)
    with (tmp_path / "a.bin").open("rb") as file:
        window = FileWindow(file, 20, [Segment(0, 20, 50)])
        mapped = map_array(window, np.uint8, (10,), 5)  # type: ignore[arg-type]
        assert isinstance(mapped, np.memmap)
        assert mapped.tobytes() == STORED[55:65]
        with pytest.raises(ValueError, match="ends before"):
            map_array(window, np.uint8, (10,), 11)  # type: ignore[arg-type]
        assert map_array(FileWindow(file, len(EXPECTED), SPARSE), np.uint8, (4,)) is None  # type: ignore[arg-type]
