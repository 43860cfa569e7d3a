"""FLAC with metadata in front: what is patched at the end, and what a pipe says of it."""

from __future__ import annotations

import io
from typing import Any

import mutagen.flac
import numpy as np
import pytest

from tonearm_plugins.formats.flac_file import FlacFile
from tonearm_plugins.formats.sndfile_writing import SndfileWriter

NOISE = np.random.default_rng(0).integers(-9000, 9000, (10_000, 2), "i2")


class Kept(io.BytesIO):
    """A file whose content outlives it."""

    content = b""

    def close(self) -> None:
        self.content = self.content or self.getvalue()
        super().close()


def written(*, seekable: bool, **how: Any) -> bytes:
    out = Kept()
    if not seekable:
        out.seek = None  # type: ignore[method-assign, assignment]
    file = FlacFile(out, seekable=seekable, comments=how.pop("comments", lambda old: old), **how)
    writer = SndfileWriter(file, sample_rate=44100, channels=2, container="FLAC", subtype="PCM_16")
    writer.write(NOISE)
    writer.finish(file.finish)
    return out.content


def libsndfiles() -> bytes:
    out = Kept()
    writer = SndfileWriter(out, sample_rate=44100, channels=2, container="FLAC", subtype="PCM_16")
    writer.write(NOISE)
    writer.finish()
    return out.content


def test_a_file_with_its_own_comments_is_libsndfiles() -> None:
    expected = libsndfiles()
    assert written(seekable=True) == expected
    assert written(seekable=True, length=77) == expected  # what is written replaces what was expected


@pytest.mark.parametrize("length", [None, 10_000, 1 << 35, 1 << 36])
def test_a_pipe_tells_what_is_known(length: int | None) -> None:
    expected, found = libsndfiles(), written(seekable=False, length=length)
    assert found[42:] == expected[42:]
    info = mutagen.flac.FLAC(io.BytesIO(found)).info
    assert info.total_samples == (length if length in (10_000, 1 << 35) else 0)
    assert (info.md5_signature, info.min_framesize, info.max_framesize) == (0, 0, 0)
    assert (info.sample_rate, info.channels, info.bits_per_sample) == (44100, 2, 16)
    assert (info.min_blocksize, info.max_blocksize) == (4096, 4096)


@pytest.mark.parametrize("seekable", [True, False])
def test_comments_and_a_picture_stand_in_front(seekable: bool) -> None:
    seen: list[bytes] = []

    def comments(old: bytes) -> bytes:
        seen.append(old)
        return b"\1\0\0\0v\1\0\0\0\3\0\0\0a=b"

    picture = mutagen.flac.Picture()
    picture.data = b"p" * 100_000
    found = written(seekable=seekable, comments=comments, picture=picture.write())
    file = mutagen.flac.FLAC(io.BytesIO(found))
    assert isinstance(file.tags, mutagen.flac.VCFLACDict)
    assert (file.tags["a"], file.tags.vendor, file.pictures[0].data) == (["b"], "v", picture.data)
    assert [block.code for block in file.metadata_blocks] == [0, 4, 6]
    assert found.endswith(libsndfiles()[-30_000:])
    (old,) = seen
    assert b"reference libFLAC" in old


def test_the_metadata_may_come_in_pieces() -> None:
    content = libsndfiles()
    out = Kept()
    file = FlacFile(out, seekable=True, comments=lambda old: old)
    for at in range(100):
        assert file.write(content[at : at + 1]) == 1
        assert file.tell() == at + 1
    assert file.seek(0, 2) == 100
    file.write(content[100:])
    assert (file.seek(-1, 2), file.seek(3), file.seek(-2, 1)) == (len(content) - 1, 3, 1)
    file.finish()
    file.close()
    assert out.content == content


def test_nothing_is_patched_in_a_file_without_a_start() -> None:
    out = Kept()
    file = FlacFile(out, seekable=True, comments=lambda old: old)
    file.write(b"fLaC")
    file.finish()
    assert out.getvalue() == b""
