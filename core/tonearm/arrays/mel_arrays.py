"""Mel spectrograms: their axes by the dialect's band count, and whether the values can be in that dialect at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tonearm.arrays.axes import arrange
from tonearm.arrays.extent import finite_extent_of
from tonearm.arrays.options import ArrayOptions
from tonearm.errors import ItemError
from tonearm.recipes.mel import Catalogue, MelSpectrogram

if TYPE_CHECKING:
    from tonearm.typing import Array

MAX_NAMED = 24
"""Dialects that an error names at most."""


def arrange_mel(array: Array, options: ArrayOptions, dialects: Callable[[], Catalogue]) -> Array:
    """Return a view of the array with axes (batch, channel, mel, frame).

    Raises
    ------
    ItemError
        As `arrange`; where no axis has as many bands as the dialect, it names the dialects that would fit.
    """
    if options.dialect is None:
        raise ItemError("a mel spectrogram cannot be read without its dialect", code="no-dialect", hint="dialect: NAME")
    bands = options.dialect.n_mels
    try:
        return arrange(array, "mel", options.axes, {"mel": bands})
    except ItemError as error:
        if error.code != "bins-mismatch":
            raise
        what = f"no axis of shape {array.shape} has {bands} bands, as the dialect {options.dialect.label} has"
        extent = finite_extent_of(array)
        raise ItemError(
            what, code="dialect-mismatch", hint=_matching_hint(dialects(), array.shape, extent.low, extent.high)
        ) from error


def check_mel(signal: MelSpectrogram, warn: Callable[[str], None], dialects: Callable[[], Catalogue]) -> MelSpectrogram:
    """Return the signal without frames that are masked, if its values can be in its dialect.

    Raises
    ------
    ItemError
        If they contradict it; it names the dialects that would fit.
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


def _matching_hint(catalogue: Catalogue, shape: Any, low: float, high: float) -> str:
    names = catalogue.matching(shape, low, high)
    if not names:
        return "no dialect that is known fits; it can be spelled out"
    more = f", and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return f"it would fit {', '.join(names[:MAX_NAMED])}{more}"
