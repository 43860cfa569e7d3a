"""``tonearm run``, as a user sees it; faults have their own tests."""

import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from core_toys import third_party, tonearm

from tonearm.cli.run import summary
from tonearm.run.report import Report
from tonearm.run.store.local_store import LocalStore


def run(*arguments, **more):
    return tonearm("run", "p.yaml", "--out", "out", "--jobs", "0", *arguments, **more)


NAN = (
    "b.npy: not-finite: 1 of 2 values of the waveform array are NaN or infinite\n"
    "    hint: nan: zero, to replace them with 0; check the model's output\n"
)
CLIPPED = "c.npy: warning: 2 samples were beyond full scale and clipped\n"


def without_times(text):
    return re.sub(r"\d+\.\d s", "0.0 s", text)


def test_messages_and_summary(folder):
    done = run()
    assert (done.returncode, done.stdout) == (3, "")
    assert without_times(done.stderr) == NAN + CLIPPED + (
        "2 converted, 1 failed, 1 with warnings in 0.0 s\n"
        "    out/a.wav\n"
        "    out/c.wav\n"
        "warnings:\n"
        "    1 × … samples were beyond full scale and clipped, first c.npy\n"
        "failed:\n"
        "    1 × not-finite\n"
        "    hint: tonearm status out --code CODE lists all items that failed with a code\n"
    )
    Path("b.npy").unlink()
    done = run()
    assert (done.returncode, without_times(done.stderr)) == (0, "0 converted, 0 failed, 2 done before in 0.0 s\n")


def test_outputs_of_earlier_runs_are_no_sources(folder):
    def again(*arguments):
        sets = ("outputs.0.use=npy-writer", "outputs.0.with={}", "outputs.0.file='{stem}.new.npy'")
        return tonearm("run", "p.yaml", "*.npy", "--jobs", "0", *arguments, *(f"--set={one}" for one in sets)).stderr

    Path("b.npy").unlink()
    assert "left out" not in again()
    left_out = "2 outputs of earlier runs left out"
    assert without_times(again()) == f"0 converted, 0 failed, 2 done before, {left_out} in 0.0 s\n"
    assert again("--dry-run").endswith(f"0 to convert, 2 done, {left_out}; outputs go below .\n")


def test_quiet_prints_failures_and_logs_everything(folder):
    done = run("--quiet", "--log-file", "log")
    assert (done.returncode, done.stdout, done.stderr) == (3, "", NAN)
    log = [line.partition(" ") for line in Path("log").read_text().splitlines()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", stamp) for stamp, _, _ in log)
    message = "".join(f"{text}\n" for _, _, text in log)
    assert message.startswith(NAN + CLIPPED + "2 converted, 1 failed, 1 with warnings in ")


def test_the_log_file_is_appended_to(folder):
    for _ in range(2):
        run("--log-file", "log")
    assert Path("log").read_text().count("converted, ") == 2
    assert run("--log-file", "/dev/full").returncode == 3  # no room for the log is no reason to fail
    done = run("--log-file", "none/log")
    assert (done.returncode, done.stderr) == (4, "output: cannot write none/log: no such file or directory\n")


@pytest.mark.parametrize(
    ("files", "named", "last"),
    [
        (0, 0, ""),
        (1, 1, ""),
        (5, 5, ""),
        (6, 6, ""),
        (7, 5, "    and 2 more below out"),
        (900, 5, "    and 895 more below out"),
    ],
)
def test_the_summary_names_the_first_files_and_never_hides_one(files, named, last):
    names = [f"{number}.wav" for number in range(files)]
    report = Report(
        Path("out"), total=files, sources=files, converted=files, files=files, seconds=1.0, first_outputs=names[:20]
    )
    lines = list(summary(report))[1:]
    assert lines == [f"    out/{name}" for name in names[:named]] + [last] * bool(last)


CREW = """
from tonearm.api import Executor, NoOptions, hookimpl
class Crew(Executor[NoOptions]):
    "Convert by two workers."
    def open(self, work, slots):
        self.work, self.chunks, self.told = work, [], ["the dashboard is http://a\\x1b[2J"]
    def notes(self):
        told, self.told = self.told, []
        return told
    def submit(self, chunk):
        self.chunks.append((len(self.told), chunk[0].number, chunk))
        return chunk[0].number
    def wait(self, seconds):
        while self.chunks:
            _, number, chunk = self.chunks.pop(0)
            yield number, self.work(chunk, "east" if number else "west")
    def cancel(self, handle): ...
    def close(self): ...
@hookimpl
def tonearm_executors():
    return {"crew": Crew}
"""


@pytest.mark.parametrize("flags", [(), ("--json",), ("--quiet", "--json")])
def test_an_executor_is_heard_and_its_workers_are_named(folder, flags):
    code = (
        "import sys, tonearm.cli.main as cli, tonearm.cli.progress as progress;"
        "progress.LINE_INTERVAL = 0; sys.exit(cli.main())"
    )
    command = ["run", "p.yaml", "--out", "out", "--executor", "crew", "--log-file", "log", *flags]
    env = {**os.environ, **third_party(folder / "site", "crew", CREW)}
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 3
    assert bool(re.search("^3 of 3 sources, .*; 2 workers: east .* a second$", done.stderr, re.MULTILINE)) is (
        "--quiet" not in flags
    )
    note, workers = "the dashboard is http://a\\x1b[2J\n", "workers: east 2 sources, west 1 source\n"
    for line in (note, workers):
        assert (line in done.stderr) is ("--quiet" not in flags)
        assert f" {line}" in Path("log").read_text()
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(record["source"] for record in records) == (["a.npy", "b.npy", "c.npy"] if flags else [])


REFUSING = "steps: [{use: guard, with: {clipping: error}}]\n"


class TestQuarantine:
    """What guard refuses can be listened to."""

    @pytest.mark.parametrize("jobs", ["0", "2"])
    def test_a_copy_is_kept_and_named(self, folder, jobs):
        Path("p.yaml").write_text(Path("p.yaml").read_text() + REFUSING)
        done = run("--quarantine", "q", "--jobs", jobs, "--json")
        (kept,) = [str(path) for path in Path("q").glob("*.wav")]
        assert re.fullmatch(r"q/c-[0-9a-f]{16}\.wav", kept)
        assert "c.npy: guard-clipping: 2 samples are beyond full scale, by up to 6.0 dB\n" in done.stderr
        assert f"\n    kept: {kept}\n" in done.stderr
        records = [json.loads(line) for line in done.stdout.splitlines()]
        assert {record["source"]: record.get("kept") for record in records} == {
            "a.npy": None,
            "b.npy": None,
            "c.npy": kept,
        }
        status = tonearm("status", "out", "--code", "guard-clipping").stdout
        assert status.endswith(f"by up to 6.0 dB\n    kept: {kept}\n")
        assert sorted(path.name for path in Path("q").iterdir()) == [".tonearm-quarantine", kept[2:]]

    def test_a_folder_with_files_is_refused_before_anything_is_touched(self, folder):
        done = run("--quarantine", ".")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("usage: the folder . holds files, and is no quarantine\n")
        assert not Path("out").exists()

    def test_it_is_made_when_there_is_something_to_keep(self, folder):
        assert run("--quarantine", "q").returncode == 3  # b.npy fails in the decoder
        assert not Path("q").exists()


class TestJson:
    def test_one_object_for_each_item(self, folder):
        done = run("--json")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert [(line["source"], line["status"]) for line in lines] == [
            ("a.npy", "converted"), ("b.npy", "failed"), ("c.npy", "converted"),
        ]  # fmt: skip
        assert lines[0] == {
            "source": "a.npy", "key": "", "index": 0, "status": "converted", "outputs": ["a.wav"],
            "measured": {"duration": 1.0, "dc": 0.5, "peak_db": -6.02}, "warnings": [],
            "files": [
                {
                    "file": "a.wav", "sidecars": [], "measured": {"duration": 1.0, "dc": 0.5, "peak_db": -6.02},
                    "warnings": [],
                }
            ],
        }  # fmt: skip
        assert (lines[1]["code"], lines[1]["hint"]) == (
            "not-finite",
            "nan: zero, to replace them with 0; check the model's output",
        )
        assert lines[2]["warnings"] == ["2 samples were beyond full scale and clipped"]
        again = [json.loads(line) for line in run("--json").stdout.splitlines()]
        skipped = {"status": "skipped", "reason": "done before, and unchanged"}
        assert again[:2] == [{**lines[0], **skipped}, {**lines[2], **skipped}]
        assert [line["status"] for line in again[2:]] == ["failed"]

    def test_the_run_continues_when_the_reader_has_finished(self, folder):
        for number in range(20):
            os.link("a.npy", f"d{number}.npy")
        script = Path(sysconfig.get_path("scripts")) / "tonearm"
        done = subprocess.run(
            ["bash", "-c", f"'{script}' run p.yaml --out out --jobs 0 --json | true; exit ${{PIPESTATUS[0]}}"],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 3
        assert "22 converted, 1 failed" in done.stderr
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
    def test_a_full_disk_under_stdout_stops_the_run(self, folder):
        with Path("/dev/full").open("w") as full:
            script = Path(sysconfig.get_path("scripts")) / "tonearm"
            command = [str(script), "run", "p.yaml", "--out", "out", "--jobs", "0", "--json"]
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 4
        assert done.stderr.endswith("output: cannot write to stdout: no space left on device\n")
        assert not list(Path("out").glob(".tonearm-*"))


class TestDryRun:
    def test_planned_and_skipped_sources_with_reasons(self, folder):
        done = run("--dry-run")
        assert (done.returncode, done.stdout) == (0, "a.npy -> a.wav\nb.npy -> b.wav\nc.npy -> c.wav\n")
        assert done.stderr == "3 to convert, 0 done; outputs go below out\n"
        assert not Path("out").exists()
        run()
        np.save("a.npy", np.full(8000, 0.25, np.float32))
        done = run("--dry-run")
        assert done.stdout == (
            "a.npy -> a.wav (it has changed)\nb.npy -> b.wav (1 failed)\nc.npy skipped (done before, and unchanged)\n"
        )
        assert done.stderr == "2 to convert, 1 done; outputs go below out\n"
        done = run("--dry-run", "--set", "outputs.0.with.subtype=FLOAT")
        assert done.stdout.splitlines()[2] == "c.npy -> c.wav (the pipeline or a plugin has changed)"
        done = run("--dry-run", "--json", "--part", "1/1")
        assert [json.loads(line) for line in done.stdout.splitlines()] == [
            {"source": "a.npy", "status": "planned", "outputs": ["a.wav"], "reason": "it has changed"},
            {"source": "b.npy", "status": "planned", "outputs": ["b.wav"], "reason": "1 failed"},
            {"source": "c.npy", "status": "skipped", "outputs": ["c.wav"], "reason": "done before, and unchanged"},
            {
                "status": "summary", "planned": 2, "skipped": 1, "in_other_parts": 0, "outputs_left_out": 0,
                "out": "out",
            },
        ]  # fmt: skip
        assert done.stderr == "2 to convert, 1 done; outputs go below out\n"

    def test_it_reports_what_a_run_would_refuse(self, folder):
        Path("out").mkdir()
        Path("out/a.wav").write_text("mine")
        done = run("--dry-run")
        assert done.returncode == 2
        assert done.stderr.startswith("not-ours: out/a.wav exists, and no run wrote it\n")


class TestSources:
    def test_sources_from_a_list(self, folder):
        done = run("--from", "-", input="a.npy\nc.npy\n")
        assert done.returncode == 0
        assert "2 converted" in done.stderr

    def test_a_pattern_without_a_match_is_a_warning(self, folder):
        done = run("a.npy", "nothing/*.npy")
        assert done.returncode == 0
        assert done.stderr.startswith(f"warning: nothing/*.npy matches no source in {folder}\n1 converted")

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [(["nothing/*"], "no-source: nothing/* matches no source in {folder}\n    hint: a pipeline's patterns start"),
         (["nothing"], "no-source: there is no file nothing in {folder}\n"),
         (["--from", "/dev/null"], "no-source: there is no source to convert\n    hint: name files, folders or"),
         (["--from", "nothing"], "no-source: cannot read nothing: no such file or directory\n"),
         (["--part", "3/2"], "usage: invalid part '3/2': use I/N with 1 <= I <= N\n"),
         (["--part", "slurm"], "usage: cannot tell which part this is: the variable SLURM_ARRAY_TASK_ID is not set\n"),
         (["--part", "pbs"], "usage: cannot tell which part this is: the variable PBS_ARRAY_INDEX is not set\n"),
         (["--part", "k8s"], "usage: cannot tell which part this is: the variable JOB_COMPLETION_INDEX is not set\n"),
         (["--jobs", "-1"], "usage: jobs is -1, but cannot be negative\n"),
         (["--timeout", "-5"], "usage: timeout is -5 s, but cannot be negative\n"),
         (["--timeout", "5", "--executor", "in-process"], "usage: the executor in-process cannot keep a timeout"),
         (["--executor-option", "cores=5"], "unknown-option: local has no option 'cores'\n    hint: it has none"),
         (["--executor", "in-procces"],
          "unknown-executor: there is no executor 'in-procces'\n    hint: did you mean 'in-process'?\n"),
         (["--executor", "moon"], "unknown-executor: there is no executor 'moon'\n")],
    )  # fmt: skip
    def test_a_wrong_command_touches_nothing(self, folder, arguments, message):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(message.replace("{folder}", str(folder)))
        assert not Path("out").exists()

    def test_odd_names_are_printed_escaped(self, folder):
        for name in ("new\nline.npy", "\x1b[31mred.npy", os.fsdecode(b"\xff.npy")):
            os.link("b.npy", name)
        done = run("--json", env={"PYTHONUTF8": "1"})
        assert "\x1b" not in done.stderr + done.stdout
        assert "new\\nline.npy: not-finite" in done.stderr
        assert len(done.stdout.splitlines()) == 6


def test_a_number_of_failures_stops_the_run(folder):
    for number in range(5):
        os.link("b.npy", f"b{number}.npy")
    done = run("--max-failures", "2")
    assert done.returncode == 3
    assert "1 converted, 2 failed, 5 left in " in done.stderr
    assert "1 failed, " in run("--fail-fast").stderr


def test_tracebacks_only_with_debug(folder):
    assert "Traceback" not in run().stderr
    assert run("--force", "--debug").stderr.count("Traceback (most recent call last)") == 1


def test_a_second_run_into_the_same_folder_exits_11(folder):
    run()
    store = LocalStore("out")
    store.lock(None, create=False)
    done = run()
    store.close()
    assert (done.returncode, done.stderr) == (
        11, "locked: another run holds out\n    hint: wait until it has ended, or choose another output folder\n",
    )  # fmt: skip


@pytest.mark.parametrize("fork", [True, False])
def test_debug_tells_which_engine_works_in_a_worker(tmp_path, fork):
    """A forked worker inherits what prints the messages; a spawned one is told."""
    np.save(tmp_path / "m.npy", np.ones((45, 20), "f4"))
    (tmp_path / "p.yaml").write_text("""
tonearm: 1
input: {use: npy-reader, with: {kind: magnitude, sample_rate: 8000, n_fft: 88, hop_length: 22}}
steps: [{use: griffin-lim, with: {engine: scipy}}]
outputs: [{use: wav-writer, file: "{stem}.wav"}]
""")
    code = f"""if True:
        import sys
        from tonearm.run.workers import processes
        processes.is_fork_safe = lambda: {fork}
        from tonearm.cli.main import main
        sys.exit(main(["run", "p.yaml", "m.npy", "-j", "1", "--debug"]))
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    line = "debug: the scipy engine works for n_fft 88, hop_length 22, not native: engine is scipy\n"
    assert done.stderr.count(line) == 1
