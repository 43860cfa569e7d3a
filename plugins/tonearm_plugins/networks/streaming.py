"""A network at work on one signal: whole or in chunks, on all of it at once or while it comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError, StartedTransform
from tonearm_plugins.networks.chunks import (
    CHUNK_SAMPLES,
    STREAM_SAMPLES,
    Chunk,
    Cutting,
    chosen_frames,
    cutting_for,
    fixed_cutting,
)
from tonearm_plugins.networks.codes import check_block_codes
from tonearm_plugins.networks.receptive_field import ReceptiveField, measure, measure_rate
from tonearm_plugins.networks.spectrum import check_bins, inversion

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tonearm.api import Context, StftGrid
    from tonearm_plugins.networks.network import Network, States

BLIND_FRAMES = 16
"""Frames at each end of a chunk, at most, that are dropped of a network that cannot be cut exactly."""


@dataclass(frozen=True, kw_only=True)
class WorkOptions:
    """How a network works on a signal.

    Parameters
    ----------
    chunk
        Frames of a chunk; None to choose it, and to take what is short, or cannot be cut, as a whole.
    field
        Receptive field; None to measure it.
    batch
        Channels and chunks that one call gets.
    sizes
        Number of codes of each row, for tokens.
    counts
        Codes that each level has in a frame; empty if all books have one rate.
    samples_per_frame
        Samples of a frame; None if unknown.
    grid
        Grid of the spectrum that the network gives; None if it gives a waveform.
    length
        Length of the sound, if known.
    scale
        Factor of the sound, for a network that takes it.
    """

    chunk: int | None = None
    field: ReceptiveField | None = None
    batch: int = 1
    sizes: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    samples_per_frame: int | None = None
    grid: StftGrid | None = None
    length: int | None = None
    scale: float | None = None

    @property
    def rate(self) -> int | None:
        """Columns that the network gives a frame; None if unknown or not a whole number."""
        hop = self.grid.hop_length if self.grid else 1
        samples = self.samples_per_frame
        return samples // hop if samples and not samples % hop else None


class StartedNetwork(StartedTransform):
    """A network at work on one signal.

    Parameters
    ----------
    network
        Network.
    options
        How it works.
    context
        Context of the item.
    progress
        Function that takes the number of frames that are done, of all channels.
    """

    def __init__(
        self, network: Network, options: WorkOptions, context: Context, progress: Callable[[int], None] | None = None
    ) -> None:
        self._network, self._options, self._context = network, options, context
        self._progress = progress
        self._sound = _Sound(options, context)
        self._buffer = _Buffer()
        self._cutting: Cutting | None = None
        self._is_decided = False
        self._rate, self._surplus = options.rate, 0
        self._kept = self._done = 0
        self._states: dict[int, States] = {}

    def push(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return the sound of the chunks that another block completes."""
        self._append(block.copy())
        if not self._is_decided and self._can_decide():
            self._decide()
        return self._sound.of(self._columns(self._chunks(ended=False)))

    def finish(self) -> NDArray[Any] | None:
        """Return the rest of the sound."""
        if not self._buffer.frames:
            return None
        self._check_given_frames()
        if not self._is_decided:
            self._decide_at_the_end()
        return self._sound.last(self._columns(self._chunks(ended=True)))

    def push_last(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return the rest of the sound with the last block, which is not copied."""
        self._append(block)
        found = self.finish()
        assert found is not None
        return found

    def _append(self, block: NDArray[Any]) -> None:
        if block.dtype.kind in "iu":
            check_block_codes(block, self._options.sizes, self._options.counts, self._buffer.frames)
        self._buffer.append(block)

    def _check_given_frames(self) -> None:
        """Raise `ItemError` if an array that follows the signal is not as long: of a stream, only its end tells."""
        from tonearm_plugins.networks.given_inputs import wrong_frames

        for planned in self._network.plan.inputs:
            if planned.role == "given" and "frame" in planned.axes:
                found = self._network.given[planned.tensor.name].shape[-1]
                if found not in (1, self._buffer.frames):  # a constant of a stream has one
                    raise wrong_frames(planned, found, self._buffer.frames)

    def _can_decide(self) -> bool:
        """Return whether enough frames have come for a look at them."""
        plan, options = self._network.plan, self._options
        if plan.inexact and not plan.has_state and options.chunk is None and not plan.static_frames:
            return False
        wanted = options.chunk or plan.static_frames or max(16, STREAM_SAMPLES // (options.samples_per_frame or 256))
        return self._buffer.frames > wanted

    def _decide_at_the_end(self) -> None:
        """Decide how to cut a signal that has come as a whole: not at all, if it is short."""
        plan, options = self._network.plan, self._options
        frames, samples = self._buffer.frames, options.samples_per_frame or 256
        if plan.static_frames:
            is_whole = frames <= plan.static_frames
        elif options.chunk:
            is_whole = frames <= options.chunk
        else:
            is_whole = bool(plan.inexact and not plan.has_state) or 2 * frames * samples <= 3 * CHUNK_SAMPLES
        if is_whole:
            self._is_decided = True
            self._cutting = Cutting(plan.static_frames, is_fixed=True) if plan.static_frames else None
        else:
            self._decide(CHUNK_SAMPLES)

    def _decide(self, samples: int = STREAM_SAMPLES) -> None:
        """Decide how to cut the signal into chunks, by what trials tell of the network."""
        plan, options = self._network.plan, self._options
        self._is_decided = True
        if plan.has_state:
            frames = options.chunk or chosen_frames(ReceptiveField(0, 0), options.samples_per_frame or 256, samples)
            self._cutting = Cutting(plan.static_frames or frames, is_fixed=True)
            return
        found = measure(
            self._network, self._buffer.since(self._buffer.first), sizes=options.sizes, rate=options.rate,
            field=options.field,
        )  # fmt: skip
        self._check_rate(found.rate)
        self._rate, self._surplus = found.rate, found.surplus
        if plan.static_frames:
            self._cutting = fixed_cutting(found.field, plan.static_frames)
            if found.field is None:
                self._context.warn("the model depends on more frames than it takes at once: the joins may be heard")
        elif found.rate is not None and (found.field is not None or options.chunk):
            blind = min(BLIND_FRAMES, (options.chunk or 0) // 4)
            field = found.field or ReceptiveField(blind, blind)
            if found.field is None:
                self._context.warn("chunks of this model are not parts of the whole: the joins may be heard")
            frames = chosen_frames(field, options.samples_per_frame or found.rate, samples)
            if options.chunk is not None:
                frames = options.chunk - field.left - field.right
            if frames < 1:
                frames = max(1, (field.left + field.right) // 4)
                least = frames + field.left + field.right
                self._context.warn(
                    f"the model needs chunks of {least} frames for its receptive field of {least - frames}"
                )
            self._cutting = cutting_for(field, frames)
        else:
            self._context.warn("the sound of each frame depends on all frames, so the model runs on the whole at once")

    def _check_rate(self, rate: int | None) -> None:
        wanted = self._options.rate
        if None not in (rate, wanted) and rate != wanted:
            columns = "frames of its spectrum" if self._options.grid else "samples"
            raise _other_rate(f"the model gives {rate} {columns} a frame, not {wanted}")

    def _chunks(self, *, ended: bool) -> list[Chunk]:
        """Return the chunks to work on now."""
        if not self._is_decided:
            return []
        cutting, frames = self._cutting, self._buffer.frames
        if cutting is None:
            return [Chunk(0, frames, 0, frames, is_last=True)] if ended else []
        if self._network.plan.has_state:
            return list(_in_sequence(cutting.size, self._kept, frames, ended=ended))
        return list((cutting.rest if ended else cutting.complete)(self._kept, frames))

    def _columns(self, chunks: Sequence[Chunk]) -> NDArray[Any] | None:
        """Return what the network gives for chunks, (channels, rows, columns); None for no chunks."""
        import numpy as np

        if not chunks:
            return None
        self._kept = chunks[-1].keep_to
        channels = self._buffer.channels
        parts: list[list[NDArray[Any]]] = [[] for _ in range(channels)]
        for place, group in self._groups(chunks):
            for (channel, chunk), columns in zip(group, self._given_by(group, place), strict=True):
                parts[channel].append(self._kept_part(columns, chunk))
            self._done += sum(chunk.keep_to - chunk.keep_from for _, chunk in group)
            if self._progress:
                self._progress(self._done)
        self._buffer.drop_before(chunks[-1].first)
        joined = [one[0] if len(one) == 1 else np.concatenate(one, axis=-1) for one in parts]
        return joined[0][None] if channels == 1 else np.stack(joined)

    def _groups(self, chunks: Sequence[Chunk]) -> Iterator[tuple[int, list[tuple[int, Chunk]]]]:
        """Yield channels and chunks for one call each: of one length, at most as many as a batch has.

        Each comes with a number. Where states go from chunk to chunk, it is the same for the same channels.
        """
        network, wanted = self._network, self._options.batch
        batch = 1 if network.takes_items_apart else min(wanted, network.plan.static_batch or wanted)
        channels = range(self._buffer.channels)
        if self._network.plan.has_state:
            for chunk in chunks:
                yield from enumerate(_grouped([(channel, chunk) for channel in channels], batch))
        else:
            yield from enumerate(_grouped([(channel, chunk) for chunk in chunks for channel in channels], batch))

    def _given_by(self, group: Sequence[tuple[int, Chunk]], place: int) -> NDArray[Any]:
        """Return what the network gives for channels and chunks, as long as their frames."""
        import numpy as np

        frames = group[0][1].last - group[0][1].first
        values = np.stack([self._buffer.part(channel, chunk) for channel, chunk in group])
        missing = max(0, (self._network.plan.static_frames or 0) - frames)
        if missing:  # a window is filled up with its last frame, or with code 0
            mode: Any = "constant" if values.dtype.kind in "iu" else "edge"
            values = np.pad(values, ((0, 0), (0, 0), (0, missing)), mode=mode)
        scale = self._options.scale
        scales = [scale] * len(group) if scale is not None else ()
        before = self._states.get(place) if self._network.plan.has_state else None
        places = [(channel, chunk.first) for channel, chunk in group]
        columns, after = self._network.columns(values, places, scales, before)
        self._states[place] = after
        if missing:
            rate = self._rate or round(columns.shape[-1] / values.shape[-1])
            columns = columns[..., : columns.shape[-1] - rate * missing]
        if self._options.grid:
            check_bins(columns, self._options.grid)
        return columns

    def _kept_part(self, columns: NDArray[Any], chunk: Chunk) -> NDArray[Any]:
        """Return the columns of the frames of a chunk that are kept."""
        frames = chunk.last - chunk.first
        if self._network.plan.has_state:
            return columns
        if self._rate is not None and abs(columns.shape[-1] - frames * self._rate - self._surplus) >= 2 * self._rate:
            sample, options = self._buffer.since(chunk.first), self._options
            found = measure_rate(self._network, sample, sizes=options.sizes, rate=options.rate)
            self._check_rate(found.rate)
        if chunk.is_last and not chunk.keep_from:
            return columns
        rate = self._rate or 0
        begin, end = rate * (chunk.keep_from - chunk.first), rate * (chunk.keep_to - chunk.first)
        if not chunk.is_last and end > columns.shape[-1]:
            raise ItemError(
                f"the model gives {columns.shape[-1]} samples for {frames} frames: chunks leave gaps between them",
                code="bad-model",
                hint="raise the second number of receptive_field, or leave it out",
            )
        return columns[..., begin:] if chunk.is_last else columns[..., begin:end]


class _Buffer:
    """The frames of a signal that are still needed, (channels, rows, frames)."""

    def __init__(self) -> None:
        self.first = self.frames = 0
        self._parts: list[NDArray[Any]] = []

    @property
    def channels(self) -> int:
        return int(self._parts[0].shape[0])

    def append(self, block: NDArray[Any]) -> None:
        if block.shape[-1] or not self._parts:
            self._parts.append(block)
            self.frames += block.shape[-1]

    def since(self, first: int) -> NDArray[Any]:
        """Return the frames from a number on."""
        import numpy as np

        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts, axis=-1)]
        return self._parts[0][..., first - self.first :]

    def part(self, channel: int, chunk: Chunk) -> NDArray[Any]:
        return self.since(chunk.first)[channel, :, : chunk.last - chunk.first]

    def drop_before(self, first: int) -> None:
        self._parts = [self.since(first)]
        self.first = first


class _Sound:
    """The waveform that columns become."""

    def __init__(self, options: WorkOptions, context: Context) -> None:
        self._left = options.length
        self._stream = inversion(options.grid, options.length, context) if options.grid else None
        self._channels = 1

    def of(self, columns: NDArray[Any] | None) -> NDArray[Any]:
        """Return the samples that columns complete, (channels, samples)."""
        import numpy as np

        if columns is None:
            return np.empty((self._channels, 0), np.float32)
        if self._stream is not None:
            self._channels = columns.shape[0]
            return self._stream.push(columns)
        return self._cut(columns)

    def last(self, columns: NDArray[Any] | None) -> NDArray[Any]:
        """Return the rest of the samples."""
        assert columns is not None  # the last chunk always has a frame
        return self._cut(columns) if self._stream is None else self._stream.push_last(columns)

    def _cut(self, columns: NDArray[Any]) -> NDArray[Any]:
        samples = columns.reshape(-1, columns.shape[-1])
        self._channels = samples.shape[0]
        if self._left is not None:
            samples = samples[:, : self._left]
            self._left -= samples.shape[-1]
        return samples


def _in_sequence(size: int, keep_from: int, frames: int, *, ended: bool) -> Iterator[Chunk]:
    """Yield chunks without overlap, for a network that carries its state from one to the next."""
    while frames - keep_from > (0 if ended else size):
        stop = min(keep_from + size, frames)
        yield Chunk(keep_from, stop, keep_from, stop, is_last=ended and stop == frames)
        keep_from = stop


def _grouped(jobs: Iterable[tuple[int, Chunk]], batch: int) -> Iterator[list[tuple[int, Chunk]]]:
    group: list[tuple[int, Chunk]] = []
    for job in jobs:
        if group and (len(group) == batch or _length(job) != _length(group[0])):
            yield group
            group = []
        group.append(job)
    if group:
        yield group


def _length(job: tuple[int, Chunk]) -> int:
    return job[1].last - job[1].first


def _other_rate(message: str) -> ItemError:
    return ItemError(message, code="dialect-mismatch", hint="give the recipe or layout that the model was trained for")
