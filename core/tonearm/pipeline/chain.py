"""The chain of a pipeline as people read it: plugins, the signals between them, and the options that are set."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from tonearm.errors import OptionError, one_line
from tonearm.pipeline.checked import BoundPlugin, CheckedPipeline
from tonearm.plugins.nested import plain_value, plugin_identity
from tonearm.plugins.options import declared_options
from tonearm.plugins.plugin import Plugin
from tonearm.recipes.catalogue import Catalogue, Named

ARROW = " → "

_BOX = (
    "display: inline-block; vertical-align: middle; border: 1px solid currentColor; border-radius: 4px;"
    " padding: 0.2em 0.6em; margin: 0.2em 0"
)

_VALUE_LENGTH = 80
"""Largest length of an option's value in characters."""


class Link(Struct, frozen=True):
    """A plugin in a chain, as text.

    Parameters
    ----------
    name
        Name of the plugin.
    options
        Options that are set, with their values.
    signal
        Name of the signal that it gives; empty for an encoder.
    file
        Template of the files that it writes; empty for all but encoders.
    """

    name: str
    options: tuple[tuple[str, str], ...]
    signal: str = ""
    file: str = ""


def chain_text(checked: CheckedPipeline) -> str:
    """Return a chain on one line. Several outputs are in brackets, with a bar between them.

    Examples
    --------
    ``npy-reader → magnitude → griffin-lim → waveform → wav-writer '{stem}.wav'``
    """
    shared, outputs = _links(checked)
    chains = [_text(own) for own in outputs]
    last = chains if len(chains) < 2 else [f"[{' | '.join(chains)}]"]
    return ARROW.join([_text(shared), *last])


def chain_html(checked: CheckedPipeline) -> str:
    """Return a chain as HTML: one line of boxes for what all outputs share, and one for each output."""
    shared, outputs = _links(checked)
    lines = [shared, *outputs] if len(outputs) > 1 else [[*shared, *(link for own in outputs for link in own)]]
    rows = "".join(_line_html(line, begins=number == 0) for number, line in enumerate(lines))
    return f'<div style="margin: 0.5em 0">{rows}</div>'


def options_set(options: Any, catalogue: Callable[[type[Any]], Catalogue[Any]]) -> dict[str, Any]:
    """Return the options that differ from their defaults as plain data, and all that are required.

    Parameters
    ----------
    options
        Options of a plugin.
    catalogue
        Function that returns the catalogue of a class of named structs, which are shown by their names.
    """
    found: dict[str, Any] = {}
    for option in declared_options(type(options)).values():
        value = getattr(options, option.name)
        is_beside = option.is_beside and isinstance(value, Plugin)
        shown = plugin_identity(value).name if is_beside else plain_value(value)
        if option.required or shown != plain_value(option.default):
            found[option.name] = _by_name(value, catalogue(type(value))) if isinstance(value, Named) else shown
        if is_beside:
            found |= options_set(value.options, catalogue)
    return found


def _by_name(value: Named, catalogue: Catalogue[Any]) -> Any:
    """Return the name of a struct in its catalogue, with the figures in which it differs from that one."""
    try:
        known = catalogue.find(value.name)
    except OptionError:
        return plain_value(value)
    figures = {name: getattr(value, name) for name in value.__struct_fields__}
    changed = {name: plain_value(one) for name, one in figures.items() if one != getattr(known, name)}
    return {"base": value.name, **changed} if changed else value.name


def _links(checked: CheckedPipeline) -> tuple[list[Link], list[list[Link]]]:
    """Return the plugins that all outputs share, and those of each output."""

    def link(bound: BoundPlugin, file: str = "") -> Link:
        # Values from the environment are masked.
        options = bound.masks.in_plain(options_set(bound.plugin.options, checked.catalogue))
        texts = tuple((name, one_line(value, _VALUE_LENGTH)) for name, value in options.items())
        return Link(bound.name, texts, "" if file else _signals(bound), file)

    shared = [link(one) for one in (checked.decoder, *checked.steps)]
    return shared, [[*map(link, one.steps), link(one.encoder, one_line(one.template.text))] for one in checked.outputs]


def _signals(bound: BoundPlugin) -> str:
    """Return the names of the signals that a plugin may give."""
    signals = bound.spec.signals if bound.spec else bound.ports.gives
    return " or ".join(dict.fromkeys(signal.port for signal in signals))


def _text(links: Iterable[Link]) -> str:
    """Return plugins and signals in turns. The template of an encoder's files stands beside it."""
    return ARROW.join(
        f"{link.name} {link.file!r}" if link.file else f"{link.name}{ARROW}{link.signal}" for link in links
    )


def _line_html(links: list[Link], *, begins: bool) -> str:
    """Return plugins as boxes, with the signals between them. A line that goes on begins with an arrow."""
    parts = []
    for link in links:
        options = "".join(f"<br><small>{_escaped(name)}: {_escaped(value)}</small>" for name, value in link.options)
        parts.append(f'<span style="{_BOX}"><b>{_escaped(link.name)}</b>{options}</span>')
        parts.append(f"<i>{_escaped(link.signal)}</i>" if link.signal else "")
    line = ARROW.join(filter(None, parts))
    file = "".join(f"&nbsp;<code>{_escaped(link.file)}</code>" for link in links if link.file)
    return f"<div>{'' if begins else ARROW.lstrip()}{line}{file}</div>"


def _escaped(text: object) -> str:
    from tonearm.notebook.html import escape_html

    return escape_html(text)
