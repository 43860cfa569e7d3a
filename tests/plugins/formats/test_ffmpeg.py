"""ffmpeg: what its help says of an encoder is understood, and what it fails with is told in one line."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from tonearm.api import ItemError, OutputError, UsageError
from tonearm_plugins.formats import ffmpeg

HELP = """Encoder mine [Mine]:
    Supported sample rates: 48000 8000 16000
    Supported channel layouts: mono stereo 5.1(side) 2 channels (FC+LFE) {more}
"""


@pytest.mark.parametrize(
    ("more", "channels"), [("7.1", 8), ("octagonal", 8), ("7 channels (A+B)", 7), ("quad", 6), ("unheard-of", None)]
)
def test_limits_are_read_from_the_help(monkeypatch: pytest.MonkeyPatch, more: str, channels: int | None) -> None:
    monkeypatch.setattr(ffmpeg, "_help", lambda program, topic: HELP.format(more=more))
    assert ffmpeg.limits("ffmpeg", "mine") == ((8000, 16000, 48000), channels)


LAYOUTS = {"mono": 1, "stereo": 2, "downmix": 2, "quad": 4, "quad(side)": 4, "hexagonal": 6, "octagonal": 8, "cube": 8}
LAYOUTS |= {"2.1": 3, "5.1(side)": 6, "5.1.2": 8, "24 channels (FC)": 24, "unheard-of": 0}


@pytest.mark.parametrize(("layout", "channels"), LAYOUTS.items())
def test_channels_of_layouts(layout: str, channels: int) -> None:
    assert ffmpeg._channels(layout) == channels


def test_an_encoder_without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "_help", lambda program, topic: "Encoder mine [Mine]:")
    assert ffmpeg.limits("ffmpeg", "mine") == (None, None)


@pytest.fixture
def _not_found_before() -> Iterator[None]:
    ffmpeg.find.cache_clear()
    yield
    ffmpeg.find.cache_clear()


@pytest.mark.usefixtures("_not_found_before")
def test_the_program_on_the_path_comes_first_and_is_looked_up_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ffmpeg.find() == str(tmp_path / "ffmpeg")
    (tmp_path / "ffmpeg").unlink()
    assert ffmpeg.find() == str(tmp_path / "ffmpeg")


@pytest.mark.usefixtures("_not_found_before")
def test_without_a_program_on_the_path_that_of_the_package_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", SimpleNamespace(get_ffmpeg_exe=lambda: Path("/x/ffmpeg")))
    assert ffmpeg.find() == "/x/ffmpeg"


def without_a_program() -> str:
    raise RuntimeError("No ffmpeg exe could be found")


@pytest.mark.usefixtures("_not_found_before")
@pytest.mark.parametrize("package", [None, SimpleNamespace(get_ffmpeg_exe=without_a_program)])
def test_without_any_program_ffmpeg_is_missing(monkeypatch: pytest.MonkeyPatch, package: Any) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", package)  # None fails to import
    with pytest.raises(UsageError) as caught:
        ffmpeg.find()
    assert (caught.value.code, caught.value.message) == ("missing-requirement", "ffmpeg is not installed")
    assert caught.value.hint == ffmpeg.HINT


def test_ffmpeg_is_a_program_or_else_a_package() -> None:
    required = ffmpeg.FFMPEG
    assert (required.name, required.program, required.hint) == ("ffmpeg", True, ffmpeg.HINT)
    assert required.instead is not None
    assert (required.instead.name, required.instead.program) == ("imageio_ffmpeg", False)


@pytest.mark.parametrize("lines", [None, "sleep 20"])
def test_a_program_that_does_not_run_is_not_installed_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str | None
) -> None:
    monkeypatch.setattr(ffmpeg, "_TIMEOUT", 0.05)
    path = tmp_path / "none"
    if lines:
        path.write_text(f"#!/bin/sh\nexec {lines}\n")
        path.chmod(0o755)
    with pytest.raises(UsageError, match="does not run") as caught:
        ffmpeg.require(str(path), container="mp3", codec=None)
    assert caught.value.code == "missing-requirement"
    assert caught.value.hint == ffmpeg.HINT


@pytest.mark.parametrize(
    ("container", "codec", "message", "listed"),
    [
        ("mp3", "good", "", ""),
        (None, "good", "", ""),
        ("mp3", None, "", ""),
        (None, None, "", ""),
        ("bad", "good", "this ffmpeg does not write the format 'bad'", "-muxers"),
        ("mp3", "bad", "this ffmpeg has no encoder 'bad'", "-encoders"),
    ],
)
def test_what_this_ffmpeg_cannot_do_is_missing(
    tmp_path: Path, container: str | None, codec: str | None, message: str, listed: str
) -> None:
    script = tmp_path / "program"
    script.write_text(
        "#!/bin/sh\ncase $3 in muxer=mp3) echo ' Muxer x';; encoder=good) echo 'Encoder x';; *) echo Unknown;; esac\n"
    )
    script.chmod(0o755)
    if not message:
        ffmpeg.require(str(script), container=container, codec=codec)
        return
    with pytest.raises(UsageError) as caught:
        ffmpeg.require(str(script), container=container, codec=codec)
    assert (caught.value.code, caught.value.message) == ("missing-requirement", message)
    assert f"{script} {listed}" in caught.value.hint


def test_the_help_is_asked_for_once_and_without_input(tmp_path: Path) -> None:
    script = tmp_path / "program"
    script.write_text(f"#!/bin/sh\necho \"$@\" >> {tmp_path}/asked; cat; printf '  Caf\\351'; exit 1\n")
    script.chmod(0o755)
    for _ in range(2):
        assert ffmpeg._help(str(script), "muxer=x") == "Caf\ufffd"
    assert (tmp_path / "asked").read_text() == "-hide_banner -h muxer=x\n"
    assert ffmpeg._TIMEOUT == 60


def test_a_sound_is_written_bit_by_bit_and_temporary_files_have_no_part_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", "/nonexistent")
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")
    monkeypatch.chdir(tmp_path)
    samples = np.random.default_rng(0).integers(-30_000, 30_000, (1_000_000, 2)).astype("i2")
    path = Path("-x") / "a:b.part"  # neither an option nor a protocol
    path.parent.mkdir()
    export(path, samples[:300], samples[300:])
    found, rate = soundfile.read(path, dtype="int16")
    np.testing.assert_array_equal(found, samples)
    assert rate == 8000
    with pytest.raises(ItemError, match=r"ffmpeg failed: .*nonsense") as caught:
        export(path, samples, codec="nonsense")
    assert caught.value.code == "encoder-failed"
    assert "\n" not in caught.value.message
    assert [found.name for found in tmp_path.rglob("*")] == ["-x", "a:b.part"]


def test_a_full_disk_is_the_output_sides() -> None:
    with pytest.raises(OutputError) as caught:
        export(Path("/dev/full"), silence(100_000))
    assert caught.value.message == "cannot write: no space left on device"
    assert isinstance(caught.value.__cause__, OSError)


def silence(length: int) -> Any:
    return np.zeros((length, 2), "i2")


def export(path: Path, *blocks: Any, meanwhile: Callable[[], None] = lambda: None, **how: Any) -> None:
    """Write blocks of 16 bits in two channels, of which one is silence where none is given."""
    encoding = ffmpeg.FfmpegEncoding(path, width=2, sample_rate=8000, channels=2, **{"container": "wav"} | how)
    try:
        for block in blocks or (silence(100),):
            encoding.write(block)
            meanwhile()
        encoding.finish()
    except BaseException:
        encoding.abort()
        raise


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    """Put a program in ffmpeg's place."""
    script = folder / "program"
    script.write_text(f"#!/bin/sh\n{lines}\n")
    script.chmod(0o755)
    monkeypatch.setattr(ffmpeg, "find", lambda: str(script))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("kill -9 $$", "ffmpeg failed: it was ended by signal 9"),
        ("exit 1", "ffmpeg failed: no reason was given"),
        ("yes '[x @ 0x1f] a reason' | head -c 300000 >&2; exit 1", "ffmpeg failed: [x] a reason"),
    ],
)
def test_a_program_that_ends_early_or_reports_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, message: str
) -> None:
    program(tmp_path, monkeypatch, lines)
    with pytest.raises(ItemError) as caught:
        export(tmp_path / "x.part", silence(1_000_000))  # more than a pipe holds
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("how", "given"),
    [
        ({}, []),
        ({"codec": "aac", "bitrate": 64, "parameters": ["-q", "1"]}, ["-q", "1"]),
        ({"tags": {"title": "a=b", "mood": "c d"}}, ["-metadata", "title=a=b", "-metadata", "mood=c d"]),
        ({"container": "mp3"}, []),
    ],
)
def test_arguments_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any], given: list[str]
) -> None:
    lines = f"printf '%s\\n' \"$@\" > {tmp_path}/given; cat > {tmp_path}/sound; echo 'a warning' >&2"
    program(tmp_path, monkeypatch, lines)
    path = tmp_path / "x.part"
    export(path, **how)
    codec = ["-acodec", how["codec"], "-b:a", "64k"] if "codec" in how else []
    end = ["-f", how.get("container", "wav"), f"file:{path}"]
    start = ["-y", "-f", "wav", "-i", "pipe:0", *codec, "-nostdin", "-loglevel", "error", "-map_metadata", "-1"]
    start += ["-fflags", "+bitexact"]
    assert (tmp_path / "given").read_text().splitlines() == [*start, *given, *end]
    assert soundfile.info(tmp_path / "sound").subtype == "PCM_16"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("status", [0, 1])
def test_errors_of_the_disk_are_the_output_sides_whatever_the_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, status: int
) -> None:
    program(tmp_path, monkeypatch, f"cat > /dev/null; echo 'av_write: {os.strerror(number)}' >&2; exit {status}")
    with pytest.raises(OutputError) as caught:
        export(tmp_path / "x.part")
    assert caught.value.message == f"cannot write: {os.strerror(number).lower()}"
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == number


def test_the_program_ignores_the_signal_of_a_file_that_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, "cat > /dev/null; grep SigIgn /proc/$$/status | cut -f2 >&2; exit 1")
    with pytest.raises(ItemError) as caught:
        export(tmp_path / "x.part")
    assert int(caught.value.message.split()[-1], 16) >> signal.SIGXFSZ - 1 & 1


def test_a_run_leaves_no_descriptor_and_its_reader_holds_up_no_exit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, "cat > /dev/null; echo no >&2; exit 1")
    before = len(list(Path("/proc/self/fd").iterdir()))
    readers: list[bool] = []
    with pytest.raises(ItemError, match="ffmpeg failed: no"):
        export(
            tmp_path / "x.part",
            meanwhile=lambda: readers.extend(
                thread.daemon for thread in threading.enumerate() if "_read" in thread.name
            ),
        )
    assert readers
    assert all(readers)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("report", "status", "error"),
    [
        ("\n  [aac @ 0x5f] bad rate \nConversion failed!", 1, "[aac] bad rate"),
        (" \n", 1, "no reason was given"),
        ("", 255, "no reason was given"),
        ("", 0, "no reason was given"),
        ("", -1, "it was ended by signal 1"),
        ("", -9, "it was ended by signal 9"),
        ("reason", -9, "reason"),
    ],
)
def test_the_first_error_of_a_report(report: str, status: int, error: str) -> None:
    assert ffmpeg._first_error(report, status) == error


@pytest.mark.parametrize("size", [0, 65_535, 65_536, 65_537, 1 << 20])
def test_a_report_is_read_to_its_end_and_its_start_kept(size: int) -> None:
    file, report = io.BytesIO(bytes(range(256)) * (size // 256) + b"x" * (size % 256)), bytearray()
    ffmpeg._read(file, report)
    assert file.tell() == size
    assert report == file.getvalue()[:65_536]


class Taker:
    """A program's input that takes a number of bytes at a time, and ends with an error."""

    def __init__(self, at_a_time: int, until: int = 1 << 40, error: BaseException | None = None) -> None:
        self.at_a_time, self.until, self.error = at_a_time, until, error
        self.taken = bytearray()
        self.offered: list[int] = []

    def write(self, data: memoryview) -> int:
        self.offered.append(len(data))
        if len(self.taken) >= self.until and self.error:
            raise self.error
        self.taken += data[: self.at_a_time]
        return min(len(data), self.at_a_time)


def test_a_pipe_is_given_a_megabyte_at_a_time_and_again_what_it_did_not_take() -> None:
    taker = Taker(1 << 20)
    pipe = ffmpeg._Pipe(taker)  # type: ignore[arg-type]
    data = bytes(range(256)) * 4096 + b"abc"
    assert pipe.write(data) == len(data)
    assert taker.offered == [1 << 20, 3]
    assert taker.taken == data
    slow = Taker(2)
    assert ffmpeg._Pipe(slow).write(b"abcde") == 5  # type: ignore[arg-type]
    assert (slow.taken, slow.offered) == (b"abcde", [5, 3, 1])
    assert pipe.tell() == 0


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(errno.EIO, "x"), KeyboardInterrupt()])
def test_a_pipe_that_has_broken_is_given_no_more(error: BaseException) -> None:
    taker = Taker(2, 2, error)
    pipe = ffmpeg._Pipe(taker)  # type: ignore[arg-type]
    if isinstance(error, BrokenPipeError):
        assert pipe.write(b"abcde") == 5
    else:
        with pytest.raises(type(error)):
            pipe.write(b"abcde")
    assert pipe.write(b"fgh") == 3
    assert (taker.taken, taker.offered) == (b"ab", [5, 3])


def test_pydub_is_imported_without_its_warnings_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "pydub"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setenv("PATH", "/nonexistent")
    ffmpeg._segments.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = ffmpeg._segments()
    for name in [name for name in sys.modules if name.partition(".")[0] == "pydub"]:
        monkeypatch.delitem(sys.modules, name)
    assert ffmpeg._segments() is found


def test_an_interrupt_ends_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "id")
    program(tmp_path, monkeypatch, f"echo $$ > {tmp_path}/id; exec cat > /dev/null")
    started = []

    def interrupted() -> None:
        started.append(int((tmp_path / "id").read_text()))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(tmp_path / "x.part", silence(1000), meanwhile=interrupted)  # which a pipe holds
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)
