import sys
import types
from dataclasses import dataclass
from typing import Any

import pytest
from core_toys import NoOptions, RawWriter, Same, ToneReader, hooks, package_of, registry_of

from tonearm.api import Transform, Waveform, hookimpl
from tonearm.plugins.options import plugin_type
from tonearm.plugins.registry import PluginError, Registry

UPDATE = "update or uninstall the package that it comes from"


NAMES = "not a valid plugin name: use lower-case letters, digits, single hyphens"


GOOD = hooks(transforms={"same": Same})


def raising(error):
    def load():
        raise error

    return load


def module_of(code):
    """Import a module as a package's own code would be."""

    def load():
        found = types.ModuleType("tonearm_bad")
        exec(compile(code, "tonearm_bad.py", "exec", dont_inherit=True), vars(found))
        return found

    return load


PACKAGES = {
    "import error": (module_of("import no_such_module"), "ModuleNotFoundError: No module named 'no_such_module'"),
    "syntax error": (module_of("def ("), "SyntaxError: invalid syntax (tonearm_bad.py, line 1)"),
    "sys.exit": (module_of("import sys; sys.exit('no licence')"), "SystemExit: it calls sys.exit('no licence')"),
    "memory": (raising(MemoryError()), "MemoryError"),
    "recursion": (module_of("def f(): f()\nf()"), "RecursionError: maximum recursion depth exceeded"),
    "lines": (raising(ValueError("a\n\x1b[31mb")), r"ValueError: a\n\x1b[31mb"),
    "parameters": (
        module_of("from tonearm.api import *\n@hookimpl\ndef tonearm_decoders(config): return {}"),
        "PluginValidationError: Plugin 'bad' for hook 'tonearm_decoders'",
    ),
}


class TestPackages:
    @pytest.mark.parametrize("name", PACKAGES)
    def test_a_broken_one_is_set_aside_alone(self, name):
        load, reason = PACKAGES[name]
        found = Registry([package_of("bad", load=load), package_of("good", GOOD)])
        (problem,) = found.problems
        assert problem.code == "broken-plugin"
        assert problem.message.startswith(f"tonearm_bad 1.2 is disabled: {reason}")
        assert problem.message.isprintable()
        assert problem.hint == UPDATE
        assert [entry.full_name for entry in found.entries()] == ["good/same"]

    def test_the_order_of_loading_changes_nothing(self):
        load, _ = PACKAGES["parameters"]
        found = Registry(
            [
                package_of("good", GOOD),
                package_of("bad", load=load),
                package_of("other", hooks(encoders={"raw": RawWriter})),
            ]
        )
        assert len(found.problems) == 1
        assert [entry.full_name for entry in found.entries()] == ["good/same", "other/raw"]

    def test_a_hook_without_its_decorator(self):
        code = (
            "from tonearm.api import *\n@hookimpl\ndef tonearm_encoders(): return {}\ndef tonearm_decoders(): return {}"
        )
        found = Registry([package_of("bad", load=module_of(code)), package_of("good", GOOD)])
        (problem,) = found.problems
        assert (problem.code, problem.hint) == ("unknown-hook", "put @hookimpl on the line above it")
        assert problem.message == (
            "tonearm_decoders of tonearm_bad 1.2 is ignored:"
            " tonearm_decoders is not marked with @hookimpl, so it is never called"
        )

    @pytest.mark.parametrize(
        ("code", "names"),
        [
            ("@hookimpl\ndef tonearm_transfroms(): return {}", ["tonearm_transfroms"]),
            ("@hookimpl\ndef tonearm_smells(code): return {}", ["tonearm_smells"]),
            ("@hookimpl\ndef helper(): return {}", ["helper"]),
            ("_old = tonearm_encoders", []),
        ],
    )
    def test_a_function_that_is_no_hook_leaves_the_hooks_of_its_package_working(self, code, names):
        hook = "@hookimpl\ndef tonearm_encoders(): return {'raw': 'core_toys:RawWriter'}\n"
        found = Registry([package_of("bad", load=module_of(f"from tonearm.api import *\n{hook}{code}"))])
        assert [entry.full_name for entry in found.entries()] == ["bad/raw"]
        assert [(problem.code, problem.message.split()[0]) for problem in found.problems] == [
            ("unknown-hook", name) for name in names
        ]

    def test_one_that_implements_nothing(self):
        found = Registry([package_of("bad", types.ModuleType("empty")), package_of("good", GOOD)])
        (problem,) = found.problems
        assert problem.message == "tonearm_bad 1.2 is disabled: it implements no hook"
        assert "tonearm_decoders, tonearm_transforms, tonearm_encoders" in problem.hint
        assert len(list(found.entries())) == 1

    def test_ctrl_c_goes_through(self):
        with pytest.raises(KeyboardInterrupt):
            Registry([package_of("bad", load=raising(KeyboardInterrupt()))])
        with pytest.raises(KeyboardInterrupt):
            Registry([package_of("bad", hooks(decoders=raising(KeyboardInterrupt())))])

    def test_one_that_is_offered_twice_is_set_aside_the_second_time(self):
        found = Registry([package_of("one", GOOD), package_of("two", GOOD)])
        assert [entry.full_name for entry in found.entries()] == ["one/same"]
        assert found.problems[0].message.startswith("tonearm_two 1.2 is disabled: ValueError: ")


def generator():
    yield {}


RESULTS = {
    "raises": (raising(ZeroDivisionError("x")), "ZeroDivisionError: x"),
    "exits": (raising(SystemExit(3)), "SystemExit: it calls sys.exit(3)"),
    "none": (lambda: None, "TypeError: it returns NoneType, not a mapping from names to plugins"),
    "list": (lambda: [Same], "TypeError: it returns list, not a mapping from names to plugins"),
    "class": (lambda: Same, "TypeError: it returns ABCMeta, not a mapping from names to plugins"),
    "generator": (generator, "TypeError: it returns generator, not a mapping from names to plugins"),
}


class TestHooks:
    @pytest.mark.parametrize("name", RESULTS)
    def test_a_broken_one_leaves_the_packages_others(self, name):
        function, reason = RESULTS[name]
        found = Registry([package_of("bad", hooks(transforms=function, encoders={"raw": RawWriter}))])
        (problem,) = found.problems
        assert problem.message == f"tonearm_transforms of tonearm_bad 1.2 is disabled: {reason}"
        assert problem.hint == UPDATE
        assert [entry.name for entry in found.entries()] == ["raw"]

    @pytest.mark.parametrize(
        "name", ["Same", "same_", "same--two", "-same", "same-", "1same", "", "a/b", "sämé", "same\n", 3, None]
    )
    def test_a_bad_name_leaves_the_others(self, name):
        found = Registry([package_of("bad", hooks(transforms={name: Same, "same": Same}))])
        (problem,) = found.problems
        assert problem.message == (
            f"{name!r} in tonearm_transforms of tonearm_bad 1.2 is disabled: ValueError: {NAMES}"
        )
        assert [entry.name for entry in found.entries()] == ["same"]

    @pytest.mark.parametrize("value", [None, 3, Same(NoOptions()), [Same]])
    def test_a_wrong_value_leaves_the_others(self, value):
        found = Registry([package_of("bad", hooks(transforms={"x": value, "same": Same}))])
        (problem,) = found.problems
        assert problem.message == (
            "'x' in tonearm_transforms of tonearm_bad 1.2 is disabled:"
            f" TypeError: it is {type(value).__name__}, neither a class nor 'module:Class'"
        )
        assert [entry.name for entry in found.entries()] == ["same"]

    def test_two_implementations_of_one_hook_are_both_heard(self):
        class Two:
            @staticmethod
            @hookimpl
            def tonearm_transforms():
                return {"one": Same}

            @staticmethod
            @hookimpl(specname="tonearm_transforms")
            def more():
                return {"two": Same}

        found = Registry([package_of("acme", Two)])
        assert [entry.name for entry in found.entries()] == ["one", "two"]

    def test_a_wrapper_is_no_hook_of_ours(self):
        @hookimpl(wrapper=True)
        def tonearm_transforms():
            return (yield)

        found = Registry([package_of("bad", types.SimpleNamespace(tonearm_transforms=tonearm_transforms))])
        assert "it returns generator" in found.problems[0].message


class Open(Transform):
    def apply(self, signal, context): ...


class OpenSignal(Transform[int, Waveform, NoOptions]):
    def apply(self, signal, context): ...


class NoDataclass(Transform[Waveform, Waveform, dict]):
    def apply(self, signal, context): ...


class Plain:
    pass


TARGETS = {
    "no module": ("no_such_module:X", "ModuleNotFoundError: No module named 'no_such_module'"),
    "no class": ("core_toys:Nothing", "AttributeError: module 'core_toys' has no attribute 'Nothing'"),
    "no colon": ("core_toys", "ValueError: 'core_toys' is not of the form 'module:Class'"),
    "empty": ("", "ValueError: '' is not of the form 'module:Class'"),
    "half": ("core_toys:", "ValueError: 'core_toys:' is not of the form 'module:Class'"),
    "relative": (".toys:X", "TypeError: the 'package' argument is required to perform a relative import"),
    "no plugin": (Plain, "TypeError: <class 'test_registry.Plain'> is not a transform class"),
    "a function": ("core_toys:item", "TypeError: <function item at"),
    "wrong role": (ToneReader, "TypeError: <class 'core_toys.ToneReader'> is not a transform class"),
    "open generics": (Open, "TypeError: Open: Transform needs 3 arguments in brackets"),
    "no signal": (OpenSignal, "TypeError: OpenSignal: a port is a Signal class, not <class 'int'>"),
    "no dataclass": (
        NoDataclass,
        "TypeError: NoDataclass: the class of its options is a dataclass, not <class 'dict'>",
    ),
    "root": (Transform, "TypeError: Transform: the class of its options is a dataclass, not ~Opts"),
}


class TestResolving:
    @pytest.mark.parametrize("name", TARGETS)
    def test_what_is_no_plugin(self, name):
        target, reason = TARGETS[name]
        entry = registry_of(transforms={"x": target}).find("transform", "x")
        with pytest.raises(PluginError) as caught:
            entry.resolve()
        start = f"transform 'x' of tonearm_toys 1.2 is disabled: {reason}".replace("test_registry.", __name__ + ".")
        assert caught.value.message.startswith(start)
        assert caught.value.hint == UPDATE

    def test_exit_while_importing(self, tmp_path, monkeypatch):
        (tmp_path / "tonearm_exits.py").write_text("raise SystemExit(7)")
        monkeypatch.syspath_prepend(tmp_path)
        entry = registry_of(transforms={"x": "tonearm_exits:X"}).find("transform", "x")
        with pytest.raises(PluginError, match=r"SystemExit: it calls sys.exit\(7\)"):
            entry.resolve()

    def test_lazy_ones_are_imported_when_they_are_used(self, tmp_path, monkeypatch):
        (tmp_path / "tonearm_lazy.py").write_text("class Box:\n    from core_toys import Same as Inner")
        monkeypatch.syspath_prepend(tmp_path)
        entry = registry_of(transforms={"x": "tonearm_lazy:Box.Inner"}).find("transform", "x")
        assert "tonearm_lazy" not in sys.modules
        assert entry.resolve() is Same
        assert "tonearm_lazy" in sys.modules


class Other(Transform[Waveform, Waveform, NoOptions]):
    def apply(self, signal, context):
        return signal


class TestNames:
    def test_builtin_wins_and_the_other_keeps_its_full_name(self):
        found = Registry([package_of("acme", hooks(transforms={"same": Other})), package_of("builtin", GOOD)])
        assert found.find("transform", "same").resolve() is Same
        assert found.find("transform", "acme/same").resolve() is Other
        assert found.find("transform", "builtin/same").resolve() is Same
        assert [found.is_bare(entry) for entry in found.entries()] == [False, True]

    @pytest.mark.parametrize("order", [("acme", "builtin"), ("builtin", "acme")])
    def test_a_clash_with_a_builtin_is_a_warning_that_names_both(self, order):
        packages = {
            "acme": package_of("acme", hooks(transforms={"same": Other})),
            "builtin": package_of("builtin", GOOD),
        }
        (problem,) = Registry([packages[name] for name in order]).problems
        assert (problem.code, problem.hint) == ("name-clash", "write acme/same to use it")
        assert problem.message == "acme/same of tonearm_acme 1.2 has the name of builtin/same, which wins"

    def test_two_others_that_clash_are_no_problem_until_one_is_meant(self):
        assert (
            Registry([package_of("acme", hooks(transforms={"same": Other})), package_of("zeta", GOOD)]).problems == []
        )

    def test_two_others_are_told_apart(self):
        found = Registry([package_of("acme", hooks(transforms={"same": Other})), package_of("zeta", GOOD)])
        with pytest.raises(PluginError) as caught:
            found.find("transform", "same")
        assert (caught.value.code, caught.value.message) == ("ambiguous-plugin", "2 packages offer same")
        assert caught.value.hint == "write acme/same or zeta/same"
        assert found.find("transform", "zeta/same").resolve() is Same
        assert found.find("transform", "acme/same").resolve() is Other

    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("smae", "did you mean 'acme/same' or 'zeta/same'?"),
            ("zeta/smae", "did you mean 'zeta/same'?"),
            ("zteta/same", "did you mean 'zeta/same'?"),
            ("other/smae", "did you mean 'acme/same' or 'zeta/same'?"),
        ],
    )
    def test_a_name_that_is_suggested_is_no_ambiguous_one(self, name, hint):
        found = Registry([package_of("acme", hooks(transforms={"same": Other})), package_of("zeta", GOOD)])
        with pytest.raises(PluginError) as caught:
            found.find("transform", name)
        assert (caught.value.code, caught.value.hint) == ("unknown-plugin", hint)

    @pytest.mark.parametrize(
        ("role", "name", "message", "hint"),
        [
            ("transform", "sane", "there is no transform 'sane'", "did you mean 'same'?"),
            ("transform", "smae", "there is no transform 'smae'", "did you mean 'same'?"),
            ("transform", "toys/sane", "there is no transform 'toys/sane'", "did you mean 'same'?"),
            ("transform", "other/same", "there is no transform 'other/same'", "did you mean 'same'?"),
            ("transform", "/same", "there is no transform '/same'", "did you mean 'same'?"),
            ("transform", "tone-reader", "there is no transform 'tone-reader'", "tone-reader is a decoder, for input"),
            ("decoder", "raw-writer", "there is no decoder 'raw-writer'", "raw-writer is an encoder, for outputs"),
            ("encoder", "zzz", "there is no encoder 'zzz'", "run tonearm plugins to list all plugins"),
            ("encoder", "a\nb", r"there is no encoder 'a\\nb'", "run tonearm plugins to list all plugins"),
        ],
    )  # fmt: skip
    def test_unknown(self, role, name, message, hint):
        with pytest.raises(PluginError) as caught:
            registry_of().find(role, name)
        assert (caught.value.code, caught.value.message) == ("unknown-plugin", message)
        assert caught.value.hint == hint

    def test_the_order_of_entries_is_that_of_roles_and_names(self):
        names = [entry.name for entry in registry_of().entries()]
        transforms = ["fog-to-mist", "join", "mist-to-wave", "rain-to-wave", "same"]
        assert names == ["fog-reader", "tone-reader", *transforms, "raw-writer"]
        assert [entry.name for entry in registry_of().entries("transform")] == transforms

    def test_one_name_may_stand_for_one_plugin_of_each_role(self):
        found = Registry([package_of("acme", hooks(decoders={"x": ToneReader}, encoders={"x": RawWriter}))])
        assert found.find("decoder", "x").resolve() is ToneReader
        assert found.find("encoder", "x").resolve() is RawWriter


@dataclass(frozen=True)
class ComplexOptions:
    turn: complex = 0j


class ComplexOption(Transform[Waveform, Waveform, ComplexOptions]):
    """Have an option of a type that is not supported."""


def test_plugins_that_fit_an_option():
    registry = registry_of(transforms={"lost": "no_such:X", "odd": ComplexOption})
    kind = plugin_type(Transform[Any, Waveform, Any])
    assert [entry.name for entry in registry.fitting(kind)] == ["mist-to-wave", "rain-to-wave", "same"]
