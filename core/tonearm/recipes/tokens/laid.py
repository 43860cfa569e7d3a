"""Codec tokens laid out as a model writes them, for encoders that write arrays or text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tonearm.recipes.tokens.layout import TokenLayout
from tonearm.signals import CodecTokens, Signal

if TYPE_CHECKING:
    from tonearm.recipes.tokens.lay import Laid
    from tonearm.typing import Array

_ABOUT = ("source", "notes", "weights")
"""Figures that describe a layout for people."""


class LaidTokens(Signal):
    """Tokens in a layout: a text, an array, or the arrays of levels.

    Parameters
    ----------
    tokens
        Tokens.
    layout
        Layout.

    Attributes
    ----------
    raw
        What the model would have written.

    Raises
    ------
    ItemError
        If the layout is not invertible, or cannot hold these tokens.
    """

    port = CodecTokens.port

    def __init__(self, tokens: CodecTokens, layout: TokenLayout) -> None:
        from tonearm.recipes.tokens.lay import lay_tokens

        self.raw: Laid = lay_tokens(layout, tokens)
        self._tokens = tokens
        self._layout = layout

    def arrays(self) -> tuple[Array, ...]:
        """Return the array, or those of the levels; none of a text."""
        if isinstance(self.raw, str):
            return ()
        return self.raw if isinstance(self.raw, tuple) else (self.raw,)

    @property
    def has_segments(self) -> bool:
        """Whether the layout has an axis for segments."""
        return "segment" in self._layout.raw_axes

    @property
    def tokens(self) -> CodecTokens:
        """The tokens without the layout."""
        return self._tokens

    def described(self) -> dict[str, Any]:
        """Return the layout and what else is known, as options of ``kind: tokens``."""
        told = ("axes", "layout", "segments") if self.has_segments else ("axes", "layout")
        known = {name: value for name, value in self._tokens.described().items() if name not in told}
        return {"layout": figures_of(self._layout), **known}


def figures_of(layout: TokenLayout) -> dict[str, Any]:
    """Return the figures of a layout, in plain values, that tell how tokens are read."""
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(layout)
    return {name: value for name, value in found.items() if name not in _ABOUT}
