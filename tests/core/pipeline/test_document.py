"""Documents: read from YAML or built from Python values, with values replaced by ``--set`` and ``--limit``."""

import enum
import os
import pathlib
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tonearm.errors import PipelineError, Problem, UsageError, advise
from tonearm.pipeline.document import (
    MappingEntry,
    MappingNode,
    Mark,
    ScalarNode,
    SequenceNode,
    assignment_mark,
    escape_variables,
    from_plain,
    override,
    read_document,
    read_pipeline,
    to_plain,
    with_limits,
)
from tonearm.pipeline.yaml.nodes import MAX_BYTES, MAX_DEPTH, MAX_NODES, node_size

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


def refused(function, *given, **more):
    """Return the problems that a function raises, each with its code, message and hint."""
    with pytest.raises(PipelineError) as caught:
        function(*given, **more)
    return [(problem.code, problem.message, problem.hint) for problem in caught.value.problems]


class TestReadPipeline:
    def test_a_file_or_a_mapping_with_values_replaced(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TONEARM_X", "7")
        (tmp_path / "p.yaml").write_text("a: [1, 2, 3]\nb: ${TONEARM_X}")
        overrides, limits = ["a.1=${TONEARM_X}", "c.d=x"], ["memory=4GB", "items=3"]
        wanted = {"a": [1, 7, 3], "b": 7, "c": {"d": "x"}, "limits": {"memory": "4GB", "items": 3}}
        for path in (tmp_path / "p.yaml", str(tmp_path / "p.yaml")):
            root, name = read_pipeline(path, overrides, limits)
            assert (to_plain(root), name) == (wanted, str(tmp_path / "p.yaml"))
        root, name = read_pipeline({"a": [1, 2, 3], "b": 7}, overrides, {"memory": "4GB", "items": 3})
        assert (to_plain(root), name) == (wanted, None)
        assert root.entries["c"].key_mark == Mark(0, 0, "--set 'c.d=x'")
        assert root.entries["limits"] == MappingEntry(None, from_plain({"memory": "4GB", "items": 3}))
        assert to_plain(read_pipeline({"a": 1})[0]) == {"a": 1}

    def test_limits_know_the_option_that_gave_them(self):
        root = with_limits(from_plain({"limits": {"items": 2, "memory": 3}}), ["memory=4"])
        mark = Mark(0, 0, "--limit 'memory=4'")
        assert root.entries["limits"].node.entries["memory"].node.mark == mark
        assert to_plain(root) == {"limits": {"items": 2, "memory": 4}}
        assert refused(with_limits, root, ["memory"]) == [
            ("bad-override", "--limit 'memory': this is not an assignment", "write --limit memory=4GB")
        ]

    @pytest.mark.parametrize("size", [MAX_BYTES - 1, MAX_BYTES, MAX_BYTES + 1, MAX_BYTES + 2])
    def test_no_file_is_read_in_part(self, size, tmp_path):
        path = tmp_path / "p.yaml"
        path.write_text("a: 1\n" + "# " * (size // 2) + "x" * size)
        os.truncate(path, size)
        if size <= MAX_BYTES:
            assert to_plain(read_pipeline(path)[0]) == {"a": 1}
        else:
            ((code, _, _),) = refused(read_pipeline, path)
            assert code == "too-large"

    @pytest.mark.parametrize(
        ("name", "reason"),
        [("/no/such", "cannot read /no/such: no such file or directory"), ("/", "cannot read /: it is a folder"),
         ("/proc/self/mem", "[Errno 5] Input/output error"), ("a\0b", r"cannot read a\x00b: embedded null ")],
    )  # fmt: skip
    def test_a_file_that_cannot_be_read(self, name, reason):
        with pytest.raises(UsageError) as caught:
            read_pipeline(name)
        message = caught.value.message.replace("open: ", "").replace("byte", "").replace("character in path", "")
        assert (caught.value.code, message) == ("unreadable", reason)  # Python 3.13 has other words for the null byte

    def test_variables_are_those_of_the_process_unless_others_are_given(self, monkeypatch):
        monkeypatch.setenv("TONEARM_X", "7")
        assert to_plain(read_document("${TONEARM_X}", "p.yaml")) == 7
        assert to_plain(read_document("${TONEARM_X}", "p.yaml", environ={"TONEARM_X": "8"})) == 8
        with pytest.raises(PipelineError, match="'TONEARM_X' is not set"):
            read_document("${TONEARM_X}", "p.yaml", environ={})


fuzz = settings(max_examples=400, suppress_health_check=list(HealthCheck))
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
VALUES = st.recursive(
    SCALARS | TEXT, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=20
)


class Level(enum.Enum):
    LOW = 1
    FILE = pathlib.Path("a")
    NONE = None


class Count(int):
    __str__ = __repr__ = lambda self: "odd"


class Number(float):
    __str__ = __repr__ = lambda self: "odd"


class Word(str):
    __str__ = __repr__ = lambda self: "odd"


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

    @pytest.mark.parametrize(
        ("value", "plain", "text"),
        [
            (None, None, "null"), (True, True, "true"), (False, False, "false"), (0, 0, "0"), (-1, -1, "-1"),
            (1.5, 1.5, "1.5"), (2**64 - 1, 2**64 - 1, "18446744073709551615"),
            (-(2**63), -(2**63), "-9223372036854775808"), (pathlib.Path("a/b"), "a/b", "a/b"),
            (Level.LOW, 1, "1"), (Level.FILE, "a", "a"), (Level.NONE, None, "null"),
            (Count(3), 3, "3"), (Number(0.5), 0.5, "0.5"), (Word("a"), "a", "a"),
        ],
        ids=str,
    )  # fmt: skip
    def test_single_values(self, value, plain, text):
        node = from_plain(value)
        quoted = type(plain) is str
        assert node == ScalarNode(value=plain, text=text, quoted=quoted, mark=None)
        assert type(node.value) is type(plain)

    def test_whole_numbers_that_do_not_fit(self):
        assert [refused(from_plain, value)[0][1] for value in (2**64, -(2**63) - 1, -(2**64))] == [
            "the top level: this integer does not fit 64 bits",
            "the top level: '-9223372036854775809' does not fit 64 bits",
            "the top level: this integer does not fit 64 bits",
        ]

    def test_every_wrong_key_and_all_that_follows_it_is_found(self):
        found = refused(from_plain, {1: 0, None: 0, "\ud800": 0, 2.5: 0, "a": b"", "b": [b"", b""]})
        assert [message for _, message, _ in found] == [
            "the top level: a key must be text, not int",
            "the top level: a key must be text, not NoneType",
            "the top level: this text has half of a surrogate pair in it",
            "the top level: a key must be text, not float",
            *(f"'{place}': a pipeline cannot hold a value of type bytes" for place in ("a", "b.0", "b.1")),
        ]

    def test_limits_of_size_and_depth_are_met_exactly(self):
        deep = [[]]
        for _ in range(MAX_DEPTH - 2):
            deep = [deep]
        assert node_size(from_plain(deep)) == (MAX_DEPTH, MAX_DEPTH)
        path = ".".join("0" * MAX_DEPTH)
        message = f"'{path[:59]}…': mappings and lists are nested deeper than {MAX_DEPTH}"
        assert refused(from_plain, [deep]) == [("too-deep", message, "")]
        assert node_size(from_plain([1] * (MAX_NODES - 1)))[0] == MAX_NODES
        keys = {str(number): 0 for number in range(MAX_NODES // 2 - 1)}
        assert node_size(from_plain([keys]))[0] == MAX_NODES
        for many, place in (([keys, 0], "'1'"), ([0, keys], f"'1.{MAX_NODES // 2 - 2}'"), (keys | {"k": 0}, "'k'")):
            ((code, message, _),) = refused(from_plain, many)
            assert (code, message) == ("too-many-nodes", f"{place}: there are more than 10,000 values here")

    def test_a_value_that_contains_itself_is_too_deep(self):
        loop = []
        loop.append(loop)
        with pytest.raises(PipelineError, match=r"too-deep: '0.0.0.*': mappings and lists are nested deeper than 50"):
            from_plain(loop)


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

    def test_all_new_keys_and_values_have_the_mark_of_the_assignment(self):
        assert assignment_mark("a=1") == Mark(0, 0, "--set 'a=1'")
        assert assignment_mark("a=1", "--limit") == Mark(0, 0, "--limit 'a=1'")
        mark = assignment_mark("b.c=[1, {d: 2}]")
        root = override(read_document("a: 1", "p.yaml"), "b.c=[1, {d: 2}]", mark=mark)
        one, two = (ScalarNode(value=value, text=str(value), quoted=False, mark=mark) for value in (1, 2))
        inner = SequenceNode((one, MappingNode({"d": MappingEntry(mark, two)}, mark)), mark)
        assert root.entries["b"] == MappingEntry(mark, MappingNode({"c": MappingEntry(mark, inner)}, mark))
        assert root.entries["a"] == MappingEntry(Mark(1, 1), ScalarNode(1, "1", quoted=False, mark=Mark(1, 4)))
        replaced = ScalarNode(value=3, text="3", quoted=False, mark=None)
        assert override(root, "a=3").entries["a"] == MappingEntry(Mark(1, 1), replaced)
        assert override(root, "e=").entries["e"] == MappingEntry(None, ScalarNode(None, "", quoted=False, mark=None))

    @pytest.mark.parametrize("index", range(4))
    def test_each_item_of_a_list_can_be_replaced(self, index):
        wanted = [0, 1, 2, 3]
        wanted[index] = 9
        root = read_document("a: [0, 1, 2, 3]", "p.yaml")
        for key in (str(index), f"00000{index}", f" {index} "):
            assert to_plain(override(root, f"a.{key}=9")) == {"a": wanted}
        for key in (f"000000{index}", "4", "+1", "1_0", "x"):
            with pytest.raises(PipelineError, match=f"'a' is a list, and has no '{key}'".replace("+", r"\+")):
                override(root, f"a.{key}=9")

    def test_a_plugin_by_name_gets_options(self):
        root = read_document("a: x\nb: 1\nc:", "p.yaml")
        use = root.entries["a"].node
        changed = override(root, "a.with.k=1").entries["a"].node
        assert to_plain(changed) == {"use": "x", "with": {"k": 1}}
        assert (changed.mark, changed.entries["use"]) == (use.mark, MappingEntry(None, use))
        assert to_plain(override(root, "c.with.k=1"))["c"] == {"with": {"k": 1}}
        for path, said in (("b.with.k", "'b' is a number, and has no 'with'"), ("a.x", "'a' is text, and has no 'x'")):
            assert refused(override, root, f"{path}=1")[0][1] == f"--set '{path}=1': {said}"
        assert refused(override, read_document("[1]", "p.yaml"), "a=1") == [
            ("bad-override", "--set 'a=1': the top level is a list, and has no 'a'", "its indexes are 0 to 0")
        ]

    def test_limits_of_size_and_depth_are_met_exactly(self):
        root = from_plain({})
        path = ".".join("k" * MAX_DEPTH)
        assert node_size(override(root, f"{path}=1"))[1] == MAX_DEPTH
        assert node_size(override(root, "a=" + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)))[1] == MAX_DEPTH
        assert refused(override, root, f"k.{path}=1")[0][1].endswith("': the path is longer than 50 keys")
        passes = "': this passes 10,000 values, or a depth of 50"
        for deeper in (f"{path}=[]", "a.b=" + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)):
            assert refused(override, root, deeper)[0][1].endswith(passes)
        full = from_plain([0] * (MAX_NODES - 3))
        assert node_size(override(full, "0={a: 1}"))[0] == MAX_NODES
        assert refused(override, full, "0={a: 1, b: 2}")[0][1].endswith(passes)

    @pytest.mark.parametrize("value", ["", " ", "~", "null"])
    def test_empty_values(self, value):
        assert to_plain(override(from_plain({"a": 1}), f"a={value}")) == {"a": None}

    @pytest.mark.parametrize("value", ["[1]", " [1]", "{a: 1}", " {a: 1}", "[[1], {a: 1}]"])
    def test_values_in_flow_style(self, value):
        assert to_plain(override(from_plain({}), f"x={value}")) == {"x": to_plain(read_document(value, "p.yaml"))}

    def test_variables_are_those_of_the_process_unless_others_are_given(self, monkeypatch):
        monkeypatch.setenv("TONEARM_X", "7")
        assert to_plain(override(from_plain({}), "a=${TONEARM_X}")) == {"a": 7}
        assert refused(override, from_plain({}), "a=${TONEARM_X}", environ={})[0][2].startswith("set it")

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
            ("c=[0123, .inf]", "'0123' looks octal, but could mean decimal", OCTAL),
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


def test_escaped_variables_are_read_back_as_they_were():
    given = {"${A}": ["${B}", 1, None, True, {"c": "$${D}", "e": "$"}], "f": 1.5}
    escaped = {"$${A}": ["$${B}", 1, None, True, {"c": "$$${D}", "e": "$"}], "f": 1.5}
    assert escape_variables(given) == escaped
    assert escape_variables(("${A}",)) == ("${A}",)
