"""``guard``: a check for faults of a waveform, each of which is an error, a warning, or repaired."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from tonearm.api import Context, Decibels, Duration, ItemError, Meta, OptionError, SetOption, Spec, Transform, Waveform

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

Action = Annotated[Literal["error", "warn", "fix", "off"], Meta(extra={"changes_output": ["fix"]})]


def _if_fixed(fault: str) -> dict[str, object]:
    """Return the declaration of an option that changes an output only if a fault is repaired."""
    return {"changes_output": {fault: ["fix"]}}


REPAIRED_NOISE_DB = -40.0
"""RMS level in dBFS of full-scale noise that was turned down: audible, and harmless."""

NOISE_FLATNESS = 0.6
"""Spectral flatness from which it is noise: white noise has 1, pink noise 0.4, speech and music less than 0.1."""

FADE_SECONDS = 0.005
"""Duration of the fade at the end of a waveform that was cut, in seconds."""

MIN_DB = -200.0
"""Level of silence in dBFS, as it is recorded."""


@dataclass(frozen=True, kw_only=True)
class GuardOptions:
    """Options of ``guard``: the action for each fault, and its limits."""

    not_finite: Annotated[
        Action,
        Meta(
            description="Action for NaN and infinity, which the decoder lets through with nan: keep. fix replaces them"
            " by straight lines."
        ),
    ] = "error"
    clipping: Annotated[
        Action,
        Meta(
            description="Action for samples beyond ±1.0, and for flat tops of what was clipped earlier. fix rounds flat"
            " tops by cubics, and brings the peak to 0 dBFS by one gain."
        ),
    ] = "warn"
    dc: Annotated[Action, Meta(description="Action for a mean beyond max_dc in any channel. fix subtracts it.")] = (
        "warn"
    )
    silence: Annotated[
        Action,
        Meta(
            description="Action for silence throughout, or at either end for longer than max_silence. fix shortens it"
            " at the ends; a waveform that is silent throughout stays an error."
        ),
    ] = "error"
    noise: Annotated[
        Action,
        Meta(
            description="Action for noise at full level, which samples of another type or byte order sound like. fix"
            " turns it down to -40 dBFS."
        ),
    ] = "error"
    wrong_length: Annotated[
        Action,
        Meta(
            description="Action for a duration below min_seconds or above max_seconds. fix puts silence at the end, or"
            " cuts the end off with a fade of 5 ms."
        ),
    ] = "error"
    max_dc: Annotated[
        float, Meta(gt=0, lt=1, description="Largest mean treated as no DC offset.", extra=_if_fixed("dc"))
    ] = 0.01
    silence_db: Annotated[
        Decibels,
        Meta(ge=-200, le=0, description="Largest peak in dBFS treated as silence.", extra=_if_fixed("silence")),
    ] = -60.0
    max_silence: Annotated[
        Duration | None,
        Meta(
            ge=0,
            description="Longest silence at either end in seconds; any if not given.",
            examples=[2, "500 ms"],
            extra=_if_fixed("silence"),
        ),
    ] = None
    noise_db: Annotated[
        Decibels,
        Meta(ge=-120, le=0, description="Lowest RMS in dBFS of noise at full level.", extra=_if_fixed("noise")),
    ] = -15.0
    min_seconds: Annotated[
        Duration | None, Meta(ge=0, description="Shortest duration in seconds.", extra=_if_fixed("wrong_length"))
    ] = None
    max_seconds: Annotated[
        Duration | None,
        Meta(
            gt=0, description="Longest duration in seconds.", examples=[30, "10 min"], extra=_if_fixed("wrong_length")
        ),
    ] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield an error for each pair of options that conflict."""
        if self.silence == "fix" and self.max_silence is None:
            yield OptionError(
                "silence: fix shortens silence at the ends to 'max_silence', which is missing",
                option="silence",
                code="missing-option",
                remedies=(SetOption("max_silence", 0.5, "for example"),),
            )
        if None not in (self.min_seconds, self.max_seconds) and self.min_seconds > self.max_seconds:  # type: ignore[operator]
            yield OptionError(f"min_seconds {self.min_seconds:g} is above max_seconds", option="min_seconds")


class Guard(Transform[Waveform, Waveform, GuardOptions]):
    """Look for NaN, clipping, DC, silence, full-scale noise and wrong lengths: report each, or repair it."""

    keeps_double = True
    instead = "leave it out, and use limiter against peaks"

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform, repaired where the options ask for it, and record what was measured.

        Raises
        ------
        ItemError
            If there are faults whose action is an error; the message names all of them.
        """
        check = _Check(self.options, signal.samples, signal.sample_rate, context)
        check.run()
        if check.errors:
            fault = check.errors[0][0]
            raise ItemError(
                "; ".join(message for _, message in check.errors),
                code=f"guard-{fault.replace('_', '-')}",
                remedies=(SetOption(fault, "warn", "if that is intended"),),
            )
        if check.samples is signal.samples:
            return signal
        return Waveform(samples=check.samples, sample_rate=signal.sample_rate)

    def produces(self, spec: Spec) -> Spec:
        """Return the spec, without a length if silence or a wrong length is repaired."""
        changes_length = "fix" in (self.options.silence, self.options.wrong_length)
        return spec.replace(signals=(Waveform,), length=None if changes_length else spec.length)


class _Check:
    """Check of one waveform: each method looks for one fault, and repairs ``samples`` if it should.

    Parameters
    ----------
    options
        Options of the transform.
    samples
        Waveform of shape (channels, samples), which is not changed.
    sample_rate
        Sample rate in Hz.
    context
        Context that records measurements and warnings.
    """

    def __init__(self, options: GuardOptions, samples: Array, sample_rate: int, context: Context) -> None:
        self.options, self.samples, self.sample_rate, self.context = options, samples, sample_rate, context
        self.errors: list[tuple[str, str]] = []
        self.finite = samples
        """Samples with NaN and infinity replaced, which all other checks look at."""
        self.repairs = True
        """Whether anything can be repaired; not while NaN stays, which no encoder takes anyway."""

    def run(self) -> None:
        """Look for every fault whose action is not ``off``."""
        self.check_not_finite()
        if self.options.clipping != "off":
            self.check_flat_tops()
        if self.options.dc != "off":
            self.check_dc()
        if self.options.clipping != "off":
            self.check_beyond()
        if self.options.silence != "off":
            self.check_silence()
        if self.options.noise != "off":
            self.check_noise()
        if self.options.wrong_length != "off":
            self.check_length()

    def _report(self, fault: str, message: str, repair: str = "") -> bool:
        """Report a fault as the options ask for; return whether to repair it."""
        action = getattr(self.options, fault)
        if action == "error":
            self.errors.append((fault, message))
            return False
        repairs = action == "fix" and self.repairs
        self.context.warn(f"guard: {message}; {repair}" if repairs else f"guard: {message}")
        return repairs

    def _replace(self, samples: Array) -> None:
        self.samples = self.finite = samples

    def check_not_finite(self) -> None:
        from tonearm_plugins.dsp.not_finite import count_not_finite, interpolate_not_finite

        count = count_not_finite(self.samples)
        if not count:
            return
        self.finite = interpolate_not_finite(self.samples)
        self.context.measure(guard_not_finite=count)
        self.repairs = self.options.not_finite == "fix"
        if self.options.not_finite != "off":
            message = f"{count:,} of {self.samples.size:,} samples are NaN or infinite"
            if self._report("not_finite", message, "straight lines replace them"):
                self._replace(self.finite)

    def check_flat_tops(self) -> None:
        import numpy as np

        from tonearm_plugins.dsp.clipping import clipped_runs, declip

        runs = [clipped_runs(channel) for channel in self.finite]
        count = sum(int((run[:, 1] - run[:, 0]).sum()) for run in runs)
        self.context.measure(guard_clipped=count)
        if count:
            tops = sum(map(len, runs))
            message = f"it was clipped: {count:,} samples lie in {tops:,} flat tops"
            if self._report("clipping", message, "these are rounded"):
                self._replace(np.stack([declip(*pair) for pair in zip(self.finite, runs, strict=True)]))

    def check_dc(self) -> None:
        from tonearm_plugins.dsp.levels import channel_means

        means = channel_means(self.finite)
        largest = float(max(means, key=abs))
        self.context.measure(guard_dc=round(largest, 6))
        if abs(largest) > self.options.max_dc and self._report("dc", f"its mean is {largest:.3g}", "it is subtracted"):
            self._replace(self.finite - means[:, None].astype(self.finite.dtype))

    def check_beyond(self) -> None:
        from tonearm_plugins.dsp import levels

        peak = levels.peak(self.finite)
        if peak <= 1:
            return
        count = levels.count_above(self.finite, 1.0)
        self.context.measure(guard_beyond=count)
        message = f"{count:,} samples are beyond full scale, by up to {levels.amplitude_to_db(peak):.1f} dB"
        if self._report("clipping", message, "one gain brings them down to it"):
            import numpy as np

            scaled = self.finite / self.finite.dtype.type(peak)
            self._replace(np.clip(scaled, -1, 1))  # rounding may leave a sample slightly above

    def check_silence(self) -> None:
        from tonearm_plugins.dsp.levels import db_to_amplitude
        from tonearm_plugins.dsp.silence import sound_bounds

        bounds = sound_bounds(self.finite, db_to_amplitude(self.options.silence_db))
        if bounds is None:
            message = f"the waveform is silent: no sample is above {self.options.silence_db:g} dBFS"
            if self.options.silence == "fix":
                self.errors.append(("silence", f"{message}; there is nothing to repair"))
            else:
                self._report("silence", message)
            return
        before, after = (length / self.sample_rate for length in (bounds[0], self.finite.shape[1] - bounds[1]))
        self.context.measure(guard_silence_before=round(before, 3), guard_silence_after=round(after, 3))
        max_silence = self.options.max_silence
        if max_silence is None or max(before, after) <= max_silence:
            return
        message = f"the waveform is silent for {before:.2f} s before and {after:.2f} s after the sound"
        if self._report("silence", message, f"at most {max_silence:g} s are left"):
            kept = int(round(max_silence * self.sample_rate, 6))
            self._replace(self.finite[:, max(0, bounds[0] - kept) : bounds[1] + kept])

    def check_noise(self) -> None:
        from tonearm_plugins.dsp import levels
        from tonearm_plugins.dsp.spectral_flatness import spectral_flatness

        rms = levels.rms(self.finite)
        rms_db = max(levels.amplitude_to_db(rms), MIN_DB)
        flatness = spectral_flatness(self.finite)
        self.context.measure(guard_rms_db=round(rms_db, 1), guard_flatness=round(flatness, 3))
        if rms_db >= self.options.noise_db and flatness >= NOISE_FLATNESS:
            message = f"it is noise at {rms_db:.1f} dBFS, with a spectral flatness of {flatness:.2f}"
            if self._report("noise", message, f"it is turned down to {REPAIRED_NOISE_DB:g} dBFS"):
                self._replace(levels.apply_gain(self.finite, levels.db_to_amplitude(REPAIRED_NOISE_DB) / rms))

    def check_length(self) -> None:
        shortest, longest = self.options.min_seconds, self.options.max_seconds
        length = self.finite.shape[1]
        seconds = length / self.sample_rate
        if shortest is not None and seconds < shortest:
            message = f"it lasts {seconds:.3f} s, less than {shortest:g} s"
            if self._report("wrong_length", message, "silence follows it"):
                import numpy as np

                missing = math.ceil(round(shortest * self.sample_rate, 6)) - length
                self._replace(np.pad(self.finite, ((0, 0), (0, missing))))
        elif longest is not None and seconds > longest:
            message = f"it lasts {seconds:.3f} s, more than {longest:g} s"
            if self._report("wrong_length", message, "the rest is cut off"):
                from tonearm_plugins.dsp.fades import truncate

                kept = max(1, int(round(longest * self.sample_rate, 6)))
                self._replace(truncate(self.finite, kept, fade=round(FADE_SECONDS * self.sample_rate)))
