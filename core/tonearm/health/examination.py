"""The examination: diagnoses of packages and plugins by tonearm itself, and those that plugins add."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tonearm.errors import one_line
from tonearm.errors.literals import all_of
from tonearm.errors.text import counted
from tonearm.health.imports import failing_imports
from tonearm.health.packages import Dependency, dependencies, missing_package
from tonearm.plugins.diagnosis import Diagnosis, State
from tonearm.plugins.hookspecs import DIAGNOSES
from tonearm.plugins.registry import PluginError, Registry, as_plugin_error
from tonearm.plugins.requirements import Requirement

BASE, OPTIONAL, PLUGINS, NEEDS = "packages", "optional packages", "plugins", "plugins that need more"
"""Groups of diagnoses that are tonearm's own."""


def examine(registry: Registry, *, imports: bool = False) -> Iterator[Diagnosis]:
    """Yield what plugins find, then the plugins themselves, and the packages.

    Parameters
    ----------
    registry
        Registry of plugins.
    imports
        Whether optional packages are imported, too, each of which may take seconds. By default, their metadata counts.
    """
    yield from plugin_diagnoses(registry)
    yield from _plugins(registry)
    yield from _needs(registry)
    yield from _packages(dependencies(), imports=imports)


def plugin_diagnoses(registry: Registry) -> Iterator[Diagnosis]:
    """Yield what packages of plugins find. One that fails to examine the machine is a diagnosis of its own."""
    for package, function in registry.hooks(DIAGNOSES):
        label = one_line(package.label)
        try:
            with as_plugin_error(f"{DIAGNOSES} of {label}"):
                yield from _checked(function())
        except PluginError as error:
            cause = error.__cause__
            needed = missing_package(cause) if isinstance(cause, ModuleNotFoundError) else ""
            hint = f"pip install {needed}" if needed else error.hint
            yield Diagnosis(group=PLUGINS, subject=label, state="broken", reason=error.message, hint=hint)


def _checked(found: object) -> Iterator[Diagnosis]:
    for one in found if isinstance(found, Iterable) else [found]:
        if not isinstance(one, Diagnosis):
            raise TypeError(f"it gives {type(one).__name__}, not Diagnosis")
        yield one


def _plugins(registry: Registry) -> Iterator[Diagnosis]:
    """Yield the packages that register plugins, and the problems with them and with single plugins."""
    counts: dict[str, int] = {}
    problems = list(registry.problems)
    for entry in registry.entries():
        try:
            entry.resolve()
        except PluginError as error:
            problems.append(error.problem)
        else:
            counts[entry.package.label] = counts.get(entry.package.label, 0) + 1
    for label, count in counts.items():
        yield Diagnosis(group=PLUGINS, subject=one_line(label), found=counted(count, "plugin"))
    for problem in problems:
        state: State = "broken" if problem.code == "broken-plugin" else "slower"
        subject, _, reason = problem.message.partition(" is disabled: ")
        yield Diagnosis(
            group=PLUGINS, subject=subject, state=state, reason=reason or "it is not used", hint=problem.hint
        )


def _needs(registry: Registry) -> Iterator[Diagnosis]:
    """Yield the plugins that need packages or programs beyond those of each installation."""
    for entry in registry.entries():
        try:
            needs: Sequence[Any] = entry.resolve().requires
        except PluginError:
            continue
        if known := [need for need in needs if isinstance(need, Requirement)]:
            yield _need(registry.short_name(entry), known)


def _need(name: str, needs: Sequence[Requirement]) -> Diagnosis:
    absent = [need for need in needs if not need.is_met()]
    if not absent:
        return Diagnosis(group=NEEDS, subject=name, found=all_of([need.what for need in needs]))
    reason = f"{all_of([need.what for need in absent])} {'is' if len(absent) == 1 else 'are'} not installed"
    return Diagnosis(group=NEEDS, subject=name, state="absent", reason=reason, hint=absent[0].hint)


def _packages(found: Sequence[Dependency], *, imports: bool) -> Iterator[Diagnosis]:
    tried = [one.use.module for one in found if one.installed and (imports or not one.extras)]
    failing = failing_imports(tried)
    if not found:
        reason = "tonearm is not installed as a package, so nothing tells which packages it needs"
        yield Diagnosis(group=BASE, subject="tonearm", state="slower", reason=reason, hint="pip install tonearm")
    for one in found:
        yield _package(one, failing.get(one.use.module, ""))


def _package(one: Dependency, failure: str) -> Diagnosis:
    group, purpose = OPTIONAL if one.extras else BASE, one.use.purpose
    if not one.installed:
        state: State = "absent" if one.extras else "missing"
        return Diagnosis(group=group, subject=one.name, state=state, use=purpose, hint=one.install_line)
    reason = hint = ""
    if failure:
        reason, hint = one_line(failure, 200), f"pip install --force-reinstall --no-deps {one.name}"
    elif one.is_old:
        reason, hint = f"{one.at_least} or newer is needed", f"pip install -U '{one.name}>={one.at_least}'"
    return Diagnosis(
        group=group,
        subject=one.name,
        state="broken" if reason else "ok",
        found=one.installed,
        use=purpose,
        reason=reason,
        hint=hint,
    )
