"""What a file looks like from its first bytes, for the message when it is not what it should be."""

from __future__ import annotations

HEAD = 64  # bytes that are enough

_NOT_OPENED = "a pickle, which is never opened: it can run any code"
_TENSOR = "read it by torch-reader, or save the tensor with np.save(path, tensor.cpu().numpy())"
_AUDIO = "it is audio already: read it by audio-reader"

# How it starts, what it is called, what to do.
_KNOWN: tuple[tuple[bytes, str, str], ...] = (
    (b"\x93NUMPY", "a .npy file", "name it .npy, and read it by npy-reader"),
    (b"\x89PNG", "a PNG picture", "read it by image-reader"),
    (b"\xff\xd8\xff", "a JPEG picture", "read it by image-reader"),
    (b"<!DOCTYPE", "a web page", "whatever downloaded it got a page instead of the file: look into it"),
    (b"<html", "a web page", "whatever downloaded it got a page instead of the file: look into it"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "read it by hdf5-reader"),
    (b"RIFF", "a WAV file", _AUDIO),
    (b"RF64", "a WAV file (RF64)", _AUDIO),
    (b"fLaC", "a FLAC file", _AUDIO),
    (b"OggS", "an Ogg file", _AUDIO),
    (b"ID3", "an MP3 file", _AUDIO),
    (b"MATLAB", "a MATLAB file", "read it by mat-reader"),
    (b"PAR1", "a Parquet file", "read it by parquet-reader"),
    (b"ARROW1", "an Arrow file", "export the column with np.save"),
    (b"\x1f\x8b", "a gzip file", "decompress it first (gunzip)"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", "decompress it first (unzstd)"),
    (b"BZh", "a bzip2 file", "decompress it first (bunzip2)"),
    (b"\xfd7zXZ", "an xz file", "decompress it first (unxz)"),
    (b"version https://git-lfs", "a Git LFS pointer, not the data itself", "fetch the data: git lfs pull"),
    (b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46", "a PyTorch file", _TENSOR),
    (bytes(32), "nothing but zero bytes", "the write was interrupted or the disk was full; write the file again"),
)


def shown(text: str, limit: int = 120) -> str:
    """Return a name in quotes, on one line and bounded, whatever it holds."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def looks_like(head: bytes) -> tuple[str, str]:
    """Say what a file is that was taken for NumPy's.

    Parameters
    ----------
    head
        Its first 64 bytes, or all if it is shorter.

    Returns
    -------
    what, hint
        "a WAV file", and what to do about it. Never empty.
    """
    if not head:
        return "an empty file: it has 0 bytes", "write it again; if it was copied or downloaded, it did not arrive"
    for start, what, hint in _KNOWN:
        if head.startswith(start):
            return what, hint
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        if any(mark in head for mark in (b"/data.pkl", b"/.format", b"/byteorder")):
            return "a PyTorch file", _TENSOR
        return "a zip archive, such as np.savez writes", "name it .npz and read it as such"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return _NOT_OPENED, "load it yourself, and save the array with np.save"
    if head[8:10] == b'{"':
        return "a safetensors file", "read it by safetensors-reader"
    if head and all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head):
        return f"text: {shown(head[:24].decode('ascii'))}", "load it with np.loadtxt and save it with np.save"
    return "nothing that is known", "save the array with np.save"
