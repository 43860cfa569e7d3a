"""The options of plugins in words: what they take, with examples and the version that added them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from tonearm.plugins.nested import plain_value
from tonearm.plugins.option_types import (
    UNIT_EXAMPLES,
    alternatives,
    bare,
    choices,
    container,
    is_mapping,
    is_plugin,
    is_record,
    names_file,
    unit_of,
)
from tonearm.plugins.options import Option, declared_options, plugin_type
from tonearm.plugins.registry import Registry
from tonearm.recipes.catalogue import Named

_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
_WORDS = {int: "whole number", float: "number", bool: "true or false", str: "text"}


def option_type(hint: Any) -> str:
    """Return the values that a type takes, in words: ``whole number ≥ 1``."""
    offered = [one for one in alternatives(hint) if bare(one) is not type(None)]
    return " or ".join(dict.fromkeys(map(_one_type, offered)))


def _one_type(hint: Any) -> str:
    inner = bare(hint)
    if inner is Any:
        return "any"
    if is_plugin(hint):
        kind = plugin_type(hint)
        return kind.role if kind else "plugin"
    if is_record(hint):
        return str(inner.noun) if issubclass(inner, Named) else "mapping"
    if is_mapping(hint):
        return "mapping"
    if container(hint) is not None:
        parts = [part for part in get_args(inner) if part is not ...]
        return f"list of {' and '.join(map(option_type, parts))}" if parts else "list"
    if found := choices(inner):
        return " | ".join(found)
    word = "path" if names_file(hint) else _WORDS.get(inner, getattr(inner, "__name__", "text"))
    metas = get_args(hint)[1:] if inner is not hint else ()
    limits = [f"{sign} {getattr(meta, name)}" for meta in metas for name, sign in _SIGNS.items()
              if getattr(meta, name, None) is not None]  # fmt: skip
    unit = unit_of(hint)
    return " ".join([word, *limits, *([f"or text such as {UNIT_EXAMPLES[unit]}"] if unit else [])])


def option_notes(option: Option, registry: Registry) -> Iterator[str]:
    """Yield notes on an option as sentences: plugins that fit, examples, the first version that has it."""
    if option.plugin:
        names = ", ".join(map(registry.short_name, registry.fitting(option.plugin)))
        where = "Their options stand beside it" if option.is_beside else "Give a name, or {use: NAME, with: {…}}"
        yield f"{option.plugin.role.capitalize()}s: {names or 'none is installed'}. {where}."
    for cls in dict.fromkeys(bare(one) for one in alternatives(option.type) if is_record(one)):
        if issubclass(cls, Named):
            yield f"`tonearm {cls.noun}s` lists the names."
    if option.examples:
        yield f"Examples: {', '.join(_shown(example) for example in option.examples)}."
    if option.since:
        yield f"Since {option.since}."


def nested_options(option: Option, within: Iterable[type[Any]] = ()) -> Iterator[tuple[type[Any], Iterable[Option]]]:
    """Yield each dataclass or struct in the type of an option, with its own options.

    Parameters
    ----------
    option
        Option whose value is, or contains, such a mapping.
    within
        Classes inside which the option is declared; they are left out, as they are described already.
    """
    for cls in dict.fromkeys(_records(option.type)):
        if cls not in within:
            yield cls, declared_options(cls).values()


def _records(hint: Any) -> Iterator[type[Any]]:
    """Yield the dataclasses and structs in a type; those that have names are listed elsewhere."""
    for one in alternatives(hint):
        if is_record(one) and not issubclass(bare(one), Named):
            yield bare(one)
        elif container(one) is not None:
            for part in get_args(bare(one)):
                yield from _records(part)


def _shown(value: Any) -> str:
    """Return a value as YAML on one line."""
    import json

    plain = plain_value(value)
    if isinstance(plain, dict):
        return "{" + ", ".join(f"{name}: {_shown(inner)}" for name, inner in plain.items()) + "}"
    if isinstance(plain, list):
        return f"[{', '.join(map(_shown, plain))}]"
    return plain if isinstance(plain, str) else json.dumps(plain)
