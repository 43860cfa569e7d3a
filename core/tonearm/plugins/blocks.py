"""Blocks: the stretches of a signal on its way through plugins that work block by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tonearm.plugins.ports import Spec
from tonearm.signals import Signal, Waveform

if TYPE_CHECKING:
    from tonearm.typing import Array

BLOCK_LENGTH = 2048
"""Samples of each channel in a canonical block."""


def canonical_length(spec: Spec) -> int:
    """Return the length of a canonical block: 2,048 samples, or as many frames as span that, at least one.

    Parameters
    ----------
    spec
        Specification of the signal. Frames are as far apart as the `StftGrid` that it carries says.

    Examples
    --------
    >>> canonical_length(Spec(signals=(Waveform,)))
    2048
    """
    if Waveform in spec.signals:
        return BLOCK_LENGTH
    for carried in spec.carried.values():
        samples = getattr(carried, "hop_length", None) or getattr(carried, "samples_per_frame", None)
        if isinstance(samples, int):
            return max(1, BLOCK_LENGTH // samples)
    return 1


def blocks_of(values: Array, length: int) -> Iterator[Array]:
    """Yield consecutive blocks of an array, cut along its last axis.

    Parameters
    ----------
    values
        Array, whose last axis is time.
    length
        Length of each block but the last, which may be shorter.
    """
    for start in range(0, values.shape[-1], length):
        yield values[..., start : start + length]


class Recut:
    """A cutter that makes blocks of one length of blocks of any length.

    Parameters
    ----------
    length
        Length of the blocks that it gives; 0 to give them as they come.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._parts: list[Array] = []
        self._waiting = 0

    def push(self, block: Array) -> Iterator[Array]:
        """Yield the blocks that are complete with another one. What is left waits.

        Parameters
        ----------
        block
            Block, whose last axis is time. A part of it that waits is copied, since the caller may use its memory
            again.
        """
        if not block.shape[-1]:
            return
        length = self._length
        if not length:
            yield block
            return
        at = 0
        if self._waiting:
            at = min(length - self._waiting, block.shape[-1])
            self._wait(block[..., :at])
            if self._waiting == length:
                yield self.rest()
        while at + length <= block.shape[-1]:
            yield block[..., at : at + length]
            at += length
        if at < block.shape[-1]:
            self._wait(block[..., at:])

    def rest(self) -> Any:
        """Return what waits, as one block; None if nothing does."""
        import numpy as np

        if not self._parts:
            return None
        parts, self._parts, self._waiting = self._parts, [], 0
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)

    def _wait(self, part: Array) -> None:
        self._parts.append(part.copy())
        self._waiting += part.shape[-1]


def signal_of(spec: Spec, values: Array) -> Any:
    """Return the signal that a specification and an array make together.

    Parameters
    ----------
    spec
        Specification, with one class of signal. The values that it carries become the fields of their names: a
        `StftGrid` is ``grid``, a `MelDialect` is ``dialect``.
    values
        Array of the signal.
    """
    (cls,) = spec.signals
    if cls is Waveform:
        return Waveform(samples=values, sample_rate=spec.sample_rate or 0)
    if (make := getattr(cls, "from_blocks", None)) is not None:
        return make(values, sample_rate=spec.sample_rate, length=spec.length, carried=spec.carried)
    fields: Any = getattr(cls, "__dataclass_fields__", {})
    carried = {type(value).__name__: value for value in spec.carried.values()}
    known: dict[str, Any] = {"values": values, "length": spec.length, "sample_rate": spec.sample_rate}
    for name, field in fields.items():
        if name not in known and str(field.type) in carried:
            known[name] = carried[str(field.type)]
    return cls(**{name: value for name, value in known.items() if name in fields})


def array_of(signal: Signal) -> Array:
    """Return the array of a signal that goes through blocks, as `Signal.block_array` does."""
    return signal.block_array()
