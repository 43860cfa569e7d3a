"""Finds the error codes that the source raises, by reading it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def modules() -> Iterator[Path]:
    """Yield every module of both packages."""
    for package in ("core/tonearm", "plugins/tonearm_plugins"):
        yield from sorted((ROOT / package).rglob("*.py"))


def codes_in(path: Path) -> set[str]:
    """Return the codes in a module: arguments called code, by name or by position, and default codes of classes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    positions = _positions(tree)
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(_name(target) in ("default_code", "code") for target in node.targets):
            found |= _texts(node.value)
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Tuple)
            and isinstance(node.value, ast.Tuple)
        ):
            pairs = zip(node.targets[0].elts, node.value.elts, strict=True)
            found |= {text for target, value in pairs if _name(target) == "code" for text in _texts(value)}
        if isinstance(node, ast.Call):
            given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            index = positions.get(_name(node.func), -1)
            if _name(node.func) == "add" and _name(getattr(node.func, "value", node)) != "problems":
                index = -1
            given += [node.args[index]] if 0 <= index < len(node.args) else []
            found |= {text for value in given for text in _texts(value)}
    return {code for code in found if CODE.fullmatch(code)}


def texts_in(path: Path) -> set[str]:
    """Return all text constants of a module."""
    return {node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)}  # fmt: skip


def _positions(tree: ast.Module) -> dict[str, int]:
    """Return the functions that take a code, with its position among their arguments."""
    found = {"add": 1, "NodeError": 0, "Failure": 3}  # problems.add, the refusal of a YAML value, a failed item
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args]
            names = names[1:] if names[:1] in (["self"], ["cls"]) else names
            if "code" in names:
                found[node.name] = names.index("code")
    return found


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _texts(node: ast.AST) -> set[str]:
    """Return the texts that an expression may be."""
    if isinstance(node, ast.IfExp):
        return _texts(node.body) | _texts(node.orelse)
    if isinstance(node, ast.BoolOp):
        return {text for value in node.values for text in _texts(value)}
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    return set()
