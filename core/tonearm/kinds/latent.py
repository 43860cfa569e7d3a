"""``kind: latent``: the frames that the decoder of an autoencoder or flow model takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tonearm.kinds.grid_options import SampledOptions
from tonearm.plugins.context import Context
from tonearm.plugins.kind import Kind
from tonearm.signals import Latents

if TYPE_CHECKING:
    from tonearm.typing import Array


@dataclass(frozen=True, kw_only=True)
class LatentOptions(SampledOptions):
    """Options of latents."""


class LatentKind(Kind[Latents, LatentOptions]):
    """Frames of an autoencoder or flow model."""

    axes = ("band", "frame")

    def read(self, values: Array, context: Context) -> Latents:
        """Return the latents."""
        raise NotImplementedError
