"""``trim``: removal of silence at the beginning and the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tonearm.api import Context, Decibels, Duration, Meta, Milliseconds, Spec, Transform, Waveform
from tonearm_plugins.transforms.durations import duration_in_samples


@dataclass(frozen=True, kw_only=True)
class TrimOptions:
    """Options of ``trim``."""

    threshold_db: Annotated[
        Decibels,
        Meta(
            ge=-150,
            lt=0,
            description="Level in dB below which a waveform is silent: the RMS of 10 ms in the loudest channel.",
            examples=[-40, "-60 dB"],
        ),
    ] = -50.0
    relative_to: Annotated[
        Literal["loudest", "full-scale"],
        Meta(description="Reference of the threshold: the loudest 10 ms of the sound, or full scale."),
    ] = "loudest"
    edges: Annotated[Literal["both", "start", "end"], Meta(description="Edges to trim.")] = "both"
    padding_ms: Annotated[
        Milliseconds,
        Meta(
            ge=0,
            le=60_000,
            description="Duration in ms to keep before and after the sound, if it is there.",
            examples=[100, "0.2 s"],
        ),
    ] = 50.0
    min_seconds: Annotated[
        Duration, Meta(ge=0, le=3600, description="Shortest duration of the result in seconds, if the input has it.")
    ] = 0.0


class Trim(Transform[Waveform, Waveform, TrimOptions]):
    """Cut silence off the beginning and the end, never out of the middle; a silent waveform stays as it is."""

    keeps_double = True
    instead = "leave it out, and trim the saved file"

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the part from the first sound to the last, and record how much was cut."""
        import numpy as np

        from tonearm_plugins.dsp.silence import WINDOW_MS, loud_windows, window_powers

        options, rate, length = self.options, signal.sample_rate, signal.length
        window = max(1, duration_in_samples(rate, ms=WINDOW_MS))
        powers = window_powers(signal.samples, window)
        loud = np.flatnonzero(loud_windows(powers, options.threshold_db, relative=options.relative_to == "loudest"))
        if not loud.size:
            reason = (
                "the waveform is silent"
                if not powers.any()
                else f"the waveform has nothing above {options.threshold_db:g} dBFS"
            )
            context.warn(f"{reason}, so nothing was trimmed")
            return signal
        padding = duration_in_samples(rate, ms=options.padding_ms)
        first = 0 if options.edges == "end" else max(int(loud[0]) * window - padding, 0)
        last = length if options.edges == "start" else min((int(loud[-1]) + 1) * window + padding, length)
        min_length = min(duration_in_samples(rate, seconds=options.min_seconds), length)
        first, last = _widen(first, last, min_length, length)
        context.measure(trimmed_start=round(first / rate, 4), trimmed_end=round((length - last) / rate, 4))
        return Waveform(samples=signal.samples[:, first:last], sample_rate=rate)

    def produces(self, spec: Spec) -> Spec:
        """Return the spec without a length, which depends on the sound."""
        return spec.replace(signals=(Waveform,), length=None)


def _widen(first: int, last: int, min_length: int, length: int) -> tuple[int, int]:
    """Widen a part of a signal to both sides, until it has a length or reaches the ends."""
    missing = max(min_length - (last - first), 0)
    first = max(first - missing // 2, 0)
    last = min(max(last, first + min_length), length)
    return min(first, last - min_length) if min_length else first, last
