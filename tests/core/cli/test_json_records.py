"""The lines of JSON that a run prints."""

import json
from pathlib import Path

import numpy as np
from core_toys import tonearm

from tonearm.cli.json_records import result_records, skipped_record
from tonearm.run.prepared import ConvertedItem, Failure, PreparedFile
from tonearm.run.result import Result
from tonearm.run.skipped import SkippedItem
from tonearm.run.store.records import MeasuredItem


def converted(*files, output=0, key="k", measured=None, warnings=()):
    prepared = [PreparedFile("temporary", name, 1, "00") for name in files]
    return ConvertedItem(key, 0, output, prepared, measured or {}, list(warnings))


def test_one_line_for_an_item_with_several_outputs():
    master = converted("a.wav", "a.json", measured={"dc": 0.5, "peak_db": -1.0}, warnings=["both", "loud"])
    phone = converted("a.mp3", output=1, measured={"dc": 0.5, "peak_db": -3.0, "rate": 8000}, warnings=["both"])
    (found,) = result_records(Result(source="a.npy", items=(master, phone)))
    assert found == {
        "source": "a.npy", "key": "k", "index": 0, "status": "converted",
        "outputs": ["a.wav", "a.json", "a.mp3"],
        "measured": {"dc": 0.5, "peak_db": -1.0, "rate": 8000},
        "warnings": ["both", "loud"],
        "files": [
            {
                "file": "a.wav", "sidecars": ["a.json"], "measured": {"dc": 0.5, "peak_db": -1.0},
                "warnings": ["both", "loud"],
            },
            {
                "file": "a.mp3", "sidecars": [], "measured": {"dc": 0.5, "peak_db": -3.0, "rate": 8000},
                "warnings": ["both"],
            },
        ],
    }  # fmt: skip


def test_a_failure_has_no_files():
    failure = Failure(source="a.npy", key="k", index=2, code="empty", message="nothing", hint="look")
    assert list(result_records(Result(source="a.npy", failures=(failure,)))) == [
        {
            "source": "a.npy",
            "key": "k",
            "index": 2,
            "status": "failed",
            "code": "empty",
            "message": "nothing",
            "hint": "look",
        }
    ]


def test_a_skipped_item_has_the_fields_of_a_converted_one_and_a_reason():
    item = MeasuredItem("k", 0, "fp", [("a.wav", 100)], {"dc": 0.5}, ["loud"])
    found = skipped_record(SkippedItem("a.npy", "k", 0, "done", [item]))
    (other,) = result_records(
        Result(source="a.npy", items=(converted("a.wav", measured={"dc": 0.5}, warnings=["loud"]),))
    )
    assert found == {**other, "status": "skipped", "reason": "done"}


def test_branches_say_what_each_of_them_measured(folder):
    for name in "bc":
        Path(f"{name}.npy").unlink()
    np.save("a.npy", np.sin(np.arange(8000, dtype=np.float32) / 2))  # at 637 Hz
    steps = "steps: [{use: normalize, with: {peak_db: -20}}]"
    text = Path("p.yaml").read_text() + f'  - use: wav-writer\n    file: "{{stem}}-low.wav"\n    {steps}\n'
    Path("p.yaml").write_text(text)
    command = ("run", "p.yaml", "--out", "out", "--jobs", "0", "--json")
    (first,) = map(json.loads, tonearm(*command).stdout.splitlines())
    assert first["outputs"] == ["a.wav", "a-low.wav"]
    assert [round(file["measured"]["peak_db"]) for file in first["files"]] == [0, -20]
    (again,) = map(json.loads, tonearm(*command).stdout.splitlines())
    assert again == {**first, "status": "skipped", "reason": "done before, and unchanged"}
