"""Candidates that complete the last word of a command line."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from tonearm.cli.commands import COMMANDS
from tonearm.cli.listing import LISTINGS, find_listing
from tonearm.cli.parser import INPUTS, OUTPUTS, command_parser, main_parser

FILES, FOLDERS = ":files", ":folders"
"""Candidates that stand for the names of files and folders, which the shell completes itself."""

Candidates: TypeAlias = Iterable[tuple[str, str]]
"""Texts, each with a description, which may be empty."""

_METAVARS = {**dict.fromkeys((*INPUTS, *OUTPUTS), FILES), "DIR": FOLDERS}
"""Names of values that are files or folders."""


def candidates(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what completes the last of some words, each with a description.

    For a word such as ``--kind=m``, the candidates complete the value.

    Parameters
    ----------
    words
        Words after the program's name, up to the cursor. The last may be empty.
    """
    *before, current = words
    if not before:
        found: Candidates = _flags(main_parser(), set()) if current.startswith("-") else COMMANDS.items()
    elif before[0] in COMMANDS:
        found, current = _of_command(before[0], before[1:], current)
    else:
        return
    fitting = {text: description for text, description in found if text.startswith((current, ":"))}
    yield from fitting.items()


def _of_command(command: str, before: Sequence[str], current: str) -> tuple[Candidates, str]:
    """Return the candidates for a word of a command, and what they complete."""
    parser = command_parser(command)
    line = _Line(parser)
    for word in before:
        line.add(word)
    if line.pending is not None:
        return _values(command, line.pending, current), current
    if current.startswith("-") and not line.only_names:
        flag, equals, value = current.partition("=")
        action = line.find(flag) if equals else None
        if action is not None:
            return _values(command, action, value), value
        return _flags(parser, line.used), current
    places = parser._get_positional_actions()  # noqa: SLF001 - no other way to ask
    place = places[min(line.names, len(places) - 1)] if places else None
    if place is None or (line.names >= len(places) and place.nargs not in ("*", "+")):
        return (), current
    return _values(command, place, current), current


class _Line:
    """The words of a command line before the current one.

    Attributes
    ----------
    pending
        Option whose value comes next; None if there is none.
    used
        Options that were given.
    names
        Number of the words that are no options and no values of options.
    only_names
        Whether all further words are names, because of ``--``.
    """

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._options: Mapping[str, argparse.Action] = parser._option_string_actions  # noqa: SLF001
        self.pending: argparse.Action | None = None
        self.used: set[argparse.Action] = set()
        self.names = 0
        self.only_names = False

    def add(self, word: str) -> None:
        """Add the next word."""
        if self.pending is not None:
            self.pending = None
        elif self.only_names or not word.startswith("-") or word == "-":
            self.names += 1
        elif word == "--":
            self.only_names = True
        elif word.startswith("--"):
            flag, equals, _ = word.partition("=")
            self._use(self.find(flag), has_value=bool(equals))
        else:
            for place, letter in enumerate(word[1:], 2):
                action = self._options.get(f"-{letter}")
                self._use(action, has_value=place < len(word))
                if action is None or action.nargs != 0:
                    break

    def _use(self, action: argparse.Action | None, *, has_value: bool) -> None:
        if action is not None:
            self.used.add(action)
            self.pending = None if has_value or action.nargs == 0 else action

    def find(self, flag: str) -> argparse.Action | None:
        """Return the option of a flag, or of the beginning of one if no other begins so."""
        found = {one for text, one in self._options.items() if text.startswith(flag)}
        return self._options.get(flag) or (found.pop() if len(found) == 1 else None)


def _flags(parser: argparse.ArgumentParser, used: set[argparse.Action]) -> Iterator[tuple[str, str]]:
    """Yield the flags of a parser; those that were used and cannot be repeated are left out."""
    for flag, action in parser._option_string_actions.items():  # noqa: SLF001
        can_repeat = isinstance(action.default, list)
        if action.help != argparse.SUPPRESS and (action not in used or can_repeat):
            yield flag, (action.help or "").replace("%%", "%")


def _values(command: str, action: argparse.Action, current: str) -> Candidates:
    """Return the candidates for the value of an option, or for a name."""
    if action.choices:
        return [(str(choice), "") for choice in action.choices]
    values = _VALUES.get(f"{command} {action.dest}") or _VALUES.get(action.dest)
    if values is not None:
        return values(current)
    from tonearm.cli.option_flags import PREFIX

    if command == "convert" and action.dest.startswith(PREFIX):
        return _option_values(action.dest.removeprefix(PREFIX), current)
    named = _METAVARS.get(str(action.metavar))
    return [(named, "")] if named else ()


def _plugins(*roles: str) -> Callable[[str], Candidates]:
    """Return the function that yields the plugins of some roles; of all roles if none is given."""

    def found(_: str) -> Iterator[tuple[str, str]]:
        from tonearm.pipeline.option_schema import description_of
        from tonearm.plugins.registry import PluginError, default

        registry = default()
        for role in roles or (None,):
            for entry in registry.entries(role):
                description = ""
                with contextlib.suppress(PluginError):
                    description = description_of(entry.resolve())
                yield registry.short_name(entry), description

    return found


def _formats(_: str) -> Iterator[tuple[str, str]]:
    """Yield the suffixes that encoders write, without dot, each with its encoder, and encoders of any suffix."""
    from tonearm.plugins.registry import PluginError, default

    registry = default()
    for entry in registry.entries("encoder"):
        with contextlib.suppress(PluginError):
            suffixes = getattr(entry.resolve(), "suffixes", ())
            yield from [(one[1:], registry.short_name(entry)) for one in suffixes] or [(registry.short_name(entry), "")]


def _recipes(command: str) -> Callable[[str], Candidates]:
    """Return the function that yields what a command lists."""

    def found(_: str) -> Iterator[tuple[str, str]]:
        from tonearm.plugins.registry import default

        yield from ((name, "") for name in default().catalogue(find_listing(command).cls))

    return found


def _steps(current: str) -> Iterator[tuple[str, str]]:
    """Yield transforms, and after the colon of ``NAME:K=V;K=V`` the options of the transform."""
    name, colon, options = current.partition(":")
    if not colon:
        yield from _plugins("transform")(current)
        return
    from tonearm.plugins.options import declared_options
    from tonearm.plugins.ports import ports_of
    from tonearm.plugins.registry import PluginError, default

    head = current[: len(current) - len(options.rpartition(";")[2])]
    with contextlib.suppress(PluginError):
        plugin = default().find("transform", name).resolve()
        for option in declared_options(ports_of(plugin).options).values():
            yield f"{head}{option.name}=", option.description


def _limits(_: str) -> Iterator[tuple[str, str]]:
    from tonearm.pipeline.limits import PipelineLimits
    from tonearm.plugins.options import declared_options

    yield from ((f"{one.name}=", one.description) for one in declared_options(PipelineLimits).values())


def _option_values(name: str, current: str) -> Iterator[tuple[str, str]]:
    """Yield the values of an option of a plugin, as far as they have names; for a list, those of its last part."""
    from tonearm.cli.option_flags import option_flags
    from tonearm.pipeline.option_scalars import takes_list
    from tonearm.plugins.option_types import alternatives, bare, choices, file_suffixes, is_path, is_record
    from tonearm.plugins.registry import default
    from tonearm.recipes.catalogue import Named

    registry = default()
    for _, option in option_flags(registry)[name].owners:
        if file_suffixes(option.extra) or any(map(is_path, alternatives(option.type))):
            yield FILES, ""
        texts = list(choices(option.type))
        if option.plugin:
            texts += map(registry.short_name, registry.fitting(option.plugin))
        for one in map(bare, alternatives(option.type)):
            texts += ("true", "false") if one is bool else ()
            texts += registry.catalogue(one) if is_record(one) and issubclass(one, Named) else ()
        head = current[: current.rfind(",") + 1] if takes_list(option.type) else ""
        yield from ((f"{head}{text}", "") for text in texts)


_VALUES: Mapping[str, Callable[[str], Candidates]] = {
    "decoder": _plugins("decoder"),
    "encoder": _plugins("encoder"),
    "to": _formats,
    "executor": _plugins("executor"),
    "step": _steps,
    "limits": _limits,
    "env": lambda _: [(name, "") for name in os.environ],
    "part": lambda _: [("slurm", ""), ("pbs", ""), ("k8s", "")],
    "plugins name": _plugins(),
    **{f"{command} name": _recipes(command) for command in LISTINGS},
}
"""Functions that return the values of options and names; they get the word so far."""
