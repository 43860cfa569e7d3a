"""The tree itself: one name for one thing, no import circle, and a test file for each module."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"tonearm": ROOT / "core/tonearm", "tonearm_plugins": ROOT / "plugins/tonearm_plugins"}
TESTS = {"tonearm": ROOT / "tests/core", "tonearm_plugins": ROOT / "tests/plugins"}

UNTESTED: Mapping[str, str] = {
    "tonearm.python.audio_input": "it holds aliases for annotations",
    "tonearm.typing": "it holds aliases for annotations",
    "tonearm.version": "it holds one constant",
    "tonearm_plugins.dsp.typing": "it holds aliases for annotations",
}
"""Modules without a test file, each with the reason."""

SHARED_NAMES: Mapping[str, str] = {
    "OverlapAdd": "each engine lays its frames out in its own way",
    "PeakLockedPhases": "the native kernel of phase recovery has the name of what it computes",
    "add_arguments": "every command adds its own arguments to the parser",
    "istft": "the native kernel has the name of what it computes",
    "kernel": "each kernel's module has the compiled one",
    "load": "each format has its own: npy.load, pytorch.load",
    "main": "every command has a main function",
    "mel_spectrogram": "the native kernel has the name of what it computes",
    "open_arrays": "each format has its own: hdf5.open_arrays, zarr_store.open_arrays",
    "plan_of": "a plan of the decoding of a sound file, and one of a network",
    "read": "tonearm.read is for people, and the reader of YAML for the host",
    "read_header": "each format has its own: npy_header.read_header, onnx_header.read_header",
    "stft": "the native kernel has the name of what it computes",
    "write": "each kernel writes its own code",
}
"""Public names that several modules may define, each with the reason."""


@cache
def modules(package: str) -> Mapping[str, ast.Module]:
    """Return the syntax tree of each module of a package, by its full name."""
    root = PACKAGES[package]
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = (package, *path.relative_to(root).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def definitions(tree: ast.Module) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef))


def runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes below one, without what only type checkers see."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from runtime_nodes(child)


def imports(name: str, tree: ast.Module, known: Mapping[str, object]) -> set[str]:
    """Return the modules of its own package that a module imports, within functions too.

    ``from a.b import c`` imports a.b.c if that is a module, and else a.b.
    """
    found = set()
    for node in runtime_nodes(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{name} has a relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in known else node.module)
    return {module for module in found if module in known and module != name}


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected components of more than one node, by Tarjan's algorithm."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            component = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(component) > 1:
                found.append(sorted(component))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"a", "f"}, "f": {"e"}}
    assert circles(graph) == [["b", "c"], ["e", "f"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_itself_by_a_detour(package: str) -> None:
    """A package's ``__init__`` counts only where it is imported from, as it runs before each of its modules anyway."""
    known = modules(package)
    graph = {name: imports(name, tree, known) for name, tree in known.items()}
    assert circles(graph) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_public_name_is_defined_once(package: str) -> None:
    places = defaultdict(list)
    for module, tree in modules(package).items():
        for node in definitions(tree):
            if not node.name.startswith("_") and node.name not in SHARED_NAMES:
                places[node.name].append(module)
    repeated = [f"{name}: {', '.join(found)}" for name, found in sorted(places.items()) if len(found) > 1]
    assert not repeated, "\n".join(["public names with several definitions:", *repeated])


def test_plugins_import_only_the_public_interface() -> None:
    foreign = []
    for module, tree in modules("tonearm_plugins").items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "tonearm":
                foreign += [f"{module}: {node.module}"] if node.module != "tonearm.api" else []
    assert foreign == []


def test_exceptions_name_what_there_is() -> None:
    known = {**modules("tonearm"), **modules("tonearm_plugins")}
    names = {node.name for tree in known.values() for node in definitions(tree)}
    assert set(UNTESTED) <= set(known)
    assert set(SHARED_NAMES) <= names


MEL_ROOMS = (
    "tonearm.recipes.mel",
    "tonearm.cli.dialects",
    "tonearm_plugins.dialects",
    "tonearm_plugins.networks.onnx_transform",
    "tonearm_plugins.networks.signal_checks",
    "tonearm_plugins.networks.trained_dialect",
    "tonearm_plugins.transforms.mel_",
    "tonearm_plugins.transforms.onnx_vocoder",
    "tonearm_plugins.transforms.transformers_vocoder",
    "tonearm_plugins.transforms.wave_to_mel",
)
"""Beginnings of the names of modules that are about mel spectrograms, or take them, and so know their dialects."""

NAMES_OF_DIALECTS = re.compile(
    r"MelDialect|\bDialects\b|tonearm_dialects"  # public names and the hook
    r"|[\"'`]dialect[\"'`]|\.dialect\b|\bdef dialect\(|\bdialect=|\bdialect: "  # the option, and the field of a signal
    r"|dialect-mismatch|no-dialect|dialect-doubtful"  # codes of errors
    r"|tonearm dialects|--dialects|\"dialects\": |List the dialects|tonearm_plugins\.dialects"  # the command
)
"""What a module outside these rooms may say of dialects."""


def test_dialects_are_known_by_name_alone_outside_the_rooms_of_mel() -> None:
    lines = []
    for package, root in PACKAGES.items():
        for path in sorted(root.rglob("*.py")):
            name = ".".join((package, *path.relative_to(root).with_suffix("").parts))
            if not name.startswith(MEL_ROOMS):
                text = path.read_text(encoding="utf-8").splitlines()
                lines += [
                    f"{name}: {line.strip()}" for line in text if "dialect" in NAMES_OF_DIALECTS.sub("", line).lower()
                ]
    assert lines == []
