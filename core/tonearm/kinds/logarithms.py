"""Remedies for spectrograms whose negative values show that they are logarithms of magnitudes."""

from __future__ import annotations

import math

from tonearm.errors import ChooseOption, Remedy, SetOption

DECIBEL_SPAN = 40.0
"""Span of the values from which they may be decibels: that of a sound is at least 40 dB."""

SPANS: dict[str, tuple[float, float]] = {"ln": (7.0, 30.0), "log10": (3.5, 12.0), "log2": (14.0, 40.0)}
"""Smallest and largest span of the logarithms of magnitudes: those of a sound span 70 to 250 dB."""

_BASES = {"ln": math.e, "log10": 10.0, "log2": 2.0}


def logarithm_remedies(low: float, high: float) -> tuple[Remedy, ...]:
    """Return the remedies for values that may be logarithms of magnitudes, by their range; the likeliest one first.

    Parameters
    ----------
    low, high
        Smallest and largest value.

    Examples
    --------
    >>> from tonearm.errors import Place
    >>> [remedy.text(Place()) for remedy in logarithm_remedies(-11.5129, 4.0)]
    ['recipe: {log: ln}, if these are logarithms of magnitudes']
    """
    if high - low >= DECIBEL_SPAN:
        return (SetOption("kind", "db", when="if these are decibels"),)
    fitting = [name for name, (least, most) in SPANS.items() if least <= high - low <= most]
    floored = [name for name in fitting if _is_floor(name, low)]
    recipes = tuple(_recipe(name, low) for name in floored[:1] or fitting)
    when = "if these are logarithms of magnitudes"
    if len(recipes) == 1:
        return (SetOption("recipe", recipes[0], when=when),)
    return (ChooseOption("recipe", recipes, when=when),) if recipes else ()


def _recipe(name: str, low: float) -> dict[str, object]:
    """Return a recipe with the logarithm, and with a floor that the smallest value does not pass."""
    smallest = _BASES[name] ** low
    floor = 10.0 ** math.floor(math.log10(smallest) + 1e-3)
    return {"log": name, "floor": floor} if floor < 1e-5 else {"log": name}


def _is_floor(name: str, low: float) -> bool:
    """Return whether the smallest value is the logarithm of a power of 10, as a floor is."""
    decades = low * math.log10(_BASES[name])
    return decades < -1 and abs(decades - round(decades)) < 1e-4
