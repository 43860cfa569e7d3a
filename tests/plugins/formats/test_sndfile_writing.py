"""What fails while libsndfile calls back: it has no way to tell, and what it makes of it would pass for a file."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonearm.api import OutputError
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


def _write(path: Path, container: str, subtype: str) -> None:
    noise = (np.random.default_rng(1).uniform(-8000, 8000, (48000, 1))).astype("i2")
    sndfile_writing.write(
        path, [noise[:24000], noise[24000:]], sample_rate=48000, channels=1, container=container, subtype=subtype
    )


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
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """One that is lost leaves a file that looks like one, and the traceback of a callback on stderr."""
    for turn in (1, 2, 5):
        files: list[_Failing] = []

        def opened(path: Path, *_: Any, turn: int = turn, files: list[_Failing] = files, **__: Any) -> _Failing:
            files.append(_Failing(path, call, turn, error))
            return files[0]

        monkeypatch.setattr(sndfile_writing, "open", opened, raising=False)
        caught: BaseException | None = None
        try:
            _write(tmp_path / "x", container, subtype)
        except (OutputError, KeyboardInterrupt) as raised:
            caught = raised
        if not files[0].reached:  # it does not call so often
            assert caught is None
            assert turn > 1
        elif isinstance(error, OSError):
            assert isinstance(caught, OutputError)
            assert caught.message == "cannot write: input/output error"
        else:
            assert caught is error
    assert capfd.readouterr().err == ""
