"""The reading of values by the types of options: unions, lists, dicts and records."""

from __future__ import annotations

import re
import typing
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from tonearm.errors import one_line
from tonearm.pipeline.option_messages import add_bad_value, shown_value
from tonearm.pipeline.option_scalars import (
    expected,
    in_folder,
    is_named,
    is_scalar,
    missing_file,
    scalar_value,
    takes,
    takes_list,
)
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.yaml.nodes import MappingEntry, MappingNode, Mark, Node, ScalarNode, SequenceNode, to_plain
from tonearm.plugins.option_types import (
    alternatives,
    bare,
    choices,
    container,
    is_mapping,
    is_plain,
    is_plugin,
    is_record,
    names_file,
)
from tonearm.plugins.options import Option, PluginType, declared_options, plugin_type
from tonearm.plugins.plugin import BY_USER, FROM_PYTHON, Plugin
from tonearm.recipes.catalogue import N


def is_null(node: Node) -> bool:
    """Return whether a node is an empty value."""
    return isinstance(node, ScalarNode) and node.value is None


class ValueReader(ABC):
    """Reads values by the types of options, and adds all problems.

    Parameters
    ----------
    problems
        Collection of problems to add to.
    """

    def __init__(self, problems: Problems) -> None:
        self.problems = problems

    @abstractmethod
    def read(self, cls: type[Any], given: Mapping[str, MappingEntry], mark: Mark | None, owner: str) -> Any:
        """Return an instance of a dataclass or struct, or None if there are problems."""

    @abstractmethod
    def plugin(self, option: Option, kind: PluginType, node: Node, owner: str) -> Plugin[Any] | None:
        """Return a plugin that is the value of an option, or None if there are problems."""

    @abstractmethod
    def named(self, cls: type[N], option: Option, node: Node, owner: str) -> N | None:
        """Return a named struct, or None if there are problems."""

    def value(self, option: Option, node: Node, owner: str) -> Any:
        """Return the value of an option, and add its problems."""
        if BY_USER in option.extra and node.mark is not None and not node.mark.assignment:
            message = f"{owner}: '{option.name}' is not for a pipeline's file, which may come from somebody else"
            hint = f"leave {option.name} out, and give {option.extra[BY_USER]} to the command"
            self.problems.add(node.mark, "user-only", message, hint)
        if FROM_PYTHON in option.extra:
            return self._object(option, node, owner)
        return self._of_type(option.type, option, node, owner)

    def _object(self, option: Option, node: Node, owner: str) -> Any:
        """Return the object that Python has given for an option."""
        if isinstance(node, ScalarNode) and (node.value is None or not isinstance(node.value, str | int | float)):
            return node.value
        message = f"{owner}: '{option.name}' is an object, which only Python can give"
        self.problems.add(node.mark, "bad-option", message, option.extra[FROM_PYTHON])
        return None

    def _of_type(self, hint: Any, option: Option, node: Node, owner: str) -> Any:
        """Return the value of a type in the type of an option, and add its problems."""
        offered = alternatives(hint)
        if is_plain(hint):
            try:
                return msgspec.convert(to_plain(node), hint, strict=True)
            except msgspec.ValidationError as error:
                if isinstance(node, ScalarNode) and sum(one is not type(None) for one in offered) > 1:
                    return self._misfit(hint, option, node, owner)
                before = len(self.problems.found)
                if isinstance(node, MappingNode) and any(map(is_mapping, offered)):
                    self._mapping(hint, option, node, owner)  # names the values that are wrong
                if len(self.problems.found) == before:
                    add_bad_value(self.problems, owner, option, node, str(error), _fitting(option, node))
                return None
        if is_null(node) and type(None) in offered:
            return None
        if isinstance(node, ScalarNode):
            return self._scalar(hint, option, node, owner)
        if isinstance(node, SequenceNode):
            lists = [one for one in offered if container(one) is not None and not is_mapping(one)]
            if lists:
                return self._list(lists[0], option, node, owner)
        if isinstance(node, MappingNode):
            return self._mapping(hint, option, node, owner)
        return self._misfit(hint, option, node, owner)

    def _scalar(self, hint: Any, option: Option, node: ScalarNode, owner: str) -> Any:
        """Return the value of the first alternative of a type that takes a scalar, or that knows a name."""
        reasons = []
        by_name = [one for one in alternatives(hint) if is_plugin(one) or is_named(one)]
        folder = self.problems.folder if node.mark and not node.mark.assignment else ""
        for one in filter(is_scalar, alternatives(hint)):
            if by_name and bare(one) is str:
                continue
            try:
                value = in_folder(one, scalar_value(one, node.value), folder)
            except msgspec.ValidationError as error:
                reasons.append((one, str(error)))
                continue
            if names_file(one, value):
                self.problems.paths.add(id(node))
            if (name := missing_file(one, value)) is not None:
                shown = one_line(node.text) if node.variables else name
                self.problems.add(node.mark, "no-such-file", f"{owner}: there is no file {shown}")
            return value
        if by_name and (isinstance(node.value, str) or not reasons):
            return self._by_name(by_name[0], option, node, owner)
        return self._misfit(hint, option, node, owner, reasons)

    def _list(self, hint: Any, option: Option, node: SequenceNode, owner: str) -> Any:
        """Return a list of values."""
        inner = bare(hint)
        parts = typing.get_args(inner) or (Any,)
        if container(hint) is tuple and parts[-1] is not ...:
            if len(parts) != len(node.items):
                reason = f"Expected `array` of length {len(parts)}"
                add_bad_value(self.problems, owner, option, node, reason)
                return None
        else:
            parts = parts[:1] * len(node.items)
            try:
                metas = typing.get_args(hint)[1:] if hint is not inner else ()
                counted: Any = typing.Annotated[(list[Any], *metas)] if metas else list[Any]
                msgspec.convert([None] * len(node.items), counted)
            except msgspec.ValidationError as error:
                add_bad_value(self.problems, owner, option, node, str(error))
                return None
        values = [self._of_type(part, option, item, owner) for part, item in zip(parts, node.items, strict=True)]
        make = container(hint)
        return make(values) if make in (tuple, set, frozenset) else values

    def _mapping(self, hint: Any, option: Option, node: MappingNode, owner: str) -> Any:
        """Return the plugin, record or dict of a type that a mapping stands for."""
        offered = alternatives(hint)
        whose = f"{owner}: {option.name}"
        plugins = list(filter(is_plugin, offered))
        records = list(filter(is_record, offered))
        dicts = list(filter(is_mapping, offered))
        if plugins and ("use" in node.entries or not (records or dicts)):
            return self._by_name(plugins[0], option, node, owner)
        if records:
            cls = bare(_most_alike(records, node.entries))
            return (
                self.named(cls, option, node, whose)
                if is_named(cls)
                else self.read(cls, node.entries, node.mark, whose)
            )
        if dicts:
            names, values = typing.get_args(bare(dicts[0])) or (str, Any)
            found = {}
            for name, entry in node.entries.items():
                key = self._of_type(names, option, ScalarNode(name, name, quoted=True, mark=entry.key_mark), owner)
                inner = msgspec.structs.replace(option, name=f"{option.name}.{one_line(name)}", type=values)
                found[key] = self._of_type(values, inner, entry.node, owner)
            return found
        return self._misfit(hint, option, node, owner)

    def _by_name(self, hint: Any, option: Option, node: Node, owner: str) -> Any:
        """Return the plugin or the named struct that a node names."""
        kind = plugin_type(hint)
        return (
            self.plugin(option, kind, node, owner)
            if kind
            else self.named(bare(hint), option, node, f"{owner}: {option.name}")
        )

    def _misfit(
        self, hint: Any, option: Option, node: Node, owner: str, reasons: Iterable[tuple[Any, str]] = ()
    ) -> None:
        """Add the problem of a value that no alternative of a type takes."""
        message = f"{owner}: '{option.name}' is {one_line(shown_value(node))}"
        others, found = expected(hint, reasons), choices(hint)
        if found and isinstance(node, ScalarNode):
            hint_text = f"one of {', '.join(found)}" + "".join(f", or {other}" for other in others)
            self.problems.add(node.mark, "bad-option", message, hint_text)
            return
        others += [f"one of {', '.join(found)}"] if found else []
        self.problems.add(node.mark, "bad-option", f"{message}; expected {' or '.join(others)}", option.description)


def _fitting(option: Option, node: Node) -> Any:
    """Return the value that a text stands for, or None.

    It is a list for ``batch,time``, 48000 for ``48 kHz``, and a choice for one in other letters, as ``pcm24``.
    """
    if not isinstance(node, ScalarNode) or node.variables or not node.text:
        return None
    offered: list[Any] = []
    if takes_list(option.type):
        parts = re.split(r"\s*,\s*|\s+", node.text.strip("()[] "))
        numbers = [int(part) for part in parts if part.removeprefix("-").isdecimal()]
        offered = [parts, *([numbers] if len(numbers) == len(parts) else [])]
    if number := re.fullmatch(r"(?i)(\d{1,6}|\d{1,3}(?:[,_]\d{3})+|\d{1,6}\.\d{1,3})\s*(k?)(?:hz|bps|b?)", node.text):
        value = float(re.sub("[,_]", "", number[1]))
        values = [value * 1000, value] if number[2] else [value]
        if choices(option.type):  # those of bit rates are in thousands
            values.append(value / 1000)
        offered += [round(one) for one in values if abs(one - round(one)) < 1e-6]
    offered += [one for one in choices(option.type) if _letters(one) == _letters(node.text)]
    return next((one for one in offered if takes(option.type, one)), None)


def _letters(text: str) -> str:
    """Return letters and digits of a text, in lower case."""
    return re.sub(r"[\W_]", "", text).lower()


def _most_alike(records: list[Any], given: Iterable[str]) -> Any:
    """Return the type whose options are most like those that are given."""

    def differing(hint: Any) -> int:
        known = declared_options(bare(hint))
        missing = (name for name, option in known.items() if option.required and name not in given)
        return sum(name not in known for name in given) + sum(1 for _ in missing)

    return min(records, key=differing)


def marks_of(given: Mapping[str, MappingEntry]) -> Iterator[tuple[str, Mark | None]]:
    """Yield the place of each option, and of each value in an option that is a mapping: ``tags`` and ``tags.title``."""
    for name, entry in given.items():
        yield name, entry.node.mark
        if isinstance(entry.node, MappingNode):
            for key, inner in entry.node.entries.items():
                yield f"{name}.{key}", inner.node.mark
