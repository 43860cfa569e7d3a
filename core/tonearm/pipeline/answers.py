"""Checks of what plugins answer during ``check``, so that a wrong answer is reported by the name of the plugin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast, get_args

from tonearm.errors.text import safe_repr
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.yaml.nodes import Mark
from tonearm.plugins.plugin import Plugin
from tonearm.plugins.ports import Ports, Spec
from tonearm.plugins.requirements import Requirement
from tonearm.plugins.transform import Grouping
from tonearm.signals import Signal

_LEAST: Mapping[str, int] = {"sample_rate": 1, "channels": 1, "length": 0}
"""Fields of a specification that are whole numbers, each with its smallest value."""


def as_spec(given: object, ports: Ports) -> Spec:
    """Return the result of ``produces``.

    Parameters
    ----------
    given
        What the plugin returned.
    ports
        Ports of the plugin.

    Raises
    ------
    TypeError
        If it is not a `Spec`, or its fields have wrong types.
    """
    if not isinstance(given, Spec):
        raise TypeError(f"produces() gives {type(given).__name__}, not a Spec")
    signals: Any = given.signals
    if not (isinstance(signals, tuple) and signals):
        raise TypeError(f"produces() gives a Spec whose signals are {safe_repr(signals)}, not a tuple of classes")
    for signal in signals:
        if not (isinstance(signal, type) and issubclass(signal, Signal)):
            raise TypeError(f"produces() gives a Spec with the signal {safe_repr(signal)}, not a Signal class")
        if not any(issubclass(signal, port) or issubclass(port, signal) for port in ports.gives):
            wanted = " or ".join(port.port for port in ports.gives)
            raise TypeError(f"produces() gives a Spec of {signal.port}, but the plugin gives {wanted}")
    for name, least in _LEAST.items():
        value = getattr(given, name)
        if value is not None and (type(value) is not int or value < least):
            raise TypeError(f"produces() gives a Spec with {name}={safe_repr(value)}, not a whole number ≥ {least}")
    return given


def promised(spec: Spec | None) -> Spec | None:
    """Return the part of a specification that signals are compared with, which is small to send to workers."""
    if spec is None:
        return None
    return Spec(
        signals=spec.signals,
        sample_rate=spec.sample_rate,
        channels=spec.channels,
        length=spec.length,
        precision=spec.precision,
    )


def as_grouping(given: object) -> Grouping:
    """Return the result of ``grouping``, or raise `TypeError` if it is not one of the texts of `Grouping`."""
    if given not in get_args(Grouping):
        raise TypeError(f"grouping() gives {safe_repr(given)}, not 'source', 'key' or 'item'")
    return cast("Grouping", given)


def requirements_of(plugin: Plugin[Any]) -> Iterable[Requirement]:
    """Yield the requirements of a plugin, or raise `TypeError` if ``needs`` gives something else."""
    for need in plugin.needs():
        if not isinstance(need, Requirement):
            raise TypeError(f"needs() gives {safe_repr(need)}, not a Requirement")
        yield need


def add_missing_requirements(problems: Problems, mark: Mark | None, plugin: Plugin[Any], name: str) -> None:
    """Add the requirements of a plugin that are not installed to the problems of a pipeline."""
    for need in requirements_of(plugin):
        if not need.is_met():
            message = f"{name} needs {need.what}, which is not installed"
            problems.add(mark, "missing-requirement", message, need.hint)
