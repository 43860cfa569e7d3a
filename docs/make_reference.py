"""Make docs/reference.md, and the table of plugins in README.md, from the plugins themselves.

``python docs/make_reference.py`` writes them; with ``--check`` it only says which are out of date.
"""

import sys
from pathlib import Path
from typing import Any

from tonearm.api import ArrayOptions
from tonearm.cli.plugins import described, flow, kind
from tonearm.config.options import declared
from tonearm.config.schema import options_schema
from tonearm.ports import ports_of
from tonearm.registry import BUILTIN, Entry, Registry, default

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- plugins: made by docs/make_reference.py -->", "<!-- end -->"
ROLES = {"decoder": "Decoders", "transform": "Transforms", "encoder": "Encoders"}


def pages() -> dict[Path, str]:
    """Return each file with what should be in it."""
    registry = default()
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return {
        readme: f"{before}{BEGIN}\n{_table(registry)}\n{END}{after}",
        ROOT / "docs/reference.md": _reference(registry),
    }


def _builtin(registry: Registry, role: str) -> list[Entry]:
    return [entry for entry in registry.entries(role) if entry.origin == BUILTIN]


def _table(registry: Registry) -> str:
    lines = ["| plugin | takes → gives | does |", "| --- | --- | --- |"]
    for role in ROLES:
        for entry in _builtin(registry, role):
            row = described(registry, entry)
            lines.append(f"| [`{row['name']}`](docs/reference.md#{row['name']}) | {flow(row)} | {row['description']} |")
    return "\n".join(lines)


def _reference(registry: Registry) -> str:
    lines = ["# Reference of the plugins", "", "Made from the plugins themselves by `python docs/make_reference.py`."]
    for role, title in ROLES.items():
        lines += ["", f"## {title}"]
        if role == "decoder":
            text = "They say what the model wrote, and every reader of arrays takes them."
            lines += ["", "### Options of every reader of arrays", "", text, "", *_options(ArrayOptions, leave_out=())]
        for entry in _builtin(registry, role):
            lines += ["", *_section(registry, entry)]
    return "\n".join(lines) + "\n"


def _section(registry: Registry, entry: Entry) -> list[str]:
    row = described(registry, entry)
    lines = [f"### {row['name']}", "", f"{row['description']} ({flow(row)})", ""]
    options = ports_of(entry.resolve()).options
    shared = tuple(declared(ArrayOptions)) if issubclass(options, ArrayOptions) else ()
    if shared:
        lines += ["It takes [the options of every reader of arrays](#options-of-every-reader-of-arrays).", ""]
    table = _options(options, leave_out=shared)
    return lines + (table or ([] if shared else ["No options."]))


def _options(options: type[Any], leave_out: tuple[str, ...]) -> list[str]:
    """Return the table of a plugin's options; empty if there are none."""
    schemas = options_schema(options, {})["properties"]
    rows = []
    for option in declared(options).values():
        schema = schemas[option.name]
        default_text = "required" if option.required else _shown(schema["default"])
        if option.name not in leave_out:
            takes = kind(schema).replace("|", "or")
            rows.append(f"| `{option.name}` | {takes} | {default_text} | {option.description} |")
    return ["| option | takes | default | |", "| --- | --- | --- | --- |", *rows] if rows else []


def _shown(value: object) -> str:
    return "" if value in (None, [], {}) else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def main() -> int:
    """Write what is out of date, or say it."""
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if "--check" in sys.argv:
            print(f"{path.relative_to(ROOT)} is out of date: run python docs/make_reference.py", file=sys.stderr)
        else:
            path.write_text(pages()[path], encoding="utf-8")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
