"""What is none of the formats, under the suffix of each, and what can be opened but never read."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from case import REFUSED, WAVEFORM, Case
from real_formats import FORMATS, npy_bytes

WAVE = np.random.default_rng(3).uniform(-0.9, 0.9, (2, 400)).astype("f4")
EVIL = Path("/tmp/tonearm-evil")
"""Folder that the pickles would make if any were loaded."""

READERS: dict[str, tuple[str, ...]] = {
    "audio-reader": (".wav", ".flac", ".mp3", ".ogg"),
    "hdf5-reader": (".h5",),
    "image-reader": (".png",),
    "kaldi-reader": (".ark", ".scp"),
    "mat-reader": (".mat",),
    "npy-reader": (".npy",),
    "npz-reader": (".npz",),
    "parquet-reader": (".parquet",),
    "pcm-reader": (".json",),
    "raw-reader": (".f32",),
    "safetensors-reader": (".safetensors",),
    "text-reader": (".csv", ".txt"),
    "torch-reader": (".pt", ".pth"),
    "webdataset-reader": (".tar", ".tar.gz"),
    "zarr-reader": (".zarr", ".zarr.zip"),
}
"""Suffixes of the files of each reader."""

OPTIONS: dict[str, dict[str, Any]] = {
    "audio-reader": {},
    "image-reader": {"dialect": "riffusion"},
    "pcm-reader": {"sample_rate": 8000, "encoding": "pcm_f32le", "field": "a.0"},
}
"""Options of the readers that are not told what an array holds."""


def options_of(reader: str) -> dict[str, Any]:
    return OPTIONS.get(reader, dict(WAVEFORM))


class Evil:
    def __reduce__(self) -> Any:
        return os.mkdir, (str(EVIL),)


def zipped(members: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def object_array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([Evil(), None], dtype=object), allow_pickle=True)
    return file.getvalue()


CONTENTS: dict[str, bytes] = {
    "empty": b"",
    "newline": b"\n",
    "zeros": bytes(5000),
    "noise": np.random.default_rng(1).bytes(5000),
    "text": b"hello world\n" * 50,
    "html": b"<!DOCTYPE html><html><body>404</body></html>",
    "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
    "pickle": pickle.dumps({"wav": Evil()}),
    "object": object_array(),
    "gzip": gzip.compress(npy_bytes(WAVE)),
    "zip": zipped({"a.txt": b"hello"}),
    "exe": b"\x7fELF" + bytes(500),
    "json": b'{"a": [1, 2',
    "playlist": b"#EXTM3U\nfile:///etc/passwd\n",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "utf-16": "{'descr': 'f4'}".encode("utf-16"),
}


def link(target: str) -> Any:
    return lambda path: path.symlink_to(target)


UNREADABLE: dict[str, tuple[Any, str]] = {
    "dangling": (link("/nowhere"), "unreadable"),
    "loop": (lambda path: path.symlink_to(path), "unreadable"),
    "device": (link("/dev/zero"), "not-a-file"),
    "null": (link("/dev/null"), "not-a-file"),
    "fifo": (os.mkfifo, "not-a-file"),
    "folder": (lambda path: path.mkdir(), REFUSED),
}


def cases() -> Iterator[Case]:
    """Yield each content under each suffix, and each format under the suffix of every other."""
    for reader, suffixes in READERS.items():
        for suffix in suffixes:
            end = suffix.replace(".", "-")
            for name, content in CONTENTS.items():
                yield Case(f"{name}{end}", reader, suffix, content, REFUSED, options_of(reader))
            for name, (make, verdict) in UNREADABLE.items():
                yield Case(f"{name}{end}", reader, suffix, make, verdict, options_of(reader))


def foreign_cases(folder: Path) -> Iterator[Case]:
    """Yield a file of each format under the name of every other reader. They are made in a folder."""
    for name, one in FORMATS.items():
        if name in ("zarr-2", "zarr-3"):
            continue
        content = one.save(folder, {"a": WAVE}).read_bytes()
        for reader, suffixes in READERS.items():
            if reader != one.decoder:
                yield Case(
                    f"{name}-in{suffixes[0].replace('.', '-')}",
                    reader,
                    suffixes[0],
                    content,
                    REFUSED,
                    options_of(reader),
                )
