"""Reading of raw tokens as signals, by a layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from tonearm.errors import ItemError
from tonearm.recipes.tokens.layout import TokenLayout
from tonearm.recipes.tokens.undo import Raw, Undone, of_element, undo
from tonearm.signals import CodecTokens

if TYPE_CHECKING:
    from tonearm.typing import Array


def read_tokens(
    layout: TokenLayout,
    raw: Raw,
    *,
    axes: Sequence[str] | None = None,
    lengths: Array | None = None,
    sample_rate: int | None = None,
    samples_per_frame: int | None = None,
    length: int | None = None,
    segments: Sequence[int] | None = None,
    scales: Sequence[float] | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Iterator[CodecTokens | ItemError]:
    """Yield the tokens of each element of a batch; the `ItemError` of one of several takes its place.

    Parameters
    ----------
    layout
        Layout.
    raw
        Raw tokens: text, an array, or several of them, as `undo` takes them.
    axes, lengths, warn
        As for `undo`.
    sample_rate, samples_per_frame
        Rate of the sound and samples of a frame, where the layout does not have them.
    length
        Length of the sound in samples; None if it is not known.
    segments
        Number of frames of each segment, where the array has no axis for them; None if there is one.
    scales
        Factor of the sound of each segment; None if there are none.

    Raises
    ------
    ItemError
        If the tokens cannot be those of the layout, or there are none.
    """
    elements = list(undo(layout, raw, axes=axes, lengths=lengths, warn=warn))
    rate, samples = layout.sample_rate or sample_rate, layout.samples_per_frame or samples_per_frame
    for index, found in enumerate(elements):
        if isinstance(found, ItemError):
            yield found
            continue
        try:
            yield _tokens(layout, found, rate, samples, length, segments, scales)
        except ItemError as error:
            if len(elements) == 1:
                raise
            yield of_element(error, index)


def _tokens(
    layout: TokenLayout,
    found: Undone,
    sample_rate: int | None,
    samples_per_frame: int | None,
    length: int | None,
    segments: Sequence[int] | None,
    scales: Sequence[float] | None,
) -> CodecTokens:
    """Return the tokens of codes."""
    levels = found.levels
    if not levels[0].shape[-1] or found.sound_frames == 0:
        raise ItemError(
            "the tokens end before the first whole frame, so there is no sound",
            code="no-tokens",
            hint="check the layout, or whether the model gave sound at all",
        )
    if length is None and found.sound_frames is not None and samples_per_frame:
        length = found.sound_frames * samples_per_frame
    return CodecTokens(
        codes=found.codes,
        sizes=layout.sizes_of(len(levels)),
        sample_rate=sample_rate,
        samples_per_frame=samples_per_frame,
        strides=found.strides,
        segments=found.segments if segments is None else tuple(segments),
        scales=None if scales is None else tuple(scales),
        length=length,
    )
