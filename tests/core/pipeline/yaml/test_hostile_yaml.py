import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tonearm.errors import PipelineError
from tonearm.pipeline.document import from_plain, read_document, to_plain
from tonearm.pipeline.yaml.nodes import MAX_BYTES, MAX_DEPTH, MAX_NODES, node_size

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


def attempt(text):
    try:
        return read_document(text, "p.yaml", environ={"A": "7"})
    except PipelineError as error:
        return error.problems


MEBIBYTES = {
    "brackets": "[" * 50_000, "braces": "{" * 50_000, "dashes": "- " * 50_000, "questions": "? " * 50_000,
    "anchors": "&a " * 10**5 * 3, "anchored": "- &a\n" * 200_000, "comments": "#\n" * (MAX_BYTES // 2),
    "words": "a " * (MAX_BYTES // 2), "lines": "a\n" * (MAX_BYTES // 2), "escapes": '"' + r"\n" * 524_000 + '"',
    "literal": "|\n" + " a\n" * 349_000, "directives": "%A\n" * 349_000, "quotes": "'" * MAX_BYTES,
    "variables": "${A:" * 262_000, "tabs": "\t" * MAX_BYTES, "colons": ":" * MAX_BYTES, "number": "1" * MAX_BYTES,
    "brackets by lines": ("[" * 1000 + "\n") * 1000, "duplicates": "a: 012\n" * 149_000, "commas": "[" + "," * 10**6,
    "fraction": "1" * 500_000 + "." + "1" * 500_000 + "x",
    "blank": " " * (MAX_BYTES - 1) + "a", "bytes": b"\xff" * MAX_BYTES,
}  # fmt: skip
SECONDS = ("directives", "lines", "words", "literal")
"""Names of the texts that take seconds."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SECONDS else name for name in MEBIBYTES]
)
def test_a_mebibyte_of_hostile_text_is_read_or_refused(name):
    """Reading takes seconds; what takes longer than a square of the size would run into the limit of all tests."""
    attempt(MEBIBYTES[name])


TOKENS = [
    *string.printable, ": ", "- ", "\n  ", "\n    ", "&a ", "*a", "<<: ", "!!str ", "|\n", " >\n", r"\U", r"\x", "? ",
    "---\n",    "...\n", "%YAML 1.2\n",
    "%TAG ! x\n", "${A}", "${", "$${", "${B:1}", "\x85", "\u2028", "\0", "\ud800", "\ufeff", ".inf", "é",
    "\r\n", "0123", "1e5", "a: ", "b: ",
]  # fmt: skip
SEED = PIPELINE + 'x: &x {a: 1, <<: {b: 2}}\ny: [*x, "q\\n", |\n'[:-3] + "]\nz: >\n  folded\n  text\nv: ${A} ${B:2}\n"


def check_any(text):
    """Whatever the text is: nodes that hold their promises, or problems with a place."""
    node = attempt(text)
    if isinstance(node, tuple):
        assert node
        for problem in node:
            assert (problem.file, bool(problem.line), bool(problem.column)) == ("p.yaml", True, True)
            assert f"{problem.message}{problem.hint}".isprintable()
        return
    count, depth = node_size(node)
    assert count <= MAX_NODES
    assert depth <= MAX_DEPTH
    values = to_plain(node)
    assert to_plain(from_plain(values)) == values
    repr(values).encode()


def mutated(chance):
    text = SEED
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice([*TOKENS, ""]) + text[at + chance.randint(0, 4) :]
    return text


fuzz = settings(max_examples=400, suppress_health_check=list(HealthCheck))


@fuzz
@given(st.lists(st.sampled_from(TOKENS), max_size=40).map("".join))
def test_no_text_gets_another_exception(text):
    check_any(text)


@fuzz
@given(st.binary(max_size=200))
def test_no_bytes_get_another_exception(data):
    check_any(data)


@fuzz
@given(st.randoms(use_true_random=False).map(mutated))
def test_no_damaged_pipeline_gets_another_exception(text):
    check_any(text)
    check_any(text.encode(errors="surrogatepass"))


def test_many_texts(repetitions, chance):
    for _ in range(repetitions(20_000)):
        check_any("".join(chance.choices(TOKENS, k=chance.randint(1, 30))))
        check_any(mutated(chance))
