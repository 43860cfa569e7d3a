"""What a network takes and gives, in words, for messages."""

from __future__ import annotations

from collections.abc import Sequence

from tonearm_plugins.networks.plan import NetworkHeader, TensorInfo

MOST = 6
"""Number of inputs and of outputs that are named."""

MOST_AXES = 8
"""Number of axes of one of them that are shown."""

_LONGEST = 48


def signature_of(header: NetworkHeader) -> str:
    """Return what a network takes and gives.

    >>> mel, wav = TensorInfo("mel", "float32", ("batch", 80, "frames")), TensorInfo("wav", "float32", ("batch", None))
    >>> signature_of(NetworkHeader(inputs=(mel,), outputs=(wav,)))
    'the model takes mel float32 (batch, 80, frames), and gives wav float32 (batch, ?)'
    """
    return f"the model takes {_all_of(header.inputs)}, and gives {_all_of(header.outputs)}"


def tensor_in_words(tensor: TensorInfo) -> str:
    """Return name, type and shape of an input or output."""
    return f"{short(tensor.name)} {tensor.dtype} {shape_in_words(tensor)}"


def shape_in_words(tensor: TensorInfo) -> str:
    """Return the shape of an input or output."""
    if tensor.shape is None:
        return "of any shape"
    sizes = ["?" if size is None else short(str(size)) for size in tensor.shape[:MOST_AXES]]
    sizes += ["…"] if len(tensor.shape) > MOST_AXES else []
    return f"({', '.join(sizes)})"


def short(name: str) -> str:
    """Return a name that is not too long for a message."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def listed(texts: Sequence[str]) -> str:
    """Return texts as a list in words: ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))


def _all_of(tensors: Sequence[TensorInfo]) -> str:
    named = [tensor_in_words(one) for one in tensors[:MOST]]
    if len(tensors) > MOST:
        named.append(f"{len(tensors) - MOST} more")
    return listed(named) or "nothing"
