"""Arrays of mel spectrograms: their axes, and whether their values can be in the dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tonearm.arrays.axes import arrange
from tonearm.arrays.extent import finite_extent_of
from tonearm.arrays.options import ArrayOptions
from tonearm.errors import GiveOption, ItemError
from tonearm.recipes.catalogue import Catalogue, listing_hint
from tonearm.recipes.mel import MelDialect, MelSpectrogram
from tonearm.recipes.recipe import matching

if TYPE_CHECKING:
    from tonearm.typing import Array

MAX_NAMED = 24
"""Largest number of dialects that an error names."""


def arrange_mel(array: Array, options: ArrayOptions, dialects: Callable[[], Catalogue[MelDialect]]) -> Array:
    """Return a view of an array with the axes batch, channel, mel and frame.

    Raises
    ------
    ItemError
        As for `arrange`. If no axis has as many bands as the dialect, the error names dialects that fit.
    """
    if options.dialect is None:
        remedies = (GiveOption("dialect", listing_hint(MelDialect)),)
        raise ItemError("a mel spectrogram cannot be read without its dialect", code="no-dialect", remedies=remedies)
    bands = options.dialect.n_mels
    try:
        return arrange(array, "mel", options.axes, {"mel": bands})
    except ItemError as error:
        if error.code != "bins-mismatch":
            raise
        what = f"no axis of shape {array.shape} has {bands} bands, like the dialect {options.dialect.label}"
        extent = finite_extent_of(array)
        raise ItemError(
            what, code="dialect-mismatch", hint=_matching_hint(dialects(), array.shape, extent.low, extent.high)
        ) from error


def check_mel(
    signal: MelSpectrogram, warn: Callable[[str], None], dialects: Callable[[], Catalogue[MelDialect]]
) -> MelSpectrogram:
    """Return a signal without masked frames, after checking its values against its dialect.

    Raises
    ------
    ItemError
        If values contradict the dialect. The error names dialects that fit.
    """
    sounding = signal.unmasked()
    if masked := signal.frames - sounding.frames:
        warn(f"masked frames at the end are left out: {masked}")
    signal = sounding
    extent = finite_extent_of(signal.values)
    if reason := signal.dialect.contradiction(extent.low, extent.high):
        hint = _matching_hint(dialects(), [signal.dialect.n_mels], extent.low, extent.high)
        raise ItemError(reason, code="dialect-mismatch", hint=hint)
    return signal


def _matching_hint(catalogue: Catalogue[MelDialect], shape: Any, low: float, high: float) -> str:
    names = matching(catalogue, shape, low, high)
    if not names:
        return "no known dialect fits; you can write out all figures of one"
    more = f", and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return f"it would fit {', '.join(names[:MAX_NAMED])}{more}"
