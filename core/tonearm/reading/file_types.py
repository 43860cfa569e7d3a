"""Types of files, told from their first bytes, for the error message when another type was expected."""

from __future__ import annotations

from typing import NamedTuple

from tonearm.reading.messages import WRITE_AGAIN

HEAD = 64
"""Number of first bytes that `identify` needs."""

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


EMPTY = FileType("an empty file: it has 0 bytes", WRITE_AGAIN)
ZEROS = FileType("nothing but zero bytes", "the write was interrupted or the disk was full; write the file again")
UNKNOWN = FileType("no known format", "save the array with np.save")
NPY = _read_by("a .npy file", "npy-reader", "name it .npy, and read it by npy-reader")
ZIP = FileType("a zip archive, like those of np.savez", "name it .npz, and read it by npz-reader")
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

_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
"""Boxes with which MP4 and QuickTime files begin."""

_BY_START: tuple[tuple[bytes, FileType], ...] = (
    (b"\x93NUMPY", NPY),
    (b"\x89PNG", _read_by("a PNG image", "image-reader")),
    (b"\xff\xd8\xff", _read_by("a JPEG image", "image-reader")),
    (b"<!DOCTYPE", WEB_PAGE),
    (b"<html", WEB_PAGE),
    (b"\x89HDF\r\n\x1a\n", _read_by("an HDF5 file", "hdf5-reader")),
    (b"RIFF", _audio("a WAV file")),
    (b"RF64", _audio("a WAV file (RF64)")),
    (b"fLaC", _audio("a FLAC file")),
    (b"OggS", _audio("an Ogg file")),
    (b"ID3", _audio("an MP3 file")),
    (b"FORM", _audio("an AIFF file")),
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


def identify(head: bytes) -> FileType:
    """Return the type of a file.

    Parameters
    ----------
    head
        First `HEAD` bytes of the file, or all of them if there are fewer.

    Returns
    -------
    FileType
        `UNKNOWN` if no type fits.
    """
    if not head:
        return EMPTY
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return AVI
    if head[4:8] in _ATOMS and head[:2] == b"\0\0":
        return MP4
    for start, found in _BY_START:
        if head.startswith(start):
            return found
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return PYTORCH if any(mark in head for mark in (b"/data.pkl", b"/.format", b"/byteorder")) else ZIP
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return PICKLE
    if head[8:10] == b'{"':
        return SAFETENSORS
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head):
        # It is not quoted: the source may be a link to a file that its reader may not know.
        return FileType("text", "load it with np.loadtxt, and save it with np.save")
    return UNKNOWN
