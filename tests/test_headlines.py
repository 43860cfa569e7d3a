"""Tests of the sentences that docs/benchmarks.md opens with: they say what its tables say."""

import ast
import re
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent / "benchmarks"
DOCUMENT = (Path(__file__).parents[1] / "docs" / "benchmarks.md").read_text(encoding="utf-8")

sys.path.append(str(BENCHMARKS))  # last: it has modules with names of others, such as run and headers
import headlines  # noqa: E402


def titles():
    """Return the titles of benchmarks by module, read from the runner, which must not be imported: it sets threads."""
    for node in ast.parse((BENCHMARKS / "run.py").read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "TITLES":
            return ast.literal_eval(node.value)
    raise AssertionError("run.py has no TITLES")


def sentences(document):
    return re.findall(r"^1\. (.*)$", document.partition(headlines.END)[0], re.MULTILINE)


def test_five_sentences_agree_with_the_tables():
    assert len(sentences(DOCUMENT)) == 5
    assert headlines.with_headlines(DOCUMENT) == DOCUMENT, "python tests/benchmarks/run.py NAME --write renews them"


def test_each_names_the_command_that_measures_it_again():
    commands = re.findall(r"`python tests/benchmarks/run.py (.*)`", DOCUMENT.partition(headlines.END)[0])
    assert len(commands) == 5
    assert {name for command in commands for name in command.split()} <= titles().keys()


def test_every_benchmark_can_be_run_by_its_name():
    modules = {path.stem for path in BENCHMARKS.glob("*.py") if "def tables(" in path.read_text()}
    assert titles().keys() == modules


ROW = "| tonearm, `good` | 95.5 | 22.4 | 18.5 | -30.25 | 4.12 | 3.10 |"
SMALL = f"""# Benchmarks

<!-- griffin_lim, 8 lanes -->
## Phase recovery, 8 lanes

### speech, 60 s, n_fft 1024, hop_length 256

| 32 iterations unless a preset says otherwise | ms | × librosa | × torch | SC dB | PESQ | memory × input |
| --- | --- | --- | --- | --- | --- | --- |
| librosa | 2143 | 1 | 0.832 | -24.25 | 3.95 | 15.96 |
| torch | 3758 | 1.2 | 1 | -24.39 | 3.94 | 35.62 |
{ROW}

A note.
<!-- end of griffin_lim, 8 lanes -->
"""


def test_a_sentence_is_made_of_its_table_and_the_others_wait_for_theirs():
    made = headlines.with_headlines(SMALL)
    assert sentences(made) == [
        "`griffin-lim` recovers a minute of speech from its magnitudes in 95.5 ms on one core, 22.4 times as fast as"
        " librosa and 18.5 times as fast as torchaudio's algorithm on torch, with a spectral convergence 6.0 dB better"
        " than librosa's and a PESQ of 4.12 instead of 3.95."
    ]
    assert headlines.with_headlines(made) == made
    assert made.endswith(SMALL.removeprefix("# Benchmarks\n"))


@pytest.mark.parametrize(("old", "new"), [("95.5", "99"), ("-30.25", "-31.25"), ("22.4", "30")])
def test_another_figure_is_another_sentence(old, new):
    made = headlines.with_headlines(SMALL)
    changed = made.replace(ROW, ROW.replace(old, new))
    assert headlines.with_headlines(changed) != changed


def test_the_machine_with_more_lanes_speaks():
    wide = SMALL.partition("\n")[2].replace("8 lanes", "16 lanes").replace("95.5", "50")
    assert "in 50 ms" in sentences(headlines.with_headlines(SMALL + wide))[0]
