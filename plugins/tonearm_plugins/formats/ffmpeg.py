"""ffmpeg: its path, its abilities, and files written by it through pydub."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError, Requirement, RunCommand, UsageError
from tonearm_plugins.formats.codec_limits import RIFF_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

HINT = "sudo apt install ffmpeg, or pip install 'tonearm[ffmpeg]', which includes it"
FFMPEG = Requirement(
    name="ffmpeg",
    program=True,
    hint=HINT,
    instead=Requirement(name="imageio_ffmpeg", hint="pip install imageio-ffmpeg"),
)

MAX_WAV = RIFF_BYTES - 1024  # bytes of samples in the WAV file that pydub gives to ffmpeg

_TIMEOUT = 60  # seconds for ffmpeg to print its help
_LAYOUT = r"\d+ channels \([^)]*\)|\S+"
_LAYOUTS = {"mono": 1, "stereo": 2, "downmix": 2, "quad": 4, "hexagonal": 6, "octagonal": 8, "cube": 8}


@functools.cache
def find() -> str:
    """Return the path of ffmpeg: the one on the PATH, or else the one in the package imageio-ffmpeg.

    Raises
    ------
    UsageError
        Neither is installed.
    """
    import shutil

    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:  # installed from source, the package has no program
        raise UsageError("ffmpeg is not installed", code="missing-requirement", hint=HINT) from error


def require(program: str, *, container: str | None, codec: str | None) -> None:
    """Check that this ffmpeg writes a container and has an encoder.

    Raises
    ------
    UsageError
        It does not.
    """
    if container is not None and not _help(program, f"muxer={container}").startswith("Muxer "):
        raise UsageError(
            f"this ffmpeg does not write the format {container!r}",
            code="missing-requirement",
            remedies=(RunCommand((program, "-muxers"), "which lists the formats that it writes"),),
        )
    if codec is not None and not _help(program, f"encoder={codec}").startswith("Encoder "):
        raise UsageError(
            f"this ffmpeg has no encoder {codec!r}",
            code="missing-requirement",
            remedies=(RunCommand((program, "-encoders"), "which lists the encoders that it has"),),
        )


def limits(program: str, codec: str) -> tuple[tuple[int, ...] | None, int | None]:
    """Return the sample rates (ascending) and the largest number of channels of an encoder; None if it lists none.

    ffmpeg does not refuse others: it resamples and mixes without a warning.
    """
    said = _help(program, f"encoder={codec}")
    rates = re.search(r"Supported sample rates:([\d ]+)", said)
    layouts = re.search(r"Supported channel layouts:(.*)", said)
    counts = [_channels(layout) for layout in re.findall(_LAYOUT, layouts[1])] if layouts else []
    return (
        tuple(sorted(map(int, rates[1].split()))) if rates else None,
        max(counts) if counts and all(counts) else None,
    )


def _channels(layout: str) -> int:
    """Return the number of channels of ``stereo``, ``5.1(side)`` or ``2 channels (FC+LFE)``; 0 if it is not known."""
    name = layout.partition("(")[0].removesuffix(" channels ")
    numbers = re.fullmatch(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?", name)
    return sum(int(number or 0) for number in numbers.groups()) if numbers else _LAYOUTS.get(name, 0)


@functools.cache
def _help(program: str, topic: str) -> str:
    """Return the help of ffmpeg on a topic."""
    import subprocess

    command = [program, "-hide_banner", "-h", topic]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"{program} does not run: {error}", code="missing-requirement", hint=HINT) from error
    return done.stdout.decode(errors="replace").lstrip()


def export(
    path: Path,
    blocks: Iterable[np.ndarray[Any, Any]],
    *,
    sample_rate: int,
    channels: int,
    container: str,
    codec: str | None = None,
    bitrate: int | None = None,
    parameters: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write an audio file through pydub and ffmpeg.

    Parameters
    ----------
    path
        Path of the file; its suffix has no meaning.
    blocks
        Integers (samples, channels), all int16 or all int32, at the full scale of the type.
    sample_rate
        Sample rate in Hz.
    channels
        Number of channels.
    container, codec
        Format and encoder, by ffmpeg's names; by default the usual encoder of the format.
    bitrate
        Bit rate in kbit/s; by default the encoder chooses.
    parameters
        Additional arguments for ffmpeg.
    tags
        Tags by name.

    Raises
    ------
    ItemError
        ffmpeg failed; the message is that of ffmpeg.
    """
    segments = _segments()
    parts = list(blocks)
    width = parts[0].itemsize
    if sum(part.nbytes for part in parts) > MAX_WAV:
        raise ItemError("the sound is too long for pydub, which uses a WAV file of up to 4 GB", code="too-long")
    segment = segments(
        b"".join(part.data for part in parts), sample_width=width, frame_rate=sample_rate, channels=channels
    )
    segment.converter = find()
    try:
        with path.open("wb+") as file:
            segment.export(
                file,
                format=container,
                codec=codec,
                bitrate=None if bitrate is None else f"{bitrate}k",
                # Never None: pydub would then write some formats itself, without ffmpeg.
                parameters=["-nostdin", "-loglevel", "error", "-map_metadata", "-1", *parameters],
                tags=dict(tags) if tags else None,
            )
    except BaseException as error:
        _clear(error)
        if not isinstance(error, _failure()):
            raise
        raise ItemError(f"ffmpeg failed: {_first_error(str(error))}", code="encoder-failed") from error


@functools.cache
def _segments() -> Any:
    """Return pydub's AudioSegment.

    Importing pydub warns that ffmpeg is not on the PATH, which does not matter here, and of invalid escapes in its own
    source.
    """
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
    return AudioSegment


def _failure() -> type[Exception]:
    from pydub.exceptions import CouldntEncodeError

    return CouldntEncodeError  # type: ignore[no-any-return]


def _clear(error: BaseException) -> None:
    """Close and remove the temporary files that pydub leaves behind when it fails, found among its local variables."""
    import tempfile
    from pathlib import Path

    trace = error.__traceback__
    while trace:
        for value in trace.tb_frame.f_locals.values():
            if isinstance(value, tempfile._TemporaryFileWrapper):  # noqa: SLF001 - the class has no public name
                value.close()
                with contextlib.suppress(OSError):
                    Path(value.name).unlink(missing_ok=True)
        trace = trace.tb_next


def _first_error(report: str) -> str:
    """Return the first line of a report of ffmpeg: it names the cause, and the lines after it are consequences."""
    output = report.rpartition("Output from ffmpeg/avlib:")[2]
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return re.sub(r" @ 0x[0-9a-f]+", "", lines[0]) if lines else "no reason was given"
