"""What a file says about the analysis of its arrays, such as ``hop_length = 512``, compared with the options."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tonearm.arrays.options import ArrayOptions
from tonearm.errors import Advice, ItemError, OptionError, Remedy, SetOption, one_line
from tonearm.reading.nearby import whose

if TYPE_CHECKING:
    from tonearm.typing import Array

FIGURES: Final[Mapping[str, tuple[str, ...]]] = {
    "n_fft": ("n_fft", "nfft", "fft_size", "fft_length", "filter_length"),
    "hop_length": ("hop_length", "hop_size", "hop"),
    "win_length": ("win_length", "win_size", "window_length", "window_size", "frame_length"),
    "n_mels": ("n_mels", "num_mels", "n_mel_channels", "n_mel"),
    "fmin": ("fmin", "f_min", "mel_fmin"),
    "fmax": ("fmax", "f_max", "mel_fmax"),
}
"""Names under which files state figures of an analysis, by the option that has the figure."""

_OPTIONS: Final = {name: option for option, names in FIGURES.items() for name in names}
_MIN_LENGTH: Final = 16


class StatedFigure(NamedTuple):
    """Figure of an analysis that a file states.

    Parameters
    ----------
    option
        Option that has the figure.
    value
        Value of the figure.
    origin
        The statement, for messages: ``hop_size = 512``.
    """

    option: str
    value: float
    origin: str


def beside(found: Mapping[str, Any], key: str, names: Collection[str]) -> dict[str, Any]:
    """Return the numbers beside an array that state figures of its analysis, by name.

    Parameters
    ----------
    found
        Arrays of the file by name.
    key
        Name of the array.
    names
        Names of all arrays.
    """
    group = key[: max(key.rfind("/"), key.rfind("."), -1) + 1]
    near = {}
    for name in _OPTIONS:
        if group + name in names and group + name != key:
            with contextlib.suppress(ItemError):  # text, which is no number
                near[name] = found[group + name]
    return near


def figures_among(says: Mapping[str, Any]) -> list[StatedFigure]:
    """Return the figures among what a file says, by name.

    Examples
    --------
    >>> figures_among({"text": "hello", "hop_size": 512})
    [StatedFigure(option='hop_length', value=512, origin='hop_size = 512')]
    """
    found = []
    for name, value in says.items():
        option = _OPTIONS.get(str(name).lower())
        if option is not None and (number := _number(value, option)) is not None:
            found.append(StatedFigure(option, number, f"{one_line(str(name), 60)} = {number:g}"))
    return found


def _number(value: Any, option: str) -> float | None:
    """Return a single number as a figure of an analysis; None if it cannot be one."""
    if getattr(value, "size", 1) != 1 or isinstance(value, bool):
        return None
    if hasattr(value, "item"):
        value = value.item()
    if not isinstance(value, (int, float)) or not 0 <= value < 1e6:
        return None
    if option in ("fmin", "fmax"):
        return float(value)
    return int(value) if value == int(value) and (value >= _MIN_LENGTH or option == "n_mels") else None


def check_figures(options: ArrayOptions, says: Mapping[str, Any], array: Array, key: str = "") -> None:
    """Raise `ItemError` (``figures-mismatch``) if a file states another figure of the analysis than the options.

    Parameters
    ----------
    options
        Options of the decoder.
    says
        What the file says about the array, by name.
    array
        Array, which may tell its kind.
    key
        Name of the array, for messages.
    """
    stated = figures_among(says)
    if not stated:
        return
    try:
        carried = options.read_kind.of(array).spec().carried.values()
    except OptionError:  # for want of a figure, which is missed when the array is read
        return
    for figure in stated:
        known = next((one for one in carried if isinstance(getattr(one, figure.option, None), (int, float))), None)
        given = getattr(known, figure.option, None)
        if given is None or abs(given - figure.value) <= 1e-6 * figure.value:
            continue
        raise ItemError(
            f"{whose(key)}the source says {figure.origin}, but {figure.option} is {given:g}",
            code="figures-mismatch",
            remedies=(_remedy(options, figure, known), _override(options)),
        )


def _override(options: ArrayOptions) -> Remedy:
    """Return the remedy for a file that is wrong."""
    if hasattr(options, "stated"):
        return SetOption("stated", "ignore", "if the source is wrong")
    return Advice("correct the number, if it is wrong")


def _remedy(options: ArrayOptions, figure: StatedFigure, known: Any) -> Remedy:
    """Return the remedy that gives the figure of the file."""
    name = getattr(known, "name", "")
    recipe = getattr(known, "noun", "") or next(
        (noun for noun in ("dialect", "recipe") if getattr(options.kind.options, noun, None) is not None), ""
    )
    if recipe:
        name = name or getattr(getattr(options.kind.options, recipe), "name", "")
        if name:
            return SetOption(recipe, {"base": name, figure.option: figure.value}, "as the source says it")
        return Advice(f"give the {recipe} {figure.option}: {figure.value:g}")
    return SetOption(figure.option, figure.value, "as the source says it")
