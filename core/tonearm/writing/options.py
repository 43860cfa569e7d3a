"""The base class of options that several encoders share, and that an encoder's own class of options inherits."""

from __future__ import annotations

from collections.abc import Iterator

from tonearm.errors import OptionError


class EncoderOptions:
    """Options of an encoder, made of inherited classes: ``class WavOptions(PcmOptions, TagOptions)``."""

    def problems(self) -> Iterator[OptionError]:
        """Yield an error for each pair of options that contradict each other.

        Each class yields its own problems, and then those of ``super().problems()``.
        """
        return iter(())
