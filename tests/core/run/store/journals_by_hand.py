"""Journals that are written by hand, line by line, and what their history says of a source."""

import json
import os

import xxhash

from tonearm.content_hash import hash_path
from tonearm.run.store.history import History
from tonearm.run.store.local_store import LocalStore

A, B = xxhash.xxh3_128_hexdigest(b"aaaa"), xxhash.xxh3_128_hexdigest(b"bbbb")
OUTPUT = "f00d"
"""Fingerprint of the output."""


OPENED = []
"""Stores that are closed when the test has ended."""


def history(root="out"):
    OPENED.append(LocalStore(str(root)))
    return History(OPENED[-1])


class Journals:
    """Writes journals by hand, and asks what they say of the source ``in.txt``."""

    def __init__(self, root):
        self.root = root
        self.folder = root / "out" / ".tonearm"
        self.folder.mkdir(parents=True)
        self.source = str(root / "in.txt")
        (root / "in.txt").write_text("k 1")
        self.state = [3, (root / "in.txt").stat().st_mtime_ns]

    def lines(self, *lines, name="journal.jsonl"):
        with (self.folder / name).open("ab") as file:
            for line in lines:
                file.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")

    def run(self, time=1.0):
        return {"record": "run", "journal": 2, "pipeline": "beef", "time": time, "sources": 1}

    def begin(self, *files, fingerprint=OUTPUT, **more):
        """One item with files, each a name and a hash."""
        files = [[name, 4, digest] for name, digest in files or [("a.wav", A)]]
        return {
            "record": "begin", "source": self.source, "folder": ".", "state": self.state,
            "outputs": [[fingerprint, [["k", 0, files]]]], **more,
        }  # fmt: skip

    def out(self, output="a.wav", **more):
        item = {"key": "k", "index": 0, "fingerprint": OUTPUT, "files": [[output, 4]]}
        return {"record": "out", "source": self.source, "folder": ".", "items": [item], **more}

    def end(self, items=(("k", 0, [["a.wav", 4, A]]),), fingerprint=OUTPUT, **more):
        return {
            "record": "end", "source": self.source, "folder": ".", "state": self.state,
            "hash": xxhash.xxh3_128_hexdigest(b"k 1"), "outputs": [[fingerprint, items]], "failed": 0, "seconds": 0.5,
            **more,
        }  # fmt: skip

    def publish(self, name="a.wav", content=b"aaaa"):
        (self.root / "out" / name).write_bytes(content)

    def find(self, verify=False, fingerprint=OUTPUT, is_path=lambda item, path: True, state=None, read=None):
        status = os.stat(self.source)
        return (read or history()).find(
            fingerprint,
            ".",
            self.source,
            state or (status.st_size, status.st_mtime_ns),
            verify=verify,
            is_path=is_path,
            content_hash=lambda: hash_path(self.source),
        )
