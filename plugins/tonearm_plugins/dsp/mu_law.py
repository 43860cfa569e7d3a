"""The mu-law of WaveNet and its descendants (van den Oord et al., "WaveNet", 2016).

``f(x) = sign(x) * log(1 + mu * abs(x)) / log(1 + mu)``, where mu is the number of classes less one. Class ``k`` is at
``f = 2 * k / mu - 1``. torchaudio's ``mu_law_decoding`` is the same. The bytes of G.711 telephony are different: they
have straight segments in place of the curve.
"""

from __future__ import annotations

import numpy as np

from tonearm_plugins.dsp.blocks import block_slices
from tonearm_plugins.dsp.typing import Array, Float32Array

TOLERANCE = 1e-3
"""Distance beyond ±1 up to which a companded value is attributed to rounding."""


def mu_law_expand(companded: Array, quantization_channels: int) -> Array:
    """Expand companded values to amplitudes.

    Parameters
    ----------
    companded
        Values from -1 to 1, of shape (channels, samples), float32 or float64. NaN stays.
    quantization_channels
        Number of classes of the model; mu is one less.

    Returns
    -------
    Array
        Amplitudes from -1 to 1, of the same shape and dtype; they are computed in float64.

    Raises
    ------
    ValueError
        If a value is beyond ±1.

    Examples
    --------
    >>> mu_law_expand(np.array([[-1.0, 0.0, 0.5]]), 256).round(4).tolist()
    [[-1.0, 0.0, 0.0588]]
    """
    mu = quantization_channels - 1
    result = np.empty_like(companded, order="C")
    for part in block_slices(companded.shape[1]):
        block = companded[:, part].astype(np.float64)
        beyond = np.abs(block) > 1 + TOLERANCE
        if beyond.any():
            raise ValueError(f"companded values must be from -1 to 1, but one is {block[beyond][0]:g}")
        result[:, part] = np.sign(block) * np.expm1(np.abs(block) * np.log1p(mu)) / mu
    return result


def mu_law_decode(classes: Array, quantization_channels: int) -> Float32Array:
    """Decode class indices to amplitudes.

    Parameters
    ----------
    classes
        Whole numbers from 0 to ``quantization_channels - 1``, of shape (channels, samples), float32 or float64. NaN
        stays.
    quantization_channels
        Number of classes of the model; mu is one less.

    Returns
    -------
    Float32Array
        Amplitudes from -1 to 1, of shape (channels, samples).

    Raises
    ------
    ValueError
        If a value is not a class index.

    Examples
    --------
    >>> mu_law_decode(np.array([[0.0, 255.0, np.nan]]), 256).tolist()
    [[-1.0, 1.0, nan]]
    """
    last = quantization_channels - 1
    every_class = 2 * np.arange(quantization_channels)[None] / last - 1
    table = mu_law_expand(every_class, quantization_channels)[0].astype(np.float32)
    result = np.empty(classes.shape, np.float32)
    for part in block_slices(classes.shape[1]):
        block = classes[:, part]
        missing = np.isnan(block)
        with np.errstate(invalid="ignore"):
            found = np.where(missing, 0, block)
            wrong = (found != np.rint(found)) | (found < 0) | (found > last)
        if wrong.any():
            raise ValueError(f"class indices must be whole numbers from 0 to {last}, but one is {found[wrong][0]:g}")
        result[:, part] = np.where(missing, np.float32(np.nan), table[found.astype(np.intp)])
    return result
