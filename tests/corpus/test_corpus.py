"""Every file of the corpus by every command that reads files: the verdict that it has, within memory and time."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import hostile_pipelines
import hostile_stores
from case import FINE, Case
from limited import run_limited
from strangers import EVIL, READERS

from corpus import SECRET_TEXT, all_cases, broken_promises, by_options, code_of, flags, pipeline, write

WHOLE = 700
"""Files in the whole corpus, at least."""


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    found = list(all_cases(tmp_path_factory.mktemp("formats")))
    assert len(found) > WHOLE
    assert len({(case.name, case.reader, case.suffix) for case in found}) == len(found)
    return found


@pytest.fixture(autouse=True)
def no_code_is_run() -> Iterable[None]:
    yield
    assert not EVIL.exists()


def convert_and_inspect(cases: Iterable[Case], folder: Path) -> None:
    """Convert and inspect each file by a command of its own; from a named pipe, which runs refuse, they would read."""
    paths = write((case for case in cases if not case.name.startswith("fifo")), folder / "in")
    (folder / "out").mkdir()
    os.chdir(folder / "out")
    commands = [
        ["convert", str(path), f"{n}-{{index}}.npy", *flags(case)] for n, (case, path) in enumerate(paths.items())
    ]
    limits = [["--limit", f"memory={case.memory}"] if case.memory else [] for case in paths]
    looks = [
        ["inspect", str(path), "--json", "--decoder", case.reader, *limit]
        for (case, path), limit in zip(paths.items(), limits, strict=True)
    ]
    outcomes = run_limited(commands + looks)
    wrong = []
    for command, outcome in zip(commands + looks, outcomes, strict=True):
        wrong += broken_promises(outcome, command)
    for (case, path), outcome in zip(paths.items(), outcomes, strict=False):
        if not case.allows(code_of(outcome)):
            wrong.append(f"{path.name} by {case.reader}: {code_of(outcome)}, not {case.verdict}: {outcome.err[:300]}")
    assert wrong == []
    assert not any(hostile_stores.SECRET in path.read_bytes() for path in (folder / "out").iterdir())


def run(cases: Iterable[Case], jobs: int, folder: Path) -> None:
    """Convert the files that have the same options by one run."""
    folder.mkdir()
    paths = write(cases, folder / "in")
    groups = list(by_options(paths))
    commands = []
    for number, group in enumerate(groups):
        file, out = folder / f"{number}.yaml", folder / f"out-{number}"
        file.write_text(pipeline(group[0]))
        names = [str(paths[case]) for case in group]
        commands.append(["run", str(file), *names, "--out", str(out), "--jobs", str(jobs)])
    outcomes = run_limited(commands, seconds=10 + 3 * max(map(len, groups), default=0))
    wrong: list[str] = []
    for number, (group, outcome) in enumerate(zip(groups, outcomes, strict=True)):
        out = folder / f"out-{number}"
        wrong += broken_promises(outcome, commands[number][:2])
        codes: dict[str, set[str]] = {}
        journal = (out / ".tonearm" / "journal.jsonl").read_text()
        assert SECRET_TEXT not in journal
        for line in journal.splitlines():
            record = json.loads(line)
            if record["record"] in ("err", "out"):
                codes.setdefault(Path(record["source"]).name, set()).add(record.get("code") or "fine")
        for case in group:
            found = codes.get(paths[case].name, {"nothing"})
            # Items before the one that is refused are converted.
            if not all(map(case.allows, found - {FINE} or found)):
                wrong.append(f"{paths[case].name} by {case.reader}: {found}, not {case.verdict}")
        assert not any(hostile_stores.SECRET in path.read_bytes() for path in out.glob("*.npy"))
    assert wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_convert_and_inspect(reader: str, cases: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    convert_and_inspect((case for case in cases if case.reader == reader), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [0, 2])
@pytest.mark.parametrize("reader", READERS)
def test_run(reader: str, jobs: int, cases: list[Case], tmp_path: Path) -> None:
    run((case for case in cases if case.reader == reader), jobs, tmp_path / "run")


def test_one_file_in_a_hundred(cases: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    quick = [case for case in cases if not case.is_heavy][::100]
    convert_and_inspect(quick, tmp_path)
    for reader in ("npy-reader", "zarr-reader"):
        run([case for case in quick if case.reader == reader], 2, tmp_path / reader)


@pytest.mark.slow
def test_pipelines(tmp_path: Path) -> None:
    files = {}
    for number, (name, case) in enumerate(hostile_pipelines.CASES.items()):
        files[name] = tmp_path / f"{number}.yaml"
        files[name].write_bytes(case.text)
    checks = [["check", str(path)] for path in files.values()]
    runs = [["run", str(path), "--out", str(tmp_path / "out")] for path in files.values()]
    outcomes = run_limited(checks + runs)
    wrong = []
    for command, outcome in zip(checks + runs, outcomes, strict=True):
        wrong += broken_promises(outcome, command)
    for name, checked, ran in zip(files, outcomes, outcomes[len(files) :], strict=False):
        for outcome in (checked, ran):
            codes = {found[1] for line in outcome.err.splitlines() if (found := PROBLEM.match(line))}
            expected = hostile_pipelines.CASES[name].codes
            if codes - {"ok", "no-sources"} != set(expected) or (outcome.status == 2) != bool(
                expected or outcome is ran
            ):
                wrong.append(f"{name}: {codes}, not {expected}: {outcome.err[:300]}")
    assert wrong == []


PROBLEM = re.compile(r"^[^ ]*\.yaml(?::\d+)*: ([a-z0-9-]+): ")
