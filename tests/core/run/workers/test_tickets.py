"""What a run sends to other processes, and what these compare."""

import os
import pickle
import sys

import pytest
from run_toys import pipeline

from tonearm.run.prepare import Settings
from tonearm.run.store.local_store import LocalStore
from tonearm.run.workers.tickets import (
    Ticket,
    difference,
    package_versions,
    python_version,
    sizes_of,
    unseen_file,
    versions_for,
)
from tonearm.run.workers.work import PipelineWork
from tonearm.version import __version__


def ticket(**changed):
    values = {
        "mark": "0000abcd-ff",
        "python": python_version(),
        "packages": {"tonearm": __version__, "numpy": package_versions(["numpy"])["numpy"]},
        "root": "/out",
        "files": {},
        "content": b"",
    }
    return Ticket(**{**values, **changed})


def test_a_ticket_is_small_and_holds_plain_values_alone(folder):
    """A process with another version must be able to read it, and each chunk may bring it along."""
    store = LocalStore("out")
    _, (found,) = PipelineWork(pipeline(), store, Settings()).__reduce__()
    assert set(found) == Ticket.__required_keys__
    assert {type(value) for value in found.values()} == {str, dict, bytes}
    assert {type(inner) for name in ("packages", "files") for inner in found[name].values()} <= {str, int}
    assert len(pickle.dumps(found, 5)) < 5000
    assert found["mark"] == store.mark()
    assert found["root"] == os.path.abspath("out")
    assert list(found["packages"]) == ["tonearm"]
    store.close()


def test_versions():
    assert python_version() == ".".join(map(str, sys.version_info[:2]))
    assert package_versions(["tonearm", "tonearm-none"]) == {"tonearm": __version__, "tonearm-none": ""}
    found = versions_for(["tonearm 9", "numpy 1.0", "tonearm-none 0.9", "by a call"])
    assert found == {"tonearm": __version__, "numpy": package_versions(["numpy"])["numpy"]}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, None),
        ({"python": "2.7"}, f"worker w\\n has Python {python_version()}, and the run has 2.7"),
        ({"packages": {"tonearm": "9"}}, f"worker w\\n has tonearm {__version__}, and the run has 9"),
        ({"packages": {"tonearm-none": "9\x1b"}}, "worker w\\n has no tonearm-none, and the run has 9\\x1b"),
    ],
)
def test_the_first_thing_that_is_compared(changed, message):
    error = difference(ticket(**changed), "w\n")
    assert (error and error.message) == message
    assert error is None or error.code == "other-versions"


class TestFiles:
    @pytest.fixture(autouse=True)
    def model(self, folder):
        """A file that an option names by a relative path."""
        (folder / "model.onnx").write_bytes(b"weights")
        (folder / "tokens").mkdir()
        (folder / "tokens" / "a").write_bytes(b"abc")

    def test_sizes(self):
        assert sizes_of(["model.onnx", "tokens", "none", "a\0b"]) == {"model.onnx": 7, "tokens": 3}

    def test_all_are_seen(self):
        assert unseen_file(ticket(files=sizes_of(["model.onnx", "tokens"]))) == ""

    @pytest.mark.parametrize("content", [None, b"other weights"])
    def test_one_that_is_missing_in_another_folder_or_is_another_one_there(self, folder, monkeypatch, content):
        sizes = sizes_of(["tokens", "model.onnx"])
        (folder / "else" / "tokens").mkdir(parents=True)
        (folder / "else" / "tokens" / "a").write_bytes(b"abc")
        if content:
            (folder / "else" / "model.onnx").write_bytes(content)
        monkeypatch.chdir(folder / "else")
        assert unseen_file(ticket(files=sizes)) == str(folder / "else" / "model.onnx")
