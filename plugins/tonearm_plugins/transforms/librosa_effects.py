"""What the transforms by librosa share: whole waveforms of finite values, analyses that last as long at every rate."""

from __future__ import annotations

from typing import TypeAlias

from tonearm.api import ItemError, Waveform

NFft: TypeAlias = int | None

N_FFT_TEXT = "Length of the analysis in samples; about 93 ms, a power of two, if not given."


def n_fft_of(signal: Waveform, n_fft: NFft) -> int:
    """Return the length of the analysis of a waveform.

    Raises
    ------
    ItemError
        If it has values that are not finite, which librosa would spread all over it.
    """
    import numpy as np

    from tonearm_plugins.dsp.effects import n_fft_for

    if not np.isfinite(signal.samples).all():
        raise ItemError(
            "it has NaN or infinite values", code="not-finite", hint="nan: zero in the decoder puts 0 there"
        )
    return n_fft or n_fft_for(signal.sample_rate)
