"""Plugins in the options of plugins: found to any depth, pickled, and shown as plain data."""

import enum
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest
from core_toys import Same, registry_of

from tonearm.api import Meta, NoOptions, Transform, Waveform
from tonearm.plugins.nested import nested_plugins, plain_options, plain_value, plugin_identity
from tonearm.plugins.plugin import BESIDE


@dataclass(frozen=True, kw_only=True)
class ChainOptions:
    first: Transform[Waveform, Waveform, Any] | None = None
    more: list[Transform[Waveform, Waveform, Any]] = field(default_factory=list)
    named: dict[str, Transform[Waveform, Waveform, Any]] = field(default_factory=dict)
    level: float = 1.0


class Chain(Transform[Waveform, Waveform, ChainOptions]):
    def apply(self, signal, context):
        for step in filter(None, (self.options.first, *self.options.more, *self.options.named.values())):
            signal = step.apply(signal, context)
        return signal


@dataclass(frozen=True, kw_only=True)
class FlatOptions:
    way: Annotated[Transform[Any, Any, Any] | None, Meta(extra={BESIDE: True})] = None
    count: int = 2


class Flat(Transform[Waveform, Waveform, FlatOptions]):
    def apply(self, signal, context): ...


class Colour(enum.Enum):
    RED = "red"


REGISTRY = registry_of(transforms={"chain": Chain, "flat": Flat})


def bound(name, options=None):
    return REGISTRY.find("transform", name).bind(options or NoOptions(), name)


def names(plugin):
    return [one.registered.name for one in nested_plugins(plugin)]


def test_they_are_found_to_any_depth_inner_ones_first():
    inner = bound("chain", ChainOptions(more=[bound("same")]))
    outer = bound("chain", ChainOptions(first=inner, named={"a": bound("flat", FlatOptions(way=bound("join")))}))
    assert names(outer) == ["same", "chain", "join", "flat"]
    assert names(bound("same")) == []


def test_a_pickled_plugin_keeps_options_and_identity_but_nothing_that_it_has_prepared():
    plugin = bound("chain", ChainOptions(first=bound("same"), level=0.5))
    plugin.session = lambda: None  # cannot be pickled
    copied = pickle.loads(pickle.dumps(plugin))
    assert (type(copied), copied.options.level, copied.registered) == (Chain, 0.5, plugin.registered)
    assert type(copied.options.first) is Same
    assert copied.options.first.registered.full_name == "toys/same"
    assert not hasattr(copied, "session")


def test_options_as_plain_data():
    same = {"use": "same", "package": "tonearm_toys 1.2", "with": {}}
    made = plain_options(ChainOptions(first=bound("same"), more=[bound("same")]))
    assert made == {"first": same, "more": [same], "named": {}, "level": 1.0}
    assert plain_options(FlatOptions(way=bound("chain", ChainOptions()))) == {
        "way": "chain", "first": None, "more": [], "named": {}, "level": 1.0, "count": 2,
    }  # fmt: skip


def test_the_class_is_the_identity_of_a_plugin_that_the_host_has_not_bound():
    assert plugin_identity(bound("same")).full_name == "toys/same"
    assert plugin_identity(Same(NoOptions())).full_name == "core_toys:Same"
    assert plain_value(Same(NoOptions())) == {"use": "core_toys:Same", "package": "", "with": {}}


def test_values_as_plain_data():
    assert plain_value({"a": (Path("x/y"), Colour.RED, 1)}) == {"a": ["x/y", "red", 1]}
    with pytest.raises(NotImplementedError, match="complex"):
        plain_value(1j)
