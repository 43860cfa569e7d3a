"""Formats that ffmpeg reads, told by their content: each is one file of sound alone, and none leads to other files."""

from __future__ import annotations

from collections.abc import Mapping

from tonearm.api import file_types
from tonearm_plugins.formats import frame_runs

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

_RARE = (
    (0, b"EA3\3", "oma", "a Sony OpenMG file"),
    (0, b"MMMD", "mmf", "a Yamaha SMAF file"),
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02", "mxf", "an MXF file"),
    (0, b"\xb7\xd8\x00\x20\x37\x49\xda\x11", "wtv", "a Windows TV file"),
    (8, b"XWMA", "xwma", "an XWMA file"),
)
"""Places and marks of formats that are rare, with ffmpeg's demuxers and names."""

_BY_SUFFIX = {  # nothing in these files tells their format
    ".adx": "adx",
    ".aptx": "aptx",
    ".aptxhd": "aptx_hd",
    ".g722": "g722",
    ".gsm": "gsm",
    ".sbc": "sbc",
}
_MIN_RUN = 3  # packets in a row
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
    for place, mark, demuxer, what in _RARE:
        if head.startswith(mark, place):
            return demuxer, what
    found = file_types.identify(head[: file_types.HEAD])
    if found.name in DEMUXERS:
        return DEMUXERS[found.name], found.name
    if head[4:7] == b"\xf8\x72\x6f" and head[7:8] in (b"\xba", b"\xbb"):
        return ("truehd", "a TrueHD file") if head[7] == 0xBA else ("mlp", "an MLP file")
    for demuxer, what, size in (
        ("aac", "an AAC file", frame_runs.adts_size),
        ("loas", "an AAC file (LATM)", frame_runs.loas_size),
        ("ac3", "an AC-3 file", frame_runs.ac3_size),
        ("eac3", "an E-AC-3 file", frame_runs.eac3_size),
    ):
        if frame_runs.is_run(head, size):
            return demuxer, what
    for packet in _TS_PACKETS:
        marks = head[packet - 188 :: packet][:8]
        if len(marks) >= _MIN_RUN and set(marks) == {0x47}:
            return "mpegts", "an MPEG transport stream"
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    return (_BY_SUFFIX[suffix], f"a {suffix} file") if suffix in _BY_SUFFIX else None


def whitelist(demuxer: str) -> str:
    """Return ffmpeg's list of formats that has one demuxer alone: some have several names."""
    return {"mov": "mov,mp4,m4a,3gp,3g2,mj2", "matroska": "matroska,webm"}.get(demuxer, demuxer)
