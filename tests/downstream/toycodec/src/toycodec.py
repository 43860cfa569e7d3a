"""A codec as its own project publishes it, which knows nothing of tonearm: each code stands for a short wave."""

from __future__ import annotations

import numpy as np


class ToyCodec:
    """A decoder whose frames are sums of one waveform from each codebook: ``books`` (book, code, sample)."""

    sample_rate = 16000

    def __init__(self, books: np.ndarray) -> None:
        self.books = books

    @classmethod
    def from_file(cls, path: str) -> ToyCodec:
        """Return the codec whose books are in a file."""
        return cls(np.load(path)["books"])

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return the sound (1, samples) of codes (books, frames)."""
        frames = sum(book[rows] for book, rows in zip(self.books, codes, strict=True))
        return np.asarray(frames, np.float32).reshape(1, -1)
