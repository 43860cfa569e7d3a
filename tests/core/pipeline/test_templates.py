import re
import string
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tonearm import system
from tonearm.errors import ItemError, OptionError
from tonearm.pipeline import templates
from tonearm.pipeline.templates import parse_template
from tonearm.writing.templates import FIELDS

VALUES = {
    "stem": "a",
    "name": "a.npy",
    "parent": "in",
    "relative_dir": "x/y",
    "index": "7",
    "key": "mel",
    "source_hash": "f00d",
}


def rendered(text, **values):
    return parse_template(text).render({**VALUES, **values}.__getitem__)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a.wav", "a.wav"),
        ("{stem}.wav", "a.wav"),
        ("{name}.wav", "a.npy.wav"),
        ("{parent}/{relative_dir}/{stem}-{index:05}-{key}.wav", "in/x/y/a-00007-mel.wav"),
        ("{index:01}{index:09}", "7000000007"),
        ("{source_hash}", "f00d"),
        ("{{{stem}}}", "{a}"),
        ("{{stem}}", "{stem}"),
        ("./a//b.wav", "a/b.wav"),
        ("tonearm/{stem}", "tonearm/a"),
        ("é ü/音.wav", "é ü/音.wav"),
        ("a..b/..c/d..", "a..b/..c/d.."),
    ],
)
def test_fields_are_filled_in(text, path):
    assert rendered(text) == path


def test_fields_are_known():
    assert parse_template("{parent}/{index:05}{key}").fields == {"parent", "index", "key"}
    assert parse_template("{{key}}").fields == frozenset()


HINT = 'as in "audio/{stem}.wav"'
WIDTH = "only index has a width, as in {index:05}"
KNOWN = "fields: " + ", ".join(f"{{{field}}}" for field in FIELDS) + "; {{ is a brace"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "'' is not a file name", HINT),
        (".", "'.' is not a file name", HINT),
        ("a/", "'a/' is not a file name", HINT),
        ("a/.", "'a/.' is not a file name", HINT),
        ("a\nb", r"'a\nb' is not a file name", HINT),
        ("a\0b", r"'a\x00b' is not a file name", HINT),
        (".tonearm/journal.jsonl", "'.tonearm/journal.jsonl' is not a file name", HINT),
        ("./.tonearm/lock", "'./.tonearm/lock' is not a file name", HINT),
        ("a/.tonearm-{stem}.wav", "'a/.tonearm-{stem}.wav' is not a file name", HINT),
        ("/a", "'/a' is absolute", "write it relative to the output folder"),
        ("~/a", "'~/a' is absolute", "write it relative to the output folder"),
        ("../a", "'../a' would leave the output folder", "write it without .."),
        ("a/../../b", "'a/../../b' would leave the output folder", "write it without .."),
        ("{stem}/../b", "'{stem}/../b' would leave the output folder", "write it without .."),
        ("{stem", "'{stem' has a single {", "write {{ for one"),
        ("stem}", "'stem}' has a single }", "write }} for one"),
        ("{}", "a template has no field {}", KNOWN),
        ("{0}", "a template has no field {0}", KNOWN),
        ("{steem}", "a template has no field {steem}", "did you mean 'stem'?"),
        ("{stem.__class__}", "a template has no field {stem.__class__}", WIDTH),
        ("{stem!r}", "a template has no field {stem!r}", WIDTH),
        ("{stem:05}", "a template has no field {stem:05}", WIDTH),
        ("{index:5}", "a template has no field {index:5}", WIDTH),
        ("{index:010}", "a template has no field {index:010}", WIDTH),
        ("{index:{stem}}", "'{index:{stem}}' has a single {", "write {{ for one"),
        ("{ stem }", "a template has no field { stem }", "did you mean 'stem'?"),
    ],
)
def test_what_is_no_template(text, message, hint):
    with pytest.raises(OptionError) as caught:
        parse_template(text)
    assert (caught.value.code, caught.value.message, caught.value.hint) == ("bad-template", message, hint)


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("{key}.wav", {"key": ""}, "the item has no key to put into the output's name"),
        ("{key}.wav", {"key": "../x"}, "{key} is '../x', which is not a file name"),
        ("{key}.wav", {"key": "a/b"}, "{key} is 'a/b', which is not a file name"),
        ("{key}.wav", {"key": "/etc/passwd"}, "{key} is '/etc/passwd', which is not a file name"),
        ("{key}.wav", {"key": "a\0"}, r"{key} is 'a\\x00', which is not a file name"),
        ("{key}", {"key": ".."}, "{key} is '..', which is not a file name"),
        ("{relative_dir}/a", {"relative_dir": "../.."}, "{relative_dir} is '../..', which is not a file name"),
        ("{relative_dir}/a", {"relative_dir": "/etc"}, "{relative_dir} is '/etc', which is not a file name"),
        ("{key}", {"key": "."}, "{key} becomes '.', which is not a name below the output folder"),
        ("a/{key}", {"key": "."}, "a/{key} becomes 'a/.', which is not a name below the output folder"),
        ("{key}.", {"key": "."}, "{key}. becomes '..', which is not a name below the output folder"),
        ("{key}/lock", {"key": ".tonearm"}, "{key}/lock becomes '.tonearm/lock', which is not a name below the output"),
        ("{stem}", {"stem": ".tonearm-0"}, "{stem} becomes '.tonearm-0', which is not a name below the output folder"),
    ],
)
def test_values_that_lead_elsewhere(text, values, message):
    with pytest.raises(ItemError) as caught:
        rendered(text, **values)
    assert caught.value.code == "unsafe-name"
    assert caught.value.message.startswith(message)


def test_odd_names_of_sources_are_kept():
    assert rendered("{stem}.wav", stem="a\n\x1b[31m\udcff") == "a\n\x1b[31m\udcff.wav"
    assert rendered("{relative_dir}/a.wav", relative_dir=".") == "a.wav"


FILLED = [*(f"{{{field}}}" for field in FIELDS), "{index:05}"]
PIECES = [*FILLED, "/", ".", "..", "~", "a", ".tonearm", "{{", "}}", "{", "}"]
TEMPLATES = st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text(string.printable, max_size=12)
PARTS = ["/", ".", "..", "a", "\0", "\n", ".tonearm", "-"]
NAMES = st.lists(st.sampled_from(PARTS), max_size=6).map("".join) | st.text(max_size=8)


def attempt(text, values):
    """Return what a template becomes, or the error, which is one of the two that there may be."""
    try:
        return parse_template(text).render(values.__getitem__)
    except (OptionError, ItemError) as error:
        return error


@given(text=TEMPLATES, values=st.fixed_dictionaries(dict.fromkeys(FIELDS, NAMES)))
@example(text="{stem}{key}/x", values=dict.fromkeys(FIELDS, "."))
@example(text="./{key}{stem}/journal.jsonl", values={**dict.fromkeys(FIELDS, ""), "key": ".tone", "stem": "arm"})
def test_nothing_rendered_ever_leaves_the_root(text, values):
    path = attempt(text, values)
    if isinstance(path, OptionError | ItemError):
        assert path.code in ("bad-template", "unsafe-name")
        assert f"{path.message}{path.hint}".isprintable()
        return
    root = Path("/out/root")
    assert "\0" not in path
    assert path == str(PurePosixPath(path))
    path = PurePosixPath(path)
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert path.name
    assert not any(part.startswith(".tonearm") for part in path.parts)
    assert (root / path).is_relative_to(root)
    assert root / path != root


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("{stem}.wav", "x"),
        ("{stem}-{index:03}.wav", "x"),
        ("a/b/{stem}-{index:03}{key}.wav", "a/b/x"),
        ("a/{relative_dir}/{stem}{source_hash}.wav", "a/x/y/x"),
        ("{relative_dir}-{index}", "x/yx"),
        ("a/b{index}", "a/bx"),
    ],
)
def test_the_folder_is_known_where_what_comes_late_is_only_in_the_name(text, folder):
    late = {"index", "key", "source_hash"}
    assert parse_template(text).folder(late).render(VALUES.__getitem__) == folder
    assert folder.rpartition("/")[0] == rendered(text).rpartition("/")[0]


@pytest.mark.parametrize("text", ["{key}/a", "a/{index}/{stem}", "{index}{relative_dir}", "{key}{index}/{stem}{key}"])
def test_the_folder_is_not_known_where_it_comes_late(text):
    assert parse_template(text).folder({"index", "key", "source_hash"}) is None


@pytest.mark.parametrize(
    ("fits", "more"),
    [
        ("a" * 251 + ".wav", "a"),
        ("a" * 250 + "{stem}.wav", "a"),
        ("é" * 125 + "{key}.wav", "é"),
        ("{source_hash}" + "a" * 235 + ".wav", "a"),
        ("{index:09}" + "a" * 242 + ".wav", "a"),
        ("{{" * 251 + ".wav", "{{"),
        ("b" * 255 + "/{stem}.wav", "a"),
        ("{relative_dir}/" + "c" * 255, "c"),
        ("/".join(["d" * 255] * 16), "/d"),
    ],
)
def test_text_that_is_too_long_for_any_file(fits, more):
    parse_template(fits)
    longer = more + fits if not more.startswith("/") else fits + more
    if fits.startswith("{relative_dir}"):
        longer = fits + more
    with pytest.raises(OptionError) as caught:
        parse_template(longer)
    assert caught.value.code == "name-too-long"
    assert len(caught.value.message) < 200


def test_a_long_template_is_cut_where_it_is_named():
    with pytest.raises(OptionError) as caught:
        parse_template("/" + "a" * 100_000)
    assert len(caught.value.message) < 400


def message_of(text):
    with pytest.raises(OptionError) as caught:
        parse_template(text)
    return caught.value.message, caught.value.hint


def test_the_longest_name_and_the_longest_path():
    hint = "shorten the text between the fields"
    assert message_of("a" * 256) == (f"every name from '{'a' * 58}… has more than 255 bytes", hint)
    path = "a/" * 2047 + "b"
    assert parse_template(path).text == path
    assert message_of(f"{path}c") == (f"every path from '{'a/' * 29}… has more than 4095 bytes", hint)
    assert message_of("d" * 255 + f"/{path}")[0].startswith("every path from 'ddd")
    assert message_of("d" * 256 + f"/{path}")[0].startswith("every name from 'ddd")


def test_a_template_never_changes():
    with pytest.raises(AttributeError, match="immutable"):
        parse_template("a").text = "b"


@pytest.mark.parametrize(
    "name", ["a.wav", "a-1_B.x.wav", "a..wav", "a.", ".a", "-a", "a b", "x" * 100, "x" * 300, "ä.wav"]
)
def test_a_plain_name_needs_no_checks(monkeypatch, name):
    """The short way gives what the long way gives, or leaves the name to it."""

    def found():
        try:
            template = parse_template(name)
            return template, template.render(str)
        except (OptionError, ItemError) as error:
            return error.code, error.message

    short = found()
    monkeypatch.setattr(templates, "_PLAIN_NAME", re.compile("(?!)"))
    assert short == found()


class TestNamesOnWindows:
    @pytest.fixture(autouse=True)
    def windows(self, monkeypatch):
        monkeypatch.setattr(system, "HAS_POSIX", False)

    @pytest.mark.parametrize("key", [r"..\..\a", r"c:\a", "c:a", "nul", "a|b"])
    def test_a_key_leads_nowhere_else(self, key):
        with pytest.raises(ItemError, match="which is not a name below the output folder") as caught:
            rendered("{key}.wav", key=key)
        assert caught.value.code == "unsafe-name"

    @pytest.mark.parametrize("text", [r"..\{stem}.wav", "c:{stem}.wav", "aux.wav", "a./{stem}.wav"])
    def test_neither_does_a_template(self, text):
        with pytest.raises(OptionError, match="is not a file name"):
            parse_template(text)

    @pytest.mark.parametrize("text", ["a.wav", "./{relative_dir}//{stem}-{key}.wav", "{parent}/a b.wav"])
    def test_others_stay_as_they_are(self, text):
        assert rendered(text)
