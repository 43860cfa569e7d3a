"""MP3 by LAME, through lameenc, with the frame of information that lameenc leaves out.

lameenc does not write that frame, and ffmpeg writes a wrong length into it for some sounds. Without it decoders add
silence at both ends, so `mpeg_audio` makes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError, SetOption
from tonearm_plugins.formats.mpeg_audio import Header, Mode, info_frame

if TYPE_CHECKING:
    import numpy as np

BITS = 16
"""Bits of the samples that lameenc takes."""

_QUALITY = 3  # of LAME's search: the default of LAME, ffmpeg and libsndfile, but not of lameenc
_ABR, _VBR = 3, 4  # LAME's numbers of its modes; 4 is the newer of two for VBR


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
    """Return an MP3 file that decodes to exactly as many samples as are given.

    Parameters
    ----------
    blocks
        Samples (samples, channels) int16.
    sample_rate
        Sample rate in Hz, one that MP3 has.
    channels
        Number of channels, 1 or 2.
    length
        Samples of each channel, over all blocks.
    bitrate, abr, vbr_quality
        Constant bit rate or average bit rate in kbit/s that MP3 has at this rate, or quality from 0 to 9: one of them.

    Raises
    ------
    ItemError
        LAME made a file that does not fit the samples.
    """
    import lameenc

    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(channels)
    encoder.set_in_sample_rate(sample_rate)
    encoder.set_out_sample_rate(sample_rate)  # by default it resamples for low bit rates
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
    """Return an MP3 file that ffmpeg made with LAME, with the right length in its first frame.

    ffmpeg miscounts the padding at the end if LAME needs less than a whole frame for it.

    Raises
    ------
    ItemError
        The file does not begin with a frame of information, or has another length.
    """
    first = Header(int.from_bytes(content[:4], "big"))
    if not first.is_valid or content[4 + first.side : 8 + first.side] not in (b"Xing", b"Info"):
        raise _improper("it does not start with a frame of information")
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
        f"LAME made an invalid MP3 file: {why}", code="encoder-failed", remedies=(SetOption("engine", "soundfile"),)
    )
