"""The culprit of an exception: the innermost plugin on the traceback, also one in the options of another."""

from dataclasses import dataclass
from typing import Any

import pytest
from core_toys import Same

from tonearm.api import NoOptions, Transform, Waveform
from tonearm.plugins.culprit import blamed_name, culprit_of, foreign_in
from tonearm.plugins.plugin import PluginIdentity


class Fails(Same):
    def apply(self, signal, context):
        return self.help()

    def help(self):
        return helped()


def helped():
    raise ValueError


@dataclass(frozen=True)
class Within:
    step: Transform[Waveform, Waveform, Any] | None = None


class Outer(Transform[Waveform, Waveform, Within]):
    def apply(self, signal, context):
        return self.options.step.apply(signal, context)


def bound(cls, name, options=None):
    plugin = cls(options or NoOptions())
    plugin.registered = PluginIdentity(name, f"acme/{name}" if name != "own" else "builtin/own", "tonearm_acme 1.2")
    return plugin


def raised(plugin):
    with pytest.raises(ValueError) as caught:
        plugin.apply(None, None)
    return caught.value


def test_the_innermost_plugin_is_the_culprit():
    inner = bound(Fails, "inner")
    outer = bound(Outer, "outer", Within(inner))
    assert culprit_of(raised(outer)) is inner
    assert culprit_of(ValueError()) is None
    assert blamed_name("outer", outer, raised(outer)) == "outer: inner"
    assert blamed_name("outer: inner", outer, raised(outer)) == "outer: inner"
    assert blamed_name("inner", inner, raised(inner)) == "inner"


def test_a_class_that_is_not_bound_yet_is_no_culprit():
    assert culprit_of(raised(Fails(NoOptions()))) is None


def test_where_nobody_raised_anything_all_foreign_plugins_are_named():
    outer = bound(Outer, "outer", Within(bound(Same, "inner")))
    assert blamed_name("outer", outer, None) == "outer with inner"
    assert blamed_name("outer", bound(Outer, "outer", Within(bound(Same, "own"))), None) == "outer"
    assert blamed_name("outer", bound(Outer, "outer", Within()), None) == "outer"
    assert blamed_name("tonearm_acme 1.2", None, ValueError()) == "tonearm_acme 1.2"


def test_options_that_are_none():
    assert foreign_in(bound(Same, "x", options=3)) == []
