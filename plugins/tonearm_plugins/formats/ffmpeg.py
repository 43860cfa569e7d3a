"""ffmpeg through pydub: where it is, and how an array goes through it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError, Requirement

if TYPE_CHECKING:
    import numpy as np


class _Ffmpeg(Requirement, frozen=True, kw_only=True):
    """The program, on the PATH or as the package imageio-ffmpeg brings it."""

    def is_met(self) -> bool:
        """Say whether one of the two is there."""
        return super().is_met() or Requirement(name="imageio_ffmpeg", hint="").is_met()


FFMPEG = _Ffmpeg(
    name="ffmpeg", program=True, hint="install ffmpeg (apt install ffmpeg), or pip install 'tonearm[ffmpeg]'"
)


def program() -> str:
    """Return the path of ffmpeg: the one on the PATH before that of imageio-ffmpeg.

    Raises
    ------
    ItemError
        If there is none.
    """
    import shutil

    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg
    except ImportError:
        raise ItemError("there is no ffmpeg here", code="missing-requirement", hint=FFMPEG.hint) from None
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def export(
    samples: np.ndarray[Any, Any],
    sample_rate: int,
    path: Path,
    *,
    format: str,  # noqa: A002 - as pydub calls it
    codec: str | None = None,
    bitrate: int | None = None,
    parameters: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
) -> int:
    """Write samples through pydub and ffmpeg; return how many were beyond full scale and clipped.

    Parameters
    ----------
    samples
        (channels, samples), float32 or float64, full scale ±1.0; ffmpeg gets them rounded to 16 bits.
    sample_rate
        In Hz.
    path
        Where to.
    format
        ffmpeg's name of the container.
    codec
        ffmpeg's name of the encoder; the container's own if None.
    bitrate
        In kbit/s.
    parameters
        Further arguments of ffmpeg's output.
    tags
        Metadata by name.

    Raises
    ------
    ItemError
        If ffmpeg refuses, with the last thing that it said.
    """
    from tonearm_plugins.formats.riff import quantize

    with warnings.catch_warnings():
        # pydub looks for ffmpeg as it is imported, and warns; where it is, it is told below.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
        from pydub.exceptions import CouldntEncodeError

    values, clipped = quantize(samples, 16)
    segment = AudioSegment(
        values.T.astype("<i2").tobytes(), sample_width=2, frame_rate=sample_rate, channels=values.shape[0]
    )
    segment.converter = program()
    try:
        segment.export(
            path,
            format=format,
            codec=codec,
            bitrate=f"{bitrate}k" if bitrate else None,
            parameters=list(parameters),
            tags=dict(tags) if tags else None,
        ).close()
    except CouldntEncodeError as error:
        raise ItemError(f"ffmpeg cannot write {format}: {_last_line(str(error))}", code="cannot-encode") from error
    return clipped


def _last_line(text: str) -> str:
    """Return the last line of what ffmpeg said, which pydub hands on as the repr of bytes."""
    said = text.partition("Output from ffmpeg/avlib:")[2].strip().removeprefix("b'").removesuffix("'")
    lines = [line.strip() for line in said.replace("\\n", "\n").splitlines() if line.strip()]
    return lines[-1] if lines else "it does not say why"
