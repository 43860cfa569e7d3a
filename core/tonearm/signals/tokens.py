"""Codec tokens: the codes that a neural codec's decoder turns into sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tonearm.errors import SignalError
from tonearm.errors.short_errors import short_errors
from tonearm.signals.grid import check_sample_rate
from tonearm.signals.signal import Signal, check_array, check_length

if TYPE_CHECKING:
    from tonearm.typing import Array

_SHAPE = "(channels, books, frames)"
_LEVEL = "(channels, frames of the level)"


@short_errors
@dataclass(frozen=True, kw_only=True)
class Codebooks:
    """What is known of a codec from its tokens: its codebooks, and the time that a frame takes.

    Parameters
    ----------
    sizes
        Number of codes of each book, or of each level of a codec whose levels have rates of their own. Empty if
        unknown.
    sample_rate
        Sample rate in Hz of the sound that the codec's decoder gives; None if unknown.
    samples_per_frame
        Samples of a frame; of the coarsest level where levels have rates of their own. None if unknown.
    strides
        Frames of the finest level that one frame of each level spans, coarse first, such as (4, 2, 1). Empty if all
        books have one rate.
    size
        Number of codes of every book, where the number of books is unknown, and with it ``sizes``; None if unknown.
    """

    sizes: tuple[int, ...] = ()
    sample_rate: int | None = None
    samples_per_frame: int | None = None
    strides: tuple[int, ...] = ()
    size: int | None = None

    def __post_init__(self) -> None:
        if any(type(size) is not int or size < 1 for size in self.sizes):
            raise SignalError(f"sizes of codebooks are {list(self.sizes)}, not whole numbers of at least 1")
        if self.sample_rate is not None:
            check_sample_rate(self.sample_rate)
        samples = self.samples_per_frame
        if samples is not None and (type(samples) is not int or samples < 1):
            raise SignalError(f"samples_per_frame is {samples!r}, not a whole number of at least 1")
        if self.strides and (self.strides[-1] != 1 or any(self.strides[0] % stride for stride in self.strides)):
            raise SignalError(f"strides are {list(self.strides)}, not whole parts of the first that end with 1")

    @property
    def codes_per_frame(self) -> tuple[int, ...]:
        """Number of codes that each level has in a frame of the coarsest one, such as (1, 2, 4)."""
        return tuple(self.strides[0] // stride for stride in self.strides)


@short_errors
@dataclass(frozen=True, kw_only=True)
class OriginalSound:
    """The sound that was encoded, as a file of codes describes it, so that decoding can give it back.

    In a specification, one of which nothing is known stands for what each file will tell.

    Parameters
    ----------
    sample_rate
        Sample rate in Hz, which may be another one than the codec's; None if it is unknown.
    length
        Number of samples at that rate; None if it is unknown.
    loudness
        Loudness in LUFS; None if it is unknown.
    """

    sample_rate: int | None = None
    length: int | None = None
    loudness: float | None = None

    def __post_init__(self) -> None:
        if self.sample_rate is not None:
            check_sample_rate(self.sample_rate)
        check_length(self.length)


@short_errors
@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CodecTokens(Signal):
    """Codes of a neural codec, in the order in which its decoder takes them.

    Parameters
    ----------
    codes
        Codes of shape (channels, books, frames), int32; other whole numbers are converted. Where levels have rates of
        their own, as in SNAC, a tuple with an array of shape (channels, frames of the level) for each level, coarse
        first.
    sizes
        Number of codes of each book or level; a single number if all have the same. Empty if unknown.
    sample_rate
        Sample rate in Hz of the sound that the codec's decoder gives; None if unknown.
    samples_per_frame
        Samples of a frame, of the coarsest level where there are levels; None if unknown.
    strides
        Frames of the finest level that a frame of each level spans, coarse first. Empty if all books have one rate.
    segments
        Number of frames of each segment that the codec decodes alone, as EnCodec at 48 kHz does; None if there is one.
    scales
        Factor of the sound of each segment; None if there are none.
    length
        Length of the sound in samples, if known.
    original
        Sound that was encoded, if the file says so; None if the decoder's sound is to stay as it is.

    Raises
    ------
    SignalError
        If shapes, sizes, strides, segments or scales contradict each other.
    """

    port = "tokens"

    codes: Array | tuple[Array, ...]
    sizes: tuple[int, ...] = ()
    sample_rate: int | None = None
    samples_per_frame: int | None = None
    strides: tuple[int, ...] = ()
    segments: tuple[int, ...] | None = None
    scales: tuple[float, ...] | None = None
    length: int | None = None
    original: OriginalSound | None = None

    def __post_init__(self) -> None:
        for name in ("codes", "sizes", "strides", "segments", "scales"):
            given: Any = getattr(self, name)
            if name == "codes" and not isinstance(given, list):
                continue
            if given is not None and not isinstance(given, tuple):
                given = (given,) * self.books if isinstance(given, int) else tuple(given)
                object.__setattr__(self, name, given)
        self._check_codes()
        codes = self.codes
        whole = tuple(map(_as_int32, codes)) if isinstance(codes, tuple) else _as_int32(codes)
        object.__setattr__(self, "codes", whole)
        if self.sizes and len(self.sizes) != self.books:
            parts = "levels" if self.strides else "books"
            raise SignalError(f"there are {len(self.sizes)} sizes for {self.books} {parts}")
        if self.segments is not None and any(frames < 1 for frames in self.segments):
            raise SignalError(f"segments are of {list(self.segments)} frames, and each needs at least 1")
        if self.segments is not None and sum(self.segments) != self.frames:
            raise SignalError(f"segments of {list(self.segments)} frames are not {self.frames} frames in all")
        if self.scales is not None and len(self.scales) != len(self.segments or (0,)):
            raise SignalError(f"there are {len(self.scales)} scales for {len(self.segments or (0,))} segments")
        check_length(self.length)

    def _check_codes(self) -> None:
        """Raise `SignalError` unless codes are whole numbers of the right shapes, whose lengths fit the strides."""
        if not isinstance(self.codes, tuple):
            if self.strides:
                raise SignalError("codes with strides are one array for each level, not one array")
            check_array("token array", self.codes, rank=3, kinds="iu", shape=_SHAPE)
            _ = self.codebooks
            return
        for level in self.codes:
            check_array("level of tokens", level, rank=2, kinds="iu", shape=_LEVEL)
        if len(self.strides) != len(self.codes):
            raise SignalError(f"there are {len(self.strides)} strides for {len(self.codes)} levels")
        frames = self.codes[0].shape[-1]
        wanted = [frames * count for count in self.codebooks.codes_per_frame]
        found = [level.shape[-1] for level in self.codes]
        if found != wanted:
            raise SignalError(f"levels have {found} frames, but strides {list(self.strides)} ask for {wanted}")
        if len({level.shape[0] for level in self.codes}) > 1:
            raise SignalError("levels have different numbers of channels")

    @property
    def codebooks(self) -> Codebooks:
        """Codebooks and rates of the codec."""
        return Codebooks(
            sizes=self.sizes,
            sample_rate=self.sample_rate,
            samples_per_frame=self.samples_per_frame,
            strides=self.strides,
        )

    @property
    def levels(self) -> tuple[Array, ...]:
        """Codes of each book or level, of shape (channels, frames)."""
        if isinstance(self.codes, tuple):
            return self.codes
        return tuple(self.codes[:, book] for book in range(self.codes.shape[1]))

    @property
    def channels(self) -> int:
        """Number of channels, each of which the codec decodes alone."""
        return int(self.levels[0].shape[0]) if isinstance(self.codes, tuple) else int(self.codes.shape[0])

    @property
    def books(self) -> int:
        """Number of books or levels."""
        return len(self.codes) if isinstance(self.codes, tuple) else int(self.codes.shape[1])

    @property
    def frames(self) -> int:
        """Number of frames, of the coarsest level where there are levels."""
        return int(self.codes[0].shape[-1]) if isinstance(self.codes, tuple) else int(self.codes.shape[-1])

    def arrays(self) -> tuple[Array, ...]:
        """Return the array of codes, or those of the levels."""
        return self.codes if isinstance(self.codes, tuple) else (self.codes,)

    def carried(self) -> tuple[object, ...]:
        """Return the codebooks, and the original sound if it is known."""
        return (self.codebooks,) if self.original is None else (self.codebooks, self.original)

    def described(self) -> dict[str, Any]:
        """Return options of ``kind: tokens`` that restore the tokens."""
        layout: dict[str, Any] = {}
        if self.sizes:
            layout["size"] = self.sizes[0] if len(set(self.sizes)) == 1 else list(self.sizes)
        if self.strides:
            found = {"axes": ["channel", "frame"], "layout": {"ragged": True, "strides": list(self.strides), **layout}}
        else:
            found = {"layout": {"axes": ["channel", "book", "frame"], **layout}}
        names = ("sample_rate", "samples_per_frame", "length", "segments", "scales")
        figures = {name: getattr(self, name) for name in names}
        return found | {name: value for name, value in figures.items() if value}

    def block_array(self) -> Array:
        """Return the codes as one array (channels, codes of a frame, frames), those of each level side by side."""
        if not isinstance(self.codes, tuple):
            return self.codes
        import numpy as np

        channels = self.channels
        parts = [level.reshape(channels, self.frames, -1).transpose(0, 2, 1) for level in self.codes]
        return np.concatenate(parts, axis=1)

    @classmethod
    def from_blocks(
        cls, values: Array, *, sample_rate: int | None, length: int | None, carried: Mapping[type, object]
    ) -> Self:
        """Return tokens of codes as `block_array` gives them."""
        books, found = carried.get(Codebooks), carried.get(OriginalSound)
        original = found if isinstance(found, OriginalSound) else None
        if not isinstance(books, Codebooks):
            return cls(codes=values, sample_rate=sample_rate, length=length, original=original)
        codes: Array | tuple[Array, ...] = values
        if books.strides:
            levels, start = [], 0
            for count in books.codes_per_frame:
                part = values[:, start : start + count]
                levels.append(part.transpose(0, 2, 1).reshape(part.shape[0], -1))
                start += count
            codes = tuple(levels)
        return cls(
            codes=codes,
            sizes=books.sizes,
            sample_rate=books.sample_rate,
            samples_per_frame=books.samples_per_frame,
            strides=books.strides,
            length=length,
            original=original,
        )


def _as_int32(codes: Array) -> Array:
    """Return codes as int32, or raise `SignalError` if one does not fit."""
    import numpy as np

    if codes.dtype == np.int32:
        return codes
    limits = np.iinfo(np.int32)
    if int(codes.max()) > limits.max or int(codes.min()) < limits.min:
        raise SignalError(f"codes reach {codes.min()} and {codes.max()}, which no codebook has")
    return codes.astype(np.int32)
