"""The option that chooses what inverts spectrograms."""

from __future__ import annotations

from typing import Literal, TypeAlias

Engine: TypeAlias = Literal["auto", "native", "scipy", "librosa"]
