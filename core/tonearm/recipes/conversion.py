"""Conversion of mel spectrograms between linear values and the values of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tonearm.errors import ItemError
from tonearm.recipes.steps import LOGARITHM_BASES

if TYPE_CHECKING:
    from tonearm.recipes.mel.dialect import MelDialect
    from tonearm.typing import Array

EPSILON = 1e-5
"""Constant added to the standard deviation of an utterance, as in NeMo."""


def to_native(dialect: MelDialect, linear: Array) -> Any:
    """Return a linear mel spectrogram (channels, mels, frames) as values of a recipe, float64."""
    import numpy as np

    values = np.asarray(linear, dtype=np.float64) * dialect.input_scale**dialect.exponent
    if dialect.log != "none":
        if dialect.floor_mode == "add":
            values = values + dialect.floor
        elif dialect.floor_mode == "clamp":
            values = np.maximum(values, dialect.floor)
        else:
            values = np.where(values > 0, values, dialect.floor)
        logarithm = {"ln": np.log, "log10": np.log10, "log2": np.log2}[dialect.log]
        values = logarithm(values) * dialect.log_factor
    for step in dialect.steps:
        values = step.apply(values)
    if dialect.standardised:
        mean, std = _statistics(dialect, values)
        values = (values - mean) / std
    if dialect.last_frame == "mask":
        values[..., -1] = 0.0
    return values


def to_linear(dialect: MelDialect, native: Array, *, double: bool = False) -> Any:
    """Return the values of a recipe as a linear mel spectrogram (channels, mels, frames), ≥ 0, float32 or float64."""
    import numpy as np

    if dialect.refusal:
        raise ItemError(dialect.refusal, code="not-invertible", hint=statistics_hint(dialect))
    values = np.asarray(native, dtype=np.float64)
    if dialect.mean is not None:
        mean, std = _statistics(dialect, values)
        values = values * std + mean
    for step in reversed(dialect.steps):
        values = step.invert(values)
    if dialect.log != "none":
        with np.errstate(over="ignore", under="ignore"):
            values = np.power(LOGARITHM_BASES[dialect.log], values / dialect.log_factor)
        if dialect.floor_mode == "add":
            values = values - dialect.floor
    values = _without_guard(dialect, np.maximum(values, 0.0))
    values /= dialect.input_scale**dialect.exponent
    if not np.isfinite(values).all() or values.max() > np.finfo(np.float32).max:
        raise ItemError(
            f"values up to {float(np.max(native)):.6g} are too great for the dialect {dialect.label}",
            code="dialect-mismatch",
            hint="check the dialect",
        )
    return values.astype(np.float64 if double else np.float32)


def statistics_hint(dialect: MelDialect) -> str:
    """Return the hint for missing statistics."""
    return f"dialect: {{base: {dialect.name or 'NAME'}, mean: […], std: […]}}, one number a band, or one for all"


def _statistics(dialect: MelDialect, values: Array) -> tuple[Any, Any]:
    """Return mean and standard deviation as (mels, 1), from the dialect or from the utterance itself."""
    import numpy as np

    if dialect.mean is not None and dialect.std is not None:
        mean, std = (np.atleast_1d(np.asarray(given, np.float64))[:, None] for given in (dialect.mean, dialect.std))
        return mean, std
    if dialect.statistics == "stored":
        raise ItemError(str(dialect.refusal), code="no-statistics", hint=statistics_hint(dialect))
    valid = values[..., :-1] if dialect.last_frame == "mask" and values.shape[-1] > 2 else values
    return valid.mean(axis=-1, keepdims=True), valid.std(axis=-1, keepdims=True, ddof=1) + EPSILON


def _without_guard(dialect: MelDialect, values: Array) -> Any:
    """Return the mel of |X| from that of sqrt(|X|² + guard), exact if |X| is constant within a band."""
    import numpy as np

    if not dialect.magnitude_guard:
        return values
    silence = dialect.mel_basis().sum(axis=1)[:, None] * dialect.magnitude_guard ** (dialect.exponent / 2)
    if dialect.exponent == 2:
        return np.maximum(values - silence, 0.0)
    return np.sqrt(np.maximum(values**2 - silence**2, 0.0))
