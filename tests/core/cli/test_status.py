"""``tonearm status``, as a user sees it."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from core_toys import tonearm
from written_journals import HOSTILE, Source, append_lines, write_run

from tonearm.cli import main as cli


@pytest.fixture
def ran(folder):
    """A folder in which a run converted two of three arrays."""
    assert tonearm("run", "p.yaml", "--out", "out", "--jobs", "0").returncode == 3
    return folder


def status(capsys, *arguments):
    """Return the exit status of the command, and what it printed."""
    code = cli.main(["status", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_the_page_for_people(ran):
    done = tonearm("status", "out")
    assert (done.returncode, done.stderr) == (3, "")
    lines = done.stdout.splitlines()
    assert re.fullmatch(rf"last run: \d{{4}}-\d\d-\d\d \d\d:\d\d, finished, \d+\.\d s, {ran}/p\.yaml", lines[0])
    assert re.fullmatch(r"    2 converted, 1 failed: [\d.]+ sources a second, \d+ × real time", lines[1])
    assert lines[2:8] == [
        "out: 2 items, 2 files, 16.1 kB, 1.0 s of sound, from 3 sources",
        "failed: 1 item of 1 source",
        f"    1 × not-finite, first {ran}/b.npy: 1 of 2 values of the waveform array are NaN or infinite",
        "        hint: nan: zero, to replace them with 0; check the model's output",
        "warnings: 1 item",
        "    1 × … samples were beyond full scale and clipped, first c.wav",
    ]
    assert [line.split() for line in lines[8:10]] == [
        ["measured", "mean", "lowest", "highest"], ["clipped", "2", "2", "c.wav", "2", "c.wav"],
    ]  # fmt: skip
    assert lines[-2].split() == ["peak_db", "0", "-6.02", "a.wav", "6.02", "c.wav"]
    assert lines[-1] == "    hint: --rank NAME lists the files that are loudest, quietest, longest or shortest"


def test_as_json(ran):
    Path("b.npy").unlink()
    done = tonearm("status", "out", "--json")
    found = json.loads(done.stdout)
    assert (found["items"], found["failed"], found["codes"]) == (2, 1, {"not-finite": 1})
    assert found["failures"][0]["code"] == "not-finite"
    assert found["noted"] == [{"warning": "… samples were beyond full scale and clipped", "count": 1, "first": "c.wav"}]
    assert found["measured"]["peak_db"]["high"] == {"value": 6.02, "output": "c.wav"}
    assert found["last"][0]["state"] == "finished"


def test_a_measurement_names_the_output_that_has_it(folder, capsys):
    """Only the MP3 file has a bit rate, though its item has a WAV file, too."""
    pipeline = Path("p.yaml").read_text() + '  - use: mp3-writer\n    file: "{stem}.mp3"\n'
    Path("p.yaml").write_text(pipeline)
    assert tonearm("run", "p.yaml", "a.npy", "--out", "out", "--jobs", "0").returncode == 0
    found = json.loads(status(capsys, "out", "--json")[1])["measured"]
    assert found["bitrate"]["low"]["output"] == found["bitrate"]["high"]["output"] == "a.mp3"
    assert found["peak_db"]["low"]["output"] == found["peak_db"]["high"]["output"] == "a.wav"


def test_exit_status_0_once_everything_is_converted(ran, capsys):
    Path("b.npy").unlink()
    np.save("b.npy", np.zeros(10, np.float32))
    assert tonearm("run", "p.yaml", "--out", "out", "--jobs", "0").returncode == 0
    assert cli.main(["status", "out"]) == 0
    said = capsys.readouterr().out
    assert "1 converted, 0 failed, 2 done before" in said
    assert "failed: " not in said.replace("0 failed: ", "")


def test_a_folder_without_runs(tmp_path):
    done = tonearm("status", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"no-run: no run has written to {tmp_path}\n    hint: name the folder of --out\n"


class TestParts:
    def test_all_parts_are_one_run(self, tmp_path, capsys):
        write_run(tmp_path, Source("a"), Source("b"), part=(1, 4), began=1000)
        write_run(tmp_path, Source("c"), part=(2, 4), total=5, stop=None, began=1001)
        write_run(tmp_path, Source("d", {}, failed={"": "empty"}), part=(4, 4), began=1002, skipped=2)
        code, out, _ = status(capsys, tmp_path)
        lines = out.splitlines()
        assert code == 3
        assert re.fullmatch(r"last run, in parts: 1970-01-01 \d\d:16, 2 of 4 parts finished, .*, /p.yaml", lines[0])
        assert lines[1].startswith("    3 converted, 1 failed, 4 left of 10 sources: ")
        assert lines[2:4] == ["    part 2 of 4: killed, 4 sources left", "    part 3 of 4 has never run"]
        assert lines[4] == f"{tmp_path}: 3 items, 3 files, 300 bytes, 1.5 s of sound, from 4 sources"

    def test_as_json(self, tmp_path, capsys):
        write_run(tmp_path, Source("a"), part=(1, 3))
        write_run(tmp_path, Source("b"), part=(3, 3), total=2, stop="interrupted")
        found = json.loads(status(capsys, tmp_path, "--json")[1])
        assert found["shared"] == [
            {
                "pipeline": "/p.yaml", "fingerprint": "p", "parts": 3, "missing": [2], "missing_count": 1,
                "unfinished": [{"part": 3, "state": "interrupted", "left": 1}],
                "sources": 3, "left": 1, "converted": 2, "failed": 0,
            }
        ]  # fmt: skip
        assert [run["part"] for run in found["last"]] == [[1, 3], [3, 3]]

    def test_a_thousand_missing_parts_take_a_line(self, tmp_path, capsys):
        write_run(tmp_path, Source("a"), part=(1, 5000))
        out = status(capsys, tmp_path)[1]
        assert "    parts 2, 3, 4, " in out
        assert ", 21 and 4979 more of 5000 have never run\n" in out


class TestLists:
    @pytest.fixture
    def failed(self, tmp_path):
        keys = {f"k{n}": "empty" for n in range(50)}
        write_run(tmp_path, Source("a", {}, failed=keys), Source("b", {}, failed={"": "odd"}))
        write_run(tmp_path, Source("c", warnings=["3 samples were clipped"]), Source("d", warnings=["it is silent"]))
        return tmp_path

    def test_every_item_of_a_code(self, failed, capsys):
        code, out, err = status(capsys, failed, "--code", "empty")
        assert (code, err) == (3, "")
        assert out.splitlines() == [f"/in/a.npy [k{n}]: no" for n in range(50)]
        out = status(capsys, failed, "--code", "odd", "--json")[1]
        assert [json.loads(line) for line in out.splitlines()] == [
            {"source": "/in/b.npy", "key": "", "index": 0, "code": "odd", "message": "no", "hint": "do"}
        ]

    def test_every_item_that_failed(self, failed, capsys):
        code, out, _ = status(capsys, failed, "--failed")
        assert code == 3
        assert out.splitlines() == [*(f"/in/a.npy [k{n}]: empty: no" for n in range(50)), "/in/b.npy: odd: no"]
        lines = status(capsys, failed, "--failed", "--json")[1].splitlines()
        assert [json.loads(line)["code"] for line in lines] == ["empty"] * 50 + ["odd"]

    def test_the_page_names_the_list_if_it_names_not_all_itself(self, failed, tmp_path, capsys):
        hint = f"    hint: tonearm status {failed} --failed lists every item\n"
        assert hint in status(capsys, failed)[1]
        write_run(tmp_path / "one", Source("b", {}, failed={"": "odd"}))
        assert "--failed" not in status(capsys, tmp_path / "one")[1]

    def test_nothing_has_failed(self, tmp_path, capsys):
        write_run(tmp_path, Source("a"))
        assert status(capsys, tmp_path, "--failed") == (0, "", "no item has failed\n")

    def test_every_file_of_a_kind_of_warning(self, failed, capsys):
        for text in ("clipped", "… samples were clipped", "3 samples"):
            assert status(capsys, failed, "--warning", text)[1] == "c.wav: 3 samples were clipped\n"
        out = status(capsys, failed, "--warning", "silent", "--json")[1]
        assert (json.loads(out)["output"], json.loads(out)["source"]) == ("d.wav", "/in/d.npy")

    def test_nothing_to_list_is_a_message(self, failed, capsys):
        code, out, err = status(capsys, failed, "--code", "none", "--warning", "none")
        assert (code, out) == (3, "")
        assert err == "no item has failed with none\nno file has a warning like 'none'\n"


class TestRankings:
    @pytest.fixture
    def measured(self, tmp_path):
        write_run(tmp_path, *(Source(str(n), {"": {"peak_db": -n, "a:b": n}}) for n in range(20)))
        return tmp_path

    def test_files_are_ranked_by_any_measurement(self, measured, capsys):
        code, out, _ = status(capsys, measured, "--rank", "peak_db:2", "--rank", "a:b:1")
        assert code == 0
        assert out.splitlines()[-10:] == [
            "lowest peak_db:", "     -19  19.wav", "     -18  18.wav",
            "highest peak_db:", "      0  0.wav", "     -1  1.wav",
            "lowest a:b:", "     0  0.wav", "highest a:b:", "     19  19.wav",
        ]  # fmt: skip

    def test_ten_at_each_end_unless_told_otherwise(self, measured, capsys):
        found = json.loads(status(capsys, measured, "--rank", "peak_db", "--json")[1])["ranked"]["peak_db"]
        assert [one["output"] for one in found["highest"]] == [f"{n}.wav" for n in range(10)]
        assert found["lowest"][0] == {"value": -19.0, "output": "19.wav"}
        assert len(found["lowest"]) == 10

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("loudest", ["loudest, by peak_db:", "      0  0.wav", "     -1  1.wav"]),
            ("quietest", ["quietest, by peak_db:", "     -19  19.wav", "     -18  18.wav"]),
        ],
    )
    def test_one_end_has_a_name(self, measured, capsys, name, expected):
        assert status(capsys, measured, "--rank", f"{name}:2")[1].splitlines()[-3:] == expected

    def test_both_ends_by_name(self, measured, capsys):
        lines = status(capsys, measured, "--rank", "loudest:1", "--rank", "quietest:2")[1].splitlines()
        assert "loudest, by peak_db:" in lines
        assert lines[-3:] == ["quietest, by peak_db:", "     -19  19.wav", "     -18  18.wav"]

    def test_what_nothing_has_measured(self, measured, capsys):
        code, _, err = status(capsys, measured, "--rank", "flattest")
        assert (code, err.splitlines()[0]) == (2, "usage: no output has a measurement 'guard_flatness'")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("peak", "usage: no output has a measurement 'peak'\n    hint: did you mean 'peak_db'?\n"),
            ("peak_db:0", "usage: invalid ranking 'peak_db:0': use NAME or NAME:N with N >= 1\n"),
            (":3", "usage: invalid ranking ':3': use NAME or NAME:N with N >= 1\n"),
        ],
    )
    def test_a_wrong_ranking(self, measured, capsys, text, message):
        assert status(capsys, measured, "--rank", text) == (2, "", message)


@pytest.mark.parametrize("arguments", [(), ("--code", HOSTILE), ("--warning", "evil"), ("--rank", HOSTILE)])
def test_nothing_from_a_journal_can_play_with_the_terminal(tmp_path, capsys, arguments):
    good = Source(
        "a", {HOSTILE: {HOSTILE: 1.5}}, failed={HOSTILE: HOSTILE}, warnings=[HOSTILE], message=HOSTILE, hint=HOSTILE
    )
    good.name = HOSTILE
    write_run(tmp_path, good, file=HOSTILE, stop=HOSTILE, began=1)
    write_run(tmp_path, good, part=(1, 2), file=HOSTILE, stop=HOSTILE, began=2.0**60)
    append_lines(tmp_path, b"\x1b[2J\n", '{"record":"out","evil":"\u202e"}\n')
    _, out, err = status(capsys, tmp_path, *arguments)
    assert "evil" in out
    for character in (*out, *err):
        assert character.isprintable() or character == "\n"
    assert not any(line.startswith(("\u202e", "evil")) for line in out.splitlines())
    if not arguments:
        assert "the journal has 2 lines that make no sense and are skipped\n" in out


@pytest.mark.parametrize("kind", ["fifo", "link"])
def test_a_journal_that_is_no_file_exits_4(tmp_path, kind):
    (tmp_path / ".tonearm").mkdir()
    path = tmp_path / ".tonearm" / "journal.jsonl"
    if kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    done = tonearm("status", tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("output: cannot read the journal: ")
