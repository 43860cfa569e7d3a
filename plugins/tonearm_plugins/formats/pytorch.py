"""PyTorch's files: tensors by name, read without running anything that a file says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from tonearm.api import ItemError, Requirement
from tonearm_plugins.formats.file_types import shown
from tonearm_plugins.formats.reading import check_claim, judged, path_of, size_of, stranger

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

TORCH = Requirement(name="torch", at_least="2.10", hint="pip install 'tonearm[torch]'")
"""Before 2.10, weights_only could be talked into running code."""

MAX_DEPTH = 16
MAX_TENSORS = 100_000


def load(file: BinaryIO, name: str) -> dict[str, Any]:
    """Return the tensors of a file by name: ``""`` for one alone, ``state.mel`` or ``0.wav`` for those within others.

    Parameters
    ----------
    file
        An open binary file, at any place.
    name
        What to call it in messages.

    Raises
    ------
    ItemError
        ``missing-requirement``, ``wrong-format``, ``torch-refused`` for anything but plain tensors, ``broken-file``.
    """
    if not TORCH.is_met():
        raise ItemError(f"{shown(name)} needs {TORCH.what}", code="missing-requirement", hint=TORCH.hint)
    size = size_of(file)
    head = file.read(2)
    file.seek(0)
    if head[:2] not in (b"PK", b"\x80\x02"):
        raise stranger(file, name, "a PyTorch file")
    import pickle

    import torch

    with judged(name, "a PyTorch file"):
        if head[:2] == b"PK":
            _check_directory(file, name)
        try:
            # Only the zip format is mapped, and only by a path.
            path = path_of(file) if head[:2] == b"PK" else None
            content = torch.load(path or file, map_location="cpu", weights_only=True, mmap=path is not None)
        except pickle.UnpicklingError as error:
            raise ItemError(
                f"{shown(name)} holds more than tensors, and is not opened: {_refusal(error)}",
                code="torch-refused",
                hint="save tensors alone: torch.save(tensor, path), or a dict of tensors",
            ) from None
        found = dict(_tensors(content, "", 0))
    if len(found) > MAX_TENSORS:
        raise ItemError(f"{shown(name)} has {len(found):,} tensors", code="too-large", hint="save them apart")
    for key, tensor in found.items():
        if tensor.device.type == "cpu":
            check_claim(name, key, tensor.numel() * tensor.element_size(), size)
    return found


def to_array(tensor: Any, key: str) -> Array:
    """Return a tensor as an array; bfloat16 and float8 as float32, complex32 as complex64.

    Raises
    ------
    ItemError
        If it is sparse, quantised, or has no values.
    """
    import torch

    if tensor.is_quantized or tensor.layout != torch.strided or tensor.device.type != "cpu":
        kind = "quantised" if tensor.is_quantized else f"{tensor.layout} on {tensor.device}"
        raise ItemError(
            f"the tensor{f' {shown(key)}' if key else ''} is {kind}, not plain values",
            code="not-numbers",
            hint="save tensor.float().cpu()",
        )
    tensor = tensor.detach().resolve_conj().resolve_neg()
    if tensor.dtype == torch.bfloat16 or "float8" in str(tensor.dtype):
        tensor = tensor.float()
    elif tensor.dtype == torch.complex32:
        with judged(key, "a tensor"):  # PyTorch warns that it is new
            tensor = tensor.to(torch.complex64)
    array: Array = tensor.numpy()
    return array


def _tensors(content: Any, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    import torch

    if isinstance(content, torch.Tensor):
        yield name, content
    elif isinstance(content, (dict, list, tuple)) and depth < MAX_DEPTH:
        entries = content.items() if isinstance(content, dict) else enumerate(content)
        for key, value in entries:
            yield from _tensors(value, f"{name}.{key}" if name else str(key), depth + 1)


def _check_directory(file: BinaryIO, name: str) -> None:
    """Refuse a file whose members are compressed, which PyTorch never writes, but would inflate without a bound."""
    import zipfile

    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
                raise ItemError(
                    f"{shown(name)} has a compressed member {shown(member.filename)}, which PyTorch never writes",
                    code="broken-file",
                    hint="save it again by torch.save",
                )
    file.seek(0)


def _refusal(error: Exception) -> str:
    """Return what PyTorch refused, from the several lines that it says."""
    import re

    text = str(error)
    for pattern in (r"GLOBAL (\S+)", r"(Unsupported operand \d+)"):
        if found := re.search(pattern, text):
            return shown(found[1].rstrip("."), 80)
    return shown(text.partition("\n")[0], 80)
