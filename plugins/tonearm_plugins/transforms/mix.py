"""``mix``: fewer channels, or others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tonearm.api import Context, ItemError, Meta, OptionError, Spec, Transform, Waveform

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class MixOptions:
    """Options of ``mix``."""

    to: Annotated[
        Literal["mono", "stereo"] | None,
        Meta(
            description="mono is the mean of two channels, stereo is one channel twice; of 3, 4, 5, 6 (5.1) and 8 (7.1)"
            " channels in the order of WAV files both are ITU-R BS.775's mix, scaled so that it cannot go over full"
            " scale; mono of other numbers is the mean of all."
        ),
    ] = None
    pick: Annotated[
        list[int] | None,
        Meta(min_length=1, description="Channels to take in their place, by number from 0, as in [0]."),
    ] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield what does not fit together."""
        if (self.to is None) == (self.pick is None):
            yield OptionError(
                "give either to or pick", option="to" if self.pick else None, hint="to: mono, or pick: [0]"
            )
        if self.pick is not None and min(self.pick) < 0:
            yield OptionError(f"there is no channel {min(self.pick)}", option="pick", hint="channels count from 0")


class Mix(Transform[Waveform, Waveform, MixOptions]):
    """Mix down to mono or stereo, make stereo of mono, or pick channels."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform with other channels."""
        try:
            samples = self._mixed(signal.samples)
        except OptionError as error:
            raise ItemError(error.message, code=error.code, hint=error.hint) from error
        return Waveform(samples=samples, sample_rate=signal.sample_rate)

    def produces(self, spec: Spec) -> Spec:
        """Return the new number of channels; refuse those that are not there."""
        if spec.channels is not None:
            self._rows(spec.channels)
        channels = len(self.options.pick) if self.options.pick else {"mono": 1, "stereo": 2}[str(self.options.to)]
        return spec.but(signals=(Waveform,), channels=channels)

    def _mixed(self, samples: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        import numpy as np

        from tonearm_plugins.dsp.levels import stretches

        rows = self._rows(len(samples))
        if all(row == [(i, 1.0)] for i, row in enumerate(rows)) and len(rows) == len(samples):
            return samples
        result = np.zeros((len(rows), samples.shape[1]), samples.dtype)
        for part in stretches(samples.shape[1]):
            for out, row in zip(result, rows, strict=True):
                for channel, weight in row:
                    out[part] += samples[channel, part] * samples.dtype.type(weight)
        return result

    def _rows(self, channels: int) -> list[list[tuple[int, float]]]:
        """Return, for each channel of the result, the channels that it is made of and their weights.

        Raises
        ------
        OptionError
            If there are no such channels.
        """
        from tonearm_plugins.dsp.channel_layouts import STEREO

        if self.options.pick is not None:
            for number in self.options.pick:
                if number >= channels:
                    there = f"there {'is' if channels == 1 else 'are'} {channels} channel{'s' * (channels > 1)}"
                    raise OptionError(
                        f"{there}, so none is number {number}", option="pick", code="no-such-channel", hint=FROM_0
                    )
            return [[(number, 1.0)] for number in self.options.pick]
        if channels not in STEREO:
            if self.options.to == "mono":
                return [[(number, 1 / channels) for number in range(channels)]]
            raise OptionError(
                f"nobody knows where {channels} channels stand, to mix them to stereo",
                option="to",
                code="unknown-layout",
                hint="pick: [0, 1] takes the first two",
            )
        rows = STEREO[channels]
        if self.options.to == "mono":
            rows = (tuple(map(sum, zip(*rows, strict=True))),)  # type: ignore[assignment]
        return [[(i, weight / sum(row)) for i, weight in enumerate(row) if weight] for row in rows]


FROM_0 = "channels count from 0"
