"""``trim``: no silence at the edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import Context, Meta, Spec, Transform, Waveform
from tonearm_plugins.transforms.durations import samples_in


@dataclass(frozen=True, kw_only=True)
class TrimOptions:
    """Options of ``trim``."""

    threshold_db: Annotated[
        float,
        Meta(ge=-150, lt=0, description="What is below is silence: the RMS of 10 ms in the loudest channel, in dB."),
    ] = -50.0
    relative_to: Annotated[
        Literal["loudest", "full-scale"],
        Meta(description="What the threshold is beside: the loudest 10 ms of the sound, or full scale."),
    ] = "loudest"
    edges: Annotated[Literal["both", "start", "end"], Meta(description="Which of them to trim.")] = "both"
    padding_ms: Annotated[
        float, Meta(ge=0, le=60_000, description="Of what was there, so much stays before and after the sound, in ms.")
    ] = 50.0
    min_seconds: Annotated[
        float, Meta(ge=0, le=3600, description="So much stays at least, of the sound and what was around it.")
    ] = 0.0


class Trim(Transform[Waveform, Waveform, TrimOptions]):
    """Cut silence off the beginning and the end, never out of the middle; what has no sound stays as it is."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the part from the first sound to the last, and measure what went."""
        import numpy as np

        from tonearm_plugins.dsp.silence import WINDOW_MS, loud_windows, window_powers

        options, rate, length = self.options, signal.sample_rate, signal.length
        window = max(1, samples_in(rate, ms=WINDOW_MS))
        powers = window_powers(signal.samples, window)
        loud = np.flatnonzero(loud_windows(powers, options.threshold_db, relative=options.relative_to == "loudest"))
        if not loud.size:
            what = "it is silent" if not powers.any() else f"nothing in it is above {options.threshold_db:g} dBFS"
            context.warn(f"{what}, so nothing was trimmed")
            return signal
        padding = samples_in(rate, ms=options.padding_ms)
        first = 0 if options.edges == "end" else max(int(loud[0]) * window - padding, 0)
        last = length if options.edges == "start" else min((int(loud[-1]) + 1) * window + padding, length)
        first, last = _at_least(first, last, min(samples_in(rate, seconds=options.min_seconds), length), length)
        context.measure(trimmed_start=round(first / rate, 4), trimmed_end=round((length - last) / rate, 4))
        return Waveform(samples=signal.samples[:, first:last], sample_rate=rate)

    def produces(self, spec: Spec) -> Spec:
        """Return that the length is known no more."""
        return spec.but(signals=(Waveform,), length=None)


def _at_least(first: int, last: int, least: int, length: int) -> tuple[int, int]:
    """Widen a part to both sides, as far as there is something, until it has ``least`` samples."""
    missing = max(least - (last - first), 0)
    first = max(first - missing // 2, 0)
    last = min(max(last, first + least), length)
    return min(first, last - least) if least else first, last
