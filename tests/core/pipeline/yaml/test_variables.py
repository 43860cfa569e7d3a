"""Variables of the environment in scalars."""

import pytest
from yaml_reading import problems, said, value

from tonearm.pipeline.document import Mark, ScalarNode, read_document, to_plain
from tonearm.pipeline.yaml.nodes import MAX_BYTES

OCTAL = "quote it, or write the plain value"


VARIABLE = "write ${NAME} or ${NAME:default}; a literal ${ is written $${"


SURROGATE = "write the character itself"


class TestVariables:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("${NO:22050}", 22050), ("${RATE}", 48000), ('"${RATE}"', "48000"), ("a${RATE}", "a48000"),
            ("${RATE}${RATE}", "4800048000"), ("${EMPTY:x}", None), ('"${EMPTY:x}"', ""), ("${NO:}", None),
            ("${NO:yes}", "yes"), ("${NO:-1}", -1), ("$${RATE}", "${RATE}"), ("a $${b} ${RATE}", "a ${b} 48000"),
            ("$$", "$$"), ("$RATE", "$RATE"), ("${LIST}", "[1, 2]"), ("${NO:a:b}", "a:b"), ("{stem}$", None),
        ],
    )  # fmt: skip
    def test_they_are_replaced(self, text, expected):
        if text.startswith("{"):
            text, expected = f'"{text}"', text
        found = value(f"k: {text}", RATE="48000", EMPTY="", LIST="[1, 2]")
        assert found == {"k": expected}

    def test_what_was_written_stays_known(self):
        node = read_document("${RATE}", "p.yaml", environ={"RATE": "1"})
        assert node == ScalarNode(value=1, text="${RATE}", quoted=False, mark=Mark(1, 1), variables=("RATE",))

    def test_keys_are_left_alone(self):
        assert value('"${A}": 1', A="x") == {"${A}": 1}

    def test_the_environment_is_the_default(self, monkeypatch):
        monkeypatch.setenv("TONEARM_TEST_RATE", "8000")
        assert to_plain(read_document("${TONEARM_TEST_RATE}", "p.yaml")) == 8000

    def test_what_is_wrong_is_told(self):
        assert said('a: ${RATE}\nb: "${1x}"\nc: ${OCTAL}\nd: ${BYTES}', OCTAL="010", BYTES="\udcff") == [
            (1, 4, "unset-variable", "environment variable 'RATE' is not set", "set it, or give a default: ${RATE:…}"),
            (2, 4, "bad-variable", "'${1x}' is not a variable", VARIABLE),
            (3, 4, "ambiguous-number", "'${OCTAL}' looks octal, but could mean decimal", OCTAL),
            (4, 4, "bad-text", "this text has half of a surrogate pair in it", SURROGATE),
        ]  # fmt: skip

    def test_one_scalar_tells_ten_problems_at_most(self):
        assert len(problems('"' + "${" * 1000 + '"')) == 10

    def test_one_long_value_cannot_fill_the_memory(self):
        message = "variables replaced by more than 1048576 bytes"
        assert said("- ${A}\n" * 12, A="x" * 100_000) == [(11, 3, "too-large", message, "")]

    def test_replacements_are_bounded_together(self):
        longest = "x" * MAX_BYTES
        assert value("k: ${A}", A=longest) == {"k": longest}
        assert value("k: ${B}${A}", A=longest, B="") == {"k": longest}
        message = f"variables replaced by more than {MAX_BYTES} bytes"
        for text in ("${A}${B}", "${A}${B}${1}", "${A}${A}"):
            (problem,) = problems(f"k: {text}", A=longest, B="y")
            assert (problem.code, problem.message) == ("too-large", message)

    def test_the_problems_of_one_scalar_are_bounded(self):
        assert [len(problems("k: " + "${1}" * count)) for count in (1, 9, 10, 11, 50)] == [1, 9, 10, 10, 10]

    def test_a_reference_that_is_none_is_shown_by_its_beginning(self):
        (problem,) = problems("k: a ${bad variable with a long name}")
        assert problem.message == "'${bad variable with ' is not a variable"
