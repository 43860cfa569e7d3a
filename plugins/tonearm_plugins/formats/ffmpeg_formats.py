"""Formats that ffmpeg reads, told by their content: each is one file of sound alone, and none leads to other files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO

from tonearm.api import file_types

HEAD = 4096
"""Number of first bytes that `demuxer_of` needs."""

DEMUXERS: Mapping[str, str] = {
    "a CAF file": "caf",
    "a DSD file (DSDIFF)": "iff",
    "a DSD file (DSF)": "dsf",
    "a DTS file": "dts",
    "a FLAC file": "flac",
    "a Matroska or WebM file": "matroska",
    "a Monkey's Audio file": "ape",
    "a Musepack file": "mpc8",
    "a Musepack file (SV7)": "mpc",
    "a NUT file": "nut",
    "a QOA file": "qoa",
    "a RealAudio file": "rm",
    "a Shorten file": "shn",
    "a SoX file": "sox",
    "a TAK file": "tak",
    "a True Audio file": "tta",
    "a VOC file": "voc",
    "a Windows Media file": "asf",
    "a WAV file": "wav",
    "a WAV file (RF64)": "wav",
    "a WavPack file": "wv",
    "an AIFF file": "aiff",
    "an AMR file": "amr",
    "an AU file": "au",
    "an AVI file": "avi",
    "an FLV file": "flv",
    "an iLBC file": "ilbc",
    "an MP4 file, such as M4A": "mov",
    "an MPEG file": "mpeg",
    "an Ogg file": "ogg",
}
"""Demuxers of ffmpeg by the names of the types of files. Each reads one file and opens no other."""

_BY_SUFFIX = {".g722": "g722", ".gsm": "gsm"}  # nothing in these files tells their format
_RUN = 3  # frames in a row that tell a format whose mark is short
_TS_PACKETS = (188, 192)  # bytes, without and with a time before each


def demuxer_of(head: bytes, name: str) -> tuple[str, str] | None:
    """Return the demuxer of ffmpeg for a file, and the name of its format with the article.

    Parameters
    ----------
    head
        First `HEAD` bytes of the file, after tags that come before its format.
    name
        Name of the file. Its suffix counts for formats that nothing in the file tells.

    Returns
    -------
    tuple or None
        None if ffmpeg is not known to read it, or if it could lead to other files.
    """
    found = file_types.identify(head[: file_types.HEAD])
    if found.name in DEMUXERS:
        return DEMUXERS[found.name], found.name
    if head[4:7] == b"\xf8\x72\x6f" and head[7:8] in (b"\xba", b"\xbb"):
        return ("truehd", "a TrueHD file") if head[7] == 0xBA else ("mlp", "an MLP file")
    for demuxer, what, size in (
        ("aac", "an AAC file", _adts_size),
        ("loas", "an AAC file (LATM)", _loas_size),
        ("ac3", "an AC-3 file", _ac3_size),
        ("eac3", "an E-AC-3 file", _eac3_size),
    ):
        if _is_run(head, size):
            return demuxer, what
    for packet in _TS_PACKETS:
        marks = head[packet - 188 :: packet][:8]
        if len(marks) >= _RUN and set(marks) == {0x47}:
            return "mpegts", "an MPEG transport stream"
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    return (_BY_SUFFIX[suffix], f"a {suffix} file") if suffix in _BY_SUFFIX else None


def _is_run(head: bytes, size: Callable[[bytes], int]) -> bool:
    """Return whether frames of a format follow each other, up to `_RUN` of them."""
    at = 0
    for _ in range(_RUN):
        step = size(head[at : at + 8])
        if not step:
            return False
        at += step
        if at >= len(head):
            return True
    return True


def _adts_size(start: bytes) -> int:
    if len(start) < 7 or start[0] != 0xFF or start[1] & 0xF6 != 0xF0 or start[2] >> 2 & 15 > 12:
        return 0
    size = (start[3] & 3) << 11 | start[4] << 3 | start[5] >> 5
    return size if size > 7 else 0


def _loas_size(start: bytes) -> int:
    if len(start) < 3 or start[0] != 0x56 or start[1] & 0xE0 != 0xE0:
        return 0
    return ((start[1] & 0x1F) << 8 | start[2]) + 3


def _ac3_size(start: bytes) -> int:
    if len(start) < 6 or start[:2] != b"\x0b\x77" or start[5] >> 3 > 10 or start[4] >> 6 == 3 or start[4] & 63 > 37:
        return 0
    rates = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
    rate, code = rates[(start[4] & 63) >> 1], start[4] >> 6
    if code == 1:  # 44,100 Hz
        return 2 * (320 * rate // 147 + (start[4] & 1))
    return rate * (4 if code == 0 else 6)


def _eac3_size(start: bytes) -> int:
    if len(start) < 6 or start[:2] != b"\x0b\x77" or not 10 < start[5] >> 3 <= 16:
        return 0
    return 2 * (((start[2] & 7) << 8 | start[3]) + 1)


def ends_within_frame(file: BinaryIO, demuxer: str) -> bool:
    """Return whether a stream of AC-3 ends within a frame, which ffmpeg leaves out without a word."""
    size = {"ac3": _ac3_size, "eac3": _eac3_size}.get(demuxer)
    if size is None:
        return False
    end, at = file.seek(0, 2), 0
    while at < end:
        file.seek(at)
        step = size(file.read(8))
        if not step:
            return False
        at += step
    return at > end


def whitelist(demuxer: str) -> str:
    """Return ffmpeg's list of formats that has one demuxer alone: some have several names."""
    return {"mov": "mov,mp4,m4a,3gp,3g2,mj2", "matroska": "matroska,webm"}.get(demuxer, demuxer)
