import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tonearm.errors import PipelineError, Problem, advise
from tonearm.pipeline import document
from tonearm.pipeline.document import (
    MappingEntry,
    MappingNode,
    Mark,
    ScalarNode,
    SequenceNode,
    from_plain,
    override,
    read_document,
    to_plain,
)
from tonearm.pipeline.yaml.nodes import MAX_NODES

OCTAL = "quote it, or write the plain value"
FINITE = "options take finite numbers; quote it if it is meant as text"
TEXT_HINT = "quote it if it is meant as text"
SURROGATE = "write the character itself"
ASSIGN = "write --set steps.1.with.iterations=60"
BLOCK = "write [a, b] or {a: 1}, or quote it"

PIPELINE = """\
tonearm: 1
input:
  use: npy-reader
  files: "outputs/**/*.npy"
  with: {kind: mel, dialect: hifigan}
steps:
  - use: mel-to-magnitude
  - use: griffin-lim
    with: {iterations: 32}
"""


def value(text, **environ):
    return to_plain(read_document(text, "p.yaml", environ=environ))


class TestNodes:
    def test_every_node_and_key_knows_its_place(self):
        node = read_document("a: 1\nb:\n  - x\n  - 'y'\n", "p.yaml", environ={})
        items = (
            ScalarNode(value="x", text="x", quoted=False, mark=Mark(3, 5)),
            ScalarNode(value="y", text="y", quoted=True, mark=Mark(4, 5)),
        )
        one = ScalarNode(value=1, text="1", quoted=False, mark=Mark(1, 4))
        entries = {"a": MappingEntry(Mark(1, 1), one), "b": MappingEntry(Mark(2, 1), SequenceNode(items, Mark(3, 3)))}
        assert node == MappingNode(entries, Mark(1, 1))

    def test_a_pipeline_becomes_plain_values(self):
        assert value(PIPELINE) == {
            "tonearm": 1,
            "input": {
                "use": "npy-reader",
                "files": "outputs/**/*.npy",
                "with": {"kind": "mel", "dialect": "hifigan"},
            },
            "steps": [{"use": "mel-to-magnitude"}, {"use": "griffin-lim", "with": {"iterations": 32}}],
        }

    @pytest.mark.parametrize(
        "text", ["\ufeffa:\n- b\n", b"\xef\xbb\xbfa:\r\n  - b\r\n", "a:\r\n- b", "---\na: [b]\n...\n"]
    )
    def test_byte_order_mark_crlf_and_document_marks_are_accepted(self, text):
        assert value(text) == {"a": ["b"]}

    def test_the_reader_is_imported_by_the_first_reading_alone(self):
        code = "import sys, tonearm.pipeline.document as d; d.from_plain({}); print('yaml' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "False\n"


fuzz = settings(max_examples=400, suppress_health_check=list(HealthCheck))
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
VALUES = st.recursive(
    SCALARS | TEXT, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=20
)


class TestFromPlain:
    @fuzz
    @given(VALUES)
    def test_plain_values_come_back(self, values):
        assert to_plain(from_plain(values)) == values

    def test_no_marks(self):
        node = from_plain({"a": (1, "2")})
        one = ScalarNode(value=1, text="1", quoted=False, mark=None)
        two = ScalarNode(value="2", text="2", quoted=True, mark=None)
        assert node == MappingNode({"a": MappingEntry(None, SequenceNode((one, two), None))}, None)

    def test_text_is_text(self):
        assert to_plain(from_plain(["0123", "${A}", "!x", "null"])) == ["0123", "${A}", "!x", "null"]

    def test_all_problems_by_path(self):
        bad = {
            "steps": [{}, {"with": {1: 2, "b": b"", "n": float("nan"), "i": 1 - 2**64, "j": 10**5000, "s": "\ud800"}}]
        }
        with pytest.raises(PipelineError) as caught:
            from_plain(bad)
        path = "'steps.1.with"
        finite = FINITE
        types = "use dict, list, str, int, float, bool or None"
        quoted = TEXT_HINT
        assert caught.value.problems == (
            Problem(code="bad-key", message=f"{path}': a key must be text, not int", remedies=advise("use a str")),
            Problem(
                code="bad-value",
                message=f"{path}.b': a pipeline cannot hold a value of type bytes",
                remedies=advise(types),
            ),
            Problem(code="bad-number", message=f"{path}.n': 'nan' is not a finite number", remedies=advise(finite)),
            Problem(
                code="bad-number",
                message=f"{path}.i': '-18446744073709551615' does not fit 64 bits",
                remedies=advise(quoted),
            ),
            Problem(code="bad-number", message=f"{path}.j': this integer does not fit 64 bits"),
            Problem(
                code="bad-text",
                message=f"{path}.s': this text has half of a surrogate pair in it",
                remedies=advise(SURROGATE),
            ),
        )

    def test_a_value_that_contains_itself_is_too_deep(self):
        loop = []
        loop.append(loop)
        with pytest.raises(PipelineError, match=r"too-deep: '0.0.0.*': mappings and lists are nested deeper than 50"):
            from_plain(loop)

    def test_too_many(self):
        with pytest.raises(PipelineError, match=r"^too-many-nodes: '9999': there are more than 10,000 values"):
            from_plain([0] * MAX_NODES)


class TestOverride:
    @pytest.mark.parametrize(
        ("assignment", "expected"),
        [
            ("a.1.b=60", {"a": [1, {"b": 60}], "c": None}), ("a.0=x=y", {"a": ["x=y", {"b": 2}], "c": None}),
            ("a=[1, {b: '2'}]", {"a": [1, {"b": "2"}], "c": None}),
            ("c.d.e=-1.5", {"a": [1, {"b": 2}], "c": {"d": {"e": -1.5}}}),
            ("n.x=no", {"a": [1, {"b": 2}], "c": None, "n": {"x": "no"}}), ("a.1=", {"a": [1, None], "c": None}),
            ('c="007"', {"a": [1, {"b": 2}], "c": "007"}), ("c=${A}", {"a": [1, {"b": 2}], "c": 7}),
            ("c=out/{stem}.wav", {"a": [1, {"b": 2}], "c": "out/{stem}.wav"}),
            ("c=a, b", {"a": [1, {"b": 2}], "c": "a, b"}),
        ],
    )  # fmt: skip
    def test_values_are_typed(self, assignment, expected):
        root = read_document("a: [1, {b: 2}]\nc:", "p.yaml")
        before = to_plain(root)
        assert to_plain(override(root, assignment, environ={"A": "7"})) == expected
        assert to_plain(root) == before

    def test_the_key_keeps_its_mark_and_the_value_has_none(self):
        root = override(read_document("a: 1\nb: 2", "p.yaml"), "b=3")
        assert root.entries["a"].node.mark == Mark(1, 4)
        assert root.entries["b"] == MappingEntry(Mark(2, 1), ScalarNode(value=3, text="3", quoted=False, mark=None))

    def test_an_alias_elsewhere_is_not_changed(self):
        root = read_document("a: &a {x: 1}\nb: *a", "p.yaml")
        assert to_plain(override(root, "b.x=2")) == {"a": {"x": 1}, "b": {"x": 2}}

    @pytest.mark.parametrize(
        ("assignment", "message", "hint"),
        [
            ("a", "this is not an assignment", ASSIGN),
            ("a..b=1", "this is not an assignment", ASSIGN),
            ("=1", "this is not an assignment", ASSIGN),
            ("a.2=1", "'a' is a list, and has no '2'", "its indexes are 0 to 1"),
            ("a.-1=1", "'a' is a list, and has no '-1'", "its indexes are 0 to 1"),
            ("e.0=1", "'e' is a list, and has no '0'", "it is empty"),
            ("a.0.x=1", "'a.0' is a number, and has no 'x'", ""),
            ("c=0123", "'0123' looks octal, but could mean decimal", OCTAL),
            ("c=[1", "expected ',' or ']', but the file ends", "quote the value"),
            ("c=#fff", "there is nothing in this document", "quote the value"),
            ("c=b: 1", "the value is a mapping in block style", BLOCK),
            ("c=- 1", "the value is a list in block style", BLOCK),
            ("c=${NO}", "environment variable 'NO' is not set", "set it, or give a default: ${NO:…}"),
            ("c\udcff=1", "this text has half of a surrogate pair in it", SURROGATE),
            (".".join("k" * 51) + "=1", "the path is longer than 50 keys", ""),
            (".".join("k" * 30) + "=" + "[" * 21 + "]" * 21, "this passes 10,000 values, or a depth of 50", ""),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_told(self, assignment, message, hint):
        with pytest.raises(PipelineError) as caught:
            override(read_document("a: [1, {b: 2}]\nc:\ne: []", "p.yaml"), assignment, environ={})
        (problem,) = caught.value.problems
        assert (problem.code, problem.line, problem.hint) == ("bad-override", None, hint)
        assert problem.message.startswith("--set '")
        assert problem.message.endswith(f"': {message}")


def test_what_is_offered_is_there():
    assert all(hasattr(document, name) for name in document.__all__)
