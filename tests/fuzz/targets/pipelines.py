"""Pipeline files that were damaged or forged: `check` reports all problems with their places, or accepts them."""

from __future__ import annotations

import atexit
import os
import random
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tonearm.errors import PipelineError
from tonearm.pipeline.check import check
from tonearm.pipeline.document import read_document
from tonearm.plugins import registry

CONFIGS = Path(__file__).parents[3] / "tests" / "configs", Path(__file__).parents[3] / "configs"

TOKENS = (
    ": ", "- ", "\n  ", "\n    ", "&a ", "*a", "<<: ", "!!str ", "|\n", " >\n", "\\U", "\\x", "? ", "---\n", "...\n",
    "%YAML 1.2\n", "${A}", "${", "$${", "${B:1}", "\x85", "\u2028", "\0", "\ufeff", ".inf", ".nan", "é", "\r\n", "0123",
    "1e5", "a: ", "[", "]", "{", "}", "'", '"', "#", "\t", ",", "null", "~", "true", "-1", "1_000", "use: ", "with: ",
)  # fmt: skip
"""Pieces of text that are put anywhere."""

HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 3, 0.5, 1e9, 1e308, -1e-9, 1 << 31, 1 << 62, 1 << 64, "", " ", ".", "..", "/",
    "/dev/null",
    "/dev/zero", "../x", "a\0b", "x" * 300, "{stem}", "{index:05}", "{key}/{name}", "{stem", "{stem.__class__}", "}{",
    "no", "0123", "1:30", "2020-01-01", "inf", "nan", [], {}, [[]], [None], {"use": "x"}, {"use": None, "with": []},
    {"": 1}, {"with": {}}, [1, 2, 3], ["a", "a"], {"a": {"b": {"c": [{}]}}}, "hifigan", "hann", "batch, time",
    ["channel", "time"], ["time", "time"], "same", "${HOME}", "${NOTHING:x}", "PCM_16", "wav", "mel", "waveform",
    "\u202e",
)  # fmt: skip
"""Values that are put in the place of others."""


def seeds() -> Iterable[bytes]:
    """Yield the example pipelines."""
    for folder in CONFIGS:
        for path in sorted(folder.rglob("*.yaml")):
            yield path.read_bytes()


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Change the text, or values and keys of the document."""
    for _ in range(rng.randint(1, 3)):
        data = _changed_text(data, rng) if rng.random() < 0.4 else _changed_document(data, rng)
    return data


def _changed_text(data: bytes, rng: random.Random) -> bytes:
    text = data.decode(errors="replace")
    at = rng.randrange(len(text) + 1)
    text = text[:at] + rng.choice([*TOKENS, ""]) + text[at + rng.choice([0, 0, 1, 4, 40]) :]
    return text.encode(errors="surrogatepass")


def _changed_document(data: bytes, rng: random.Random) -> bytes:
    try:
        document = yaml.safe_load(data)
        values = _values(document)
    except Exception:  # PyYAML raises what it likes, and an alias may make a circle
        return _changed_text(data, rng)
    if not isinstance(document, dict):
        return _changed_text(data, rng)
    names = sorted({name for value in values if isinstance(value, dict) for name in value if isinstance(name, str)})
    pool = [*HOSTILE, *values, *(entry.name for entry in registry.default().entries())]
    changed = yaml.safe_dump(_changed(document, rng, pool, names), sort_keys=False, allow_unicode=True)
    return changed.encode(errors="surrogatepass")


def _values(value: Any) -> list[Any]:
    """Return a value and all values below it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(found for one in inner for found in _values(one))]


def _changed(value: Any, rng: random.Random, pool: list[Any], names: list[str]) -> Any:
    """Return a document with one change somewhere below."""
    if isinstance(value, dict) and value and rng.random() < 0.95:
        key = rng.choice(list(value))
        chance = rng.random()
        if chance < 0.05:
            return {name: found for name, found in value.items() if name != key}
        if chance < 0.1:
            return {**value, rng.choice([*names, "x", "", "use"]): rng.choice(pool)}
        return {**value, key: _changed(value[key], rng, pool, names)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        chance = rng.random()
        if chance < 0.1:
            return [*value, value[place]]
        if chance < 0.2:
            return value[:place] + value[place + 1 :]
        if chance < 0.3:
            return rng.sample(value, len(value))
        return [*value[:place], _changed(value[place], rng, pool, names), *value[place + 1 :]]
    if isinstance(value, str) and value and rng.random() < 0.3:
        at = rng.randrange(len(value))
        return value[:at] + rng.choice(["", "x", "{", "}", "/", "..", "\n", "é", "0"]) + value[at + 1 :]
    return rng.choice(pool)


def _file() -> str:
    """Return the name of a pipeline file in a folder without any other file."""
    if os.getpid() not in _files:
        folder = tempfile.mkdtemp(prefix="pipelines-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _files[os.getpid()] = str(Path(folder) / "p.yaml")
    return _files[os.getpid()]


_files: dict[int, str] = {}


def execute(data: bytes) -> None:
    """Check a pipeline. It is accepted, or every problem has a code, a place within the text, and harmless words."""
    file = _file()
    lines = data.count(b"\n") + data.count(b"\r") + 2
    try:
        check(read_document(data, file, environ={"HOME": "/home"}), file, registry.default())
    except PipelineError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.code, problem
            assert problem.file in (file, None), problem
            assert problem.line is None or 1 <= problem.line <= lines, problem
            assert f"{problem.message}{problem.hint}".replace("\n", "").isprintable(), ascii(str(problem))
