"""The code blocks of README.md and docs/, and the plugins that they define."""

import re
from pathlib import Path

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
