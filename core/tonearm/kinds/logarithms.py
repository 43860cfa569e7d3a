"""Remedies for spectrograms whose negative values show that they are logarithms of magnitudes."""

from __future__ import annotations

import math

from tonearm.errors import ChooseOption, Remedy, SetOption
from tonearm.recipes.variants import DECIBEL_SPAN

SPANS: dict[str, tuple[float, float]] = {"ln": (7.0, 30.0), "log10": (3.5, 12.0), "log2": (14.0, 40.0)}
"""Smallest and largest span of the logarithms of magnitudes: those of a sound span 70 to 250 dB."""

_BASES = {"ln": math.e, "log10": 10.0, "log2": 2.0}


def logarithm_remedies(low: float, high: float, exponent: int = 1) -> tuple[Remedy, ...]:
    """Return the remedies for values that may be logarithms of magnitudes, by their range; the likeliest one first.

    Logarithms of powers are read as magnitudes with a recipe, so their remedy names both.

    Parameters
    ----------
    low, high
        Smallest and largest value.
    exponent
        1 if the values may be logarithms of magnitudes, 2 if of powers.

    Examples
    --------
    >>> from tonearm.errors import Place
    >>> [remedy.text(Place()) for remedy in logarithm_remedies(-11.5129, 4.0)]
    ['recipe: {log: ln}, if these are logarithms of magnitudes']
    """
    if exponent == 1 and (powers := _of_powers(low, high)):
        return _remedies_of_powers(powers, low, high)
    span = (high - low) / exponent
    fitting = [name for name, (least, most) in SPANS.items() if least <= span <= most]
    decibels = (SetOption("kind", "db", when="if these are decibels"),) if high - low >= DECIBEL_SPAN else ()
    if exponent == 2:
        floored = [name for name in fitting if _is_floor(name, low, _ADDED)]
        names = floored[:1] or ([] if decibels else fitting)
        recipes = [{"log": name, "exponent": 2, **_floor(name, low)} for name in names]
        of_powers = "if these are logarithms of powers"
        return (*(SetOption("kind", "magnitude", of_powers, also={"recipe": one}) for one in recipes), *decibels)
    if decibels:
        return decibels
    when = "if these are logarithms of magnitudes"
    values = recipes_of(low, high)
    if len(values) == 1:
        return (SetOption("recipe", values[0], when=when),)
    return (ChooseOption("recipe", values, when=when),) if values else ()


def recipes_of(low: float, high: float) -> tuple[dict[str, object], ...]:
    """Return the recipes of logarithms of magnitudes in a range; only one if the smallest value is its exact floor.

    Parameters
    ----------
    low, high
        Smallest and largest value.

    Examples
    --------
    >>> recipes_of(-11.5129, 4.0)
    ({'log': 'ln'},)
    """
    fitting = [name for name, (least, most) in SPANS.items() if least <= high - low <= most]
    floored = [name for name in fitting if _is_floor(name, low, 1e-4)]
    return tuple({"log": name, **_floor(name, low)} for name in floored[:1] or fitting)


_ADDED = 2e-3
"""Largest distance of the smallest logarithm from a floor that was added to powers, in decades."""


def _floor(name: str, low: float) -> dict[str, object]:
    """Return the floor that the smallest value does not pass, if it is lower than that of recipes."""
    smallest = _BASES[name] ** low
    floor = 10.0 ** math.floor(math.log10(smallest) + _ADDED)
    return {"floor": floor} if floor < 1e-5 else {}


def _is_floor(name: str, low: float, tolerance: float) -> bool:
    """Return whether the smallest value is the logarithm of a power of 10, as a floor is."""
    decades = low * math.log10(_BASES[name])
    return decades < -1 and abs(decades - round(decades)) < tolerance


LOWEST_FLOOR_OF_MAGNITUDES = 1e-8
"""Floor up to which values are rather powers: those of powers are squares of 1e-5 and less."""


def _of_powers(low: float, high: float) -> str:
    """Return the logarithm of powers whose floor is the smallest value; empty if there is none."""
    for name, (least, most) in SPANS.items():
        fits = least <= (high - low) / 2 <= most and _is_floor(name, low, _ADDED)
        if fits and low * math.log10(_BASES[name]) < math.log10(LOWEST_FLOOR_OF_MAGNITUDES) + _ADDED:
            return name
    return ""


def _remedies_of_powers(name: str, low: float, high: float) -> tuple[Remedy, ...]:
    """Return the remedies for values that are given as magnitudes and are rather logarithms of powers."""
    when, floor = "if these are logarithms of powers", _floor(name, low)
    powers = {"log": name, "exponent": 2, **floor}
    if high - low >= DECIBEL_SPAN:
        return (SetOption("recipe", powers, when), SetOption("kind", "db", "if these are decibels"))
    if high - low > SPANS[name][1]:
        return (SetOption("recipe", powers, when),)
    return (ChooseOption("recipe", (powers, {"log": name, **floor}), f"{when} or of magnitudes"),)
