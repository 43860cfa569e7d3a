"""The job scripts of docs/jobs, submitted as they stand: by their tasks, machines that fail, and time limits."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import schedulers
from cli_runs import PATIENCE, add_step, undisturbed_outputs, write_inputs
from invariants import differences, leftover_files, unrecorded_files

from code_blocks import ROOT, blocks

JOBS = ROOT / "docs/jobs"
PAGE = "docs/executors.md"
SECTION = "## Without an engine: parts"

ARRAYS = ["slurm.sh", "pbs.sh", "lsf.sh", "kubernetes.yaml"]

# The step of a task that is told to do something does it once.
STEP = """\
names = ("SLURM_ARRAY_TASK_ID", "PBS_ARRAY_INDEX", "LSB_JOBINDEX", "JOB_COMPLETION_INDEX", "SLURM_JOB_ID")
number = next((os.environ[name] for name in names if name in os.environ), "")
for order in folder.glob("order-*"):
    if number and order.name in (f"order-{number}", "order-all"):
        happens = order.read_text().format(number)
        if happens == "time-is-up" or not (folder / "happened").exists():
            (folder / "happened").touch()
            (folder / happens).touch()
            hold()
"""


class Lab:
    """A folder as a user has it, with a pipeline, and with what schedulers would have.

    Parameters
    ----------
    folder
        Folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "audio"
        write_inputs(folder, 60)
        step = add_step(folder, STEP)
        self.expected = undisturbed_outputs(folder, env=step)
        (folder / "p.yaml").rename(folder / "pipeline.yaml")
        for path in JOBS.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        self.env = {**step, **schedulers.install(folder / "stand-ins"), "PYTHONPATH": step["PYTHONPATH"]}

    def sh(self, command: str) -> str:
        """Run a command of a shell, and return what it prints."""
        words = ["bash", "-euo", "pipefail", "-c", command]
        done = subprocess.run(words, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr + self.logs()
        return done.stdout

    def submit(self, name: str) -> list[tuple[int, int]]:
        """Submit a job by the command in its comment; return its tasks and their exit statuses."""
        comment = re.match(r"(?:#!.*\n)?((?:# .*\n)+)", (self.folder / name).read_text())
        assert comment
        self.sh(comment[1].replace("\n# ", " ").rpartition(": ")[2])
        return sorted(schedulers.ends(self.folder / "stand-ins"))

    def logs(self) -> str:
        """Return the logs of all tasks."""
        paths = [*self.folder.glob("*.log"), *self.folder.glob("tonearm.o*"), *self.folder.glob("*.out")]
        return "".join(f"{path.name}:\n{path.read_text()}" for path in sorted(paths))

    def problems(self) -> list[str]:
        """Return what is wrong with the outputs."""
        return differences(self.out, self.expected) + leftover_files(self.out) + unrecorded_files(self.out)

    def merged(self) -> dict[str, object]:
        """Merge, and return the report."""
        return json.loads(self.sh("tonearm merge audio --json"))


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A folder with a pipeline and job scripts."""
    return Lab(tmp_path)


def test_the_page_shows_the_files() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    linked = re.findall(r"\(jobs/(.*?)\)", text)
    assert sorted(linked) == sorted(path.name for path in JOBS.iterdir())
    shown = [*blocks(PAGE, "bash"), *blocks(PAGE, "yaml")]
    for name in linked:
        assert name == "lsf.sh" or (JOBS / name).read_text(encoding="utf-8") in shown, name


@pytest.mark.slow
@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_converts_all_though_a_machine_is_lost(lab: Lab, name: str) -> None:
    (lab.folder / "order-2").write_text("node-fails-{}")
    first = 0 if name == "kubernetes.yaml" else 1
    expected = [(number, 0) for number in range(first, first + 8)]
    assert lab.submit(name) == sorted([*expected, (2, -9)]), lab.logs()
    assert lab.problems() == []
    merged = lab.merged()
    assert (merged["merged"], merged["complete"], merged["items"]) == (8, True, 60)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["slurm.sh", "pbs.sh"])
def test_a_time_limit_ends_tasks_in_good_order_and_another_job_goes_on(lab: Lab, name: str) -> None:
    (lab.folder / "order-all").write_text("time-is-up")
    assert lab.submit(name) == [(number, 143) for number in range(1, 9)], lab.logs()
    assert lab.logs().count("terminated") == 8
    assert leftover_files(lab.out) == []
    for path in lab.folder.glob("order-*"):
        path.unlink()
    (lab.folder / "time-is-up").unlink()
    assert lab.submit(name) == [(number, 0) for number in range(1, 9)], lab.logs()
    assert lab.problems() == []


@pytest.mark.slow
def test_the_commands_of_the_page_submit_again_and_merge(lab: Lab) -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8").partition(SECTION)[2]
    some, all_and_merge = (block for block in blocks(PAGE, "sh") if block in text)
    lab.sh(some)
    assert sorted(schedulers.ends(lab.folder / "stand-ins")) == [(3, 0), (7, 0)]
    lab.sh(all_and_merge)
    assert "merged 8 journals" in lab.logs()
    assert "nothing is missing" in lab.logs()
    assert lab.problems() == []


@pytest.mark.slow
def test_a_cluster_of_dask_in_a_job(lab: Lab) -> None:
    lab.sh("sbatch --ntasks=2 dask-slurm.sh")
    assert [status for _, status in schedulers.ends(lab.folder / "stand-ins")] == [0], lab.logs()
    assert lab.problems() == []
    assert not list(lab.folder.glob("scheduler-*"))


@pytest.mark.slow
def test_the_time_limit_of_a_cluster_of_dask(lab: Lab) -> None:
    (lab.folder / "order-all").write_text("time-is-up")
    lab.sh("sbatch --ntasks=2 dask-slurm.sh")
    assert [status for _, status in schedulers.ends(lab.folder / "stand-ins")] == [143], lab.logs()
    assert leftover_files(lab.out) == []
    (lab.folder / "order-all").unlink()
    (lab.folder / "time-is-up").unlink()
    lab.sh("sbatch --ntasks=2 dask-slurm.sh")
    assert lab.problems() == []
