"""Chunks of frames that overlap, for a network that takes a long input piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tonearm_plugins.networks.receptive_field import ReceptiveField

CHUNK_SAMPLES = 1 << 19
"""Samples of sound that a chunk makes, about 20 seconds: more would need more memory, and be no faster."""

STREAM_SAMPLES = 1 << 15
"""Samples of sound that a chunk makes in a stream, where each waits for its frames."""

MAX_CHUNK = 4096
"""Largest number of frames of a chunk that is chosen, unless the receptive field needs more."""


@dataclass(frozen=True)
class Chunk:
    """Frames that a network is given together, and those of them whose sound is kept.

    Parameters
    ----------
    first, last
        The network is given frames ``first`` to ``last - 1``.
    keep_from, keep_to
        The sound of frames ``keep_from`` to ``keep_to - 1`` is kept.
    is_last
        Whether it ends with the signal, so that whatever the network gives after ``keep_from`` is kept.
    """

    first: int
    last: int
    keep_from: int
    keep_to: int
    is_last: bool = False


@dataclass(frozen=True)
class Cutting:
    """How a signal is cut into chunks, all of one size.

    Parameters
    ----------
    size
        Frames of a chunk.
    left, right
        Frames of it, before and after those whose sound is kept, that the network only sees.
    step
        Chunks begin at multiples of this number of frames, unless the size is fixed.
    is_fixed
        Whether the network takes no other number of frames.
    """

    size: int
    left: int = 0
    right: int = 0
    step: int = 1
    is_fixed: bool = False

    @property
    def kept(self) -> int:
        """Frames of a chunk whose sound is kept."""
        return self.size - self.left - self.right

    def complete(self, keep_from: int, frames: int) -> Iterator[Chunk]:
        """Yield the chunks that can be worked on before the signal has ended.

        Parameters
        ----------
        keep_from
            First frame whose sound has not been made.
        frames
            Number of frames that have come. One is left, so that the last chunk always has a frame of its own.
        """
        while (chunk := self._inner(keep_from)).last < frames:
            yield chunk
            keep_from = chunk.keep_to

    def rest(self, keep_from: int, frames: int) -> Iterator[Chunk]:
        """Yield the chunks that are left when the signal has ended.

        Parameters
        ----------
        keep_from
            First frame whose sound has not been made.
        frames
            Number of frames of the signal.
        """
        for chunk in self.complete(keep_from, frames):
            yield chunk
            keep_from = chunk.keep_to
        # The last chunk is as long as the others: very short inputs are what networks were never tried with.
        first = max(0, min(keep_from - self.left, frames - self.size))
        first -= 0 if self.is_fixed else first % self.step
        yield Chunk(first, frames, keep_from, frames, is_last=True)

    def _inner(self, keep_from: int) -> Chunk:
        first = max(0, keep_from - self.left)
        return Chunk(first, first + self.size, keep_from, first + self.size - self.right)


def cutting_for(field: ReceptiveField, frames: int) -> Cutting:
    """Return the cutting in which so many frames of each chunk are kept.

    Parameters
    ----------
    field
        Receptive field of the network.
    frames
        Frames of a chunk that are kept, at least; they become a multiple of the step.

    Examples
    --------
    >>> cutting_for(ReceptiveField(5, 5), 100)
    Cutting(size=110, left=5, right=5, step=1, is_fixed=False)
    """
    step = field.step
    left, right, kept = (-(-number // step) * step for number in (field.left, field.right, max(1, frames)))
    return Cutting(kept + left + right, left, right, step)


def fixed_cutting(field: ReceptiveField | None, size: int) -> Cutting:
    """Return the cutting for a network that takes a fixed number of frames.

    Parameters
    ----------
    field
        Receptive field; None if it is larger than the window. A quarter of the window at each end is dropped then.
    size
        Frames that it takes.
    """
    if field is None or field.left + field.right >= size:
        return Cutting(size, size // 4, size // 4, is_fixed=True)
    return Cutting(size, field.left, field.right, is_fixed=True)


def chosen_frames(field: ReceptiveField, samples_per_frame: int, samples: int = CHUNK_SAMPLES) -> int:
    """Return the number of frames of a chunk, at least eight times the receptive field: so overlap costs an eighth.

    Parameters
    ----------
    field
        Receptive field.
    samples_per_frame
        Samples of a frame.
    samples
        Samples that a chunk should make.

    Examples
    --------
    >>> chosen_frames(ReceptiveField(5, 5), 256)
    2048
    """
    return max(8 * (field.left + field.right), min(MAX_CHUNK, max(16, samples // samples_per_frame)))
