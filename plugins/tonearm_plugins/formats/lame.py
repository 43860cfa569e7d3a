"""MP3 by LAME itself, through lameenc, with the frame that lameenc leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError, SetOption
from tonearm_plugins.formats.mpeg_audio import Header, Mode, info_frame

if TYPE_CHECKING:
    import numpy as np

BITS = 16
"""Of the samples that lameenc takes."""

_QUALITY = 3  # of the search for bits; LAME's own choice, and ffmpeg's and libsndfile's, but not lameenc's
_ABR, _VBR = 3, 4  # LAME's numbers of its modes: the newer one of VBR


def encode(
    blocks: Iterable[np.ndarray[Any, Any]],
    *,
    sample_rate: int,
    channels: int,
    length: int,
    bitrate: int | None = None,
    abr: int | None = None,
    vbr_quality: int | None = None,
) -> bytes:
    """Return an MP3 file that decodes to exactly the samples that are given.

    Parameters
    ----------
    blocks
        int16 (samples, channels).
    sample_rate
        In Hz, one that MP3 has.
    channels
        1 or 2.
    length
        Samples of each channel, over all blocks.
    bitrate, abr, vbr_quality
        One of: constant or average bit rate in kbit/s that MP3 has at this rate, or quality from 0 to 9.

    Raises
    ------
    ItemError
        If LAME makes something else of it than it should.
    """
    import lameenc

    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(channels)
    encoder.set_in_sample_rate(sample_rate)
    encoder.set_out_sample_rate(sample_rate)  # it would resample for low bit rates
    encoder.set_quality(_QUALITY)
    mode: Mode = "cbr"
    if vbr_quality is not None:
        mode = "vbr"
        encoder.set_vbr(_VBR)
        encoder.set_vbr_quality(vbr_quality)
    elif abr is not None:
        mode = "abr"
        encoder.set_vbr(_ABR)
        encoder.set_vbr_mean_bitrate_kbps(abr)
    else:
        encoder.set_bit_rate(bitrate)
    stream = bytearray()
    for block in blocks:
        stream += encoder.encode(block.astype("<i2", copy=False).tobytes())
    stream += encoder.flush()
    return _with_info(stream, length, mode, bitrate or abr, vbr_quality)


def corrected(
    content: bytes,
    *,
    length: int,
    bitrate: int | None = None,
    abr: int | None = None,
    vbr_quality: int | None = None,
) -> bytes:
    """Return an MP3 file of ffmpeg's, which has LAME within, with a first frame that says its length right.

    ffmpeg counts what it puts behind the sound wrongly where LAME needs less than a whole frame for it.

    Raises
    ------
    ItemError
        If it is no such file.
    """
    first = Header(int.from_bytes(content[:4], "big"))
    if not first.is_valid or content[4 + first.side : 8 + first.side] not in (b"Xing", b"Info"):
        raise _improper("it does not start as it should")
    mode: Mode = "vbr" if vbr_quality is not None else "abr" if abr is not None else "cbr"
    return _with_info(content[first.size :], length, mode, bitrate or abr, vbr_quality)


def _with_info(
    stream: bytes | bytearray, length: int, mode: Mode, bitrate: int | None, vbr_quality: int | None
) -> bytes:
    try:
        return info_frame(stream, length, mode, bitrate=bitrate or 0, quality=vbr_quality or 0) + bytes(stream)
    except ValueError as error:
        raise _improper(str(error)) from error


def _improper(why: str) -> ItemError:
    return ItemError(
        f"LAME made no proper MP3: {why}", code="encoder-failed", remedies=(SetOption("engine", "soundfile"),)
    )
