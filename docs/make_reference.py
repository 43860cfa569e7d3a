"""Make docs/reference.md, api.md, errors.md, and tables in README.md and other pages, from what they describe.

``python docs/make_reference.py`` writes them; with ``--check`` it only says which are out of date.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import public_names

from tonearm.api import WELL_KNOWN_TAGS, ArrayOptions, LinearRecipe, MelDialect, OptionError, TokenLayout
from tonearm.cli.option_words import nested_options, option_notes, option_type
from tonearm.cli.plugins import note_on_blocks, plugin_row, port_flow
from tonearm.errors.codes import error_codes
from tonearm.names import BUILTIN
from tonearm.pipeline.schema import options_schema
from tonearm.plugins.options import declared_options
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import Registry, RegistryEntry, default
from tonearm.recipes import linear_command
from tonearm.recipes.catalogue import Catalogue, Named
from tonearm.recipes.mel.command import LISTING
from tonearm.recipes.tokens import command as token_command
from tonearm.signals.conventions import CONVENTIONS

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- {}: made by docs/make_reference.py -->\n", "<!-- end -->"
ROLES = {"decoder": "Decoders", "transform": "Transforms", "encoder": "Encoders"}
"""Roles of plugins in a pipeline, each with its heading."""


def pages() -> dict[Path, str]:
    """Return each file with what should be in it."""
    registry = default()
    return {
        ROOT / "README.md": _filled("README.md", plugins=_table(registry)),
        ROOT / "docs/dialects.md": _filled(
            "docs/dialects.md", figures=_figures(), recipes=_recipes(registry), dialects=_dialects(registry)
        ),
        ROOT / "docs/tokens.md": _filled("docs/tokens.md", fields=_fields(), layouts=_layouts(registry)),
        ROOT / "docs/conventions.md": _filled("docs/conventions.md", conventions=_conventions()),
        ROOT / "docs/formats.md": _filled("docs/formats.md", tags=_tags()),
        ROOT / "docs/python.md": _filled("docs/python.md", names=public_names.table()),
        ROOT / "docs/reference.md": _reference(registry),
        ROOT / "docs/errors.md": _errors(),
        ROOT / "docs/api.md": public_names.page(),
    }


def _filled(page: str, **tables: str) -> str:
    """Return a page with what stands between its marks made anew."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for name, table in tables.items():
        before, mark, rest = text.partition(BEGIN.format(name))
        text = f"{before}{mark}{table}\n{END}{rest.partition(END)[2]}"
    return text


def _tags() -> str:
    """Return the place of each well-known tag in each format."""
    lines = ["| tag | ID3 | Vorbis comment | MP4 | WAV | AIFF | also |", f"|{' --- |' * 7}"]
    for name, tag in WELL_KNOWN_TAGS.items():
        mp4 = tag.mp4 or f"----:{name.upper()}"
        places = (tag.id3, tag.vorbis, mp4, tag.info, tag.aiff.strip())
        cells = (f"`{place}`" if place else "" for place in (name, *places))
        lines.append(f"| {' | '.join(cells)} | {', '.join(f'`{alias}`' for alias in tag.aliases)} |")
    return "\n".join(lines)


def _figures() -> str:
    """Return the figures of a dialect, of which a layout, a name and where they stand change no value."""
    return "\n".join(_options(MelDialect, leave_out=("name", "source", "notes")))


def _recipes(registry: Registry) -> str:
    """Return every recipe of linear spectrograms with its figures, and where they stand."""
    lines = [
        f"| {' | '.join(linear_command.LISTING.head)} | source |",
        f"|{' --- |' * (len(linear_command.LISTING.head) + 1)}",
    ]
    for name, recipe in registry.catalogue(LinearRecipe).usable():
        lines.append(
            f"| `{name}` | {' | '.join(linear_command.LISTING.row(recipe))} | {recipe.source or recipe.notes} |"
        )
    return "\n".join(lines)


def _dialects(registry: Registry) -> str:
    """Return every dialect with its figures, other names, and where they stand."""
    lines = [f"| {' | '.join((*LISTING.head, 'padding'))} |", f"|{' --- |' * (len(LISTING.head) + 1)}"]
    sources = []
    catalogue = registry.catalogue(MelDialect)
    aliases = _aliases(catalogue)
    for name in catalogue:
        if catalogue.entry(name).alias or catalogue.entry(name).origin != BUILTIN:
            continue
        also = aliases.get(name, "")
        try:
            dialect = catalogue.find(name)
        except OptionError as error:
            sources.append(f"- `{name}`{also}: {error.message}.")
            continue
        padding = dialect.padding + (f", {dialect.pad_mode}" if dialect.padding in ("center", "half-overlap") else "")
        lines.append(f"| `{name}` | {' | '.join((*LISTING.row(dialect), padding))} |")
        sources.append(_source(name, also, dialect))
    return "\n".join([*lines, "", "Where the figures stand:", "", *sources])


def _aliases(catalogue: Catalogue[Any]) -> dict[str, str]:
    """Return the other names of structs by their name, as in `` (also `whisper-80`)``."""
    aliases: dict[str, list[str]] = {}
    for name in catalogue:
        if alias := catalogue.entry(name).alias:
            aliases.setdefault(alias, []).append(f"`{name}`")
    return {name: f" (also {', '.join(others)})" for name, others in aliases.items()}


def _source(name: str, also: str, found: Named) -> str:
    """Return the line that says where the figures of a struct stand, with its notes."""
    notes = f" {found.notes[0].upper()}{found.notes[1:].rstrip('.')}." if found.notes else ""
    return f"- `{name}`{also}: {found.source.rstrip('.')}.{notes}"


def _fields() -> str:
    """Return the fields of a layout of codec tokens, of which names and where they stand change no code."""
    return "\n".join(_options(TokenLayout, leave_out=("name", "source", "notes")))


def _layouts(registry: Registry) -> str:
    """Return every layout with its figures and the weights that its codec needs, and where the figures stand."""
    head = ("layout", *token_command.LISTING.head[1:], "weights of the decoder")
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    catalogue = registry.catalogue(TokenLayout)
    aliases = _aliases(catalogue)
    sources = []
    for name in catalogue:
        if catalogue.entry(name).alias or catalogue.entry(name).origin != BUILTIN:
            continue
        layout = catalogue.find(name)
        *figures, writes = token_command.LISTING.row(layout)
        weights = "none: see below" if layout.refusal else layout.weights
        also, marks = aliases.get(name, ""), writes.replace("|", r"\|")
        cells = (f"`{name}`{also}", *figures, f"`{marks}`", weights)
        lines.append(f"| {' | '.join(cells)} |")
        refusal = f" Not decoded: {layout.refusal}." if layout.refusal else ""
        sources.append(_source(name, "", layout) + refusal)
    return "\n".join([*lines, "", "Where the figures stand, and what goes wrong:", "", *sources])


def _conventions() -> str:
    """Return every convention of a short-time Fourier transform, with the fields that it stands for."""
    lines = ["| `convention` | function | stands for |", "| --- | --- | --- |"]
    for name, convention in CONVENTIONS.items():
        stands_for = ", ".join(f"`{field}: {value}`" for field, value in convention.fields.items()) or "the defaults"
        lines.append(f"| `{name}` | [{convention.function}]({convention.source}) | {stands_for} |")
    notes = [f"- `{name}`: {convention.notes}" for name, convention in CONVENTIONS.items() if convention.notes]
    return "\n".join([*lines, "", *notes])


def _builtin(registry: Registry, role: str) -> list[RegistryEntry]:
    return [entry for entry in registry.entries(role) if entry.origin == BUILTIN]


def _table(registry: Registry) -> str:
    lines = ["| plugin | takes → gives | does |", "| --- | --- | --- |"]
    for role in ROLES:
        for entry in _builtin(registry, role):
            row = plugin_row(registry, entry)
            lines.append(
                f"| [`{row['name']}`](docs/reference.md#{row['name']}) | {port_flow(row)} | {row['description']} |"
            )
    return "\n".join(lines)


def _reference(registry: Registry) -> str:
    lines = ["# Reference of the plugins", "", "Made from the plugins themselves by `python docs/make_reference.py`."]
    for role, title in {**ROLES, "kind": "Kinds of array", "executor": "Executors"}.items():
        lines += ["", f"## {title}"]
        if role == "decoder":
            text = (
                "They describe what the model wrote, and every reader of arrays takes them, with those of the"
                " [kind of array](#kinds-of-array) beside them."
            )
            lines += ["", "### Options of every reader of arrays", "", text, "", *_options(ArrayOptions, leave_out=())]
        if role == "kind":
            lines += ["", "Options of a kind stand beside those of the reader of arrays."]
        for entry in _builtin(registry, role):
            lines += ["", *_section(registry, entry)]
    return "\n".join(lines) + "\n"


def _errors() -> str:
    """Return the page of error codes."""
    lines = [
        "# Error codes",
        "",
        "Every error has a code, which stays the same from version to version, so scripts can rely on it. On the",
        "terminal the code stands before the message; `--json` and the journal have it as `code`. The message",
        "names the particulars, and the hint below it the line to write. This page is made by",
        "`python docs/make_reference.py`.",
        "",
        "In Python, an error is a `tonearm.TonearmError` with a `code`, a `message` and a `hint`; a `PipelineError`",
        "has its `problems`, each with these. A traceback shows your own lines and the message. `TONEARM_DEBUG=1` in",
        "the environment shows what happens inside tonearm, too. A problem that stops nothing is a",
        "`tonearm.TonearmWarning`, which names your line.",
    ]
    for group in dict.fromkeys(code.group for code in error_codes().values()):
        lines += ["", f"## {group}", "", "| code | what it means | what to do |", "| --- | --- | --- |"]
        codes = (code for code in error_codes().values() if code.group == group)
        lines += [f"| `{code.code}` | {code.meaning} | {code.remedy} |" for code in codes]
    return "\n".join(lines) + "\n"


def _section(registry: Registry, entry: RegistryEntry) -> list[str]:
    row = plugin_row(registry, entry)
    ports = f" ({port_flow(row)})" if port_flow(row) else ""
    lines = [f"### {row['name']}", "", f"{row['description']}{ports}", ""]
    note = note_on_blocks(entry.resolve())
    lines += [f"It {note}.", ""] if note else []
    options = ports_of(entry.resolve()).options
    shared = tuple(declared_options(ArrayOptions)) if issubclass(options, ArrayOptions) else ()
    if shared:
        lines += ["It takes [the options of every reader of arrays](#options-of-every-reader-of-arrays).", ""]
    table = _options(options, leave_out=shared)
    return lines + (table or ([] if shared else ["No options."]))


def _options(options: type[Any], leave_out: tuple[str, ...]) -> list[str]:
    """Return the table of a plugin's options; empty if there are none."""
    rows = [*_rows(options, leave_out)]
    return ["| option | takes | default | |", "| --- | --- | --- | --- |", *rows] if rows else []


def _rows(
    options: type[Any], leave_out: tuple[str, ...], prefix: str = "", within: tuple[type[Any], ...] = ()
) -> Iterator[str]:
    """Yield the row of each option, and of the options of the mappings that it takes."""
    schemas = options_schema(options, {})["properties"]
    for option in declared_options(options).values():
        if option.name in leave_out:
            continue
        default_text = "required" if option.required else _shown(schemas[option.name]["default"])
        takes = option_type(option.type).replace("|", "or")
        text = " ".join(filter(None, (option.description, *option_notes(option, default()))))
        yield f"| `{prefix}{option.name}` | {takes} | {default_text} | {text} |"
        for cls, _ in nested_options(option, within):
            yield from _rows(cls, (), f"{prefix}{option.name}.", (*within, cls))


def _shown(value: object) -> str:
    return "" if value in (None, "", [], {}, ()) else f"`{str(value).lower() if isinstance(value, bool) else value}`"


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
