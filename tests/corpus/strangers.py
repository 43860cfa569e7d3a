"""Five hundred files that are not what they should be: each refused in one line, nothing written, little memory."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from real_formats import FORMATS, npy_bytes, tar_of

WAVE = np.random.default_rng(3).uniform(-0.9, 0.9, (2, 400)).astype("f4")
CUTS = 14
WHOLE_WHEN_CUT = ("webdataset", "torch-old")  # a tar's end is zeros; old files may end after their last value
OPTIONS: dict[str, dict[str, Any]] = {
    "audio-reader": {},
    "image-reader": {"dialect": "riffusion"},
    "pcm-reader": {"sample_rate": 8000, "encoding": "pcm_f32le", "field": "a.0"},
}


class Evil:
    def __reduce__(self) -> Any:
        return os.mkdir, ("/tmp/tonearm-evil",)


def strangers() -> Iterator[tuple[str, bytes]]:
    """What is none of the formats, whatever it is called."""
    yield "empty", b""
    yield "zeros", bytes(5000)
    yield "noise", np.random.default_rng(1).bytes(5000)
    yield "text", b"hello world\n" * 50
    yield "html", b"<!DOCTYPE html><html><body>404</body></html>"
    yield "lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"
    yield "pickle", pickle.dumps({"wav": Evil()})
    yield "object", _object_array()
    yield "gzip", gzip.compress(npy_bytes(WAVE))
    yield "zip", _zipped({"a.txt": b"hello"})
    yield "exe", b"\x7fELF" + bytes(500)
    yield "json", b'{"a": [1, 2'


def _object_array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([Evil(), None], dtype=object), allow_pickle=True)
    return file.getvalue()


def _zipped(members: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def lies() -> Iterator[tuple[str, str, bytes]]:
    """Headers that claim what is not there, as (name, decoder, content)."""
    shapes = [
        "(10**12,)",
        "(1000000000000,)",
        "(-1,)",
        "(0, 5)",
        "(4294967296, 4294967296)",
        "()",
        "(1e3,)",
        "(400)",
        "9",
    ]
    descrs = ["<f4", "|O", "<V8", "|V2", "<U5", "|b1", "<M8[s]", "<f16", "[('a', '<f4')]", "__import__('os')", "<f4\\n"]
    for number, (shape, descr) in enumerate(
        [*((shape, "<f4") for shape in shapes), *(("(2, 400)", descr) for descr in descrs[1:])]
    ):
        shown = descr if descr.startswith("[") else repr(descr)
        text = f"{{'descr': {shown}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
        header = b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text.encode()
        for suffix, decoder, data in (
            (".npy", "npy-reader", header + WAVE.tobytes()),
            (".npz", "npz-reader", _zipped({"a.npy": header + WAVE.tobytes()})),
            (".tar", "webdataset-reader", tar_of({"a.npy": header + WAVE.tobytes()})),
        ):
            yield f"lie-{number}{suffix}", decoder, data
    for name, array in {
        "nan": np.full((2, 400), np.nan, "f4"),
        "infinite": np.full((2, 400), -np.inf, "f4"),
        "huge": np.full((2, 400), 1e30),
        "16-bit": WAVE * 32768,
        "int64": np.ones((2, 400), "i8"),
        "uint8": np.full((2, 400), 128, "u1"),
        "bool": np.ones((2, 400), bool),
        "text": np.full((2, 400), "a"),
        "dates": np.zeros((2, 400), "M8[s]"),
        "fields": np.zeros((2, 400), [("a", "f4")]),
        "complex": WAVE.astype("c8"),
        "scalar": np.float32(1),
        "rank 3": np.ones((2, 2, 400), "f4"),
    }.items():
        yield f"{name}.npy", "npy-reader", npy_bytes(array)
        yield f"{name}.npz", "npz-reader", _zipped({"a.npy": npy_bytes(array)})
        yield f"{name}.tar", "webdataset-reader", tar_of({"a.npy": npy_bytes(array)})
    yield (
        "bomb.npz",
        "npz-reader",
        _zipped({"a.npy": npy_bytes(np.zeros((2, 150_000_000), "f4"))}, zipfile.ZIP_DEFLATED),
    )
    yield "lzma.npz", "npz-reader", _zipped({"a.npy": npy_bytes(WAVE)}, zipfile.ZIP_LZMA)
    yield "many.npz", "npz-reader", _zipped({f"{number}.npy": npy_bytes(WAVE) for number in range(300)})
    yield "none.tar", "webdataset-reader", tar_of({"a.txt": b"hello"})
    for number, content in enumerate([{}, {"a": []}, {"a": [3]}, {"a": ["!"]}, {"a": ["AAA="]}, {"a": [""]}, [], 3]):
        yield f"{number}.json", "pcm-reader", json.dumps(content).encode()


class Corpus:
    """Files in one folder, by decoder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.files: dict[str, list[Path]] = {}

    def path(self, name: str, decoder: str) -> Path:
        paths = self.files.setdefault(decoder, [])
        paths.append(self.folder / f"{len(paths)}-{name}")
        return paths[-1]

    def add_cut(self) -> None:
        """Every format, cut off at several places."""
        for name, one in FORMATS.items():
            if name.startswith(WHOLE_WHEN_CUT) or name in ("zarr-2", "zarr-3"):
                continue
            good = one.save(self.folder, {"a": WAVE})
            data = good.read_bytes()
            good.unlink()
            for part in range(CUTS):
                self.path(f"cut{one.suffix}", one.decoder).write_bytes(data[: len(data) * part // CUTS])

    def add_strangers(self) -> None:
        """What is none of the formats, under the suffix of each; and what can be opened, but never read."""
        names = {(one.decoder, one.suffix) for one in FORMATS.values()} - {("zarr-reader", ".zarr")}
        names |= {("audio-reader", ".wav"), ("audio-reader", ".flac"), ("image-reader", ".png")}
        for decoder, suffix in sorted(names):
            for what, stranger in strangers():
                self.path(f"{what}{suffix}", decoder).write_bytes(stranger)
            for what, target in (("dangling", "/nowhere"), ("device", "/dev/zero"), ("null", "/dev/null")):
                self.path(f"{what}{suffix}", decoder).symlink_to(target)
            loop = self.path(f"loop{suffix}", decoder)
            loop.symlink_to(loop)
            os.mkfifo(self.path(f"fifo{suffix}", decoder))

    def add_lies(self) -> None:
        for name, decoder, data in lies():
            self.path(name, decoder).write_bytes(data)


CODE = """
import sys
from tonearm.cli.main import main
status = main(sys.argv[1:])
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
sys.exit(status)
"""


@pytest.mark.slow
def test_five_hundred_hostile_files(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "in")
    corpus.add_cut()
    corpus.add_strangers()
    corpus.add_lies()
    assert sum(map(len, corpus.files.values())) >= 500
    for decoder, paths in corpus.files.items():
        options = OPTIONS.get(decoder, {"kind": "waveform", "axes": ["channel", "time"], "sample_rate": 8000})
        pipeline = {
            "tonearm": 1,
            "input": {"use": decoder, "with": options},
            "steps": [{"use": "mel-to-wave"}] if decoder == "image-reader" else [],
            "outputs": [{"use": "wav-writer", "file": "{name}.wav"}],
        }
        (tmp_path / "p.yaml").write_text(yaml.safe_dump(pipeline))
        out = tmp_path / decoder
        arguments = ["run", str(tmp_path / "p.yaml"), *map(str, paths), "--out", str(out), "--jobs", "1"]
        done = subprocess.run(
            [sys.executable, "-c", CODE, *arguments],
            capture_output=True,
            text=True,
            timeout=10 * len(paths),
            check=False,
        )
        assert done.returncode == 3, done.stderr[-2000:]
        assert "Traceback" not in done.stderr
        assert int(done.stdout.split()[-1]) < 1 << 20, "kilobytes"
        records = [json.loads(line) for line in (out / ".tonearm/journal.jsonl").read_text().splitlines()]
        errors = [record for record in records if record["record"] == "err"]
        assert len({record["source"] for record in errors}) == len(paths)
        assert not [record for record in errors if record["code"] == "plugin-failed"], errors
        assert all((record["message"] + record["hint"]).isprintable() for record in errors)
        assert [path.name for path in out.iterdir()] == [".tonearm"]
    assert not Path("/tmp/tonearm-evil").exists()
