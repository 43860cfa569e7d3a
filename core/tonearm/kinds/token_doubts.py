"""Whole numbers that may be codec tokens, where nothing says what an array holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tonearm.errors import ChooseOption, Remedy
from tonearm.findings.tokens import LOWEST, can_be_codes, matching_layouts
from tonearm.kinds.scale import MIN_WHOLE_NUMBERS
from tonearm.plugins.context import Context
from tonearm.recipes.tokens.layout import TokenLayout

if TYPE_CHECKING:
    from tonearm.typing import Array

GLANCE: Final = 4096
"""Number of values among which those of sound have a negative one."""

MOST_NAMED: Final = 4
"""Largest number of layouts that a message names."""


def token_remedies(array: Array, sample_rate: int | None, context: Context) -> tuple[Remedy, ...]:
    """Return the layouts that an array may be in; none if it is not of tokens.

    Samples of sound, but those of unsigned types, are negative here and there. Codes are not, and the greatest of them
    is near the size of a codebook, or the end of the ids that a language model has for them.

    Parameters
    ----------
    array
        Array of numbers.
    sample_rate
        Sample rate in Hz, if it is given.
    context
        Context, which has the catalogue of layouts.
    """
    if array.dtype.kind not in "iu" or array.dtype.itemsize < 2 or array[..., :GLANCE].min(initial=0) < LOWEST:
        return ()
    if array.dtype.name == "int16" and array.size < MIN_WHOLE_NUMBERS:
        return ()  # a piece of sound, as no model saves tokens in this type
    low, high = int(array.min()), int(array.max())
    if not can_be_codes(low, high, whole=True):
        return ()
    catalogue = context.catalogue(TokenLayout)
    matches = matching_layouts(catalogue, array.shape, low, high, sample_rate)
    matches = [match for match in matches if not catalogue.find(match.name).refusal]  # it gives no sound either way
    if not matches:
        return ()
    names = tuple(match.name for match in matches if match.rank == matches[0].rank)[:MOST_NAMED]
    more = f", or another one of {len(matches)} that fit" if len(matches) > len(names) else ""
    return (ChooseOption("layout", names, f"if these are tokens{more}"),)
