"""The plugin registry: every plugin by role and name, and every problem with the packages that register them.

Installing a package means trusting it, but a package can still be broken. If it cannot be imported, registers
something other than plugins, or even calls ``sys.exit``, it is skipped with a warning that names it, and all other
plugins keep working.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import pluggy
from msgspec import Struct

from tonearm.errors import Problem, TonearmError, advise, one_line
from tonearm.errors.text import describe_exception, nearest, safe_repr, with_article
from tonearm.names import BROKEN_HINT, BUILTIN, check_name, preferred
from tonearm.plugins import hookspecs
from tonearm.plugins.declarations import check_declarations
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.discovery import PROJECT, Package, installed_packages
from tonearm.plugins.encoder import Encoder
from tonearm.plugins.executor import Executor
from tonearm.plugins.hook_names import IgnoredHook, ignored_hooks
from tonearm.plugins.hookspecs import DIAGNOSES, HOOKS, NAMED_HOOKS
from tonearm.plugins.kind import Kind
from tonearm.plugins.options import PluginType, declared_options
from tonearm.plugins.plugin import Plugin, PluginIdentity
from tonearm.plugins.ports import ports_of
from tonearm.plugins.process_state import unchanged_process
from tonearm.plugins.target import Target
from tonearm.plugins.transform import Regroup, Transform
from tonearm.recipes.catalogue import Catalogue, CatalogueEntry, N, Named

T = TypeVar("T")

ROLES: Mapping[str, tuple[type[Plugin[Any]], ...]] = {
    "decoder": (Decoder,),
    "transform": (Transform, Regroup),
    "encoder": (Encoder,),
    "kind": (Kind,),
    "executor": (Executor,),
}
"""Roles of plugins, each with its base classes."""

SECTIONS: Mapping[str, str] = {
    "decoder": "input",
    "transform": "steps",
    "encoder": "outputs",
    "kind": "the option kind of a decoder of arrays",
    "executor": "--executor",
}
"""Roles of plugins, each with the place where it is named: a section of a pipeline, or an option."""

_ALL_HOOKS = (*HOOKS, *NAMED_HOOKS, DIAGNOSES)


class PluginError(TonearmError):
    """A plugin does not exist or cannot be used."""

    default_code = "broken-plugin"


class RegistryEntry(Struct, frozen=True):
    """One registered plugin; its class is imported when the entry is first resolved.

    Parameters
    ----------
    name
        Name of the plugin, without its origin.
    role
        One of `ROLES`.
    target
        Plugin class, or ``"module:Class"``.
    package
        Package that registers the plugin.
    """

    name: str
    role: str
    target: type[Plugin[Any]] | str
    package: Package

    @property
    def origin(self) -> str:
        """Name of the package's entry point."""
        return self.package.origin

    @property
    def full_name(self) -> str:
        """Name with origin: ``acme/raw-reader``."""
        return f"{self.origin}/{self.name}"

    def resolve(self) -> type[Plugin[Any]]:
        """Return the plugin class.

        Raises
        ------
        PluginError
            If the class cannot be imported, or does not have the role of its hook.
        """
        return _resolve(self)

    def bind(self, options: Any, name: str = "") -> Plugin[Any]:
        """Return the plugin with its options.

        Parameters
        ----------
        options
            Options of the plugin's own class.
        name
            Name by which the pipeline names the plugin; its full name if empty.

        Raises
        ------
        PluginError
            If the class cannot be imported, or does not have the role of its hook.
        """
        plugin = self.resolve()(options)
        plugin.registered = PluginIdentity(name or self.full_name, self.full_name, self.package.label)
        return plugin


@functools.cache
def _resolve(entry: RegistryEntry) -> type[Plugin[Any]]:
    with as_plugin_error(f"{entry.role} {entry.name!r} of {one_line(entry.package.label)}"):
        found: object = entry.target
        if isinstance(found, str):
            with unchanged_process():
                found = _import(found)
        if not (isinstance(found, type) and issubclass(found, ROLES[entry.role])):
            raise TypeError(f"{safe_repr(found)} is not {with_article(entry.role)} class")
        ports_of(found)
        check_declarations(found)
        if isinstance(entry.target, Target):
            entry.target.check(found)
    return found


def _import(target: str) -> object:
    module, _, name = target.partition(":")
    if not (module and name):
        raise ValueError(f"{target!r} is not of the form 'module:Class'")
    return functools.reduce(getattr, name.split("."), importlib.import_module(module))


class as_plugin_error:  # noqa: N801 - used as a statement
    """Turn every exception of a plugin, including ``SystemExit``, into a `PluginError`; Ctrl-C passes through.

    Parameters
    ----------
    subject
        Subject of the message: the plugin or package that raises.
    plugin
        Plugin, if there is one already. Plugins in its options are named as well.
    """

    def __init__(self, subject: str, plugin: Plugin[Any] | None = None) -> None:
        self.subject = subject
        self.plugin = plugin

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, (KeyboardInterrupt, PluginError)):
            return
        from tonearm.errors import tracebacks  # not at the top: `check` of a right pipeline needs neither
        from tonearm.plugins.culprit import blamed_name

        tracebacks.show(error)
        subject = blamed_name(self.subject, self.plugin, error)
        raise PluginError(f"{subject} is disabled: {describe_exception(error)}", hint=BROKEN_HINT) from error


class Registry:
    """All plugins by role and name.

    Parameters
    ----------
    packages
        Packages that register plugins. Their order decides nothing: only the built-in package wins name clashes.

    Attributes
    ----------
    problems
        Problems with packages and plugins that are disabled.
    on_problem
        Function called with each problem that is found later; None if nobody asks.
    """

    on_problem: Callable[[Problem], object] | None = None

    def __init__(self, packages: Iterable[Package]) -> None:
        self.problems: list[Problem] = []
        self._entries: dict[tuple[str, str], list[RegistryEntry]] = {}
        self._named_hooks: dict[str, list[tuple[Package, Callable[[], object]]]] = {}
        self._catalogues: dict[type[Named], Catalogue[Any]] = {}
        manager = pluggy.PluginManager(PROJECT)
        manager.add_hookspecs(hookspecs)
        for package in packages:
            try:
                self._add_package(manager, package)
            except PluginError as error:
                self.problems.append(error.problem)
        self.problems += self._clashes()

    def _clashes(self) -> Iterator[Problem]:
        """Yield a problem for each plugin that has the name of a built-in one."""
        for entries in self._entries.values():
            if any(entry.origin == BUILTIN for entry in entries):
                for entry in entries:
                    if entry.origin != BUILTIN:
                        yield _clash(entry.origin, entry.name, entry.package)

    def _add_package(self, manager: pluggy.PluginManager, package: Package) -> None:
        """Load a package and register its plugins, or raise `PluginError`."""
        label = one_line(package.label)
        ignored: list[IgnoredHook] = []
        try:
            with as_plugin_error(label):
                with unchanged_process():
                    plugin = package.load()
                ignored += ignored_hooks(plugin, _ALL_HOOKS)
                manager.register(plugin, name=package.origin)
        except PluginError:
            if manager.has_plugin(package.origin):
                manager.unregister(name=package.origin)
            raise
        for one in ignored:
            message = f"{one.name} of {label} is ignored: {one.message}"
            self.problems.append(Problem(code="unknown-hook", message=message, remedies=advise(one.hint)))
        # pluggy before 1.7 lists a hook once for each of the package's implementations.
        found = dict.fromkeys(manager.get_hookcallers(plugin) or [])
        callers = [caller for caller in found if caller.name in _ALL_HOOKS]
        if not callers:
            raise PluginError(f"{label} is disabled: it implements no hook", hint=f"hooks: {', '.join(_ALL_HOOKS)}")
        for caller in callers:
            for implementation in caller.get_hookimpls():
                if implementation.plugin is not plugin:
                    continue
                if caller.name not in HOOKS:
                    self._named_hooks.setdefault(caller.name, []).append((package, implementation.function))
                else:
                    make = functools.partial(_plugin_entry, caller.name, package)
                    for entry in self._call_hook(f"{caller.name} of {label}", implementation.function, make):
                        self._entries.setdefault((entry.role, entry.name), []).append(entry)

    def _call_hook(
        self, subject: str, function: Callable[[], object], make: Callable[[object, object], T]
    ) -> Iterator[T]:
        """Yield an entry for each name and value that a hook returns; invalid ones become problems."""
        try:
            with as_plugin_error(subject):
                found = function()
                if not isinstance(found, Mapping):
                    raise TypeError(f"it returns {type(found).__name__}, not a mapping from names to plugins")
                pairs = list(found.items())
        except PluginError as error:
            self.problems.append(error.problem)
            return
        for name, value in pairs:
            try:
                with as_plugin_error(f"{safe_repr(name)} in {subject}"):
                    entry = make(name, value)
            except PluginError as error:
                self.problems.append(error.problem)
            else:
                yield entry

    def catalogue(self, cls: type[N]) -> Catalogue[N]:
        """Return all structs of a class by name; packages are asked for theirs on first use."""
        if cls not in self._catalogues:
            before = len(self.problems)
            entries: list[CatalogueEntry] = []
            packages = self.hooks(cls.hook)
            for package, function in packages:
                label = BUILTIN if package.origin == BUILTIN else one_line(package.label)
                make = functools.partial(_catalogue_entry, cls, package.origin)
                entries += self._call_hook(f"{cls.hook} of {label}", function, make)
            disabled = [problem.message for problem in self.problems[before:]]
            self._catalogues[cls] = Catalogue(cls, entries, disabled)
            builtin = {entry.name for entry in entries if entry.origin == BUILTIN}
            for package, _ in packages:
                for entry in entries:
                    if entry.origin == package.origin != BUILTIN and entry.name in builtin:
                        self.problems.append(_clash(package.origin, entry.name, package, f"{cls.noun} "))
            if self.on_problem is not None:
                for problem in self.problems[before:]:
                    self.on_problem(problem)
        return self._catalogues[cls]

    def hooks(self, name: str) -> Sequence[tuple[Package, Callable[[], object]]]:
        """Return the implementations of a hook that hands over no plugins, each with its package."""
        return self._named_hooks.get(name, ())

    def entries(self, role: str | None = None) -> Iterator[RegistryEntry]:
        """Yield every plugin of a role, or of all, ordered by role and name. Plugins whose names clash are included."""
        return iter(self._in_order if role is None else self._of_role.get(role, ()))

    @functools.cached_property
    def _in_order(self) -> tuple[RegistryEntry, ...]:
        order = list(ROLES)
        keys = sorted(self._entries, key=lambda key: (order.index(key[0]), key[1]))
        return tuple(entry for key in keys for entry in self._entries[key])

    @functools.cached_property
    def _of_role(self) -> dict[str, tuple[RegistryEntry, ...]]:
        return {role: tuple(entry for entry in self._in_order if entry.role == role) for role in ROLES}

    def fitting(self, kind: PluginType) -> Iterator[RegistryEntry]:
        """Yield the plugins that fit an option; those that cannot be loaded, or whose options cannot, are left out."""
        for entry in self.entries(kind.role):
            try:
                plugin = entry.resolve()
                fits = kind.fits(plugin, ports_of(plugin))
                with as_plugin_error(entry.full_name):
                    declared_options(ports_of(plugin).options)
            except PluginError:
                continue
            if fits:
                yield entry

    def is_bare(self, entry: RegistryEntry) -> bool:
        """Return whether a plugin's name identifies it without its origin."""
        return preferred(self._entries[entry.role, entry.name]) == entry

    def short_name(self, entry: RegistryEntry) -> str:
        """Return the shortest name that identifies a plugin: ``raw-reader``, or ``acme/raw-reader``."""
        return entry.name if self.is_bare(entry) else entry.full_name

    def find(self, role: str, name: str) -> RegistryEntry:
        """Return the plugin with a name, either bare or as ``origin/name``.

        Raises
        ------
        PluginError
            If there is no such plugin, or the bare name is ambiguous.
        """
        candidates = self._candidates(role, name)
        if found := preferred(candidates):
            return found
        self.refuse_if_ambiguous(role, name)
        raise PluginError(f"there is no {role} {one_line(name)!r}", code="unknown-plugin", hint=self._hint(role, name))

    def refuse_if_ambiguous(self, role: str, name: str) -> None:
        """Raise `PluginError` if several packages offer a plugin of this name, and none is preferred."""
        candidates = self._candidates(role, name)
        if candidates and not preferred(candidates):
            message = f"{len(candidates)} packages offer {name}"
            names = " or ".join(entry.full_name for entry in candidates)
            raise PluginError(message, code="ambiguous-plugin", hint=f"write {names}")

    def _candidates(self, role: str, name: str) -> list[RegistryEntry]:
        """Return the plugins of a role that a name, bare or with an origin, may mean."""
        origin, slash, bare = name.rpartition("/")
        candidates = self._entries.get((role, bare), [])
        return [entry for entry in candidates if entry.origin == origin] if slash else candidates

    def _hint(self, role: str, name: str) -> str:
        """Return the hint about a name that no plugin of a role has: another role that has it, or a similar name."""
        bare = name.rpartition("/")[2]
        others = [other for other in ROLES if (other, bare) in self._entries and other != role]
        if others:
            return f"{bare} is {with_article(others[0])}, for {SECTIONS[others[0]]}"
        entries = {entry.full_name: entry for entry in self.entries(role)}
        full = nearest(name, entries) if "/" in name else None
        same = self._entries.get(
            (role, nearest(bare, dict.fromkeys(entry.name for entry in entries.values())) or ""), []
        )
        winner = entries[full] if full else preferred(same)
        names = [repr(self.short_name(entry)) for entry in ([winner] if winner else same)]
        return f"did you mean {' or '.join(names)}?" if names else "run tonearm plugins to list all plugins"


def _clash(origin: str, name: str, package: Package, noun: str = "") -> Problem:
    """Return the problem of a name that a built-in plugin or recipe has, too."""
    message = f"{noun}{origin}/{name} of {one_line(package.label)} has the name of {BUILTIN}/{name}, which wins"
    return Problem(code="name-clash", message=message, remedies=advise(f"write {origin}/{name} to use it"))


def _plugin_entry(hook: str, package: Package, name: object, target: object) -> RegistryEntry:
    name = check_name(name, "plugin")
    if not isinstance(target, (str, type)):
        raise TypeError(f"it is {type(target).__name__}, neither a class nor 'module:Class'")
    return RegistryEntry(name=name, role=HOOKS[hook], target=target, package=package)


def _catalogue_entry(cls: type[Named], origin: str, name: object, given: object) -> CatalogueEntry:
    name = check_name(name, cls.noun)
    if not isinstance(given, (cls, Mapping)):
        raise TypeError(f"it is {type(given).__name__}, neither a {cls.__name__} nor a mapping of its figures")
    return CatalogueEntry(origin, name, given)


@functools.cache
def default() -> Registry:
    """Return the registry of all installed plugins."""
    return Registry(installed_packages())
