"""The reading of a plugin's options from a pipeline, field by field, to report all problems at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from tonearm.errors import GiveOption, OptionError, PipelineError, Remedy, RemoveOption, did_you_mean, one_line
from tonearm.errors.text import with_article
from tonearm.names import BUILTIN
from tonearm.pipeline.answers import add_missing_requirements
from tonearm.pipeline.option_messages import names_in_words, owners_in_words, ports_in_words
from tonearm.pipeline.option_values import ValueReader, is_null, marks_of
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.yaml.nodes import MappingEntry, MappingNode, Mark, Node, ScalarNode, node_type
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.options import Option, PluginType, declared_options
from tonearm.plugins.plugin import IF_ABSENT, Plugin
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import PluginError, Registry, RegistryEntry, as_plugin_error
from tonearm.recipes.catalogue import N

PLUGIN_KEYS = ("use", "with")
"""Keys of an option whose value is a plugin with options."""


def read_options(
    options: type[Any],
    node: Node | None,
    mark: Mark | None,
    plugin: str,
    problems: Problems,
    registry: Registry,
) -> Any:
    """Return an instance of the options dataclass, or None if there are problems.

    Parameters
    ----------
    options
        Dataclass of the options.
    node
        Node under ``with:``; None if there is none.
    mark
        Place to report missing options at.
    plugin
        Name of the plugin in messages.
    problems
        Collection of problems to add to.
    registry
        Registry of the plugins and named structs that options name.
    """
    given = _given(node, plugin, problems)
    return None if given is None else _Reader(problems, registry).read(options, given, mark, plugin)


def read_value(option: Option, node: Node, registry: Registry) -> Any:
    """Return the value of a single option.

    Raises
    ------
    PipelineError
        If it is wrong.
    """
    problems = Problems(None)
    value = _Reader(problems, registry).value(option, node, option.name)
    if problems.found:
        raise PipelineError(problems.found)
    return value


def default_options(options: type[Any], registry: Registry, **changes: Any) -> Any:
    """Return options with their defaults, unchecked: for a decoder that reads no signals, but arrays as they are."""
    for option in declared_options(options).values():
        if option.plugin and IF_ABSENT in option.extra:
            entry = registry.find(option.plugin.role, option.extra[IF_ABSENT])
            changes[option.name] = entry.bind(default_options(ports_of(entry.resolve()).options, registry))
    return options(**changes)


def _given(node: Node | None, owner: str, problems: Problems) -> Mapping[str, MappingEntry] | None:
    """Return the options under ``with:``, or None if there is something else."""
    if isinstance(node, MappingNode):
        return node.entries
    if node is None or is_null(node):
        return {}
    problems.add(node.mark, "bad-option", f"{owner}: 'with' is a mapping of options", "with: {name: value}")
    return None


class _Beside(msgspec.Struct):
    """The options that are still to be read, all names that they may have, and the plugins beside which they stand."""

    names: list[str]
    given: Mapping[str, MappingEntry]
    chosen: dict[str, str] = {}


class _Reader(ValueReader):
    """Reads mappings into dataclasses and structs, and adds all problems.

    Parameters
    ----------
    problems
        Collection of problems to add to.
    registry
        Registry of the plugins and named structs that options name.
    """

    def __init__(self, problems: Problems, registry: Registry) -> None:
        super().__init__(problems)
        self.registry = registry

    def read(
        self, cls: type[Any], given: Mapping[str, MappingEntry], mark: Mark | None, owner: str, base: Any = None
    ) -> Any:
        """Return an instance, or None if there are problems; with ``base``, a changed copy of it."""
        known = declared_options(cls)
        before = len(self.problems.found)
        values: dict[str, Any] = {}
        beside = _Beside(list(known), given)
        for option in known.values():
            if option.is_beside:
                values |= self._beside(option, beside, known, mark, owner)
        for name, entry in beside.given.items():
            if name in known:
                values[name] = self.value(known[name], entry.node, owner)
                continue
            message, hint, remedies = self._unknown(name, known, beside, given, owner)
            self.problems.add(entry.key_mark, "unknown-option", message, hint, remedies=remedies)
        for name, option in known.items():
            if name not in given and name not in values and IF_ABSENT in option.extra and base is None:
                default = str(option.extra[IF_ABSENT])
                values[name] = self.value(option, ScalarNode(default, default, quoted=True, mark=mark), owner)
            if option.required and name not in given and base is None:
                remedy = GiveOption(name, option.description)
                self.problems.add(mark, "missing-option", f"{owner}: '{name}' is missing", remedies=(remedy,))
        if len(self.problems.found) > before:
            return None
        marks = dict(marks_of(given))
        make = cls if base is None else functools.partial(msgspec.structs.replace, base)
        return _build(make, values, marks, mark, owner, self.problems)

    def _beside(
        self, option: Option, beside: _Beside, known: Mapping[str, Option], mark: Mark | None, owner: str
    ) -> dict[str, Any]:
        """Return the plugin that an option names, by the option's name, and take the plugin's options out of others."""
        before = len(self.problems.found)
        entry = self.chosen_beside(option, beside.given, known, owner)
        if len(self.problems.found) > before:  # it is not known which options stand beside
            self._check_of_any(option, beside, known, owner)
            return {}
        if entry is None:
            return {}
        inner = self._declared_beside(option, entry, known, owner)
        beside.names += inner
        beside.chosen[option.name] = entry.name
        given = {name: one for name, one in beside.given.items() if name in inner}
        named = beside.given.get(option.name)
        beside.given = {name: one for name, one in beside.given.items() if name not in inner and name != option.name}
        name = named.node.value if named and isinstance(named.node, ScalarNode) else None
        return {option.name: self._bind(entry, str(name or entry.name), given, mark, owner)}

    def _check_of_any(self, option: Option, beside: _Beside, known: Mapping[str, Option], owner: str) -> None:
        """Check options that a plugin may declare by the first that does, as it is not known which one is meant."""
        rest = {}
        for name, entry in beside.given.items():
            having = [] if name in known or option.plugin is None else self._having(option.plugin, name)
            if having:
                self.value(declared_options(ports_of(having[0].resolve()).options)[name], entry.node, owner)
            elif name != option.name:
                rest[name] = entry
        beside.given = rest

    def chosen_beside(
        self, option: Option, given: Mapping[str, MappingEntry], known: Mapping[str, Option], owner: str
    ) -> RegistryEntry | None:
        """Return the plugin of an option beside which the plugin's own options stand.

        Parameters
        ----------
        option
            Option that names the plugin.
        given
            Options that the pipeline gives to the owner, with those that stand beside.
        known
            Options that the owner itself declares.
        owner
            Name of the owner in messages.

        Returns
        -------
        RegistryEntry or None
            Plugin; None if there is none, or if the name is wrong, which is then a problem.
        """
        entry = given.get(option.name)
        if option.plugin is None:
            return None
        if entry is None or is_null(entry.node):
            names = [name for name in given if name not in known]
            return self._implied(option, option.plugin, names) if IF_ABSENT in option.extra else None
        name = self._plugin_name(option, option.plugin, entry.node, owner)
        return self._find(option, option.plugin, entry.node, name, owner) if name else None

    def _implied(self, option: Option, kind: PluginType, names: list[str]) -> RegistryEntry:
        """Return the plugin that an option stands for if it is not given.

        It is the only one that has an option of some name, among those of tonearm or else among all others; or the
        default.
        """
        default = self.registry.find(kind.role, option.extra[IF_ABSENT])
        declared = declared_options(ports_of(default.resolve()).options)
        for name in names:
            if name not in declared:
                having = self._having(kind, name)
                chosen = [entry for entry in having if entry.origin == BUILTIN] or having
                if len(chosen) == 1:
                    return chosen[0]
        return default

    def _having(self, kind: PluginType, name: str) -> list[RegistryEntry]:
        """Return the plugins of a type that have an option of some name."""
        return [entry for entry, declared in self._declared(kind) if name in declared]

    def _declared(self, kind: PluginType) -> Iterator[tuple[RegistryEntry, Mapping[str, Option]]]:
        """Yield the plugins of a type, each with its options."""
        for entry in self.registry.fitting(kind):
            yield entry, declared_options(ports_of(entry.resolve()).options)

    def _unknown(
        self,
        name: str,
        known: Mapping[str, Option],
        beside: _Beside,
        given: Mapping[str, MappingEntry],
        owner: str,
    ) -> tuple[str, str, tuple[Remedy, ...]]:
        """Return the message about an option that does not exist, its hint, and its remedies.

        The hint is a similar name, or who has the option. One that only other kinds have can be left out.
        """
        message = f"{owner} has no option {one_line(name)!r}"
        names = beside.names
        similar = list(names)
        for option in known.values():
            if not (option.is_beside and option.plugin):
                continue
            if IF_ABSENT in option.extra and (option.name not in given or is_null(given[option.name].node)):
                similar += (one for _, declared in self._declared(option.plugin) for one in declared)
            if (having := self._having(option.plugin, name)) and option.name in beside.chosen:
                message = f"{message} with {option.name} {beside.chosen[option.name]}"
                others = [self.registry.short_name(entry) for entry in having if entry.name != option.default]
                return message, owners_in_words(option.name, others), (RemoveOption(name),)
        is_decoder = any(entry.name == owner for entry in self.registry.entries("decoder"))
        having = self._having(PluginType(Decoder), name) if is_decoder else []
        only = f"{self.registry.short_name(having[0])} has it" if len(having) == 1 else ""
        if name == "sample_rate" and is_decoder and "kind" not in names:
            only = "the file tells its sample rate; the transform resample changes it"
        own = names_in_words(name, names, is_empty=name in given and is_null(given[name].node))
        return message, did_you_mean(name, similar) or only or own, ()

    def _declared_beside(
        self, option: Option, entry: RegistryEntry, known: Mapping[str, Option], owner: str
    ) -> Mapping[str, Option]:
        """Return the options that a plugin declares beside those of its owner.

        Raises
        ------
        PluginError
            If both declare an option of the same name, or an option has a type that is not supported.
        """
        with as_plugin_error(f"{entry.role} {entry.full_name}"):
            inner = declared_options(ports_of(entry.resolve()).options)
        if both := [name for name in inner if name in known]:
            raise PluginError(
                f"{entry.role} {entry.full_name} and {owner} both declare the option {one_line(repr(both[0]))},"
                f" so it cannot be {option.name} of {owner}",
                hint=f"rename the option in {one_line(entry.package.label)}",
            )
        return inner

    def plugin(self, option: Option, kind: PluginType, node: Node, owner: str) -> Plugin[Any] | None:
        """Return a plugin that is the value of an option, given by name or as ``{use: NAME, with: {…}}``."""
        whose = f"{owner}: {option.name}"
        options: Node | None = None
        use: Node | None = node
        if isinstance(node, MappingNode):
            for key, inner in node.entries.items():
                if key not in PLUGIN_KEYS:
                    hint = did_you_mean(key, PLUGIN_KEYS) or f"it has {', '.join(PLUGIN_KEYS)}"
                    message = f"{whose} has no key {one_line(key)!r}"
                    self.problems.add(inner.key_mark, "unknown-key", message, hint)
            use = node.entries["use"].node if "use" in node.entries else None
            options = node.entries["with"].node if "with" in node.entries else None
        if use is None:
            remedy = GiveOption("use", "name of a plugin")
            self.problems.add(node.mark, "missing-key", f"{whose}: 'use' is missing", remedies=(remedy,))
            return None
        name = self._plugin_name(option, kind, use, owner)
        entry = self._find(option, kind, use, name, owner) if name else None
        given = _given(options, whose, self.problems)
        if entry is None or given is None:
            return None
        place = self.problems.place
        if place.stage not in ("", "executor"):
            self.problems.place = msgspec.structs.replace(place, stage=f"{place.stage}.with.{option.name}")
        try:
            return self._bind(entry, name, given, use.mark, whose)
        finally:
            self.problems.place = place

    def _plugin_name(self, option: Option, kind: PluginType, node: Node, owner: str) -> str:
        """Return the name of a plugin, or empty text if it is none."""
        if isinstance(node, ScalarNode) and isinstance(node.value, str) and node.value:
            return node.value
        shown = (node.text or "empty") if isinstance(node, ScalarNode) else node_type(node)
        message = f"{owner}: '{option.name}' is {one_line(shown)}; expected the name of {with_article(kind.role)}"
        self.problems.add(node.mark, "bad-option", message, option.description)
        return ""

    def _find(self, option: Option, kind: PluginType, node: Node, name: str, owner: str) -> RegistryEntry | None:
        """Return the plugin with a name, or None if there is no fitting one."""
        try:
            entry = self.registry.find(kind.role, name)
            fits = kind.fits(entry.resolve(), ports_of(entry.resolve()))
        except PluginError as error:
            self.problems.add_error(node.mark, error, whose=f"{owner}: {option.name}")
            return None
        if not fits:
            expected, found = ports_in_words(kind, entry)
            message = f"{owner}: {option.name} is {expected}, but {name} is {found}"
            names = ", ".join(map(self.registry.short_name, self.registry.fitting(kind)))
            self.problems.add(node.mark, "wrong-plugin", message, f"one of {names}" if names else option.description)
            return None
        return entry

    def _bind(
        self, entry: RegistryEntry, name: str, given: Mapping[str, MappingEntry], mark: Mark | None, owner: str
    ) -> Plugin[Any] | None:
        """Return a nested plugin bound to its options, or None if there are problems."""
        with as_plugin_error(f"{entry.role} {name}"):
            options = self.read(ports_of(entry.resolve()).options, given, mark, owner)
            plugin = None if options is None else entry.bind(options, name)
            if plugin is not None:
                add_missing_requirements(self.problems, mark, plugin, f"{owner}: {name}")
            return plugin

    def named(self, cls: type[N], option: Option, node: Node, owner: str) -> N | None:
        """Return a named struct, given by name, as ``{base: NAME, …}`` with changes, or by all figures."""
        if isinstance(node, ScalarNode) and isinstance(node.value, str):
            return self._look_up(cls, node, node.value, owner)
        if not isinstance(node, MappingNode):
            self.problems.add(
                node.mark, "bad-option", f"{owner} is {node_type(node)}, not a name or a mapping", option.description
            )
            return None
        entry = node.entries.get("base")
        rest = {name: inner for name, inner in node.entries.items() if name != "base"}
        if entry is None:
            found: N | None = self.read(cls, rest, node.mark, owner)
            return found
        name = entry.node.value if isinstance(entry.node, ScalarNode) else None
        if not isinstance(name, str):
            self.problems.add(entry.node.mark, "bad-option", f"{owner}: 'base' is the name of {with_article(cls.noun)}")
            return None
        base = self._look_up(cls, entry.node, name, owner)
        if base is None:
            return None
        changed: N | None = self.read(cls, rest, node.mark, owner, base)
        return changed

    def _look_up(self, cls: type[N], node: Node, name: str, owner: str) -> N | None:
        try:
            return self.registry.catalogue(cls).find(name)
        except OptionError as error:
            self.problems.add_error(node.mark, error, whose=owner)
            return None


def _build(
    make: Callable[..., Any],
    values: dict[str, Any],
    marks: Mapping[str, Mark | None],
    mark: Mark | None,
    plugin: str,
    problems: Problems,
) -> Any:
    """Return the instance, or None if its values contradict each other."""
    made = None
    try:
        made = make(**values)
        wrong = list(made.problems()) if hasattr(made, "problems") else []
    except OptionError as error:
        wrong = [error]
    except (TypeError, ValueError) as error:  # a third party's own check in __post_init__
        wrong = [OptionError(one_line(error))]
    for problem in wrong:
        problems.add_error(marks.get(problem.option or "", mark), problem, whose=plugin)
    return None if wrong else made
