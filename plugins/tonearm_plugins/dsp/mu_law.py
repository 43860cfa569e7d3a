"""The mu-law of WaveNet and its descendants (van den Oord and others, 2016): G.711's curve, with even classes on it.

``f(x) = sign(x) ln(1 + mu |x|) / ln(1 + mu)``, with mu one less than the number of classes, and class ``k`` at
``f = 2 k / mu - 1``. That is torchaudio's ``mu_law_decoding`` and WaveNet's own; the bytes of G.711 telephony are
another thing, with segments in place of the curve.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.levels import stretches

TOLERANCE = 1e-3
"""Beyond ±1 by so much, a companded value is rounding."""


def expanded(companded: npt.NDArray[Any], quantization_channels: int) -> npt.NDArray[Any]:
    """Return the amplitudes (channels, samples) behind companded values from -1 to 1, in their own precision.

    Raises
    ------
    ValueError
        If a value is beyond ±1.
    """
    mu = quantization_channels - 1
    result = np.empty_like(companded, order="C")
    for part in stretches(companded.shape[1]):
        block = companded[:, part].astype(np.float64)
        beyond = np.abs(block) > 1 + TOLERANCE
        if beyond.any():
            raise ValueError(f"companded values are from -1 to 1, but there is {block[beyond][0]:g}")
        result[:, part] = np.sign(block) * np.expm1(np.abs(block) * np.log1p(mu)) / mu
    return result


def decoded(classes: npt.NDArray[Any], quantization_channels: int) -> npt.NDArray[np.float32]:
    """Return the amplitudes (channels, samples) of class indices from 0, float32; NaN stays.

    Raises
    ------
    ValueError
        If a value is no class.
    """
    last = quantization_channels - 1
    table = expanded(2 * np.arange(quantization_channels)[None] / last - 1, quantization_channels)[0].astype(np.float32)
    result = np.empty(classes.shape, np.float32)
    for part in stretches(classes.shape[1]):
        block = classes[:, part]
        missing = np.isnan(block)
        with np.errstate(invalid="ignore"):
            found = np.where(missing, 0, block)
            wrong = (found != np.rint(found)) | (found < 0) | (found > last)
        if wrong.any():
            raise ValueError(f"class indices are whole numbers from 0 to {last}, but there is {found[wrong][0]:g}")
        result[:, part] = np.where(missing, np.float32(np.nan), table[found.astype(np.intp)])
    return result
