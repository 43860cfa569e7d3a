"""The messages about wrong values of options, in plainer words than those of msgspec."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tonearm.errors import SetOption, one_line
from tonearm.errors.text import with_article
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.yaml.nodes import Node, ScalarNode, SequenceNode, node_type
from tonearm.plugins.option_types import alternatives, choices, container, is_mapping
from tonearm.plugins.options import Option, PluginType
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import RegistryEntry
from tonearm.signals import Signal


def add_bad_value(
    problems: Problems, plugin: str, option: Option, node: Node, reason: str, fitting: Any = None
) -> None:
    """Add the problem of an invalid value, in plainer words than those of msgspec.

    Parameters
    ----------
    problems
        Collection of problems to add to.
    plugin
        Name of the plugin.
    option
        Option.
    node
        Value that was given.
    reason
        Message of msgspec.
    fitting
        Value that would be valid in place of the given one; None if none is known.
    """
    inner = re.search(r" - at `\$\[(\d+)\]", reason)
    found = choices(option.type)
    if inner and isinstance(node, SequenceNode):
        node = node.items[int(inner[1])]
        lists = [one for one in alternatives(option.type) if container(one) is not None and not is_mapping(one)]
        found = [choice for one in lists for choice in choices(one)]
    expected = re.sub(r" - at .*", "", reason).replace("`", "").replace(" | null", "").replace(" | ", " or ")
    shown = shown_value(node)
    if found and isinstance(node, ScalarNode) and not expected.startswith("Expected array"):
        message = f"{plugin}: '{option.name}' is {one_line(shown)}"
        hint = f"one of {', '.join(found)}"
    else:
        message = f"{plugin}: '{option.name}' is {one_line(shown)}; {expected_in_words(expected)}"
        hint = option.description
    remedies = (SetOption(option.name, fitting),) if fitting is not None else ()
    problems.add(node.mark, "bad-option", message, "" if remedies else hint, remedies=remedies)


def shown_value(node: Node) -> str:
    """Return a value as a message shows it."""
    if isinstance(node, ScalarNode) and node.variables:
        return repr(node.text)
    if isinstance(node, ScalarNode):
        return repr(node.value) if isinstance(node.value, str) else node.text or "empty"
    return node_type(node)


def expected_in_words(reason: str) -> str:
    """Return the message of msgspec about a wrong value in plain words: ``expected a whole number >= 1``."""
    words = {
        "int": "a whole number",
        "float": "a number",
        "bool": "true or false",
        "str": "text",
        "array": "a list",
        "object": "a mapping",
    }
    reason = re.sub(rf"\b({'|'.join(words)})\b", lambda found: words[found[0]], reason.partition(", got")[0])
    reason = reason.replace("`", "").replace("a whole number or a number", "a number")
    return reason[:1].lower() + reason[1:]


def names_in_words(name: str, names: Iterable[str], *, is_empty: bool) -> str:
    """Return the hint about an option that does not exist: the names there are, or that a list lacks its brackets."""
    if is_empty:
        return f"it has no value; a list needs brackets, as in [a, {one_line(name)}]"
    joined = ", ".join(names)
    return f"its options are {joined}" if joined else "it has none"


def owners_in_words(option: str, names: list[str]) -> str:
    """Return the hint that names those plugins of an option that have another option; empty if none has it."""
    if len(names) > 1:
        return f"{option}s {', '.join(names[:-1])} and {names[-1]} have it"
    return f"{option} {names[0]} has it" if names else ""


def ports_in_words(kind: PluginType, entry: RegistryEntry) -> tuple[str, str]:
    """Return the plugins that fit, and one that does not, in words: ``a transform from mel to waveform``."""
    plugin, ports = entry.resolve(), ports_of(entry.resolve())
    if not issubclass(plugin, kind.base):
        root = next(base for base in plugin.__mro__ if "port_names" in vars(base))
        return f"a {kind.base.__name__}", f"a {root.__name__}"
    return with_article(kind.role) + _flow(kind.takes, kind.gives), with_article(entry.role) + _flow(
        ports.takes, ports.gives
    )


def _flow(takes: tuple[type[Signal], ...], gives: tuple[type[Signal], ...]) -> str:
    """Return signal classes in words: `` from mel to waveform``."""
    ends = (("from", takes), ("to", gives))
    return "".join(f" {word} {' or '.join(one.port for one in signals)}" for word, signals in ends if signals)
