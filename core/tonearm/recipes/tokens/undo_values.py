"""The values of codec tokens: whole numbers, and codes within the range of their book."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tonearm.errors import ItemError

if TYPE_CHECKING:
    from tonearm.typing import Array

GREATEST = 2**31 - 1
"""Greatest code that a signal holds."""

FEWEST_ROUNDED = 16
"""Number of different ids of which chance rounds all once in 65,536 times, or less often."""

Describe = Callable[[int, int, int], tuple[str, str]]
"""Function from channel, row and frame to the place of a code in words, and what may be the reason that it is wrong."""


def whole_numbers(array: Array) -> Array:
    """Return ids as int64, in which offsets of unsigned ones can be subtracted.

    Raises
    ------
    ItemError
        If values are not whole numbers, or do not fit.
    """
    import numpy as np

    if array.dtype.kind not in "iuf":
        raise ItemError(f"tokens are whole numbers, not {array.dtype}", code="bad-token")
    if array.dtype.kind == "f":
        array = array.astype(np.float64)
        wrong = ~(array == np.rint(array)) | (np.abs(array) >= 2.0**53)
        if wrong.any():
            place = tuple(int(index) for index in np.argwhere(wrong)[0])
            raise ItemError(
                f"tokens are whole numbers, but the array has {array[place]:.10g} at {list(place)}",
                code="bad-token",
                hint="it may hold sound or latents rather than tokens",
            )
        _check_rounding(array)
    elif array.dtype.kind == "u" and array.size and array.max() > GREATEST * 2**31:
        raise ItemError(f"the id {array.max()} is greater than that of any vocabulary", code="bad-token")
    return array.astype(np.int64)


def _check_rounding(array: Array) -> None:
    """Refuse ids that a type of 16 bits has rounded, which are whole numbers still, but others.

    Of ids that are not rounded, at least every second one beyond the exact range of the type would show it.
    """
    import numpy as np

    for name, bits in (("bfloat16", 8), ("float16", 11)):
        large = np.unique(array[np.abs(array) > 2.0**bits])
        mantissas = np.frexp(large)[0] * 2.0**bits
        if large.size >= FEWEST_ROUNDED and (mantissas == np.rint(mantissas)).all():
            raise ItemError(
                f"the tokens were rounded to {bits} bits, as {name} does: ids beyond {2**bits} are lost",
                code="bad-token",
                hint="keep tokens as whole numbers: leave out the cast to a type of floats, and save them again",
            )


def checked_codes(
    codes: Array, limits: Sequence[int] | None, policy: str, describe: Describe, *, pad: int | None = None
) -> Array:
    """Return codes of shape (channels, rows, frames) as int32, after treating those that are out of range.

    Parameters
    ----------
    codes
        Codes, int64.
    limits
        Number of codes of the book of each row; None if unknown.
    policy
        Treatment of codes out of range, as the field ``invalid`` of a layout names it.
    describe
        Function that describes the place of a code in the error.
    pad
        Id that is not a code but becomes 0; None if there is none.

    Raises
    ------
    ItemError
        If a code is out of range and the policy does not say what becomes of it.
    """
    import numpy as np

    if pad is not None:
        codes = np.where(codes == pad, 0, codes)
    limits = [min(limit, GREATEST + 1) for limit in limits] if limits else None
    ends = np.array(limits or [GREATEST + 1], np.int64)[:, None]
    wrong = (codes < 0) | (codes >= ends)
    if wrong.any():
        if policy == "zero":
            codes = np.where(wrong, 0, codes)
        elif policy == "drop_frame":
            codes = codes[:, :, ~wrong.any(axis=(0, 1))]
        elif policy == "clip":
            codes = np.minimum(codes, ends - 1)
            wrong = codes < 0
        elif policy == "keep":
            limits, wrong = None, np.abs(codes) > GREATEST
        if policy not in ("zero", "drop_frame") and wrong.any():
            raise _out_of_range(codes, wrong, limits, describe)
    return codes.astype(np.int32)


def _out_of_range(codes: Array, wrong: Array, limits: Sequence[int] | None, describe: Describe) -> ItemError:
    """Return the error for the first code that is out of range."""
    import numpy as np

    places: Any = np.argwhere(wrong.transpose(2, 0, 1))
    frame, channel, row = (int(index) for index in places[0])
    where, reason = describe(channel, row, frame)
    what = (
        f"at most {(limits[row] if limits else GREATEST + 1) - 1}" if codes[channel, row, frame] >= 0 else "at least 0"
    )
    message = f"{where} is code {codes[channel, row, frame]}, but codes are {what}"
    more = f"; {len(places)} codes are out of range" if len(places) > 1 and not reason else ""
    hint = reason or (
        "tonearm inspect ranks the layouts that fit; in a layout, 'invalid' says what becomes of codes out of range"
    )
    return ItemError(f"{message}{more}", code="bad-token", hint=hint)
