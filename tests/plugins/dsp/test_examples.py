"""Every public function of signal processing has an example in its docstring, and every example runs."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

from tonearm_plugins import dsp

# Functions here write LLVM code, or call what it became: nobody calls them but the native engine.
EXEMPT = ("tonearm_plugins.dsp.engines.native",)

MODULES = sorted(module.name for module in pkgutil.walk_packages(dsp.__path__, f"{dsp.__name__}."))
LIBROSAS = [f"{dsp.__name__}.{name}" for name in ("effects", "mel_spectrogram")]
"""Modules whose examples need librosa."""


def public_functions(module):
    """The functions that a module defines, cached ones among them."""
    for name, value in vars(module).items():
        function = inspect.unwrap(value) if callable(value) else None
        if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_"):
            yield name, function


@pytest.mark.parametrize("name", [name for name in MODULES if name not in LIBROSAS])
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", LIBROSAS)
def test_examples_run_by_librosa(name, librosa):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith(EXEMPT)])
def test_every_public_function_has_an_example(name):
    functions = dict(public_functions(importlib.import_module(name)))
    without = [name for name, function in functions.items() if ">>> " not in (function.__doc__ or "")]
    assert not without
