"""Types of files, told from their first bytes: those of a file, or of bytes that another file holds."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tonearm.reading.messages import WRITE_AGAIN

HEAD: Final = 2048
"""Number of first bytes that `identify` needs: two frames of MP3, or the first header of a tar file."""

DECOMPRESSORS = {".gz": "gunzip", ".zst": "unzstd", ".bz2": "bunzip2", ".xz": "unxz"}
"""Programs that decompress files, by their suffixes."""


class FileType(NamedTuple):
    """Type of a file.

    Parameters
    ----------
    name
        Name with its article, as messages use it: ``a WAV file``.
    hint
        Advice on what to do with a file of this type. Never empty.
    reader
        Name of the decoder that reads it, or an empty text.
    """

    name: str
    hint: str
    reader: str = ""


def _read_by(name: str, reader: str, hint: str = "") -> FileType:
    return FileType(name, hint or f"read it by {reader}", reader)


def _compressed(name: str, suffix: str) -> FileType:
    return FileType(name, f"decompress it first: {DECOMPRESSORS[suffix]}")


def _audio(name: str) -> FileType:
    return _read_by(name, "audio-reader", "it is audio already: read it by audio-reader")


def _text(name: str, hint: str = "", reader: str = "text-reader") -> FileType:
    return _read_by(name, reader, hint) if reader else FileType(name, hint)


EMPTY = FileType("an empty file: it has 0 bytes", WRITE_AGAIN)
ZEROS = FileType("nothing but zero bytes", "the write was interrupted or the disk was full; write the file again")
UNKNOWN = FileType("no known format", "save the array with np.save")
DAC = _read_by("a .dac file", "codec-file-reader")
ECDC = _read_by("an .ecdc file", "codec-file-reader")
NPY = _read_by("a .npy file", "npy-reader", "name it .npy, and read it by npy-reader")
ZIP = _read_by("a zip archive, like those of np.savez", "npz-reader", "name it .npz, and read it by npz-reader")
ZIP_OF_FILES = FileType("a zip archive of files", "extract its files first: unzip")
MATLAB = _read_by("a MATLAB file", "mat-reader")
PYTORCH = _read_by(
    "a PyTorch file",
    "torch-reader",
    "read it by torch-reader, or save the tensor with np.save(path, tensor.cpu().numpy())",
)
SAFETENSORS = _read_by("a safetensors file", "safetensors-reader")
PICKLE = FileType(
    "a pickle", "pickles are refused, as they can run any code; load it yourself, and save the array with np.save"
)
MP4 = _audio("an MP4 file, such as M4A")
AVI = _audio("an AVI file")
WEB_PAGE = FileType("a web page", "the download returned a web page instead of the file; open it to see why")
GIT_LFS_POINTER = FileType("a Git LFS pointer, not the data itself", "fetch the data: git lfs pull")
MP3 = _audio("an MP3 file")
AIFF = _audio("an AIFF file")
SVX = _audio("an 8SVX file")
MPEG_TS = _audio("an MPEG transport stream")
AAC = _audio("an AAC file")
TAR = _read_by("a tar file", "webdataset-reader")
KALDI = _read_by("a Kaldi archive", "kaldi-reader")
JSON = _text("JSON", "name it .json, and read it by pcm-reader", "pcm-reader")
JSON_LINES = _text("JSON lines", "name it .jsonl, and read it by pcm-reader", "pcm-reader")
NUMBERS = _text("text of numbers", "name it .csv or .txt, and read it by text-reader")
BASE64 = _text("base64", "decode it first: base64 -d", "")
TEXT = _text("text", "open it in a text editor, to see what it holds", "")
TEXTS = frozenset((JSON, JSON_LINES, NUMBERS, BASE64, TEXT))
"""Types of text, which may hold codec tokens in a layout."""

_FORMS = {b"AIFF": AIFF, b"AIFC": AIFF, b"8SVX": SVX, b"16SV": SVX}
_LONGEST_HEADER: Final = 1 << 32  # bytes of the header of a safetensors file
_TS_PACKET: Final = 188  # bytes
_TS_CONTENT: Final = 0x30  # bits of the fourth byte of a packet
_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
"""Boxes with which MP4 and QuickTime files begin."""

_BY_START: tuple[tuple[bytes, FileType], ...] = (
    (b"\x93NUMPY", NPY),
    (b"ECDC\0", ECDC),
    (b"\x89PNG", _read_by("a PNG image", "image-reader")),
    (b"\xff\xd8\xff", _read_by("a JPEG image", "image-reader")),
    (b"<!DOCTYPE", WEB_PAGE),
    (b"<html", WEB_PAGE),
    (b"\x89HDF\r\n\x1a\n", _read_by("an HDF5 file", "hdf5-reader")),
    (b"RIFF", _audio("a WAV file")),
    (b"RF64", _audio("a WAV file (RF64)")),
    (b"fLaC", _audio("a FLAC file")),
    (b"OggS", _audio("an Ogg file")),
    (b"ID3", MP3),
    (b"caff", _audio("a CAF file")),
    (b".snd", _audio("an AU file")),
    (b"Creative Voice File", _audio("a VOC file")),
    (b"\x1a\x45\xdf\xa3", _audio("a Matroska or WebM file")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _audio("a Windows Media file")),
    (b"MAC ", _audio("a Monkey's Audio file")),
    (b"wvpk", _audio("a WavPack file")),
    (b"TTA1", _audio("a True Audio file")),
    (b"tBaK", _audio("a TAK file")),
    (b"MPCK", _audio("a Musepack file")),
    (b"MP+", _audio("a Musepack file (SV7)")),
    (b"ajkg", _audio("a Shorten file")),
    (b"#!AMR", _audio("an AMR file")),
    (b"#!iLBC", _audio("an iLBC file")),
    (b".RMF", _audio("a RealAudio file")),
    (b".ra\xfd", _audio("a RealAudio file")),
    (b"DSD \x1c\0\0\0", _audio("a DSD file (DSF)")),
    (b"FRM8", _audio("a DSD file (DSDIFF)")),
    (b"FLV\x01", _audio("an FLV file")),
    (b"\x7f\xfe\x80\x01", _audio("a DTS file")),
    (b"\0\0\x01\xba", _audio("an MPEG file")),
    (b"nut/multimedia", _audio("a NUT file")),
    (b"qoaf", _audio("a QOA file")),
    (b".SoX", _audio("a SoX file")),
    (b"XoS.", _audio("a SoX file")),
    (b"riff\x2e\x91\xcf\x11", _audio("a W64 file")),
    (b"NIST_1A\n", _audio("a NIST SPHERE file")),
    (b"2BIT", _audio("an AVR file")),
    *((b"\x64\xa3" + bytes((machine, 0)), _audio("an IRCAM file")) for machine in range(5)),
    (b"\0\0\xa3\x64", _audio("an IRCAM file")),
    (b" paf", _audio("a PARIS file")),
    (b"fap ", _audio("a PARIS file")),
    (b"MATLAB", MATLAB),
    (b"PAR1", _read_by("a Parquet file", "parquet-reader")),
    (b"ARROW1", FileType("an Arrow file", "export the column with np.save")),
    (b"\x1f\x8b", _compressed("a gzip file", ".gz")),
    (b"\x28\xb5\x2f\xfd", _compressed("a Zstandard file", ".zst")),
    (b"BZh", _compressed("a bzip2 file", ".bz2")),
    (b"\xfd7zXZ", _compressed("an xz file", ".xz")),
    (b"version https://git-lfs", GIT_LFS_POINTER),
    (b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46", PYTORCH),
    (bytes(32), ZEROS),
)


_RATES: Final = ((11025, 12000, 8000), (), (22050, 24000, 16000), (44100, 48000, 32000))
_BIT_RATES: Final = {
    (3, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (3, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (2, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_DAC = rb"(?s)\x93NUMPY.{2,6}\{'descr': '\|O'[^}]*\(\)[^}]*\}.{0,400}codes"  # a pickled dict
_WEB = rb"(?i)\s*<(?:!doctype html|html|\?xml)"
_JSON_VALUE = rb"\s*(?:\[\s*[\[{\"\]\-0-9tfn]|\"[A-Za-z0-9+/=:;,_.-]{40})"
_NEXT_LINE = rb"\}\s*\n\s*\{"
_NUMBER_LINE = rb"(?i)[\s,;]*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[\s,;]"
_BASE64_LINE = rb"(?:data:[\w/+.;=-]+;base64,)?[A-Za-z0-9+/_\-\s]{40,}={0,2}\s*"
_CONTROL = rb"[\0-\x08\x0e-\x1f\x7f]"
_MOST_HEADINGS: Final = 8  # lines before the numbers of a table
_WORDS = re.compile(rb"\S [^ ]")  # spaces within a line
_HEXADECIMAL = rb"[0-9a-f\s-]+|[0-9A-F\s-]+"
_SHORTEST_BASE64: Final = 40  # letters


def identify(head: bytes) -> FileType:
    r"""Return the type of a file, or of bytes that stand in another file.

    Parameters
    ----------
    head
        First `HEAD` bytes, or all of them if there are fewer.

    Returns
    -------
    FileType
        `UNKNOWN` if no type fits.

    Examples
    --------
    >>> identify(b"RIFF\x24\x00\x00\x00WAVEfmt ").reader
    'audio-reader'
    """
    if not head:
        return EMPTY
    if found := _special_type(head):
        return found
    for start, found in _BY_START:
        if head.startswith(start):
            return found
    if head[:4] == b"FORM" and head[8:12] in _FORMS:
        return _FORMS[head[8:12]]
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _type_of_zip(head)
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return PICKLE
    if head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < _LONGEST_HEADER:  # JSON may begin with {"abc": {"
        return SAFETENSORS
    if head[257:262] == b"ustar":
        return TAR
    if _is_kaldi(head):
        return KALDI
    return _frames(head) or _type_of_packets(head) or _type_of_text(head) or UNKNOWN


def _special_type(head: bytes) -> FileType | None:
    """Return the type of a file that begins as those of another type do, or not in its first byte."""
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return AVI
    if head[4:8] in _ATOMS and head[:2] == b"\0\0":
        return MP4
    return DAC if re.match(_DAC, head) else None


def _type_of_packets(head: bytes) -> FileType | None:
    """Return the type of an MPEG transport stream, whose packets begin alike, and have tables or sound in them."""
    starts = head[: 5 * _TS_PACKET : _TS_PACKET]
    return MPEG_TS if starts == b"\x47" * 5 and head[3] & _TS_CONTENT else None


def _type_of_zip(head: bytes) -> FileType:
    """Return the type of a zip archive, by the name of its first member."""
    if any(mark in head[:64] for mark in (b"/data.pkl", b"/.format", b"/byteorder")):
        return PYTORCH
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    return ZIP_OF_FILES if head[2:4] == b"\x03\x04" and b"." in name and not name.endswith(b".npy") else ZIP


def _is_kaldi(head: bytes) -> bool:
    """Return whether bytes are a key and the mark of a binary value."""
    key, space, value = head[:1024].partition(b" ")
    return bool(space) and key.isascii() and key.decode().isprintable() and value[:2] == b"\0B" and bool(key)


def _frames(head: bytes) -> FileType | None:
    """Return the type of MPEG audio, whose frames begin with few fixed bits: two in a row are needed."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:
        size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5 if len(head) > 5 else 0
        found = AAC
    else:
        size, found = _mpeg_frame(head), MP3
    following = head[size : size + 2]
    return found if size and len(following) == 2 and following[0] == 0xFF and following[1] == head[1] else None


def _mpeg_frame(head: bytes) -> int:
    """Return the size of a frame of MPEG audio in bytes, layer II or III; 0 if the header is not one."""
    version, layer, index, rate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer in (0, 3) or index in (0, 15) or rate == 3:
        return 0
    bits = _BIT_RATES[(3, layer) if version == 3 else (2, 1)][index - 1]
    samples = 72 if layer == 1 and version != 3 else 144
    return samples * bits * 1000 // _RATES[version][rate] + (head[2] >> 1 & 1)


def _type_of_text(head: bytes) -> FileType | None:
    """Return the type of a text; None for anything else."""
    text = head.removeprefix(b"\xef\xbb\xbf")
    if not all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in text[:64]):
        return None
    if re.match(_WEB, text):
        return WEB_PAGE
    if re.match(_JSON_VALUE, text):
        return JSON
    if text.lstrip()[:1] == b"{" or text.startswith((b"data: {", b"event: ")):
        return JSON_LINES if text[:1] in b"de" or re.search(_NEXT_LINE, text) else JSON
    if re.match(_NUMBER_LINE, text + b" "):
        return NUMBERS
    may_be_base64 = len(text) >= _SHORTEST_BASE64 and re.search(rb"[A-Z]", text)  # lower case alone is of words
    if may_be_base64 and re.fullmatch(_BASE64_LINE, text) and not re.search(_WORDS, text):
        return TEXT if re.fullmatch(_HEXADECIMAL, text) else BASE64
    if re.search(_CONTROL, text):
        return None
    lines = text.split(b"\n")[1:-1]  # the last one may be cut off
    # It is not quoted: the source may be a link to a file that its reader may not know.
    return NUMBERS if any(re.match(_NUMBER_LINE, line + b" ") for line in lines[:_MOST_HEADINGS]) else TEXT
