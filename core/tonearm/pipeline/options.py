"""The options of a plugin: declared once as a dataclass, and checked field by field to report all problems at once."""

from __future__ import annotations

import dataclasses
import functools
import operator
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import msgspec

from tonearm.errors import GiveOption, OptionError, did_you_mean, one_line
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.yaml.nodes import (
    MappingEntry,
    MappingNode,
    Mark,
    Node,
    ScalarNode,
    SequenceNode,
    node_type,
    to_plain,
)
from tonearm.plugins.plugin import NAMES_FILE
from tonearm.recipes.mel import Catalogue, MelDialect


class Option(msgspec.Struct, frozen=True):
    """One option, as declared by its dataclass.

    Parameters
    ----------
    name
        Name of the option.
    type
        Type that msgspec converts values to, with its bounds.
    default
        Default value; `dataclasses.MISSING` if the option is required.
    description
        Description from the ``Meta`` of the type.
    extra
        Other properties from the ``Meta`` of the type: see `tonearm.plugins.plugin`.
    """

    name: str
    type: Any
    default: Any
    description: str
    extra: Mapping[str, Any] = {}

    @property
    def required(self) -> bool:
        """Whether the option is required."""
        return self.default is dataclasses.MISSING


def declared_options(options: type[Any]) -> Mapping[str, Option]:
    """Return the options that a dataclass or struct declares, in order.

    Raises
    ------
    TypeError
        If a field has a type that msgspec cannot check.
    """
    return _declared(typing.cast("Any", options))


@functools.cache
def _declared(options: Any) -> Mapping[str, Option]:
    hints = typing.get_type_hints(options, include_extras=True)
    found = {}
    for name, default in _defaults(options):
        hint, description = _bounds_inside(hints[name])
        found[name] = Option(name, hint, default, description, _extra_of(hints[name]))
    return found


def _defaults(options: Any) -> Iterator[tuple[str, Any]]:
    """Yield each field of a dataclass or struct with its default."""
    if not dataclasses.is_dataclass(options):
        for field in msgspec.structs.fields(options):
            yield field.name, dataclasses.MISSING if field.required else field.default
        return
    for one in dataclasses.fields(options):
        if one.init:
            yield one.name, one.default if one.default_factory is dataclasses.MISSING else one.default_factory()


def _bounds_inside(hint: Any) -> tuple[Any, str]:
    """Return a type with its bounds moved to where msgspec accepts them, and its description.

    msgspec accepts ``Annotated[int, Meta(ge=1)] | None``, but not ``Annotated[int | None, Meta(ge=1)]``. Options may
    use both forms.
    """
    if typing.get_origin(hint) is not Annotated:
        return hint, ""
    inner, *metas = typing.get_args(hint)
    description = next((meta.description for meta in metas if isinstance(meta, msgspec.Meta) and meta.description), "")
    if typing.get_origin(inner) in (typing.Union, types.UnionType) and type(None) in typing.get_args(inner):
        parts = [part for part in typing.get_args(inner) if part is not type(None)]
        rest = functools.reduce(operator.or_, parts)
        bounded: Any = operator.getitem(typing.cast("Any", Annotated), (rest, *metas))
        return bounded | None, description
    return hint, description


def _extra_of(hint: Any) -> dict[str, Any]:
    """Return the extra properties of a type, and of the types in it."""
    extra: dict[str, Any] = {}
    for part in typing.get_args(hint):
        extra |= (part.extra or {}) if isinstance(part, msgspec.Meta) else _extra_of(part)
    return extra


def read_options(
    options: type[Any],
    node: Node | None,
    mark: Mark | None,
    plugin: str,
    problems: Problems,
    dialects: Callable[[], Catalogue] = Catalogue,
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
    dialects
        Function that returns all dialects by name.
    """
    if isinstance(node, MappingNode):
        given = node.entries
    elif node is None or (isinstance(node, ScalarNode) and node.value is None):
        given = {}
    else:
        problems.add(node.mark, "bad-option", f"{plugin}: 'with' is a mapping of options", "with: {name: value}")
        return None
    return _Reader(problems, dialects).read(options, given, mark, plugin)


class _Reader:
    """Reads mappings into dataclasses and structs, and adds all problems.

    Parameters
    ----------
    problems
        Collection of problems to add to.
    dialects
        Function that returns all dialects by name.
    """

    def __init__(self, problems: Problems, dialects: Callable[[], Catalogue]) -> None:
        self.problems = problems
        self.dialects = dialects

    def read(
        self, cls: type[Any], given: Mapping[str, MappingEntry], mark: Mark | None, owner: str, base: Any = None
    ) -> Any:
        """Return an instance, or None if there are problems; with ``base``, a changed copy of it."""
        known = declared_options(cls)
        before = len(self.problems.found)
        values = {}
        for name, entry in given.items():
            if name in known:
                values[name] = self._value(known[name], entry.node, owner)
                continue
            hint = did_you_mean(name, known) or (f"its options are {', '.join(known)}" if known else "it has none")
            self.problems.add(entry.key_mark, "unknown-option", f"{owner} has no option {one_line(name)!r}", hint)
        for name, option in known.items():
            if option.required and name not in given and base is None:
                remedy = GiveOption(name, option.description)
                self.problems.add(mark, "missing-option", f"{owner}: '{name}' is missing", remedies=(remedy,))
        if len(self.problems.found) > before:
            return None
        marks = {name: entry.node.mark for name, entry in given.items()}
        make = cls if base is None else functools.partial(msgspec.structs.replace, base)
        return _build(make, values, marks, mark, owner, self.problems)

    def _value(self, option: Option, node: Node, owner: str) -> Any:
        """Return the value of an option, and add its problems."""
        one, many = _record_of(option.type)
        if one is MelDialect and not (isinstance(node, ScalarNode) and node.value is None):
            return self._dialect(option, node, f"{owner}: {option.name}")
        if one and isinstance(node, MappingNode):
            return self.read(one, node.entries, node.mark, f"{owner}: {option.name}")
        if many and isinstance(node, SequenceNode) and all(isinstance(item, MappingNode) for item in node.items):
            items = (item for item in node.items if isinstance(item, MappingNode))
            return tuple(self.read(many, item.entries, item.mark, f"{owner}: {option.name}") for item in items)
        try:
            value = msgspec.convert(to_plain(node), option.type, strict=True)
        except msgspec.ValidationError as error:
            _add_bad_value(self.problems, owner, option, node, str(error))
            return None
        if option.extra.get(NAMES_FILE):
            for name in _missing_files(value):
                self.problems.add(node.mark, "no-such-file", f"{owner}: there is no file {one_line(name)}")
        return value

    def _dialect(self, option: Option, node: Node, owner: str) -> MelDialect | None:
        """Return a dialect, given by name, as ``{base: NAME, …}`` with changes, or by all figures."""
        if isinstance(node, ScalarNode) and isinstance(node.value, str):
            return self._named(node, node.value, owner)
        if not isinstance(node, MappingNode):
            self.problems.add(
                node.mark, "bad-option", f"{owner} is {node_type(node)}, not a name or a mapping", option.description
            )
            return None
        entry = node.entries.get("base")
        rest = {name: inner for name, inner in node.entries.items() if name != "base"}
        if entry is None:
            found: MelDialect | None = self.read(MelDialect, rest, node.mark, owner)
            return found
        name = entry.node.value if isinstance(entry.node, ScalarNode) else None
        if not isinstance(name, str):
            self.problems.add(entry.node.mark, "bad-option", f"{owner}: 'base' is the name of a dialect")
            return None
        base = self._named(entry.node, name, owner)
        if base is None:
            return None
        changed: MelDialect | None = self.read(MelDialect, rest, node.mark, owner, base)
        return changed

    def _named(self, node: Node, name: str, owner: str) -> MelDialect | None:
        try:
            return self.dialects().find(name)
        except OptionError as error:
            self.problems.add_error(node.mark, error, whose=owner)
            return None


def _missing_files(value: Any) -> Iterator[str]:
    """Yield the files and folders that the value of an option names, and that do not exist."""
    from pathlib import Path

    names = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else [value]
    for name in names:
        if isinstance(name, str) and not Path(name).exists():
            yield name


def _record_of(hint: Any) -> tuple[type[Any] | None, type[Any] | None]:
    """Return the dataclass or struct of a type, and that of a list type; None if there is none."""
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, msgspec.Struct)):
        return hint, None
    if typing.get_origin(hint) in (tuple, list):
        return None, next((_record_of(part)[0] for part in typing.get_args(hint)), None)
    found = [_record_of(part) for part in typing.get_args(hint)]
    return next((one for one, _ in found if one), None), next((many for _, many in found if many), None)


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


def _add_bad_value(problems: Problems, plugin: str, option: Option, node: Node, reason: str) -> None:
    """Add the problem of an invalid value, in plainer words than those of msgspec."""
    inner = re.search(r" - at `\$\[(\d+)\]", reason)
    if inner and isinstance(node, SequenceNode):
        node = node.items[int(inner[1])]
    expected = re.sub(r" - at .*", "", reason).replace("`", "").replace(" | null", "").replace(" | ", " or ")
    shown = node_type(node)
    if isinstance(node, ScalarNode):
        shown = repr(node.value) if isinstance(node.value, str) else node.text or "empty"
    choices = _choices(option.type)
    if choices and isinstance(node, ScalarNode) and not expected.startswith("Expected array"):
        message = f"{plugin}: '{option.name}' is {one_line(shown)}"
        hint = f"one of {', '.join(choices)}"
    else:
        message = f"{plugin}: '{option.name}' is {one_line(shown)}; {_expected(expected)}"
        hint = option.description
    problems.add(node.mark, "bad-option", message, hint)


def _expected(reason: str) -> str:
    words = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text", "array": "a list"}
    reason = re.sub(r"\b(int|float|bool|str|array)\b", lambda found: words[found[0]], reason.partition(", got")[0])
    return reason[:1].lower() + reason[1:]


def _choices(hint: Any) -> list[str]:
    """Return the values of the Literal in a type."""
    if typing.get_origin(hint) is typing.Literal:
        return [str(value) for value in typing.get_args(hint)]
    return [choice for part in typing.get_args(hint) for choice in _choices(part)]


def takes_list(hint: Any) -> bool:
    """Return whether a type takes lists."""
    return typing.get_origin(hint) in (tuple, list) or any(takes_list(part) for part in typing.get_args(hint))
