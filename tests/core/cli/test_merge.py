"""``tonearm merge``, as a user sees it."""

import json

import pytest
from core_toys import tonearm
from written_journals import HOSTILE, Source, write_run

from tonearm.cli import main as cli


def merge(capsys, *arguments):
    """Return the exit status of the command, and what it printed."""
    code = cli.main(["merge", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_parts_that_are_complete(tmp_path, capsys):
    write_run(tmp_path, Source("a"), part=(1, 2))
    write_run(tmp_path, Source("b"), part=(2, 2))
    assert merge(capsys, tmp_path) == (
        0,
        f"{tmp_path}: merged 2 journals, 2 items from 2 sources\nnothing is missing\n",
        "",
    )
    assert merge(capsys, tmp_path) == (
        0,
        f"{tmp_path}: nothing to merge, 2 items from 2 sources\nnothing is missing\n",
        "",
    )


@pytest.fixture
def incomplete(tmp_path):
    write_run(tmp_path, Source("a"), Source("b"), part=(1, 4))
    write_run(tmp_path, Source("b"), part=(2, 4), total=3, stop=None)
    write_run(tmp_path, Source("d", {}, failed={"": "empty"}), part=(4, 4))
    return tmp_path


def test_what_is_missing_and_what_was_done_twice(incomplete, capsys):
    code, out, _ = merge(capsys, incomplete)
    assert (code, out.splitlines()) == (
        3,
        [
            f"{incomplete}: merged 3 journals, 2 items from 3 sources",
            "missing: part 2 of 4: killed, 2 sources left",
            "missing: part 3 of 4 has never run",
            "failed: 1 item of 1 source",
            "    1 × empty, first /in/d.npy: no",
            "        hint: do",
            "done twice: 1 output",
            "    b.wav, by parts 1 and 2",
        ],
    )


def test_as_json(incomplete, capsys):
    code, out, _ = merge(capsys, incomplete, "--json")
    found = json.loads(out)
    assert code == 3
    assert (found["merged"], found["complete"], found["left"], found["failed"]) == (3, False, 2, 1)
    assert (found["twice"], found["first_twice"]) == (1, [{"output": "b.wav", "parts": [1, 2]}])
    assert found["unfinished"][0]["missing"] == [3]


def test_parts_of_different_pipelines_exit_2(tmp_path, capsys):
    write_run(tmp_path, Source("a"), part=(1, 2))
    write_run(tmp_path, Source("b"), part=(2, 2), pipeline="q", file=HOSTILE)
    code, out, err = merge(capsys, tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith(
        "different-pipelines: the parts were made by different pipelines: part 1 of 2 by /p.yaml, part 2"
    )
    assert all(character.isprintable() or character == "\n" for character in err)


def test_nothing_from_a_journal_can_play_with_the_terminal(tmp_path, capsys):
    one = Source(HOSTILE, failed={HOSTILE: HOSTILE}, message=HOSTILE)
    write_run(tmp_path, one, part=(1, 2), stop=HOSTILE, total=2)
    write_run(tmp_path, one, part=(2, 2))
    _, out, _ = merge(capsys, tmp_path)
    assert "evil" in out
    assert all(character.isprintable() or character == "\n" for character in out)


def test_a_folder_without_runs(tmp_path):
    done = tonearm("merge", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"no-run: no run has written to {tmp_path}\n    hint: name the folder of --out\n"
