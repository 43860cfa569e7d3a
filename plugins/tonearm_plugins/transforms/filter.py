"""``filter``: high-pass, low-pass and band filters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from tonearm.api import (
    BlockTransform,
    Context,
    ItemError,
    Meta,
    OptionError,
    SetOption,
    Spec,
    StartedTransform,
    Waveform,
)
from tonearm_plugins.transforms.started import Started

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Float64Array

Band = list[float]
MIN_HZ = 1e-3

SCIPY_KINDS = {
    "high_pass_hz": "highpass",
    "low_pass_hz": "lowpass",
    "band_pass_hz": "bandpass",
    "band_stop_hz": "bandstop",
}


@dataclass(frozen=True, kw_only=True)
class FilterOptions:
    """Options of ``filter``."""

    high_pass_hz: Annotated[
        float | None,
        Meta(ge=MIN_HZ, description="Edge in Hz of a high-pass, which keeps what is above it.", examples=[80]),
    ] = None
    low_pass_hz: Annotated[
        float | None,
        Meta(ge=MIN_HZ, description="Edge in Hz of a low-pass, which keeps what is below it.", examples=[8000]),
    ] = None
    band_pass_hz: Annotated[
        Band | None,
        Meta(min_length=2, max_length=2, description="Edges in Hz of a band to keep.", examples=[[300, 3400]]),
    ] = None
    band_stop_hz: Annotated[
        Band | None,
        Meta(min_length=2, max_length=2, description="Edges in Hz of a band to remove.", examples=[[48, 52]]),
    ] = None
    order: Annotated[
        int,
        Meta(
            ge=1,
            le=16,
            description="Order of each flank, which falls by 6 dB an octave times this and is 3 dB down at the edge.",
        ),
    ] = 4
    zero_phase: Annotated[
        bool,
        Meta(
            description="Filtering forwards and backwards: there is no delay, and the filter counts twice (6 dB down at"
            " the edge, twice as steep)."
        ),
    ] = False

    def problems(self) -> Iterator[OptionError]:
        """Yield an error if there is no filter, and for each impossible band."""
        if not list(self.edges()):
            hint = "give high_pass_hz, low_pass_hz, band_pass_hz or band_stop_hz, or several"
            yield OptionError("no option says what to filter", hint=hint)
        for option in ("band_pass_hz", "band_stop_hz"):
            band = getattr(self, option)
            if band is not None and not MIN_HZ <= band[0] < band[1]:
                remedies = (SetOption(option, sorted(band)),) if MIN_HZ <= min(band) < max(band) else ()
                yield OptionError(f"{band} is not a band", option=option, remedies=remedies)

    def edges(self) -> Iterator[tuple[str, str, float | Band]]:
        """Yield the option, the kind (scipy's name) and the edges of each filter."""
        for option, kind in SCIPY_KINDS.items():
            value = getattr(self, option)
            if value is not None:
                yield option, kind, value


class Filter(BlockTransform[Waveform, Waveform, FilterOptions]):
    """Filter by Butterworth second-order sections: high-pass, low-pass, band-pass, band-stop, or several in a row."""

    keeps_double = True
    any_blocks = True

    def check_blocks(self, spec: Spec) -> None:
        """Refuse filtering backwards, which begins at the end."""
        if self.options.zero_phase:
            raise OptionError(
                "filtering backwards needs the whole signal, which a stream never has",
                option="zero_phase",
                code="needs-whole",
                remedies=(SetOption("zero_phase", value=False),),
            )

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        """Return the filter, forwards, from rest."""
        from tonearm_plugins.dsp.filters import SectionFilter

        return Started(SectionFilter(self._sections(spec.sample_rate or 0), threads=context.threads), context)

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the filtered waveform, of the same length."""
        if not self.options.zero_phase:
            return super().apply(signal, context)
        from tonearm_plugins.dsp.filters import apply_filter

        sections = self._sections(signal.sample_rate)
        samples = apply_filter(
            signal.samples, sections, zero_phase=True, threads=context.threads, on_progress=context.progress
        )
        return Waveform(samples=samples, sample_rate=signal.sample_rate)

    def produces(self, spec: Spec) -> Spec:
        """Return the spec; edges above half of a known sample rate are refused."""
        problem = self._problem(spec.sample_rate) if spec.sample_rate is not None else None
        if problem:
            raise problem
        return spec.replace(signals=(Waveform,))

    def _sections(self, sample_rate: int) -> Float64Array:
        """Return the second-order sections of all filters, or raise `ItemError` if there are none at this rate."""
        import numpy as np

        from tonearm_plugins.dsp.filters import butterworth

        problem = self._problem(sample_rate)
        if problem:
            raise ItemError(problem.message, code=problem.code, remedies=problem.remedies)
        order = self.options.order
        return np.concatenate([butterworth(kind, hertz, sample_rate, order) for _, kind, hertz in self.options.edges()])

    def _problem(self, sample_rate: int) -> OptionError | None:
        """Return an error if an edge is not below half of the sample rate."""
        for option, _, value in self.options.edges():
            highest = value[-1] if isinstance(value, list) else value
            if highest >= sample_rate / 2:
                return OptionError(
                    f"{highest:g} Hz is not below half of the sample rate, {sample_rate / 2:g} Hz",
                    option=option,
                    code="beyond-nyquist",
                    hint="put it before a resample to a lower rate, or leave it out: there is no sound up there",
                )
        return None
