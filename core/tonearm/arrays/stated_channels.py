"""Number of channels that a file states beside an array, compared with those that were read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tonearm.errors import Advice, ItemError, SetOption, one_line
from tonearm.reading.nearby import end_of_group, letters_of, whose
from tonearm.signals import Waveform

CHANNEL_NAMES: Final = frozenset(
    ("channels", "numchannels", "channelcount", "audiochannels", "audiochannelcount", "nchannels")
)
"""Names of a number of channels, in lower case and without anything but letters."""

MOST_CHANNELS: Final = 8
"""Largest number of channels that is compared: more are those of a network."""


def is_channels_name(name: str) -> bool:
    """Return whether a name is that of a number of channels."""
    return letters_of(name) in CHANNEL_NAMES


def channels_among(says: Mapping[str, Any], most: int = MOST_CHANNELS) -> tuple[int, str] | None:
    """Return the number of channels among what a file says, and the statement, for messages; None if it says none.

    Parameters
    ----------
    says
        What the file says, by name.
    most
        Largest number that can be one of channels.

    Examples
    --------
    >>> channels_among({"text": "hello", "n_channels": 2})
    (2, 'n_channels = 2')
    """
    for name, value in says.items():
        if is_channels_name(str(name)[end_of_group(str(name)) :]):
            number = value.item() if getattr(value, "size", 0) == 1 else value
            if type(number) in (int, float) and number == int(number) and 1 <= number <= most:
                return int(number), f"{one_line(str(name), 60)} = {int(number)}"
    return None


def check_channels(signal: Any, says: Mapping[str, Any], key: str = "") -> None:
    """Raise `ItemError` (``channels-mismatch``) if a waveform has another number of channels than its file says.

    Parameters
    ----------
    signal
        Signal that was read; anything but a waveform is left alone.
    says
        What the file says about its array, by name.
    key
        Name of the array, for messages.
    """
    if not says or not isinstance(signal, Waveform) or (found := channels_among(says)) is None:
        return
    stated, origin = found
    if signal.channels == stated:
        return
    order: tuple[Advice, ...] = ()
    if signal.channels == 1 and signal.length % stated == 0:
        order = (Advice(f"if they are interleaved, save array.reshape(-1, {stated}), and read axes: time,channel"),)
    found_in_array = f"{signal.channels} (and {signal.length} samples of each)"
    raise ItemError(
        f"{whose(key)}the source says {origin}, but the array has {found_in_array}",
        code="channels-mismatch",
        remedies=(*order, SetOption("stated", "ignore", "if the source is wrong")),
    )
