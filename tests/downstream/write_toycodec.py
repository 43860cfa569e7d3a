"""Writes the codebooks of the toy codec, and tokens in which each book is a step later than the one above."""

import sys
from pathlib import Path

import numpy as np


def write(folder: Path, frames: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Return the codebooks and the codes that have been written."""
    rng = np.random.default_rng(8)
    books = (rng.normal(size=(4, 64, 160)) * [[[0.1]], [[0.05]], [[0.02]], [[0.01]]]).astype("f4")
    np.savez(folder / "toy.npz", books=books)
    codes = rng.integers(0, 64, (4, frames))
    delayed = np.full((4, frames + 3), 64)
    for book in range(4):
        delayed[book, book : book + frames] = codes[book]
    np.save(folder / "speech.npy", delayed)
    return books, codes


if __name__ == "__main__":
    write(Path(sys.argv[1]))
