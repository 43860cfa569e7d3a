"""Options of a plugin as a remedy changes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonearm.errors import OptionError, RemoveOption, SetOption
from tonearm.names import BUILTIN
from tonearm.pipeline.document import from_plain
from tonearm.pipeline.options import read_value
from tonearm.plugins.options import Option, declared_options
from tonearm.plugins.plugin import IF_ABSENT, Plugin, restored_plugin
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import Registry


def changed_options(options: Any, remedy: SetOption | RemoveOption, registry: Registry, *, checked: bool = True) -> Any:
    """Return the options of a plugin after a remedy.

    Parameters
    ----------
    options
        Options; those of a decoder of arrays have the options of the kind in their option ``kind``.
    remedy
        Remedy that sets an option, or leaves one out.
    registry
        Registry of the kinds, and of the named structs that options name.
    checked
        Whether contradictions raise an error.

    Raises
    ------
    OptionError
        If the options contradict each other afterwards, or one does not exist.
    PluginError
        If there is no such kind.
    PipelineError
        If the value is wrong.
    """
    if isinstance(remedy, SetOption) and remedy.instead_of:
        options = changed_options(options, RemoveOption(remedy.instead_of), registry, checked=False)
    if isinstance(remedy, SetOption) and remedy.also:
        first, *others = (
            SetOption(name, value) for name, value in [(remedy.option, remedy.value), *remedy.also.items()]
        )
        for one in (first, *others[:-1]):
            options = changed_options(options, one, registry, checked=False)
        remedy = others[-1]
    own = _given(options)
    beside = next((option for option in declared_options(type(options)).values() if option.is_beside), None)
    if beside is None:
        own = _changed(own, remedy, declared_options(type(options)), registry)
        made = type(options)(**own)
        return _checked(made) if checked else made
    kind: Plugin[Any] = own.pop(beside.name)
    inner = _given(kind.options)
    if remedy.option == beside.name:
        name = beside.extra[IF_ABSENT] if isinstance(remedy, RemoveOption) else remedy.value
        kind = _bound(registry, kind.role, str(name), inner, declared_options(type(kind.options)))
    elif remedy.option in declared_options(type(options)):
        own = _changed(own, remedy, declared_options(type(options)), registry)
    else:
        if (implied := _implied(kind, remedy.option, beside, registry)) is not None:
            kind = _bound(registry, kind.role, implied, inner, declared_options(type(kind.options)))
            inner = _given(kind.options)
        inner = _changed(inner, remedy, declared_options(type(kind.options)), registry)
        kind = restored_plugin(type(kind), type(kind.options)(**inner), kind.registered)
    made = type(options)(**own, **{beside.name: kind})
    return _checked(made) if checked else made


def _given(options: Any) -> dict[str, Any]:
    """Return the options that differ from their defaults."""
    declared = declared_options(type(options))
    values = {name: getattr(options, name) for name in declared}
    return {
        name: value for name, value in values.items() if declared[name].is_beside or value != declared[name].default
    }


def _changed(given: dict[str, Any], remedy: Any, declared: Any, registry: Registry) -> dict[str, Any]:
    if isinstance(remedy, RemoveOption):
        return {name: value for name, value in given.items() if name != remedy.option}
    if remedy.option not in declared:
        raise OptionError(f"there is no option {remedy.option}", code="unknown-option")
    option = declared[remedy.option]
    return given | {remedy.option: read_value(option, from_plain(remedy.value), registry)}


def _implied(kind: Plugin[Any], name: str, beside: Option, registry: Registry) -> str | None:
    """Return the only kind that has an option, if the kind at hand is what stands for none and lacks it; else None."""
    if kind.registered.name != beside.extra.get(IF_ABSENT) or name in declared_options(type(kind.options)):
        return None
    having = [
        entry.name
        for entry in registry.entries(kind.role)
        if entry.origin == BUILTIN and name in declared_options(ports_of(entry.resolve()).options)
    ]
    return having[0] if len(having) == 1 else None


def _bound(registry: Registry, role: str, name: str, given: dict[str, Any], before: Mapping[str, Any]) -> Plugin[Any]:
    """Return a kind with those of the given options that it has.

    Options that only the kind before has are left out: they are the next problem, with a remedy of its own.
    """
    entry = registry.find(role, name)
    cls = ports_of(entry.resolve()).options
    declared = declared_options(cls)
    if unknown := [name for name in given if name not in declared and name not in before]:
        raise OptionError(f"there is no option {unknown[0]}", code="unknown-option")
    return entry.bind(cls(**{name: value for name, value in given.items() if name in declared}), name)


def _checked(options: Any) -> Any:
    """Return options without contradictions."""
    for problem in options.problems() if hasattr(options, "problems") else ():
        raise problem
    return options
