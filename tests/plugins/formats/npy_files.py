"""Files of NumPy arrays, good and bad, as bytes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from tonearm_plugins.formats import npy_header


def saved(array: Any, **options: Any) -> bytes:
    """A .npy file by NumPy."""
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def raw(header: str | bytes, data: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    """A .npy file with any header."""
    text = header if isinstance(header, bytes) else header.encode("latin-1")
    length = len(text).to_bytes(2 if version[0] == 1 else 4, "little")
    return npy_header.MAGIC + bytes(version) + length + text + data


def claim(descr: str = "'<f4'", shape: str = "(2, 3)", order: str = "False", data: int = 24) -> bytes:
    """A .npy file with any figures in its header."""
    return raw(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}", bytes(data))
