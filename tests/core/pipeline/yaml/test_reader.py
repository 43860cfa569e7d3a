import pytest
from yaml_reading import problems, said, value

from tonearm.pipeline.document import Mark, read_document, to_plain
from tonearm.pipeline.yaml.nodes import INSPECT, MAX_BYTES, MAX_DEPTH, MAX_NODES, node_size

TAG = "write the value without it; quote it if it is meant as text"


ALIAS = "define it before with '&'; quote text that starts with '*'"


MERGE = "give it an alias of a mapping, or a list of them"


ESCAPE = r'check escapes like "\U0001F600", and directives'


BREAK = "leave it out, or write it as an escape in double quotes"


COLON = "check the indentation, and quote text that has ': ' in it"


START = "quote text that starts with this character"


STAR = "quote text that starts with '*' or '&'"


FLOW = "inside [ ] and { } a ${variable} needs quotes, or the value a line of its own"


WIDE = "this is not UTF-8, but looks like UTF-16 or UTF-32"


UTF8 = "save it as UTF-8"


KEY = "write the key as plain text"


NAME = 'write it in quotes, as in file: "{stem}.wav"'


class TestAliases:
    def test_aliases_and_merge_keys_keep_the_marks_of_their_anchor(self):
        node = read_document("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\nc: *a\n", "p.yaml", environ={})
        assert to_plain(node) == {"a": {"x": 1, "y": 2}, "b": {"y": 3, "x": 1}, "c": {"x": 1, "y": 2}}
        assert node.entries["b"].node.entries["x"].key_mark == Mark(1, 8)
        assert node.entries["c"].node.mark == Mark(1, 4)

    def test_the_first_of_merged_mappings_wins(self):
        text = "a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b], z: 0}"
        assert value(text)["c"] == {"z": 0, "x": 1, "y": 2}

    def test_a_quoted_merge_key_is_a_key(self):
        assert value('"<<": 1') == {"<<": 1}

    def test_anchors_on_keys_and_scalars(self):
        assert value("&k key: &v 1\nother: [*k, *v]") == {"key": 1, "other": ["key", 1]}

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a: *b", (1, 4, "unknown-alias", "'*b' is not defined", ALIAS)),
            ("a: &a [*a]", (1, 8, "recursive-alias", "'*a' contains itself", "write the inner value out")),
            ("a: &a {b: {<<: *a}}", (1, 16, "recursive-alias", "'*a' contains itself", "write the inner value out")),
            ("a:\n  <<: 1", (2, 7, "bad-merge", "'<<' takes mappings alone", MERGE)),
            ("a: &a 1\n<<: [*a]", (2, 5, "bad-merge", "'<<' takes mappings alone", MERGE)),
            ("k: &k x\n*k : 1", (2, 1, "bad-key", "a key must be text, not an alias", KEY)),
        ],
    )  # fmt: skip
    def test_what_they_cannot_do(self, text, expected):
        assert said(text) == [expected]


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", (1, 1, "empty", "there is nothing in this document", INSPECT)),
            ("# only a comment\n\n", (1, 1, "empty", "there is nothing in this document", INSPECT)),
            ("---\n", (1, 1, "empty", "there is nothing in this document", INSPECT)),
            ("a: 1\n---\nb: 2\n", (2, 1, "several-documents",
                "a second document starts here", "write one pipeline per file")),
            ("a: 1\nb: 2\na: 3", (3, 1, "duplicate-key",
                "key 'a' is given twice, first on line 1", "leave one of them out")),
            ("1: a", (1, 1, "bad-key", "key '1' is a number, not text", "quote it")),
            ("true: a", (1, 1, "bad-key", "key 'true' is true or false, not text", "quote it")),
            ("~: a", (1, 1, "bad-key", "key '~' is empty, not text", "quote it")),
            ("012: a", (1, 1, "bad-key", "key '012' is a number, not text", "quote it")),
            ("?\n: a", (1, 2, "bad-key", "a key is missing here", "write a key before ':'")),
            ("? [a]\n: b", (1, 3, "bad-key", "a key must be text, not a list", KEY)),
            ("? {a: b}\n: b", (1, 3, "bad-key", "a key must be text, not a mapping", KEY)),
            (r'"\0": b', (1, 1, "bad-text", "this text has a NUL character in it", "leave it out")),
            ("a: !!str 1", (1, 4, "tag-refused", "tag '!!str' is not taken", TAG)),
            ("a: !!python/object/apply:os.system [x]", (1, 4, "tag-refused",
                "tag '!!python/object/apply:os.system' is not taken", TAG)),
            ("a: ! x", (1, 4, "tag-refused", "tag '!' is not taken", TAG)),
            ("!k a: x", (1, 1, "tag-refused", "tag '!k' is not taken", TAG)),
            ("a: !e!x y", (1, 4, "tag-refused", "tags are not taken", TAG)),
            ("a:\n\tb: 1", (2, 1, "tab-indentation", "this line is indented with a tab", "indent with spaces")),
            ("a:\n  \tb: 1", (2, 3, "tab-indentation", "this line is indented with a tab", "indent with spaces")),
            ("a: b\tc: 1\nd: 1\t", (1, 5, "tab-indentation", "there is a tab where YAML wants spaces", "use spaces")),
            ("a: @x", (1, 4, "yaml-syntax", "found character '@' that cannot start any token", START)),
            ("a: *.npy", (1, 5, "yaml-syntax", "expected alphabetic or numeric character, but found '.'", STAR)),
            ("a: b: c", (1, 5, "yaml-syntax", "mapping values are not allowed here", COLON)),
            ('a: "x', (1, 6, "yaml-syntax", "found unexpected end of stream", "close the quote")),
            ("a: [1, 2\nb: 3", (2, 2, "yaml-syntax",
                "expected ',' or ']', but got ':', while parsing a flow sequence that starts on line 1",
                "close the [ of line 1 with ]")),
            ("a: {b: c\nd: e", (2, 2, "yaml-syntax",
                "expected ',' or '}', but got ':', while parsing a flow mapping that starts on line 1",
                "close the { of line 1 with }")),
            ("file: {stem}.wav", (1, 13, "yaml-syntax", "a name that starts with { needs quotes", NAME)),
            ("[{file: {stem}.wav}]", (1, 15, "yaml-syntax", "a name that starts with { needs quotes", NAME)),
            ("file: {relative_dir}/{stem}.wav", (1, 21, "yaml-syntax", "a name that starts with { needs quotes", NAME)),
            (b"\x93NUMPY\1\0" + bytes(2 << 20), (1, 1, "not-utf8", "this is no pipeline; it looks like a .npy file",
                "tonearm inspect p.yaml prints a pipeline that converts it")),
            (b"\xff\xfb\x90\0" + bytes(413) + b"\xff\xfb\x90\0", (1, 1, "not-utf8",
                "this is no pipeline; it looks like an MP3 file",
                "tonearm inspect p.yaml prints a pipeline that converts it")),
            (b"PK\3\4" + b"\xff" * 60, (1, 1, "not-utf8",
                "this is no pipeline; it looks like a zip archive, like those of np.savez",
                "tonearm inspect p.yaml prints a pipeline that converts it")),
            ("{a: ${N:1}}", (1, 6, "yaml-syntax", "expected ',' or '}', but got '{'", FLOW)),
            ("%YAML 2.0\n---\na", (1, 1, "yaml-syntax",
                "found incompatible YAML document (version 1.* is required)", "")),
            (f"%YAML 1.{'1' * 5000}\n---\na", (1, 9, "yaml-syntax", "a number here is out of range", ESCAPE)),
            (r'"\UFFFFFFFF"', (1, 4, "yaml-syntax", "a number here is out of range", ESCAPE)),
            ("a: b\0c", (1, 5, "yaml-syntax", "character U+0000 is not allowed", "leave it out")),
            ("a:\n  b\x07", (2, 4, "yaml-syntax", "character U+0007 is not allowed", "leave it out")),
            ("a: \ud800", (1, 4, "yaml-syntax", "character U+D800 is not allowed", "leave it out")),
            ('"\x85"', (1, 2, "yaml-syntax", "character U+0085 is not allowed", BREAK)),
            ("a\u2028b", (1, 2, "yaml-syntax", "character U+2028 is not allowed", BREAK)),
            ("a: b".encode("utf-16"), (1, 1, "not-utf8", WIDE, UTF8)),
            ("a: b".encode("utf-16-be"), (1, 1, "not-utf8", WIDE, UTF8)),
            ("a: b".encode("utf-16-le"), (1, 1, "not-utf8", WIDE, UTF8)),
            ("a: b\r\nä: é".encode("latin-1"), (2, 1, "not-utf8", "byte 0xe4 is not UTF-8", UTF8)),
        ],
    )  # fmt: skip
    def test_each_is_told_with_its_place_and_what_to_do(self, text, expected):
        assert said(text) == [expected]

    def test_a_problem_reads_like_a_compilers(self):
        assert str(problems("a: 1\na: 2")[0]) == (
            "p.yaml:2:1: duplicate-key: key 'a' is given twice, first on line 1\n    hint: leave one of them out"
        )

    def test_all_come_at_once_in_the_order_of_the_file(self):
        text = "1: x\na: 012\nb: {c: !t x, c: '${NO}'}\nd: *x\n<<: *y\ne: &e [*e]\nf: .nan\ng: [\n"
        assert [(line, column, code) for line, column, code, *_ in said(text)] == [
            (1, 1, "bad-key"), (2, 4, "ambiguous-number"), (3, 8, "tag-refused"), (3, 14, "duplicate-key"),
            (3, 17, "unset-variable"), (4, 4, "unknown-alias"), (5, 5, "unknown-alias"), (6, 8, "recursive-alias"),
            (7, 4, "bad-number"), (9, 1, "yaml-syntax"),
        ]  # fmt: skip

    def test_a_byte_order_mark_does_not_move_columns(self):
        assert [p[:3] for p in said(b"\xef\xbb\xbfa: 012\r\nb: 013\r\n")] == [
            (1, 4, "ambiguous-number"),
            (2, 4, "ambiguous-number"),
        ]


class TestBounds:
    def test_a_mebibyte_is_taken_and_a_byte_more_is_not(self):
        text = "a: " + "é" * ((MAX_BYTES - 4) // 2) + "x"
        assert len(text.encode()) == MAX_BYTES
        assert value(text.encode()) == value(text) == {"a": text[3:]}
        expected = [(None, None, "too-large", "this is more than 1 MiB of YAML", "split it into several pipelines")]
        assert said(text + "y") == said((text + "y").encode()) == said("a" * 2 * MAX_BYTES) == expected

    @pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ("{a: ", "}")])
    def test_fifty_levels_are_taken_and_one_more_is_not(self, opens, closes):
        assert node_size(read_document(opens * MAX_DEPTH + "1" + closes * MAX_DEPTH, "p.yaml"))[1] == MAX_DEPTH
        column = 1 + MAX_DEPTH * len(opens)
        message = "mappings and lists are nested deeper than 50"
        expected = [(1, column, "too-deep", message, "close the brackets, or nest less")]
        assert said(opens * (MAX_DEPTH + 1) + "1" + closes * (MAX_DEPTH + 1)) == expected

    def test_depth_counts_through_aliases(self):
        deep = "a: &a " + "[" * 30 + "]" * 30 + "\nb: "
        assert value(deep + "[" * 19 + "*a" + "]" * 19)
        assert [p.code for p in problems(deep + "[" * 20 + "*a" + "]" * 20)] == ["too-deep"]

    def test_ten_thousand_nodes_are_taken_and_one_more_is_not(self):
        assert len(value("- x\n" * (MAX_NODES - 1))) == MAX_NODES - 1
        message = "there are more than 10,000 values here, aliases expanded"
        expected = [(10_000, 3, "too-many-nodes", message, "split it into several pipelines")]
        assert said("- x\n" * MAX_NODES) == expected

    def test_nodes_are_counted_after_aliases(self):
        laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        laughs += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))
        assert [(p.line, p.code) for p in problems(laughs)] == [(5, "too-many-nodes")]
        merges = "a: &a {" + ", ".join(f"k{i}: 1" for i in range(500)) + "}\nb: {<<: [" + "*a, " * 20 + "]}"
        assert [(p.line, p.code) for p in problems(merges)] == [(2, "too-many-nodes")]
