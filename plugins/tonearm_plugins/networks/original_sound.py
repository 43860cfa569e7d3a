"""The sound that a file of codes was made of: its loudness, rate and length, given back to what a decoder made."""

from __future__ import annotations

import math

from tonearm.api import CodecTokens, Context, OriginalSound, Signal, Spec, Waveform


def restored(sound: Waveform, decoded: Signal, context: Context) -> Waveform:
    """Return the sound of a decoder with the loudness, the sample rate and the length that the encoded sound had.

    That is what descript-audio-codec does at the end of its own decoding, in this order.

    Parameters
    ----------
    sound
        Sound of the decoder.
    decoded
        Signal that it decoded. If it is no tokens, or these do not tell the original sound, ``sound`` stays as it is.
    context
        Context of the item, for warnings and measurements.
    """
    original = decoded.original if isinstance(decoded, CodecTokens) else None
    if original is None:
        return sound
    samples, rate = sound.samples, original.sample_rate or sound.sample_rate
    if original.loudness is not None:
        samples = samples * samples.dtype.type(_gain(sound, original.loudness, context))
    if rate != sound.sample_rate:
        from tonearm_plugins.dsp.resampling import resample

        samples = resample(samples, sound.sample_rate, rate)
    if original.length is not None and samples.shape[-1] < original.length:
        context.warn(
            f"the decoder gives {samples.shape[-1]:,} samples, fewer than the {original.length:,} that were encoded"
        )
    return Waveform(samples=samples[:, : original.length], sample_rate=rate)


def is_told_by_file(spec: Spec) -> bool:
    """Return whether each file of tokens will tell what was encoded, and with it the rate of the codec."""
    return OriginalSound in spec.carried


def restored_spec(spec: Spec) -> Spec:
    """Return the spec of a decoder's sound, with the rate of the original sound that it carries, if it carries one."""
    original = spec.carried.get(OriginalSound)
    if not isinstance(original, OriginalSound):
        return spec
    return spec.replace(sample_rate=original.sample_rate, length=None).dropping(OriginalSound)


def _gain(sound: Waveform, loudness: float, context: Context) -> float:
    """Return the gain that brings a sound to a loudness; 1 if its loudness cannot be measured."""
    from tonearm_plugins.dsp.channel_layouts import loudness_refusal
    from tonearm_plugins.dsp.loudness import measure_loudness

    if reason := loudness_refusal(sound.channels, sound.sample_rate, None):
        context.warn(f"the loudness of the encoded sound is not given back: {reason}")
        return 1.0
    gain = measure_loudness(sound.samples, sound.sample_rate).gain_to(loudness)
    if not math.isfinite(gain):
        return 1.0
    context.measure(restored_gain_db=round(20 * math.log10(gain), 4))
    return gain
