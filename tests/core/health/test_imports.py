"""Trial imports: whatever a module does to its process, the others are tried."""

import pytest

from tonearm.health import imports
from tonearm.health.imports import failing_imports

MODULES = {
    "toy_good": "import json",
    "toy_raises": "raise OSError('libtoy.so.1:\\n no such file')",
    "toy_exits": "raise SystemExit(3)",
    "toy_leaves": "import os; os._exit(7)",
    "toy_crashes": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "toy_prints": "import os; print('failed\\tme'); os.write(1, b'begun\\tyou\\n')",
    "toy_hangs": "import time; time.sleep(60)",
}


@pytest.fixture(autouse=True)
def modules(tmp_path, monkeypatch):
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def test_each_module_that_fails_has_its_reason():
    names = [name for name in MODULES if name != "toy_hangs"]
    assert failing_imports([*names, "no_such_module", "toy_good"]) == {
        "toy_raises": "OSError: libtoy.so.1: no such file",
        "toy_exits": "SystemExit: 3",
        "toy_leaves": "its import ends the process with status 7",
        "toy_crashes": "its import crashes (SIGSEGV)",
        "no_such_module": "ModuleNotFoundError: No module named 'no_such_module'",
    }


@pytest.mark.slow
def test_a_module_that_hangs_costs_its_time_alone():
    # Python itself must start within that time, on a machine that is busy.
    found = failing_imports(["toy_good", "toy_hangs", "toy_raises"], timeout=8.0)
    assert found == {
        "toy_hangs": "its import takes more than 8 s",
        "toy_raises": "OSError: libtoy.so.1: no such file",
    }


def test_modules_of_the_current_folder_are_not_taken_for_packages(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONPATH")
    monkeypatch.chdir(tmp_path)
    assert set(failing_imports(["toy_good"])) == {"toy_good"}


def test_no_process_can_be_started(monkeypatch):
    monkeypatch.setattr(imports.sys, "executable", "/no/such/python")
    found = failing_imports(["json", "csv"])
    assert set(found) == {"json", "csv"}
    assert found["csv"].startswith("no process can be started: ")
