"""``guard``: a gate for what is wrong with a waveform."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tonearm.api import Context, ItemError, Meta, OptionError, Spec, Transform, Waveform

if TYPE_CHECKING:
    import numpy as np

    Samples = np.ndarray[Any, Any]

Verdict = Literal["error", "warn", "fix", "off"]

QUIET_DB = -40.0
"""Where `fix` puts full-scale noise, in dBFS of its RMS: it is heard, and hurts nobody."""

_FLAT = 0.6
"""Flatness from which a spectrum is noise: white noise has 1, pink noise 0.4, speech and music less than 0.1."""


@dataclass(frozen=True, kw_only=True)
class GuardOptions:
    """Options of ``guard``: what becomes of each fault, and from where on it is one."""

    not_finite: Annotated[
        Verdict,
        Meta(
            description="NaN and infinity, which get here where the decoder has nan: keep. fix draws straight lines"
            " across them."
        ),
    ] = "error"
    clipping: Annotated[
        Verdict,
        Meta(
            description="Samples beyond ±1.0, and flat tops of what was clipped earlier. fix rounds those by cubics,"
            " and brings the peak to 0 dBFS by one gain."
        ),
    ] = "warn"
    dc: Annotated[Verdict, Meta(description="A mean beyond max_dc in any channel. fix subtracts it.")] = "warn"
    silence: Annotated[
        Verdict,
        Meta(
            description="Silence throughout, or at either end for longer than max_silence. fix shortens it at the ends;"
            " where there is nothing else, that stays an error."
        ),
    ] = "error"
    noise: Annotated[
        Verdict,
        Meta(
            description="Noise at full level, as samples of another type or byte order are. fix turns it down to -40"
            " dBFS."
        ),
    ] = "error"
    wrong_length: Annotated[
        Verdict,
        Meta(
            description="Less than min_seconds or more than max_seconds. fix puts silence at the end, or cuts it off"
            " with a fade of 5 ms."
        ),
    ] = "error"
    max_dc: Annotated[float, Meta(gt=0, lt=1, description="Greatest mean that is none to speak of.")] = 0.01
    silence_db: Annotated[float, Meta(ge=-200, le=0, description="Peak up to which it is silence, in dBFS.")] = -60.0
    max_silence: Annotated[
        float | None, Meta(ge=0, description="Seconds of silence that may stand at either end; any if not given.")
    ] = None
    noise_db: Annotated[
        float, Meta(ge=-120, le=0, description="RMS from which noise is at full level, in dBFS.")
    ] = -15.0
    min_seconds: Annotated[float | None, Meta(ge=0, description="Shortest duration that is right.")] = None
    max_seconds: Annotated[float | None, Meta(gt=0, description="Longest duration that is right.")] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield what does not fit together."""
        if self.silence == "fix" and self.max_silence is None:
            yield OptionError(
                "silence: fix shortens silence at the ends, but 'max_silence' does not say to what",
                option="silence",
                code="missing-option",
                hint="max_silence: 0.5",
            )
        if None not in (self.min_seconds, self.max_seconds) and self.min_seconds > self.max_seconds:  # type: ignore[operator]
            yield OptionError(f"min_seconds {self.min_seconds:g} is above max_seconds", option="min_seconds")


class Guard(Transform[Waveform, Waveform, GuardOptions]):
    """Look for NaN, clipping, DC, silence, full-scale noise and wrong lengths; each an error, a warning, or mended."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform, mended where options say so; what was seen is measured.

        Raises
        ------
        ItemError
            With all faults that the options call an error.
        """
        look = _Look(self.options, signal.samples, signal.sample_rate, context)
        for fault in (look.not_finite, look.flat_tops, look.dc, look.beyond, look.silence, look.noise, look.length):
            fault()
        if look.errors:
            raise ItemError(
                "; ".join(message for _, message in look.errors),
                code=f"guard-{look.errors[0][0].replace('_', '-')}",
                hint=f"listen to it; guard lets it pass with {look.errors[0][0]}: warn",
            )
        if look.samples is signal.samples:
            return signal
        return Waveform(samples=look.samples, sample_rate=signal.sample_rate)

    def produces(self, spec: Spec) -> Spec:
        """Return what comes in; its length is no longer known where faults of length are mended."""
        mends = "fix" in (self.options.silence, self.options.wrong_length)
        return spec.but(signals=(Waveform,), length=None if mends else spec.length)


class _Look:
    """One look at one waveform: each method judges one fault, and mends ``samples`` if it should."""

    def __init__(self, options: GuardOptions, samples: Samples, sample_rate: int, context: Context) -> None:
        self.options, self.samples, self.sample_rate, self.context = options, samples, sample_rate, context
        self.errors: list[tuple[str, str]] = []
        self.seen = samples
        """What is looked at: the samples without NaN and infinity."""
        self.mends = True
        """Whether anything can be mended: not while NaN stay, which no encoder takes anyway."""

    def _found(self, fault: str, message: str, mended: str) -> bool:
        """Note a fault as the options say; return whether it is to be mended."""
        verdict = getattr(self.options, fault)
        if verdict == "error":
            self.errors.append((fault, message))
            return False
        mends = verdict == "fix" and self.mends
        self.context.warn(f"guard: {message}; {mended}" if mends else f"guard: {message}")
        return mends

    def _mend(self, samples: Samples) -> None:
        self.samples = self.seen = samples

    def not_finite(self) -> None:
        from tonearm_plugins.dsp import waveform_faults as faults

        count = faults.count_not_finite(self.samples)
        if not count:
            return
        self.seen = faults.fill_not_finite(self.samples)
        self.context.measure(guard_not_finite=count)
        self.mends = self.options.not_finite == "fix"
        if self.options.not_finite != "off":
            message = f"{count:,} of {self.samples.size:,} samples are NaN or infinite"
            if self._found("not_finite", message, "straight lines lead across them"):
                self._mend(self.seen)

    def flat_tops(self) -> None:
        if self.options.clipping == "off":
            return
        import numpy as np

        from tonearm_plugins.dsp import waveform_faults as faults

        runs = [faults.flat_tops(channel) for channel in self.seen]
        count = sum(int((run[:, 1] - run[:, 0]).sum()) for run in runs)
        self.context.measure(guard_clipped=count)
        if count:
            tops = sum(map(len, runs))
            message = f"it was clipped: {count:,} samples lie in {tops:,} flat tops"
            if self._found("clipping", message, "these are rounded"):
                self._mend(np.stack([faults.round_tops(*pair) for pair in zip(self.seen, runs, strict=True)]))

    def dc(self) -> None:
        if self.options.dc == "off":
            return
        from tonearm_plugins.dsp import waveform_faults as faults

        means = faults.means(self.seen)
        worst = float(max(means, key=abs))
        self.context.measure(guard_dc=round(worst, 6))
        if abs(worst) > self.options.max_dc and self._found("dc", f"its mean is {worst:.3g}", "it is subtracted"):
            self._mend(self.seen - means[:, None].astype(self.seen.dtype))

    def beyond(self) -> None:
        if self.options.clipping == "off":
            return
        from tonearm_plugins.dsp import waveform_faults as faults

        peak = faults.peak(self.seen)
        if peak <= 1:
            return
        count = faults.count_beyond(self.seen, 1.0)
        self.context.measure(guard_beyond=count)
        message = f"{count:,} samples are beyond full scale, by up to {_decibels(peak):.1f} dB"
        if self._found("clipping", message, "one gain brings them down to it"):
            import numpy as np

            scaled = self.seen / self.seen.dtype.type(peak)
            self._mend(np.clip(scaled, -1, 1))  # rounding may leave it a hair above

    def silence(self) -> None:
        if self.options.silence == "off":
            return
        from tonearm_plugins.dsp import waveform_faults as faults

        found = faults.sounding(self.seen, 10 ** (self.options.silence_db / 20))
        if found is None:
            message = f"it is silent: no sample is above {self.options.silence_db:g} dBFS"
            if self.options.silence == "fix":
                self.errors.append(("silence", f"{message}; there is nothing to mend"))
            else:
                self._found("silence", message, "")
            return
        before, after = (places / self.sample_rate for places in (found[0], self.seen.shape[1] - found[1]))
        self.context.measure(guard_silence_before=round(before, 3), guard_silence_after=round(after, 3))
        most = self.options.max_silence
        if most is None or max(before, after) <= most:
            return
        message = f"it is silent for {before:.2f} s before and {after:.2f} s after the sound"
        if self._found("silence", message, f"at most {most:g} s are left"):
            kept = int(round(most * self.sample_rate, 6))
            self._mend(self.seen[:, max(0, found[0] - kept) : found[1] + kept])

    def noise(self) -> None:
        if self.options.noise == "off":
            return
        from tonearm_plugins.dsp import waveform_faults as faults

        level = faults.rms(self.seen)
        flatness = faults.flatness(self.seen)
        self.context.measure(guard_rms_db=round(_decibels(level), 1), guard_flatness=round(flatness, 3))
        if _decibels(level) >= self.options.noise_db and flatness >= _FLAT:
            message = f"it is noise at {_decibels(level):.1f} dBFS, with a flatness of {flatness:.2f}"
            if self._found("noise", message, f"it is turned down to {QUIET_DB:g} dBFS"):
                self._mend(self.seen * self.seen.dtype.type(10 ** (QUIET_DB / 20) / level))

    def length(self) -> None:
        least, most = self.options.min_seconds, self.options.max_seconds
        if self.options.wrong_length == "off" or (least is None and most is None):
            return
        from tonearm_plugins.dsp import waveform_faults as faults

        seconds = self.seen.shape[1] / self.sample_rate
        if least is not None and seconds < least:
            if self._found("wrong_length", f"it lasts {seconds:.3f} s, less than {least:g} s", "silence follows it"):
                self._mend(faults.lengthened(self.seen, math.ceil(round(least * self.sample_rate, 6))))
        elif (
            most is not None
            and seconds > most
            and self._found("wrong_length", f"it lasts {seconds:.3f} s, more than {most:g} s", "the rest is cut off")
        ):
            self._mend(faults.shortened(self.seen, max(1, int(round(most * self.sample_rate, 6))), self.sample_rate))


def _decibels(value: float) -> float:
    return 20 * math.log10(max(value, 1e-10))
