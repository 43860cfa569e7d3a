"""Templates of texts: fields are those of names of outputs, braces are doubled, and paths follow from the source."""

from __future__ import annotations

from pathlib import Path

import pytest

from tonearm.errors import OptionError
from tonearm.source import Source
from tonearm.writing.templates import FIELDS, field_value, parse_parts, text_template


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("a{stem}b", ("a", ("stem", 0), "b")),
        ("{index:05}{index}", (("index", 5), ("index", 0))),
        ("{{stem}}", ("{", "stem", "}")),
        ("{{{key}}}", ("{", ("key", 0), "}")),
    ],
)
def test_parts(text: str, parts: object) -> None:
    assert parse_parts(text) == parts


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{", "'{' has a single {", "write {{ for one"),
        ("a } b", "'a } b' has a single }", "write }} for one"),
        ("{}", "a template has no field {}", "fields: {stem}, {name}"),
        ("{parnt}", "a template has no field {parnt}", "did you mean 'parent'?"),
        ("{stem:05}", "a template has no field {stem:05}", "only index has a width, as in {index:05}"),
    ],
)
def test_problems(text: str, message: str, hint: str) -> None:
    with pytest.raises(OptionError) as caught:
        text_template(text)
    assert (caught.value.message, caught.value.code) == (message, "bad-template")
    assert caught.value.hint.startswith(hint)


def test_every_field_has_a_value(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a.b.npy"
    path.parent.mkdir()
    path.write_bytes(b"content")
    source = Source(name="a.b.npy", path=path, relative_dir="x/y")
    values = {field: text_template(f"{{{field}}}").render(source, "k", 12) for field in FIELDS}
    assert values == {
        "stem": "a.b",
        "name": "a.b.npy",
        "parent": "folder",
        "relative_dir": "x/y",
        "index": "12",
        "key": "k",
        "source_hash": "ed7002b439e9ac84",  # sha256sum
    }
    assert field_value("parent", Source(name="x", path="/x.npy")) == "root"


def test_a_folder_that_is_the_pattern_s_own_is_empty() -> None:
    assert text_template("in {relative_dir}!").render(Source(name="x", path="x.npy"), "", 0) == "in !"
    assert text_template("{stem} {index:03}").render(None, "", 4) == " 004"


@pytest.mark.parametrize(
    ("text", "constant"), [("", ""), ("a {{b}}", "a {b}"), ("a{stem}", None), ("{index:03}", None)]
)
def test_the_text_of_a_template_without_fields(text: str, constant: str | None) -> None:
    assert text_template(text).constant == constant
