"""HTML player for a waveform in a notebook, with a caption of duration, rate and level."""

from __future__ import annotations

import base64
import io
import math
import wave
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tonearm.typing import Array


def player(samples: Array, sample_rate: int) -> str:
    """Return HTML that plays samples as 16-bit WAV, clipped at full scale and not normalised.

    Values that are not finite play as silence, and the caption counts them.

    Parameters
    ----------
    samples
        Samples of shape (channels, samples), full scale at ±1.0.
    sample_rate
        Sample rate in Hz.
    """
    import numpy as np

    finite = np.isfinite(samples)
    sound = np.where(finite, samples, 0)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(sound.shape[0])
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(np.clip(np.rint(sound.T * 32768.0), -32768, 32767).astype("<i2").tobytes())
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    caption = _caption(sound, sample_rate, broken=int(finite.size - finite.sum()))
    audio = f'<audio controls src="data:audio/wav;base64,{data}"></audio>'
    return f"<figure>{audio}<figcaption>{caption}</figcaption></figure>"


def _caption(sound: Array, sample_rate: int, *, broken: int) -> str:
    """Return a short description of the sound."""
    peak = float(abs(sound).max())
    clipped = int((abs(sound) > 1).sum())
    channels = "mono" if sound.shape[0] == 1 else f"{sound.shape[0]} channels"
    level = f"peak {20 * math.log10(peak):+.1f} dBFS" if peak > 0 else "silent"
    parts = [f"{sound.shape[1] / sample_rate:.2f} s", f"{sample_rate} Hz", channels, level]
    parts += [f"{clipped} samples beyond full scale"] if clipped else []
    parts += [f"{broken} values are NaN or infinite"] if broken else []
    return ", ".join(parts)
