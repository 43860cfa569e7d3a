"""The pluggy host: who offers which plugin, and what is set aside because it is broken.

Installing a package is trusting it, but trusting is not being careful: a package that cannot be imported, hands over
something else than plugins, or even calls ``sys.exit`` is set aside with a warning that names it, and takes nothing
else with it.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import pluggy
from msgspec import Struct

from tonearm.errors import Problem, TonearmError, did_you_mean, one_line
from tonearm.plugins import hookspecs
from tonearm.plugins.contract import Decoder, Encoder, Plugin, Regroup, Transform
from tonearm.plugins.discovery import EntryPoint, entry_points
from tonearm.plugins.hookspecs import DIALECTS, HOOKS, PROJECT
from tonearm.plugins.ports import ports_of
from tonearm.recipes.mel import Catalogue, MelDialect
from tonearm.recipes.mel.catalogue import Offered

BUILTIN = "builtin"

T = TypeVar("T")

ROLES: Mapping[str, tuple[type[Plugin[Any]], ...]] = {
    "decoder": (Decoder,),
    "transform": (Transform, Regroup),
    "encoder": (Encoder,),
}
"""Roles of plugins, with the classes that one of that role comes from."""

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class PluginError(TonearmError):
    """A plugin that is not there by its name, or cannot be used."""

    default_code = "broken-plugin"


class Offer(Struct, frozen=True):
    """A package that offers plugins.

    Parameters
    ----------
    origin
        Its name in ``origin/plugin``: that of its entry point.
    load
        Imports it and returns the object with the hook implementations.
    package
        Its name and version, as in ``tonearm_acme 1.2``.
    """

    origin: str
    load: Callable[[], object]
    package: str


class Entry(Struct, frozen=True):
    """One plugin by name; imported when it is first resolved."""

    name: str
    role: str
    target: type[Plugin[Any]] | str
    offer: Offer

    @property
    def origin(self) -> str:
        """Name of the entry point that it comes from."""
        return self.offer.origin

    @property
    def full_name(self) -> str:
        """As in ``acme/raw-reader``."""
        return f"{self.origin}/{self.name}"

    def resolve(self) -> type[Plugin[Any]]:
        """Return the plugin class.

        Raises
        ------
        PluginError
            If it cannot be imported, or is not what its hook says.
        """
        return _resolve(self)


@functools.cache
def _resolve(entry: Entry) -> type[Plugin[Any]]:
    where = f"{entry.role} {entry.name!r} of {one_line(entry.offer.package)}"
    with guard(where):
        found = _import(entry.target) if isinstance(entry.target, str) else entry.target
        if not (isinstance(found, type) and issubclass(found, ROLES[entry.role])):
            raise TypeError(f"{found!r} is no {entry.role} class")
        ports_of(found)
    return found


def _import(target: str) -> object:
    module, _, name = target.partition(":")
    if not (module and name):
        raise ValueError(f"{target!r} is not of the form 'module:Class'")
    return functools.reduce(getattr, name.split("."), importlib.import_module(module))


class guard:  # noqa: N801 - used as a statement
    """Turn whatever a plugin raises, ``SystemExit`` too, into a `PluginError`; the user's own Ctrl-C goes through."""

    def __init__(self, where: str) -> None:
        self.where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, KeyboardInterrupt):
            return
        reason = f"it calls sys.exit({error.code!r})" if isinstance(error, SystemExit) else one_line(error)
        raise PluginError(
            f"{self.where} is set aside: {type(error).__name__}: {reason}",
            hint="update or uninstall the package that it comes from",
        ) from error


class Registry:
    """All plugins by role and name.

    Parameters
    ----------
    offers
        Packages that offer plugins; those before win no clash, but the built-in one does.

    Attributes
    ----------
    problems
        What was set aside, and why.
    """

    def __init__(self, offers: Iterable[Offer]) -> None:
        self.problems: list[Problem] = []
        self._found: dict[tuple[str, str], list[Entry]] = {}
        self._dialects: list[tuple[Offer, Callable[[], object]]] = []
        manager = pluggy.PluginManager(PROJECT)
        manager.add_hookspecs(hookspecs)
        for offer in offers:
            try:
                self._admit(manager, offer)
            except PluginError as error:
                self.problems.append(error.problem)

    def _admit(self, manager: pluggy.PluginManager, offer: Offer) -> None:
        """Load a package's plugins, or raise `PluginError`."""
        package = one_line(offer.package)
        try:
            with guard(package):
                plugin = offer.load()
                manager.register(plugin, name=offer.origin)
                manager.check_pending()
        except PluginError:
            if manager.has_plugin(offer.origin):
                manager.unregister(name=offer.origin)
            raise
        callers = manager.get_hookcallers(plugin) or []
        if not callers:
            raise PluginError(
                f"{package} is set aside: it implements no hook", hint=f"hooks: {', '.join((*HOOKS, DIALECTS))}"
            )
        for caller in callers:
            for implementation in caller.get_hookimpls():
                if implementation.plugin is not plugin:
                    continue
                if caller.name == DIALECTS:
                    self._dialects.append((offer, implementation.function))
                else:
                    self._take(caller.name, implementation.function, offer, package)

    def _take(self, hook: str, function: Callable[[], object], offer: Offer, package: str) -> None:
        """Take the plugins that one hook hands over; what is wrong is set aside alone."""
        for entry in self._handed_over(f"{hook} of {package}", function, functools.partial(self._entry, hook, offer)):
            self._found.setdefault((entry.role, entry.name), []).append(entry)

    def _handed_over(
        self, where: str, function: Callable[[], object], make: Callable[[object, object], T]
    ) -> Iterator[T]:
        """Yield what is made of each name and value that a hook hands over; what is wrong is set aside alone."""
        try:
            with guard(where):
                found = function()
                if not isinstance(found, Mapping):
                    raise TypeError(f"it returns {type(found).__name__}, not a mapping from names to plugins")
                pairs = list(found.items())
        except PluginError as error:
            self.problems.append(error.problem)
            return
        for name, value in pairs:
            try:
                with guard(f"{one_line(repr(name))} in {where}"):
                    made = make(name, value)
            except PluginError as error:
                self.problems.append(error.problem)
            else:
                yield made

    @staticmethod
    def _entry(hook: str, offer: Offer, name: object, target: object) -> Entry:
        if not (isinstance(name, str) and NAME.fullmatch(name)):
            raise ValueError("no name for a plugin; lower case letters, digits and single hyphens are")
        if not isinstance(target, (str, type)):
            raise TypeError(f"it is {type(target).__name__}, neither a class nor 'module:Class'")
        return Entry(name=name, role=HOOKS[hook], target=target, offer=offer)

    @functools.cached_property
    def dialects(self) -> Catalogue:
        """All dialects by name; the packages that offer some are asked when this is first used."""
        before = len(self.problems)
        offered: list[Offered] = []
        for offer, function in self._dialects:
            package = BUILTIN if offer.origin == BUILTIN else one_line(offer.package)
            make = functools.partial(_offered, offer.origin)
            offered += self._handed_over(f"{DIALECTS} of {package}", function, make)
        return Catalogue(offered, [problem.message for problem in self.problems[before:]])

    def entries(self, role: str | None = None) -> Iterator[Entry]:
        """Yield every plugin, those that clash too, in the order of roles and names."""
        order = list(ROLES)
        for key in sorted(self._found, key=lambda key: (order.index(key[0]), key[1])):
            if role in (None, key[0]):
                yield from self._found[key]

    def is_bare(self, entry: Entry) -> bool:
        """Say whether a plugin's own name is enough to mean it."""
        same = self._found[entry.role, entry.name]
        return len(same) == 1 or entry.origin == BUILTIN

    def find(self, role: str, name: str) -> Entry:
        """Return the plugin of a name, either bare or as ``origin/name``.

        Raises
        ------
        PluginError
            If there is none of that name, or there are two and the bare name does not say which.
        """
        origin, slash, bare = name.rpartition("/")
        same = self._found.get((role, bare), [])
        fitting = [entry for entry in same if (entry.origin == origin if slash else self.is_bare(entry))]
        if fitting:
            return fitting[0]
        if same and not slash:
            names = " or ".join(entry.full_name for entry in same)
            raise PluginError(f"{len(same)} packages offer {name}", code="ambiguous-plugin", hint=f"write {names}")
        raise PluginError(f"there is no {role} {one_line(name)!r}", code="unknown-plugin", hint=self._hint(role, bare))

    def _hint(self, role: str, bare: str) -> str:
        others = [other for other in ROLES if (other, bare) in self._found and other != role]
        if others:
            return (
                f"{bare} is {'an' if others[0] == 'encoder' else 'a'} {others[0]}, and stands elsewhere in a pipeline"
            )
        return did_you_mean(bare, [key[1] for key in self._found if key[0] == role]) or "tonearm plugins lists all"


def _offered(origin: str, name: object, recipe: object) -> Offered:
    if not (isinstance(name, str) and NAME.fullmatch(name)):
        raise ValueError("no name for a dialect; lower case letters, digits and single hyphens are")
    if not isinstance(recipe, (MelDialect, Mapping)):
        raise TypeError(f"it is {type(recipe).__name__}, neither a MelDialect nor a mapping of its figures")
    return Offered(origin, name, recipe)


def installed() -> Iterator[Offer]:
    """Yield every installed package that registers the entry point group ``tonearm``, the built-in one first."""
    points = sorted(entry_points(), key=lambda point: (not _is_builtin(point), point.name, point.package))
    taken: set[str] = set()
    for point in points:
        # Two packages may have chosen one name, or ours; the second is known by its distribution's.
        names = (point.name, point.package, f"{point.package}.{point.name}")
        free = (name for name in names if name not in taken and (name != BUILTIN or _is_builtin(point)))
        origin = next(free, "")
        taken.add(origin)
        yield Offer(origin=origin, load=point.load, package=f"{point.package} {point.version}".rstrip())


def _is_builtin(point: EntryPoint) -> bool:
    return point.name == BUILTIN and point.package == PROJECT


@functools.cache
def default() -> Registry:
    """Return the registry of what is installed."""
    return Registry(installed())
