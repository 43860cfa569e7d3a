"""The claim of a kind: that an array may be of this kind, by its statistics."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from tonearm.findings.notes import Notes


class Claim(Struct, frozen=True):
    """The claim that an array may be of a kind.

    Parameters
    ----------
    strong
        Whether values themselves show the kind, by an exact floor for example. A claim that is not strong yields to a
        linear spectrogram that is as likely.
    rival
        Remark about this kind for findings of another one, such as ``a mel of 80 bands would have this shape too``.
    note
        Function that adds the findings and the options to notes. It also gets the axis that may be the bins of a linear
        spectrogram; None if there is none.
    """

    strong: bool
    rival: str
    note: Callable[[Notes, int | None], None]
