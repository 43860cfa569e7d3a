"""Headers that claim what is not there, values that are no sound, and files that were cut off or overwritten."""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from case import ANY, FINE, REFUSED, WAVEFORM, Case
from real_formats import FORMATS, npy_bytes, tar_of
from strangers import OPTIONS, WAVE, zipped

CUTS = 10
WHOLE_WHEN_CUT = ("webdataset", "torch-old")
"""Formats that may be whole when cut off: a tar's end is zeros, and old files may end after their last value."""

HOLDERS = (
    ("npy-reader", ".npy", lambda data: data),
    ("npz-reader", ".npz", lambda data: zipped({"a.npy": data})),
    ("webdataset-reader", ".tar", lambda data: tar_of({"a.npy": data})),
)
"""Files that hold an array as NumPy writes it."""

SHAPES: dict[str, str] = {
    "(10**12,)": REFUSED,
    "(1000000000000,)": REFUSED,
    "(-1,)": REFUSED,
    "(0, 5)": "npy-empty",
    "(4294967296, 4294967296)": REFUSED,
    "()": REFUSED,
    "(1e3,)": REFUSED,
    "(400)": REFUSED,
    "9": REFUSED,
    "(2, 401)": REFUSED,
    "(True, 400)": REFUSED,
    "(2, 400" + ", 1" * 70 + ")": REFUSED,
    "(" * 3000: REFUSED,
    "(2, 4_00)": REFUSED,
    "(2, 400)": FINE,
}
"""Shapes that a header claims of two channels with 400 samples."""

TYPES = (
    "|O",
    "<V8",
    "|V2",
    "<U5",
    "|b1",
    "<M8[s]",
    "<f16",
    "[('a', '<f4')]",
    "__import__('os')",
    "<f4\\n",
    "f" * 500,
    "é",
)

VALUES: dict[str, tuple[Any, str]] = {
    "nan": (np.full((2, 400), np.nan, "f4"), "not-finite"),
    "infinite": (np.full((2, 400), -np.inf, "f4"), "not-finite"),
    "huge": (np.full((2, 400), 1e30), "beyond-full-scale"),
    "floats-of-16-bit": (WAVE * 32768, "beyond-full-scale"),
    "bool": (np.ones((2, 400), bool), "npy-dtype"),
    "text": (np.full((2, 400), "a"), "npy-dtype"),
    "dates": (np.zeros((2, 400), "M8[s]"), "npy-dtype"),
    "fields": (np.zeros((2, 400), [("a", "f4")]), "npy-dtype"),
    "complex": ((WAVE + 0.5j).astype("c8"), REFUSED),
    "scalar": (np.float32(1), REFUSED),
    "rank-3": (np.ones((2, 2, 400), "f4"), "axes-mismatch"),
    "none": (np.zeros((2, 0), "f4"), "npy-empty"),
    "denormals": (np.full((2, 400), 1e-42, "f4"), FINE),
    "fortran": (np.asfortranarray(WAVE), FINE),
    "big-endian": (WAVE.astype(">f8"), FINE),
    "16-bit": ((WAVE * 32767).astype("i2"), FINE),
}


def header(shape: str, descr: str) -> bytes:
    """Return a header of .npy that claims a shape and a type."""
    shown = descr if descr.startswith("[") else repr(descr)
    text = f"{{'descr': {shown}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text.encode("latin-1")


def cases() -> Iterator[Case]:
    """Yield files with a header or values that are wrong, or look so."""
    options = dict(WAVEFORM)
    for reader, suffix, hold in HOLDERS:
        for number, (shape, verdict) in enumerate(SHAPES.items()):
            content = hold(header(shape, "<f4") + WAVE.tobytes())
            yield Case(f"shape-{number}", reader, suffix, content, verdict, options)
        for number, descr in enumerate(TYPES):
            content = hold(header("(2, 400)", descr) + WAVE.tobytes())
            yield Case(f"type-{number}", reader, suffix, content, REFUSED, options)
        for name, (array, verdict) in VALUES.items():
            yield Case(name, reader, suffix, hold(npy_bytes(array)), verdict, options)
        for version in (0, 2, 3, 4, 255):
            content = hold(b"\x93NUMPY" + bytes([version]) + header("(2, 400)", "<f4")[7:] + WAVE.tobytes())
            yield Case(f"version-{version}", reader, suffix, content, REFUSED, options)
    yield Case("lzma", "npz-reader", ".npz", zipped({"a.npy": npy_bytes(WAVE)}, zipfile.ZIP_LZMA), REFUSED, options)
    members = {f"{number}.npy": npy_bytes(WAVE) for number in range(300)}
    yield Case("many", "npz-reader", ".npz", zipped(members), "npz-too-many", options)
    for name in ("../a.npy", "/a.npy", "a/../../b.npy", "a\nb.npy", "n" * 9000 + ".npy", "\u202e.npy"):
        content = zipped({name: npy_bytes(WAVE)})
        yield Case(f"name-{len(name)}-{ord(name[0])}", "npz-reader", ".npz", content, ANY, options)
        content = tar_of({name: npy_bytes(WAVE)})
        yield Case(f"name-{len(name)}-{ord(name[0])}", "webdataset-reader", ".tar", content, ANY, options)
    yield Case("no-member", "webdataset-reader", ".tar", tar_of({"a.txt": b"hello"}), REFUSED, options)
    for number, (content, verdict) in enumerate(TEXTS):
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        yield Case(f"text-{number}", "pcm-reader", ".json", text, verdict, OPTIONS["pcm-reader"])
    for number, (entry, present) in enumerate(ENTRIES):
        yield Case(
            f"entry-{number}", "safetensors-reader", ".safetensors", tensors(entry, present), "broken-file", options
        )
    for number, data in enumerate(UTTERANCES):
        yield Case(f"utterance-{number}", "kaldi-reader", ".ark", data, REFUSED, options)
    for number, place in enumerate(PLACES):
        text = f"utt0 {place}\n".encode()
        yield Case(f"place-{number}", "kaldi-reader", ".scp", text, REFUSED, options)


TEXTS: tuple[tuple[Any, str], ...] = (
    ({}, REFUSED),
    ({"a": []}, REFUSED),
    ({"a": [3]}, REFUSED),
    ({"a": ["!"]}, REFUSED),
    ({"a": ["AAA="]}, REFUSED),
    ({"a": [""]}, "empty"),
    ([], REFUSED),
    (3, REFUSED),
    (b"[" * 100_000, REFUSED),
    (b'{"a":' * 100_000, REFUSED),
    (b'{"a": [' + b"9" * 100_000 + b"]}", REFUSED),
    (b'{"a": [NaN]}', REFUSED),
    (b'\xff\xfe{"a": ["AAAA"]}', REFUSED),
    ({"a": [base64.b64encode(WAVE.tobytes()).decode()]}, FINE),
    ({"a": [base64.b64encode(np.full(9, np.nan, "f4").tobytes()).decode()]}, "not-finite"),
)
"""JSON from which `pcm-reader` takes field ``a.0``."""

ENTRIES: tuple[tuple[dict[str, Any], int], ...] = (
    ({"shape": [10**12]}, 16),
    ({"shape": [-4]}, 16),
    ({"shape": [1 << 63, 1 << 63]}, 16),
    ({"data_offsets": [0, 1 << 62]}, 16),
    ({"data_offsets": [16, 0]}, 16),
    ({"data_offsets": [8, 24]}, 24),
    ({"dtype": "F99"}, 16),
    ({"dtype": 4}, 16),
    ({}, 8),
    ({}, 24),
)
"""Changes of a tensor's entry in a header of .safetensors, and the bytes that follow the header."""

UTTERANCES = (
    b"utt0 \0BFM \4\xff\xff\xff\x7f\4\xff\xff\xff\x7f" + bytes(50),
    b"utt0 \0BFM \4\xff\xff\xff\xff\4\xff\xff\xff\x7f" + bytes(50),
    b"utt0 \0BFV \4\0\0\0\0",
    b"utt0 \0BXX " + bytes(50),
    b"utt0 \0BCM " + bytes(50),
    b"utt0 ",
    b"utt0 NPY" + bytes(50),
    b"utt0 PKL\x80\4N.",
    b"utt0 AUDIO" + b"\xff" * 8 + bytes(50),
    b"utt0 fLaC" + bytes(50),
    b"a " * 30,
    b"a [ 1 2",
    b"a [ 1 2 ; x ]\n",
    b"a " + b"9" * 100_000,
)

PLACES = (
    "touch evil |",
    "| touch evil",
    "a.ark:5[0:2]",
    "-",
    "secret.txt",
    "secret.txt:0",
    "secret.txt:13",
    "/etc/passwd",
    "/dev/zero",
    "nowhere.ark:5",
    "../../../../etc/shadow:0",
    "http://localhost/a.ark",
    "a.ark:99999999999999999999",
    "",
)
"""Places that an .scp names."""


def tensors(entry: dict[str, Any], present: int) -> bytes:
    """Return a file of .safetensors whose one tensor has an entry that lies."""
    text = json.dumps({"wav": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]} | entry}).encode()
    return len(text).to_bytes(8, "little") + text + bytes(present)


def damaged_cases(folder: Path) -> Iterator[Case]:
    """Yield each format cut off, overwritten, and with bytes after its end. The files are made in a folder."""
    for name, one in FORMATS.items():
        if name in ("zarr-2", "zarr-3"):
            continue
        data = one.save(folder, {"a": WAVE}).read_bytes()
        verdict = ANY if name.startswith(WHOLE_WHEN_CUT) else REFUSED
        for part in range(1, CUTS):
            cut = data[: len(data) * part // CUTS]
            yield Case(f"{name}-cut-{part}", one.decoder, one.suffix, cut, verdict, dict(WAVEFORM))
        for part in range(CUTS):
            at = len(data) * part // CUTS
            for fill in (b"\0", b"\xff"):
                over = data[:at] + fill * 16 + data[at + 16 :]
                yield Case(f"{name}-over-{part}-{fill[0]}", one.decoder, one.suffix, over, ANY, dict(WAVEFORM))
        yield Case(f"{name}-more", one.decoder, one.suffix, data + b"more" * 30, ANY, dict(WAVEFORM))
