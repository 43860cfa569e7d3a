"""The sound that a file of codes was made of: its loudness, rate and length, given back to what a decoder made."""

from __future__ import annotations

import math

from tonearm.api import Context, OriginalSound, Waveform
from tonearm_plugins.dsp.channel_layouts import loudness_refusal


def restored(signal: Waveform, original: OriginalSound | None, context: Context) -> Waveform:
    """Return the sound of a decoder with the loudness, the sample rate and the length that the encoded sound had.

    That is what descript-audio-codec does at the end of its own decoding, in this order.

    Parameters
    ----------
    signal
        Sound of the decoder.
    original
        Sound that was encoded, as `CodecTokens.original` has it; with None, ``signal`` is returned as it is.
    context
        Context of the item, for warnings and progress.
    """
    if original is None:
        return signal
    samples, rate = signal.samples, signal.sample_rate
    if original.loudness is not None and (gain := _gain(signal, original.loudness, context)) != 1.0:
        samples = samples * samples.dtype.type(gain)
    if rate != original.sample_rate:
        from tonearm_plugins.dsp.resampling import resample

        samples = resample(samples, rate, original.sample_rate)
        context.measure(sample_rate=original.sample_rate)
    if samples.shape[-1] < original.length:
        context.warn(
            f"the decoder gives {samples.shape[-1]:,} samples, fewer than the {original.length:,} that were encoded"
        )
    return Waveform(samples=samples[:, : original.length], sample_rate=original.sample_rate)


def _gain(signal: Waveform, loudness: float, context: Context) -> float:
    """Return the gain that brings a sound to a loudness; 1 if its loudness cannot be measured."""
    from tonearm_plugins.dsp.loudness import measure_loudness

    if reason := loudness_refusal(signal.channels, signal.sample_rate, None):
        context.warn(f"the loudness of the encoded sound is not given back: {reason}")
        return 1.0
    gain = measure_loudness(signal.samples, signal.sample_rate).gain_to(loudness)
    if not math.isfinite(gain):
        return 1.0
    context.measure(restored_gain_db=round(20 * math.log10(gain), 4))
    return gain
