"""``mix``: mono, stereo, or a choice of channels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from tonearm.api import (
    BlockTransform,
    Context,
    EachBlock,
    ItemError,
    Meta,
    OptionError,
    RemoveOption,
    SetOption,
    Spec,
    StartedTransform,
    Waveform,
)

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

FROM_0 = "channels count from 0"


@dataclass(frozen=True, kw_only=True)
class MixOptions:
    """Options of ``mix``."""

    to: Annotated[
        Literal["mono", "stereo"] | None,
        Meta(
            description="Channels of the result. mono is the mean of two channels, and stereo is one channel twice."
            " From 3, 4, 5, 6 (5.1) or 8 (7.1) channels in the order of WAV files, both are the mix of ITU-R BS.775,"
            " scaled so that it cannot go over full scale. mono from another number is the mean of all."
        ),
    ] = None
    pick: Annotated[
        list[int] | None,
        Meta(min_length=1, description="Channels to take in place of a mix, by number from 0.", examples=[[0], [1, 0]]),
    ] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield an error unless exactly one of ``to`` and ``pick`` is given, and for a negative channel."""
        if self.to is None and self.pick is None:
            remedies = (SetOption("to", "mono"), SetOption("pick", [0], "for the first channel"))
            yield OptionError("neither 'to' nor 'pick' is given", remedies=remedies)
        if self.to is not None and self.pick is not None:
            yield OptionError("give either 'to' or 'pick'", option="to", remedies=(RemoveOption("to", "or pick"),))
        if self.pick is not None and min(self.pick) < 0:
            yield OptionError(f"there is no channel {min(self.pick)}", option="pick", hint=FROM_0)


class Mix(BlockTransform[Waveform, Waveform, MixOptions]):
    """Mix down to mono or stereo, make stereo of mono, or pick channels."""

    keeps_double = True
    any_blocks = True

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        """Return the mix, from the channels of the signal."""
        try:
            rows = self._rows(spec.channels or 1)
        except OptionError as error:
            raise ItemError(error.message, code=error.code, remedies=error.remedies) from error
        return EachBlock(lambda block: _mixed(block, rows))

    def produces(self, spec: Spec) -> Spec:
        """Return the spec with the new number of channels; channels that do not exist are refused."""
        if spec.channels is not None:
            self._rows(spec.channels)
        channels = len(self.options.pick) if self.options.pick else {"mono": 1, "stereo": 2}[str(self.options.to)]
        return spec.replace(signals=(Waveform,), channels=channels)

    def _rows(self, channels: int) -> list[list[tuple[int, float]]]:
        """Return the channels that each channel of the result is made of, with their weights.

        Raises
        ------
        OptionError
            If a channel to pick does not exist, or the layout is not known.
        """
        from tonearm_plugins.dsp.channel_layouts import STEREO_MIX

        if self.options.pick is not None:
            for number in self.options.pick:
                if number >= channels:
                    raise OptionError(
                        f"there is no channel {number} in a waveform of {channels} channel{'s' * (channels > 1)}",
                        option="pick",
                        code="no-such-channel",
                        hint=FROM_0,
                    )
            return [[(number, 1.0)] for number in self.options.pick]
        if channels not in STEREO_MIX:
            if self.options.to == "mono":
                return [[(number, 1 / channels) for number in range(channels)]]
            raise OptionError(
                f"there is no stereo mix for {channels} channels, whose layout is not known",
                option="to",
                code="unknown-positions",
                remedies=(SetOption("pick", [0, 1], instead_of="to"),),
            )
        rows = STEREO_MIX[channels]
        if self.options.to == "mono":
            rows = (tuple(map(sum, zip(*rows, strict=True))),)  # type: ignore[assignment]
        return [[(i, weight / sum(row)) for i, weight in enumerate(row) if weight] for row in rows]


def _mixed(samples: Array, rows: list[list[tuple[int, float]]]) -> Array:
    """Return the channels that are made of others, by their weights; the samples themselves if nothing changes."""
    import numpy as np

    from tonearm_plugins.dsp.blocks import block_slices

    if all(row == [(i, 1.0)] for i, row in enumerate(rows)) and len(rows) == len(samples):
        return samples
    result = np.zeros((len(rows), samples.shape[1]), samples.dtype)
    for part in block_slices(samples.shape[1]):
        for out, row in zip(result, rows, strict=True):
            for channel, weight in row:
                out[part] += samples[channel, part] * samples.dtype.type(weight)
    return result
