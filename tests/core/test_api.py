"""The interface for plugins: each name exists, says what it is, and costs nothing until it is used."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tonearm import api

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))
public_names = importlib.import_module("public_names")

NAMES = {one.name: one for one in public_names.public_names("tonearm.api")}
FUNCTIONS = [name for name, one in NAMES.items() if isinstance(one.node, ast.FunctionDef)]
TOOLKIT = [name for name in FUNCTIONS if NAMES[name].module.startswith(("tonearm.reading.", "tonearm.writing."))]


def doc_of(name: str) -> str:
    return inspect.cleandoc(NAMES[name].doc)


def sections(name: str) -> dict[str, str]:
    """Return the sections of a docstring by their headings."""
    parts = re.split(r"^(\w+)\n-+\n", doc_of(name), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", api.__all__)
def test_each_name_exists(name: str) -> None:
    assert getattr(api, name) is getattr(api, name)
    if name in NAMES and not isinstance(getattr(api, name), ModuleType):
        assert getattr(api, name) is getattr(importlib.import_module(NAMES[name].module), name)


def test_names_are_sorted_and_unique() -> None:
    assert len(set(api.__all__)) == len(api.__all__) == len(NAMES) + 1  # Meta is msgspec's


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'tonearm.api' has no attribute 'Decodr'"):
        api.Decodr  # noqa: B018


def test_what_few_plugins_need_is_imported_when_it_is_used() -> None:
    code = (
        "import sys, tonearm.api\n"
        "late = [name for name in sys.modules if name.startswith(('tonearm.reading.', 'tonearm.writing'))]\n"
        "from tonearm.api import LazyArrays\n"
        "print(late, 'tonearm.reading.lazy_arrays' in sys.modules, 'tonearm.reading.zip_archives' in sys.modules,"
        " 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['tonearm.reading.nearby'] True False False\n"  # which every decoder of arrays needs


@pytest.mark.parametrize("name", NAMES)
def test_each_name_says_what_it_is(name: str) -> None:
    first = doc_of(name).partition("\n\n")[0]
    assert re.match(r"(?s)[A-Z`].*[.:]$", first), f"{name}: {first!r}"


@pytest.mark.parametrize("name", TOOLKIT)
def test_each_function_of_the_toolkit_describes_its_parameters_and_its_result(name: str) -> None:
    node = NAMES[name].node
    assert isinstance(node, ast.FunctionDef)
    described = {
        word
        for line in sections(name).get("Parameters", "").splitlines()
        if not line.startswith(" ")
        for word in re.findall(r"\w+", line)
    }
    given = {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
    assert given - described == set()
    returns = ast.unparse(node.returns) if node.returns else "None"
    assert returns == "None" or {"Returns", "Yields"} & set(sections(name)) or "Iterator[None]" in returns


@pytest.mark.parametrize(
    "name", [name for name in NAMES if isinstance(NAMES[name].node, ast.FunctionDef | ast.ClassDef)]
)
def test_the_examples_are_true_and_each_name_for_reading_has_one(name: str) -> None:
    one: Any = getattr(api, name)
    examples = [test for test in doctest.DocTestFinder(recurse=False).find(one, name) if test.examples]
    assert examples or not NAMES[name].module.startswith("tonearm.reading.")
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in examples:
        test.globs = dict(vars(importlib.import_module(NAMES[name].module)))
        assert runner.run(test).failed == 0
