"""The device that PyTorch computes on, and the settings under which its results are the same everywhere."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

from tonearm.api import ItemError, SetOption

DeviceName: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]
"""Name of a device. ``auto`` is CUDA, else Apple's Metal (``mps``), else the CPU."""


def choose_device(name: DeviceName) -> Any:
    """Return PyTorch's device of a name.

    Raises
    ------
    ItemError
        If this machine has no such device, or PyTorch is built without it.
    """
    import torch

    has: dict[str, Callable[[], bool]] = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    if name == "auto":
        name = next((one for one in ("cuda", "mps") if has[one]()), "cpu")
    elif name in has and not has[name]():
        raise ItemError(
            f"PyTorch finds no device {name} on this machine",
            code="no-device",
            remedies=(SetOption("device", "auto"), SetOption("device", "cpu")),
        )
    return torch.device(name)


@contextlib.contextmanager
def computing(threads: int) -> Iterator[None]:
    """Compute without gradients, in full single precision, by a number of threads; the settings are restored."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.set_num_threads(before)
