"""The code blocks of README.md and docs/, what they show when they are run, and the plugins that they define."""

import ast
import contextlib
import io
import re
import warnings
from pathlib import Path
from typing import NamedTuple

from tonearm.plugins.discovery import Package, installed_packages
from tonearm.plugins.registry import Registry

ROOT = Path(__file__).parent.parent


def blocks(file: str, language: str) -> list[str]:
    """Return the code blocks of a page in one language."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def registry_with(code: str) -> Registry:
    """Return what is installed, and the plugins that a block of code defines."""
    names: dict[str, object] = {"__name__": "tonearm_acme"}
    exec(compile(code, "block", "exec", dont_inherit=True), names)
    module = type(
        "module", (), {key: staticmethod(value) for key, value in names.items() if key.startswith("tonearm_")}
    )
    return Registry([*installed_packages(), Package("acme", lambda: module, "tonearm_acme 1.2")])


class Cell(NamedTuple):
    """Block of Python on a page, and the block of text below it.

    Parameters
    ----------
    code
        Code.
    shown
        What the page shows below the code; empty if there is nothing.
    """

    code: str
    shown: str


def sections(file: str) -> dict[str, list[Cell]]:
    """Return the blocks of Python of each section of a page that has any, by its heading."""
    text = (ROOT / file).read_text(encoding="utf-8")
    found = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE):
        pairs = re.findall(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", section, re.MULTILINE | re.DOTALL)
        if pairs:
            found[section.partition("\n")[0]] = [Cell(*pair) for pair in pairs]
    return found


def run_cell(code: str, names: dict[str, object]) -> tuple[str, object]:
    """Run code as a notebook does, and return what it shows, and the value of its last expression.

    What it prints comes first, then its warnings, and then that value, or the error.
    """
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    value: object = None
    printed = io.StringIO()
    error = ""
    with contextlib.redirect_stdout(printed), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            exec(compile(tree, "cell", "exec"), names)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}\n"
    noted = "".join(f"{one.category.__name__}: {one.message}\n" for one in warned)
    return printed.getvalue() + noted + ("" if value is None else f"{value!r}\n") + error, value


def is_shown(found: str, shown: str) -> bool:
    """Return whether a text is what a page shows, where ``…`` stands for any part of a line."""
    return re.fullmatch(re.escape(shown).replace("…", "[^\n]*"), found) is not None
