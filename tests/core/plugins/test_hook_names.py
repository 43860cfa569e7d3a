"""Names of hooks: near-misses are found, and nothing else is taken for a hook."""

import types

import pytest

from tonearm.api import hookimpl
from tonearm.plugins import hookspecs
from tonearm.plugins.hook_names import ignored_hooks

KNOWN = ("tonearm_decoders", "tonearm_transforms", "tonearm_dialects")


def found(code):
    module = types.ModuleType("tonearm_bad")
    exec(code, vars(module) | {"hookimpl": hookimpl}, vars(module))
    return [(one.message, one.hint) for one in ignored_hooks(module, KNOWN)]


@pytest.mark.parametrize("name", ["tonearm_decoder", "tonearm_decodres", "tonearm_Decoders", "tonearm_decoderz"])
@pytest.mark.parametrize("marked", [True, False])
def test_a_near_miss(name, marked):
    code = f"{'@hookimpl' if marked else ''}\ndef {name}(): return {{}}"
    assert found(code) == [(f"there is no hook {name!r}", "did you mean 'tonearm_decoders'?")]


def test_a_hook_of_another_version():
    assert found("@hookimpl\ndef tonearm_smells(): ...") == [
        ("there is no hook 'tonearm_smells'", f"hooks: {', '.join(KNOWN)}")
    ]


def test_a_helper_that_is_marked():
    assert found("@hookimpl\ndef helper(): ...") == [("there is no hook 'helper'", f"hooks: {', '.join(KNOWN)}")]


def test_a_second_name_of_a_hook_is_no_mistake():
    assert found("@hookimpl\ndef tonearm_decoders(): ...\n_old = tonearm_also = tonearm_decoders") == []


def test_the_decorator_is_forgotten():
    assert found("def tonearm_decoders(): return {}") == [
        ("tonearm_decoders is not marked with @hookimpl, so it is never called",
         "put @hookimpl on the line above it"),
    ]  # fmt: skip


def test_a_specname_counts_in_place_of_the_functions_name():
    assert found("@hookimpl(specname='tonearm_decoders')\ndef tonearm_more(): ...") == []
    ((message, hint),) = found("@hookimpl(specname='tonearm_decoder')\ndef tonearm_decoders(): ...")
    assert (message, hint) == ("there is no hook 'tonearm_decoder'", "did you mean 'tonearm_decoders'?")


def test_what_is_no_function_or_another_name():
    assert (
        found("import types as tonearm_types\ntonearm_decoder = 3\nclass tonearm_Class: ...\ndef decoders(): ...") == []
    )
    assert list(ignored_hooks(hookspecs, KNOWN)) == []


def test_methods_of_an_object():
    class Hooks:
        def tonearm_decoders(self):
            return {}

    assert [one.name for one in ignored_hooks(Hooks(), KNOWN)] == ["tonearm_decoders"]
