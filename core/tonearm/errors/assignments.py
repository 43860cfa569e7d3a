"""Options with their values, written for a pipeline in YAML, for flags, for a pipeline in Python, or for a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonearm.errors.literals import either, flag_value, python_literal, shell_word, yaml_literal
from tonearm.errors.place import Place


def assignments(given: Mapping[str, Any], place: Place) -> str:
    """Return options with their values, all of which are to be set."""
    if place.form == "call":
        return _arguments(given, place)
    joint = {"flags": " ", "yaml": " and ", "python": ", "}[place.form]
    return joint.join(assignment(option, (value,), place) for option, value in given.items())


def assignment(option: str, values: tuple[Any, ...], place: Place) -> str:
    """Return ``option`` with a value, or with several to choose from."""
    if place.form == "call":
        return " or ".join(_arguments({option: value}, place) for value in values)
    if place.form == "python":
        return f'"{option}": {either(map(python_literal, values))}'
    if place.form == "yaml":
        return f"{option}: {either(map(yaml_literal, values))}"
    if place.stage == "executor":
        return f"--executor-option {either(shell_word(f'{option}={yaml_literal(value)}') for value in values)}"
    if place.has_flags:
        return f"{flag(option)} {either(shell_word(flag_value(value)) for value in values)}"
    return f"--set {either(shell_word(f'{place.stage}.with.{option}={yaml_literal(value)}') for value in values)}"


def _arguments(given: Mapping[str, Any], place: Place) -> str:
    """Return the arguments of a call that set options of a stage."""
    if place.stage in ("", "input") or (place.put_in and not place.is_nested):
        return ", ".join(f"{option}={python_literal(value)}" for option, value in given.items())
    if place.stage == "limits":
        return f"limits={python_literal(given)}"
    if place.is_encoder:  # a keyword might be an option of the decoder, too
        return f"encoder={python_literal(given)}"
    if place.stage.startswith("steps.") and place.use and not place.is_nested:
        return f"steps=[{step(place.use, given)}]"
    return python_literal(given)[1:-1]  # within a mapping that is the value of an option


def step(use: str, options: Mapping[str, Any]) -> str:
    """Return a step as an entry of the ``steps`` of a call."""
    return f"({python_literal(use)}, {python_literal(options)})"


def without(option: str, place: Place) -> str:
    """Return the words after an assignment that takes the place of another option."""
    if place.form == "flags" and not place.has_flags:
        return f" --set {place.stage}.with.{option}=null"
    return f" in place of {flag(option) if place.has_flags else option}"


def flag(option: str) -> str:
    """Return the flag of an option."""
    return f"--{option.replace('_', '-')}"
