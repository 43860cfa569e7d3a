"""Files of descript-audio-codec (``.dac``): a dict of codes and metadata, pickled inside a ``.npy`` file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tonearm.api import MAX_SAMPLE_RATE, WRITE_AGAIN, ItemError, quoted
from tonearm_plugins.formats import numpy_pickle
from tonearm_plugins.formats.npy_header import MAGIC, MAX_HEADER

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

VERSION: Final = "1.0.0"
"""Version of the format, the only one that the codec's own program reads."""

SIZE: Final = 1024
"""Number of codes of each book in all models that the project has published."""


class DacModel(NamedTuple):
    """Published model: its sample rate in Hz, the samples of a frame, and the largest number of its books."""

    sample_rate: int
    samples_per_frame: int
    books: int


MODELS: Final = (DacModel(16000, 320, 12), DacModel(24000, 320, 32), DacModel(44100, 512, 18))

MAX_LENGTH: Final = 1 << 40
"""Number of samples that no sound exceeds: 256 days at 48 kHz."""

_HEADER = re.compile(rb"\{(?=[^}]*'descr'\s*:\s*'\|O')(?=[^}]*'shape'\s*:\s*\(\s*\))[^}]*\}\s*")
_FEWEST, _MOST = -200.0, 50.0  # LUFS


class DacFile(NamedTuple):
    """Content of a file.

    Parameters
    ----------
    codes
        Codes, (channels, books, frames).
    sample_rate
        Sample rate in Hz of the sound that was encoded, which may be another one than the codec's.
    length
        Number of samples of that sound, at that rate.
    loudness
        Loudness of that sound in LUFS; None if it was silence.
    is_padded
        Whether the codec's convolutions were padded, as they are in all exports of its decoder.
    """

    codes: Array
    sample_rate: int
    length: int
    loudness: float | None
    is_padded: bool

    @property
    def codec_rate(self) -> int | None:
        """Sample rate in Hz of the codec, if the number of frames is that of one published model alone."""
        frames = self.codes.shape[-1]
        fitting = {
            model.sample_rate
            for model in MODELS
            if -(-self.length * model.sample_rate // (self.sample_rate * model.samples_per_frame)) == frames
            and self.codes.shape[1] <= model.books
        }
        return fitting.pop() if len(fitting) == 1 else None


def read(data: bytes, name: str) -> DacFile:
    """Return the content of a file.

    Parameters
    ----------
    data
        Bytes of the file.
    name
        Name of the file, for messages.

    Raises
    ------
    ItemError
        ``wrong-format``, ``pickle-refused``, ``broken-file``, ``dac-version``, or ``too-large``.
    """
    content = numpy_pickle.load(data, name, _start_of_pickle(data, name))
    inner = content[0] if isinstance(content, list) and len(content) == 1 else content
    if not isinstance(inner, dict) or not isinstance(inner.get("metadata"), dict) or "codes" not in inner:
        raise ItemError(
            f"{quoted(name)} is not a .dac file: it holds no codes and metadata",
            code="wrong-format",
            hint="save arrays by np.save, and name the file .npy",
        )
    codes, metadata = inner["codes"], inner["metadata"]
    version = metadata.get("dac_version")
    if not isinstance(version, str) or version != VERSION:
        raise ItemError(
            f"{quoted(name)} is of version {_shown(version)} of the format; only {VERSION} is known",
            code="dac-version",
            hint="encode it again by descript-audio-codec 1.0.0",
        )
    kind = getattr(getattr(codes, "dtype", None), "kind", "")
    if kind not in ("u", "i") or codes.ndim != 3 or not codes.size:
        raise _broken(name, "its codes are no whole numbers of shape (channels, books, frames)")
    rate, length = metadata.get("sample_rate"), metadata.get("original_length")
    if type(rate) is not int or not 1 <= rate <= MAX_SAMPLE_RATE:
        raise _broken(name, f"its sample rate is {_shown(rate)}")
    if type(length) is not int or not 1 <= length <= MAX_LENGTH:
        raise _broken(name, f"its original length is {_shown(length)}")
    channels = metadata.get("channels", codes.shape[0])
    if type(channels) is not int or channels != codes.shape[0]:
        raise _broken(name, f"it has {_shown(channels)} channels, but codes of {codes.shape[0]}")
    loudness = _loudness(metadata.get("input_db"), name)
    return DacFile(codes, rate, length, loudness, metadata.get("padding") is not False)


def _start_of_pickle(data: bytes, name: str) -> int:
    """Return the position behind the header, which must be that of one Python object."""
    size = 2 if data[6:7] == b"\x01" else 4
    start = 8 + size
    count = int.from_bytes(data[8:start], "little")
    header = data[start : start + min(count, MAX_HEADER)]
    if not data.startswith(MAGIC) or not _HEADER.fullmatch(header):
        from tonearm.api import file_types

        found = file_types.identify(data[: file_types.HEAD])
        if found is file_types.DAC or data == MAGIC[: len(data)] != b"":
            raise _broken(name, "its header is broken or cut off")
        raise ItemError(
            f"{quoted(name)} is not a .dac file; it looks like {found.name}",
            code="wrong-format" if data else "empty",
            hint=found.hint,
        )
    return start + count


def _loudness(value: Any, name: str) -> float | None:
    """Return the loudness that the metadata has as an array of one number."""
    found = value.reshape(-1).tolist() if hasattr(value, "reshape") else [value]
    if not found or not all(isinstance(one, (int, float)) for one in found):
        raise _broken(name, "its input_db is no number")
    return float(found[0]) if _FEWEST <= found[0] <= _MOST else None


def _shown(value: object) -> str:
    """Return a value on one short line. Nothing more of it is formatted: lists may hold one another by the million."""
    import reprlib

    return quoted(value if isinstance(value, str) else reprlib.repr(value), 40)


def _broken(name: str, what: str) -> ItemError:
    return ItemError(f"{quoted(name)} is not a valid .dac file: {what}", code="broken-file", hint=WRITE_AGAIN)
