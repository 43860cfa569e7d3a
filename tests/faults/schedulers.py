"""Stand-ins for the commands of Slurm, PBS, LSF and Kubernetes, which run all tasks of a job on this machine.

They read a job as its scheduler does, refuse an option that they do not know, and set the variables that it sets. A
command returns when all tasks have ended. Files in the folder from which a job was submitted tell what happens to it:

- ``node-fails-N``: the machine of task N is lost with all of its processes, and the task is started again elsewhere;
- ``time-is-up``: the time limit is near.

How each start of a task has ended is a line of ``tasks.jsonl`` in the folder that the variable ``STAND_INS`` names.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import yaml

JOB = "4711"
"""Id of every job."""


class Task:
    """A task of a job, which is started again when its machine is lost.

    Parameters
    ----------
    number
        Number of the task.
    command
        Words of its command.
    folder
        Folder in which it starts.
    variables
        Environment variables.
    log
        File to which its output is appended.
    retries
        Number of times that it may be started again.
    warning
        Signal that it gets when the time limit is near; None for none.
    whole_session
        Whether all of its processes get that signal, or the first one alone.
    """

    def __init__(
        self,
        number: int,
        command: list[str],
        folder: Path,
        variables: dict[str, str],
        log: Path,
        *,
        retries: int,
        warning: signal.Signals | None = None,
        whole_session: bool = False,
    ) -> None:
        self.number, self.command, self.folder, self.variables, self.log = number, command, folder, variables, log
        self.retries, self.warning, self.whole_session = retries, warning, whole_session
        self.starts = 0
        self.start()

    def start(self) -> None:
        """Start the task."""
        self.starts += 1
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, env=self.variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def goes_on(self) -> bool:
        """Let happen what the folder says; return whether the task has not ended."""
        lost = Path(f"node-fails-{self.number}")
        if lost.exists():
            lost.unlink()
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        elif self.warning and Path("time-is-up").exists():
            send = os.killpg if self.whole_session else os.kill
            send(self.process.pid, self.warning)
            self.warning = None
        if self.process.poll() is None:
            return True
        with (Path(os.environ["STAND_INS"]) / "tasks.jsonl").open("a") as lines:
            lines.write(json.dumps({"task": self.number, "status": self.process.returncode}) + "\n")
        if self.process.returncode == -signal.SIGKILL and self.starts <= self.retries:
            self.start()
            return True
        return False


def run_all(tasks: Iterable[Task]) -> None:
    """Run tasks to their ends."""
    going = list(tasks)
    while going:
        going = [task for task in going if task.goes_on()]
        time.sleep(0.02)


def directives(lines: list[str], mark: str) -> list[str]:
    """Return the words of the options in a script; they end at the first command."""
    words: list[str] = []
    for line in itertools.takewhile(lambda line: not line.strip() or line.startswith("#"), lines):
        if line.startswith(mark):
            words += shlex.split(line.removeprefix(mark))
    return words


def parser(name: str, *options: str, switches: Iterable[str] = ()) -> argparse.ArgumentParser:
    """Return a parser that knows these options and no others."""
    made = argparse.ArgumentParser(name, allow_abbrev=False)
    for option in options:
        made.add_argument(option)
    for switch in switches:
        made.add_argument(switch, action="store_true")
    return made


def spooled(text: str) -> list[str]:
    """Return the command that runs a script, which the scheduler has copied: its name tells nothing of its folder."""
    path = Path(os.environ["STAND_INS"]) / "spool" / "script"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o700)
    assert text.startswith("#!/bin/bash\n")
    return ["/bin/bash", str(path)]


def indexes(text: str) -> list[int]:
    """Return the indexes of an array, such as ``1-8``, ``0-6:2``, ``3,7`` or ``1-8%4``."""
    found: list[int] = []
    for piece in text.partition("%")[0].split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+)(?::(\d+))?)?", piece)
        assert match, text
        first, last, step = (int(number) if number else None for number in match.groups())
        found += range(first or 0, (first if last is None else last) + 1, step or 1)
    return found


def sbatch(words: list[str]) -> None:
    """Submit a job to Slurm."""
    options = parser(
        "sbatch", "--job-name", "--array", "--ntasks", "--cpus-per-task", "--mem", "--mem-per-cpu", "--time",
        "--signal", "--output", "--open-mode", "--dependency", "--wrap", switches=["--requeue", "--parsable"],
    )  # fmt: skip
    options.add_argument("script", nargs="?")
    given = options.parse_args(words)
    text = f"#!/bin/bash\n{given.wrap}\n" if given.wrap else Path(given.script).read_text()
    given = options.parse_args([*directives(text.splitlines(), "#SBATCH "), *words])
    assert given.dependency in (None, f"afterany:{JOB}"), given.dependency
    variables = {**os.environ, "SLURM_JOB_ID": JOB, "SLURM_SUBMIT_DIR": str(Path.cwd())}
    variables |= {"SLURM_NTASKS": given.ntasks or "1", "SLURM_CPUS_ON_NODE": "64"}
    if given.cpus_per_task:
        variables["SLURM_CPUS_PER_TASK"] = given.cpus_per_task
    if given.mem_per_cpu:
        variables["SLURM_MEM_PER_CPU"] = str(int(given.mem_per_cpu.removesuffix("G")) * 1024)
    numbers = indexes(given.array) if given.array else [0]
    steps = {second - first for first, second in itertools.pairwise(numbers)}
    array = {
        "SLURM_ARRAY_JOB_ID": JOB,
        "SLURM_ARRAY_TASK_COUNT": str(len(numbers)),
        "SLURM_ARRAY_TASK_MIN": str(min(numbers)),
        "SLURM_ARRAY_TASK_MAX": str(max(numbers)),
        "SLURM_ARRAY_TASK_STEP": str(steps.pop() if len(steps) == 1 else 1),
    }
    command = spooled(text)
    # Without "B:", the steps get the signal and the script does not.
    warned = re.fullmatch(r"B:(\w+)@\d+", given.signal or "")
    run_all(
        Task(
            number,
            command,
            Path.cwd(),
            variables | ({**array, "SLURM_ARRAY_TASK_ID": str(number)} if given.array else {}),
            Path((given.output or "slurm-%j.out").replace("%A", JOB).replace("%j", JOB).replace("%a", str(number))),
            retries=9 if given.requeue else 0,
            warning=signal.Signals[f"SIG{warned[1]}"] if warned else None,
        )
        for number in numbers
    )
    print(JOB if given.parsable else f"Submitted batch job {JOB}")


def srun(words: list[str]) -> None:
    """Run a command in each task of this job of Slurm."""
    options = parser("srun", "--kill-on-bad-exit")
    options.add_argument("command", nargs=argparse.REMAINDER)
    command = options.parse_args(words).command
    steps = [
        subprocess.Popen(command, env={**os.environ, "SLURM_PROCID": str(number)})
        for number in range(int(os.environ["SLURM_NTASKS"]))
    ]

    def forward(number: int, _frame: object) -> None:
        for step in steps:
            step.send_signal(number)

    signal.signal(signal.SIGTERM, forward)
    sys.exit(max(step.wait() for step in steps))


def qsub(words: list[str]) -> None:
    """Submit a job to PBS. It starts in the home folder."""
    options = parser("qsub", "-N", "-J", "-r", "-j", "-S")
    options.add_argument("-l", action="append", default=[])
    options.add_argument("script")
    text = Path(options.parse_args(words).script).read_text()
    given = options.parse_args([*directives(text.splitlines(), "#PBS "), *words])
    resources = dict(one.split("=", 1) for one in given.l)
    (cpus,) = re.findall(r"^1:ncpus=(\d+):mem=\d+gb$", resources.pop("select"))
    assert list(resources) == ["walltime"]
    numbers = indexes(given.J)
    assert len(numbers) > 1, "PBS takes no array of one"
    home = Path(os.environ["STAND_INS"]) / "home"
    home.mkdir(exist_ok=True)
    variables = {**os.environ, "HOME": str(home), "PBS_O_WORKDIR": str(Path.cwd()), "NCPUS": cpus}
    command = spooled(text)
    run_all(
        Task(
            number,
            command,
            home,
            {**variables, "PBS_ARRAY_INDEX": str(number), "PBS_JOBID": f"{JOB}[{number}].pbs"},
            Path(f"{given.N}.o{JOB}.{number}"),
            retries=9 if given.r == "y" else 0,
            warning=signal.SIGTERM,
            whole_session=True,
        )
        for number in numbers
    )
    print(f"{JOB}[].pbs")


def bsub(words: list[str]) -> None:
    """Submit a job to LSF, which reads the script from its standard input."""
    text = sys.stdin.read()
    options = parser("bsub", "-J", "-n", "-R", "-W", "-o", switches=["-r"])
    given = options.parse_args([*directives(text.splitlines(), "#BSUB "), *words])
    match = re.fullmatch(r"(\w+)\[([\d,:-]+)\](?:%\d+)?", given.J)
    assert match, given.J
    command = spooled(text)
    run_all(
        Task(
            number,
            command,
            Path.cwd(),
            {**os.environ, "LSB_JOBID": JOB, "LSB_JOBINDEX": str(number), "LSB_DJOB_NUMPROC": given.n},
            Path(given.o.replace("%J", JOB).replace("%I", str(number))),
            retries=9 if given.r else 0,
        )
        for number in indexes(match[2])
    )
    print(f"Job <{JOB}> is submitted to default queue <normal>.")


def kubectl(words: list[str]) -> None:
    """Create a job of Kubernetes. The folder that holds its claims is this one."""
    verb, flag, path = words
    assert (verb, flag) == ("apply", "-f")
    job = yaml.safe_load(Path(path).read_text())
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    spec = job["spec"]
    assert (spec["completionMode"], spec["template"]["spec"]["restartPolicy"]) == ("Indexed", "Never")
    (container,) = spec["template"]["spec"]["containers"]
    (mount,) = container["volumeMounts"]
    (volume,) = spec["template"]["spec"]["volumes"]
    assert volume["name"] == mount["name"]
    assert container["workingDir"] == mount["mountPath"]
    # A container has the variables of its own, and none of whoever creates it.
    variables = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    variables |= {one["name"]: one["value"] for one in container.get("env", [])}
    run_all(
        Task(
            number,
            container["command"],
            Path.cwd(),
            {**variables, "HOME": "/", "HOSTNAME": f"tonearm-{number}", "JOB_COMPLETION_INDEX": str(number)},
            Path(f"pod-{number}.log"),
            retries=spec["backoffLimitPerIndex"],
            warning=signal.SIGTERM,
        )
        for number in range(spec["completions"])
    )
    print(f"job.batch/{job['metadata']['name']} created")


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    command.__name__: command for command in (sbatch, srun, qsub, bsub, kubectl)
}


def install(folder: Path) -> dict[str, str]:
    """Put the commands into a new folder; return the environment in which they are found, and tonearm with them."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    for name in COMMANDS:
        path = programs / name
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" {name} "$@"\n')
        path.chmod(0o755)
    scripts = os.path.dirname(sys.executable)
    return {**os.environ, "PATH": f"{programs}:{scripts}:{os.environ['PATH']}", "STAND_INS": str(folder)}


def ends(folder: Path) -> Iterator[tuple[int, int]]:
    """Yield the number of each task and its exit status, in the order in which they ended; forget them."""
    path = folder / "tasks.jsonl"
    for line in path.read_text().splitlines():
        found = json.loads(line)
        yield found["task"], found["status"]
    path.unlink()


if __name__ == "__main__":
    COMMANDS[sys.argv[1]](sys.argv[2:])
