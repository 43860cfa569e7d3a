"""The analysis length that the effects by librosa share: an option, and a default that lasts as long at every rate."""

from __future__ import annotations

from typing import TypeAlias

from tonearm.api import ItemError, Waveform

NFft: TypeAlias = int | None

N_FFT_DESCRIPTION = "Length of the analysis in samples; if not given, the power of two nearest to 93 ms."


def analysis_length(signal: Waveform, n_fft: NFft) -> int:
    """Return the analysis length for a waveform, in samples.

    Parameters
    ----------
    signal
        Waveform to analyse.
    n_fft
        Value of the option; None for the default.

    Raises
    ------
    ItemError
        If the waveform has NaN or infinite values: an analysis would spread them.
    """
    from tonearm_plugins.dsp.effects import default_n_fft
    from tonearm_plugins.dsp.not_finite import count_not_finite

    if count_not_finite(signal.samples):
        raise ItemError(
            "the waveform has NaN or infinite values",
            code="not-finite",
            hint="nan: zero in the decoder replaces them with 0",
        )
    return n_fft or default_n_fft(signal.sample_rate)
