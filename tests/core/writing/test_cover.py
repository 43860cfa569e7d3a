"""Covers: type and size are read from the picture, as Pillow wrote it; anything else is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from tonearm.api import OptionError, read_cover
from tonearm.writing import cover


@pytest.mark.parametrize(
    ("suffix", "mode", "depth", "more"),
    [
        ("png", "RGB", 24, {}),
        ("png", "RGBA", 32, {}),
        ("png", "L", 8, {}),
        ("png", "P", 24, {}),
        ("jpeg", "RGB", 24, {}),
        ("jpeg", "L", 8, {}),
        (
            "jpeg",
            "RGB",
            24,
            {"progressive": True, "comment": b"\xff\xc0 is no frame here", "exif": b"Exif\0\0" + bytes(99)},
        ),
    ],
)
def test_size_and_depth(tmp_path: Path, suffix: str, mode: str, depth: int, more: dict[str, object]) -> None:
    path = tmp_path / "cover"
    Image.new(mode, (31, 17)).save(path, suffix, **more)
    found = read_cover(str(path))
    assert (found.mime, found.width, found.height, found.depth) == (f"image/{suffix}", 31, 17, depth)
    assert found.content == path.read_bytes()


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\0\0\xff\xff\xff", b"\xff\xd8\xff\xe0\xff\xff"]
)
def test_the_size_of_a_broken_picture_is_unknown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cover"
    path.write_bytes(content)
    found = read_cover(str(path))
    assert (found.width, found.height, found.depth) == (0, 0, 0)


def test_what_is_no_picture_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cover.png"
    for content, message in [
        (b"GIF89a", "is neither a JPEG nor a PNG"),
        (b"", "is neither"),
        (b"\xff\xd8\xff" * 9, "larger than 16 MB"),
    ]:
        path.write_bytes(content)
        monkeypatch.setattr(cover, "MAX_COVER", 20)
        with pytest.raises(OptionError, match=message) as caught:
            read_cover(str(path))
        assert (caught.value.option, caught.value.code) == ("cover", "bad-cover")
    with pytest.raises(OptionError, match="the cover cannot be read: is a directory"):
        read_cover(str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OptionError, match="the cover is not a regular file"):
        read_cover(str(tmp_path / "pipe"))
