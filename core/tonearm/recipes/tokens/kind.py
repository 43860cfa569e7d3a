"""``kind: tokens``: codec tokens in a layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from tonearm.kinds.grid_options import SampledOptions
from tonearm.plugins.context import Context
from tonearm.plugins.kind import Kind
from tonearm.recipes.tokens.layout import TokenLayout
from tonearm.signals import CodecTokens

if TYPE_CHECKING:
    from tonearm.typing import Array


@dataclass(frozen=True, kw_only=True)
class TokensOptions(SampledOptions):
    """Options of codec tokens."""

    layout: Annotated[
        TokenLayout | None,
        Meta(
            description="Layout in which the model writes codec tokens: a name, {base: NAME, delays: [0, 1, 2, 3]} to"
            " change a known one, or all its figures."
        ),
    ] = None


class TokensKind(Kind[CodecTokens, TokensOptions]):
    """Codec tokens in a layout."""

    axes = ("book", "frame")
    dtype = "stored"

    def read(self, values: Array, context: Context) -> CodecTokens:
        """Return the tokens."""
        raise NotImplementedError
