"""Values beside the arrays of a file: what a dict, a group or JSON says around an array, the nearest first."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping
from typing import Any, Final

from tonearm.errors import one_line

CONFIG_NAMES: Final = frozenset(
    (
        "args",
        "attributes",
        "attrs",
        "audioconfig",
        "audioparams",
        "cfg",
        "conf",
        "config",
        "configuration",
        "format",
        "header",
        "hparams",
        "hps",
        "hyperparameters",
        "info",
        "meta",
        "metadata",
        "options",
        "parameters",
        "params",
        "settings",
        "spec",
    )
)
"""Names of a group that describes the arrays beside it, in lower case and without anything but letters."""


def letters_of(name: str) -> str:
    """Return a name in lower case without anything but letters, so that sampleRate is sample_rate."""
    return re.sub(r"[^a-z]", "", name.lower())


def end_of_group(name: str) -> int:
    """Return the position in a name behind which its last part begins, with the mark before it."""
    return max(name.rfind("/"), name.rfind("."), 0)


def is_config(name: str) -> bool:
    """Return whether a group with this name describes the arrays beside it.

    Parameters
    ----------
    name
        Name of the group, whose parts are separated by ``.`` or ``/``; the last part counts.

    Returns
    -------
    bool
        Whether it does, as ``config`` or ``meta_data``.

    Examples
    --------
    >>> is_config("config"), is_config("speaker/meta_data"), is_config("mel")
    (True, True, False)
    """
    return letters_of(name[end_of_group(name) :]) in CONFIG_NAMES


class Nearby:
    """Values of a file by name, and which of them are nearest to an array.

    Parameters
    ----------
    values
        Values by names whose parts are separated by ``.`` or ``/``.

    Examples
    --------
    >>> near = Nearby({"config.sr": 22050, "a.sr": 8000})
    >>> dict(near("b.wav")), dict(near("a.wav"))
    ({'config.sr': 22050}, {'config.sr': 22050, 'sr': 8000})
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._groups: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            end = end_of_group(name)
            self._groups.setdefault(name[:end], {})[name[end:].lstrip("./")] = value
        self._configs: dict[str, dict[str, Any]] = {}
        for group, found in self._groups.items():
            if group and is_config(group):
                end = end_of_group(group)
                inside = {f"{group[end:].lstrip('./')}.{name}": value for name, value in found.items()}
                self._configs.setdefault(group[:end], {}).update(inside)

    def __call__(self, key: str) -> ChainMap[str, Any]:
        """Return the values in the group of an array, and in those around it, with a level for each group.

        A group is followed by the groups in it that describe it, such as ``config``.
        """
        levels: list[dict[str, Any]] = []
        group = key
        while True:
            group = group[: end_of_group(group)]
            levels += [found[group] for found in (self._groups, self._configs) if group in found]
            if not group:
                return ChainMap(*levels)


def whose(key: str) -> str:
    """Return the beginning of a message about an array; empty for one without a name."""
    return f"{one_line(key, 60)!r}: " if key else ""


def levels_of(says: Mapping[str, Any]) -> list[Any]:
    """Return the levels of what a file says, the nearest first. Only a `ChainMap` has more than one.

    Parameters
    ----------
    says
        What the file says about an array, by name.

    Returns
    -------
    list
        Mappings by name.

    Examples
    --------
    >>> levels_of(ChainMap({"sr": 8000}, {"config.sr": 22050})), levels_of({"sr": 8000})
    ([{'sr': 8000}, {'config.sr': 22050}], [{'sr': 8000}])
    """
    return list(says.maps) if isinstance(says, ChainMap) else [says]


def with_configs(mapping: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a mapping of JSON, and the mappings in it that describe it.

    Parameters
    ----------
    mapping
        Object of JSON, by name.

    Returns
    -------
    list
        The mapping, then those in it whose name is that of a config.

    Examples
    --------
    >>> with_configs({"text": "hello", "config": {"sr": 8000}, "speaker": {"id": 3}})[1:]
    [{'sr': 8000}]
    """
    return [mapping, *(value for name, value in mapping.items() if isinstance(value, dict) and is_config(name))]
