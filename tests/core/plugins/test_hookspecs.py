"""The hook specs: one hook for each role, and one for each class of named structs."""

import pluggy
import pytest

from tonearm.api import LinearRecipe, MelDialect, TokenLayout
from tonearm.plugins import hookspecs
from tonearm.plugins.discovery import PROJECT
from tonearm.plugins.hookspecs import HOOKS, NAMED_HOOKS, hookimpl
from tonearm.plugins.registry import ROLES


def manager():
    made = pluggy.PluginManager(PROJECT)
    made.add_hookspecs(hookspecs)
    return made


def test_there_is_a_hook_for_each_role_and_one_for_each_class_of_named_structs():
    assert set(HOOKS.values()) == set(ROLES)
    for name in (*HOOKS, *NAMED_HOOKS):
        assert getattr(manager().hook, name).spec is not None


def test_each_class_of_named_structs_has_its_hook():
    assert {MelDialect.hook, LinearRecipe.hook, TokenLayout.hook} == set(NAMED_HOOKS)


def test_an_implementation_is_found_by_its_mark():
    class Marked:
        @hookimpl
        def tonearm_decoders(self):
            return {"acme-reader": "acme:Reader"}

    class Unmarked:
        def tonearm_decoders(self):
            return {}

    made = manager()
    made.register(Marked())
    made.register(Unmarked())
    assert made.hook.tonearm_decoders() == [{"acme-reader": "acme:Reader"}]


def test_a_hook_that_takes_arguments_is_refused():
    class Asking:
        @hookimpl
        def tonearm_encoders(self, config):
            return {}

    with pytest.raises(pluggy.PluginValidationError):
        manager().register(Asking())
