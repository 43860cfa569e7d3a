"""What fails while libsndfile calls back: it has no way to tell, and what it makes of it would pass for a file."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tonearm.api import ItemError, OutputError
from tonearm_plugins.formats import sndfile_writing

KINDS = [("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"), ("AIFF", "PCM_16")]


class _Failing(io.FileIO):
    """A file of which the n-th call of one kind raises, and no other."""

    def __init__(self, path: Path, call: str, turn: int, error: BaseException) -> None:
        super().__init__(path, "w+b")
        self._call, self._left, self._error = call, turn, error

    def _count(self, call: str) -> None:
        if call == self._call:
            self._left -= 1
            if self._left == 0:
                raise self._error

    def seek(self, *given: Any) -> int:
        self._count("seek")
        return super().seek(*given)

    def tell(self) -> int:
        self._count("tell")
        return super().tell()

    def write(self, data: Any, /) -> int:
        self._count("write")
        return super().write(data)

    @property
    def reached(self) -> bool:
        return self._left <= 0


def write(file: sndfile_writing.Seekable, blocks: Iterable[Any], **how: Any) -> None:
    """Write a whole file."""
    writer = sndfile_writing.SndfileWriter(file, **how)
    try:
        for block in blocks:
            writer.write(block)
        writer.finish()
    except BaseException:
        writer.abort()
        raise


def write_noise(file: sndfile_writing.Seekable, container: str, subtype: str) -> None:
    noise = (np.random.default_rng(1).uniform(-8000, 8000, (48000, 1))).astype("i2")
    write(file, [noise[:24000], noise[24000:]], sample_rate=48000, channels=1, container=container, subtype=subtype)


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, os.strerror(errno.EIO)), KeyboardInterrupt("stop")], ids=["EIO", "SIGINT"]
)
@pytest.mark.parametrize("call", ["seek", "tell", "write"])
@pytest.mark.parametrize(("container", "subtype"), KINDS)
def test_nothing_that_fails_in_a_callback_is_lost(
    container: str,
    subtype: str,
    call: str,
    error: BaseException,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """One that is lost leaves a file that looks like one, and the traceback of a callback on stderr."""
    for turn in (1, 2, 5):
        file = _Failing(tmp_path / "x", call, turn, error)
        caught: BaseException | None = None
        try:
            write_noise(file, container, subtype)
        except (OutputError, KeyboardInterrupt) as raised:
            caught = raised
        if not file.reached:  # it does not call so often
            assert caught is None
            assert turn > 1
        elif isinstance(error, OSError):
            assert isinstance(caught, OutputError)
            assert caught.message == "cannot write: input/output error"
        else:
            assert caught is error
    assert capfd.readouterr().err == ""


def test_callbacks_are_those_of_a_file_and_fail_as_libsndfile_expects(tmp_path: Path) -> None:
    path = tmp_path / "x"
    first, caught = KeyError("first"), None
    with path.open("w+b", buffering=0) as file:
        target = sndfile_writing._Target(file)
        assert target.write(b"abcdef") == 6
        assert path.read_bytes() == b"abcdef"  # not buffered
        assert (target.tell(), target.seek(2), target.seek(-1, os.SEEK_END), target.seek(2)) == (6, 2, 5, 2)
        buffer = bytearray(9)
        assert (target.readinto(buffer), bytes(buffer[:4])) == (4, b"cdef")
        assert target.readinto(buffer) == 0
        assert target.call(lambda: raised(first), failed=7) == 7
        assert target.call(lambda: raised(ValueError("second")), failed=8) == 8
        assert (target.seek(0), target.tell(), target.readinto(buffer), target.write(b"x")) == (-1, -1, 0, 0)
        try:
            with target.errors():
                pass
        except KeyError as error:
            caught = error
    assert caught is first
    assert path.read_bytes() == b"abcdef"


def raised(error: BaseException) -> int:
    raise error


def test_a_file_is_closed_whatever_happens(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    write_noise(io.FileIO(tmp_path / "x", "w+"), "FLAC", "PCM_16")
    with pytest.raises(ZeroDivisionError):
        write(io.FileIO(tmp_path / "x", "w+"), (np.full(1 // number, 0) for number in (0,)), **FLAC)
    with pytest.raises(ItemError, match="cannot write FLAC"):
        write(io.FileIO(tmp_path / "x", "w+"), [], **FLAC | {"sample_rate": 0})
    assert len(list(Path("/proc/self/fd").iterdir())) == before


FLAC: dict[str, Any] = {"sample_rate": 8000, "channels": 1, "container": "FLAC", "subtype": "PCM_16"}
VORBIS = FLAC | {"container": "OGG", "subtype": "VORBIS"}
NOISE = np.random.default_rng(2).integers(-9000, 9000, (50_000, 1), "i2")


def test_a_function_gets_the_bytes_of_a_file(tmp_path: Path) -> None:
    pieces: list[bytes] = []
    writer = sndfile_writing.SndfileWriter(lambda data: pieces.append(bytes(data)), **VORBIS)
    writer.write(NOISE)
    early = len(pieces)
    last: list[int] = []
    writer.finish(lambda: last.append(len(pieces)))
    assert 4 < early < len(pieces) == last[0]
    (tmp_path / "x").write_bytes(b"".join(pieces))
    assert soundfile.info(tmp_path / "x").frames == 50_000


def test_a_function_is_no_place_for_a_format_that_goes_back() -> None:
    writer = sndfile_writing.SndfileWriter(lambda _: None, **FLAC)
    writer.write(NOISE)
    with pytest.raises(OutputError, match="libsndfile goes back in a format that was taken for one without"):
        writer.finish()


def _keep(pieces: list[bytes], data: memoryview) -> None:
    pieces.append(bytes(data))


def test_opus_comes_earlier_if_asked() -> None:
    sizes = []
    for latency in (None, 0.0):
        pieces: list[bytes] = []
        how = VORBIS | {"subtype": "OPUS", "page_latency": latency}
        writer = sndfile_writing.SndfileWriter(partial(_keep, pieces), **how)
        writer.write(NOISE[:4000])
        sizes.append(sum(map(len, pieces)))
        writer.abort()
    assert sizes[1] > sizes[0] + 1000


@pytest.mark.parametrize("how", [FLAC, VORBIS, VORBIS | {"subtype": "OPUS"}], ids=["FLAC", "VORBIS", "OPUS"])
def test_nothing_is_written_into_a_file_that_is_given_up(how: dict[str, Any], tmp_path: Path) -> None:
    file = (tmp_path / "x").open("w+b", buffering=0)
    writer = sndfile_writing.SndfileWriter(file, **how)
    writer.write(NOISE)
    before = (tmp_path / "x").read_bytes()
    writer.abort()
    assert file.closed
    writer.abort()
    assert (tmp_path / "x").read_bytes() == before


def test_what_fails_while_closing_is_the_outputs(tmp_path: Path) -> None:
    class Full(io.FileIO):
        def close(self) -> None:
            if not self.closed:
                super().close()
                raise OSError(errno.ENOSPC, "No Space")

    for spoil in ("close", "last"):
        file = Full(tmp_path / "x", "w") if spoil == "close" else io.FileIO(tmp_path / "x", "w")
        writer = sndfile_writing.SndfileWriter(file, **VORBIS)
        with pytest.raises(OutputError, match="cannot write: no space"):
            writer.finish((lambda: None) if spoil == "close" else lambda: raised(OSError(errno.ENOSPC, "No Space")))
        writer.abort()
        assert file.closed


def test_all_bytes_are_written_by_small_writes(tmp_path: Path) -> None:
    class Slow(io.FileIO):
        def write(self, data: Any, /) -> int:
            return super().write(data[:3])

    with Slow(tmp_path / "x", "w+b") as file:
        assert sndfile_writing._Target(file).write(b"0123456") == 7
    assert (tmp_path / "x").read_bytes() == b"0123456"


@pytest.mark.parametrize(
    ("error", "message"),
    [(OSError(errno.ENOSPC, "No Space"), "cannot write: no space"), (OSError("Odd"), "cannot write: odd")],
)
def test_errors_of_the_file_are_described(error: OSError, message: str) -> None:
    target = sndfile_writing._Target(io.BytesIO())
    with pytest.raises(OutputError) as caught, target.errors():
        target._error = error
    assert (caught.value.message, caught.value.__cause__) == (message, error)


def test_errors_of_libsndfile_are_told_apart() -> None:
    with pytest.raises(OutputError) as output, sndfile_writing._errors("FLAC"):
        raise soundfile.LibsndfileError(2)
    assert output.value.message == "cannot write: libsndfile's system call failed"
    assert output.value.hint == "is the disk full, or the file too large for it?"
    for code in (1, 3):
        with pytest.raises(ItemError) as item, sndfile_writing._errors("FLAC"):
            raise soundfile.LibsndfileError(code)
        reason = soundfile.LibsndfileError(code).error_string.rstrip(".")
        assert (item.value.code, item.value.message) == ("encoder-refused", f"cannot write FLAC: {reason}")


def test_tags_and_blocks_are_written(tmp_path: Path) -> None:
    path = tmp_path / "x"
    blocks = [np.array([[1, 2]], "i2"), np.array([[3, 4], [5, 6]], "i2")]
    write(
        io.FileIO(path, "w+"),
        blocks,
        sample_rate=8000,
        channels=2,
        container="AIFF",
        subtype="PCM_16",
        strings={"title": "t", "artist": "a"},
    )
    with soundfile.SoundFile(path) as file:
        assert (file.title, file.artist, file.comment, file.samplerate) == ("t", "a", "", 8000)
        assert file.read(dtype="int16").tolist() == [[1, 2], [3, 4], [5, 6]]


def test_compression_and_modes_are_passed_on(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).uniform(-8000, 8000, (48000, 1)).astype("i2").cumsum(0, dtype="i2")

    def size(container: str, subtype: str, **how: Any) -> int:
        path = tmp_path / "x"
        file = io.FileIO(path, "w+")
        write(file, [noise], sample_rate=48000, channels=1, container=container, subtype=subtype, **how)
        return path.stat().st_size

    assert size("FLAC", "PCM_16", compression_level=0.0) > size("FLAC", "PCM_16", compression_level=1.0)
    mode = {"compression_level": 0.5}
    constant = size("MP3", "MPEG_LAYER_III", bitrate_mode="CONSTANT", **mode)
    assert constant != size("MP3", "MPEG_LAYER_III", bitrate_mode="VARIABLE", **mode)


@pytest.mark.parametrize("call", ["seek", "tell", "write"])
@pytest.mark.parametrize(("container", "subtype"), KINDS)
def test_an_interrupt_before_the_first_line_of_a_callback_is_raised(
    container: str, subtype: str, call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []
    real = getattr(sndfile_writing._Target, call)

    def interrupted(*given: Any) -> Any:
        called.append(call)
        if len(called) == 2:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(sndfile_writing._Target, call, interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_noise(io.FileIO(tmp_path / "a", "w+"), container, subtype)
