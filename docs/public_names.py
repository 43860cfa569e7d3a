"""The names of tonearm and of tonearm.api with what their definitions say, read from the source.

docs/api.md, and a table of docs/python.md, are made from them.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

CORE = Path(__file__).parent.parent / "core"

HEADINGS = {
    "tonearm.plugins": "Plugins",
    "tonearm.signals": "Signals",
    "tonearm.kinds": "Kinds of array",
    "tonearm.arrays": "Arrays",
    "tonearm.findings": "Findings about arrays",
    "tonearm.recipes": "Recipes and dialects",
    "tonearm.source": "Sources",
    "tonearm.reading": "Reading files",
    "tonearm.writing": "Writing files",
    "tonearm.errors": "Errors and remedies",
}
"""Heading of each room."""


class PublicName(NamedTuple):
    """Name of tonearm or of tonearm.api.

    Parameters
    ----------
    name
        Name.
    module
        Module that defines it.
    doc
        Docstring of its definition; empty if it has none.
    node
        Its definition: a class, a function, or an assignment. None if it is a module.
    """

    name: str
    module: str
    doc: str
    node: ast.stmt | None

    @property
    def heading(self) -> str:
        """Heading under which the name is listed."""
        return next(text for room, text in HEADINGS.items() if f"{self.module}.".startswith(f"{room}."))

    @property
    def summary(self) -> str:
        """First line of the docstring, or its first sentence."""
        return self.doc.strip().partition("\n\n")[0].replace("\n", " ").replace("``", "`").replace("|", r"\|")


def public_names(module: str) -> Iterator[PublicName]:
    """Yield each name of a module's ``__all__``, in its order, with its definition."""
    tree = _tree(module)
    (listed,) = (node.value for node in tree.body if isinstance(node, ast.Assign) and _targets(node) == ["__all__"])
    for name in ast.literal_eval(listed):
        found = _definition(module, name)
        if found is not None:
            yield found


def _definition(module: str, name: str) -> PublicName | None:
    """Return the definition of a name, wherever its module imports it from; None if another package defines it."""
    tree = _tree(module)
    body = [*tree.body, *(node for block in tree.body if isinstance(block, ast.If) for node in block.body)]
    for number, node in enumerate(body):
        if isinstance(node, ast.ImportFrom) and node.module and name in {one.asname or one.name for one in node.names}:
            if not node.module.startswith("tonearm"):
                return None
            if _file(f"{node.module}.{name}").exists():
                return PublicName(name, node.module, ast.get_docstring(_tree(f"{node.module}.{name}")) or "", None)
            return _definition(node.module, name)
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return PublicName(name, module, ast.get_docstring(node) or "", node)
        if name in _targets(node):
            return PublicName(name, module, _text(body[number + 1]) if number + 1 < len(body) else "", node)
    raise LookupError(f"{module} does not define {name}")


def _targets(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _text(node: ast.stmt) -> str:
    """Return the text of a statement that is nothing but a text."""
    value = node.value if isinstance(node, ast.Expr) else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def _file(module: str) -> Path:
    path = CORE / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_file(module).read_text(encoding="utf-8"))


def page() -> str:
    """Return docs/api.md."""
    names = list(public_names("tonearm.api"))
    lines = [
        "# The interface for plugins",
        "",
        "`tonearm.api` has these names, and plugins import nothing else of tonearm. [plugins.md](plugins.md) tells how",
        "they belong together; `help(tonearm.api.NAME)` shows a name in full. This page is made by",
        "`python docs/make_reference.py`.",
    ]
    for heading in HEADINGS.values():
        rows = [f"| `{one.name}` | {one.summary} |" for one in names if one.heading == heading]
        if rows:
            lines += ["", f"## {heading}", "", "| name | |", "| --- | --- |", *rows]
    lines += ["", "`Meta` is msgspec's: it describes and bounds an option."]
    return "\n".join(lines) + "\n"


def table() -> str:
    """Return the table of what ``import tonearm`` offers, functions first."""
    names = sorted(public_names("tonearm"), key=lambda one: not isinstance(one.node, ast.FunctionDef))
    return "\n".join(["| name | |", "| --- | --- |", *(f"| `{one.name}` | {one.summary} |" for one in names)])
