"""Third parties, for real: packages built into wheels, installed, found, checked and run; a broken one is disabled."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from installed_packages import tonearm

HERE = Path(__file__).parent

pytestmark = pytest.mark.slow


def test_a_package_is_found_checked_and_run(site: Path, tmp_path: Path) -> None:
    recording = tmp_path / "tone.acme"
    subprocess.run([sys.executable, HERE / "write_recording.py", recording], check=True)
    pipeline = tmp_path / "acme.yaml"
    pipeline.write_text(
        "tonearm: 1\n"
        "input: {use: acme-reader, files: '*.acme', with: {sample_rate: 16000}}\n"
        "outputs:\n"
        "  - use: wav-writer\n"
        "    file: '{stem}.wav'\n",
        encoding="utf-8",
    )
    assert "acme-reader" in tonearm(site, "plugins").stdout
    assert "[tonearm_acme 1.2]" in tonearm(site, "plugins").stdout
    assert tonearm(site, "check", pipeline).returncode == 0
    done = tonearm(site, "run", pipeline, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    written, rate = soundfile.read(tmp_path / "tone.wav", dtype="int16")
    assert rate == 16000
    np.testing.assert_array_equal(written, np.frombuffer(recording.read_bytes()[4:], dtype="<i2"))


def test_its_options_are_checked_with_everyone_elses(site: Path, tmp_path: Path) -> None:
    pipeline = tmp_path / "acme.yaml"
    pipeline.write_text(
        "tonearm: 1\ninput: {use: acme-reader, with: {sample_rat: 16000}}\n"
        "outputs: [{use: wav-writer, file: '{stem}.wav'}]\n",
        encoding="utf-8",
    )
    done = tonearm(site, "check", pipeline)
    assert done.returncode == 2
    assert f"{pipeline}:2:34: unknown-option: acme-reader has no option 'sample_rat'" in done.stderr
    assert "did you mean 'sample_rate'?" in done.stderr


def test_its_dialects_are_listed_read_and_judged(site: Path, tmp_path: Path) -> None:
    listed = tonearm(site, "dialects").stdout
    (row,) = (line.split() for line in listed.splitlines() if line.startswith("acme-tts"))
    assert row[1:7] == ["24000", "1024", "256", "1024", "80", "0"]
    assert "  acme-old: the dialect acme-old of acme-models is broken: it has no figure 'hop'" in listed
    np.save(tmp_path / "mel.npy", np.linspace(-3, 2, 80 * 20, dtype="f4").reshape(80, 20))
    convert = ("convert", tmp_path / "mel.npy", tmp_path / "a.wav", "--kind", "mel", "--dialect")
    done = tonearm(site, *convert, "acme-tts")
    assert done.returncode == 0, done.stderr
    assert soundfile.info(tmp_path / "a.wav").samplerate == 24000
    done = tonearm(site, *convert, "styletts2", "--force")
    assert done.returncode == 3
    assert "hint: --dialect" in done.stderr
    assert "acme-tts" in done.stderr


def test_a_package_that_ends_the_program_is_disabled_and_named(site: Path) -> None:
    done = tonearm(site, "plugins")
    assert done.returncode == 0
    assert (
        "warning: broken-plugin: tonearm_broken 0.9 is disabled: SystemExit: "
        "it calls sys.exit('this machine has no licence')" in done.stderr
    )
    assert "npy-reader" in done.stdout


MELS = """\
limits: {beyond: 1e9, clipped: 1}
tonearm: 1
input:
  use: npy-reader
  files: "in/*.npy"
  with: {kind: mel, dialect: hifigan}
steps:
  - use: mel-to-wave
    with: {preset: draft}
outputs:
  - use: flac-writer
    file: "{stem}.flac"
"""


@pytest.fixture
def mels(tmp_path: Path) -> Path:
    """Return a folder with a pipeline and 500 mel spectrograms of several lengths, one of which is wrong."""
    (tmp_path / "in").mkdir()
    (tmp_path / "mels.yaml").write_text(MELS, encoding="utf-8")
    rng = np.random.default_rng(0)
    for number in range(500):
        mel = np.log(np.clip(rng.gamma(1.0, 0.3, (80, 12 + number % 7)), 1e-5, None)).astype("f4")
        np.save(tmp_path / "in" / f"{number:03}.npy", mel if number != 123 else np.full_like(mel, np.nan))
    return tmp_path


def run_with(site: Path, folder: Path, executor: str, *arguments: object, **more: str) -> tuple[int, str, Path]:
    """Run the pipeline with an executor; return the exit status, the messages, and the output folder."""
    out = folder / executor
    words = ("run", folder / "mels.yaml", "--out", out, "--fsync", "none", "--executor", executor, *arguments)
    done = tonearm(site, *words, **more)
    return done.returncode, done.stderr, out


def records(out: Path) -> list[str]:
    """Return what a journal says in any order, without what depends on time or on the number of workers."""
    found = [json.loads(line) for line in (out / ".tonearm/journal.jsonl").read_text(encoding="utf-8").splitlines()]
    for record in found:
        for name in ("time", "seconds", "jobs"):
            record.pop(name, None)
    return sorted(json.dumps(record) for record in found if record["record"] != "sync")


def test_an_executor_of_threads_does_what_one_in_the_process_does(site: Path, mels: Path) -> None:
    status, _, expected = run_with(site, mels, "in-process")
    threads = ("--jobs", 4, "--executor-option", "prefix=worker")
    assert status == 3
    status, messages, found = run_with(site, mels, "threads", *threads)
    assert status == 3, messages
    assert "499 converted, 1 failed" in messages
    written = {path.name: path.read_bytes() for path in found.glob("*.flac")}
    assert len(written) == 499
    assert written == {path.name: path.read_bytes() for path in expected.glob("*.flac")}
    assert records(found) == records(expected)
    assert not list(found.rglob("*.part"))


def test_an_exception_in_a_thread_costs_one_item(site: Path, mels: Path) -> None:
    changes = """
import tonearm_threads
def run(self, chunk, real=tonearm_threads.Threads._run):
    if any(task.path.endswith("007.npy") for task in chunk):
        raise ValueError("no luck")
    return real(self, chunk)
tonearm_threads.Threads._run = run
"""
    status, messages, found = run_with(site, mels, "threads", "--jobs", 2, changes=changes)
    assert status == 3
    assert "498 converted, 2 failed" in messages
    assert "007.npy: worker-died: its thread failed: ValueError: no luck, twice" in messages
    assert len(list(found.glob("*.flac"))) == 498


def test_an_executor_that_fails_is_named_and_what_was_finished_is_kept(site: Path, mels: Path) -> None:
    changes = """
import tonearm_threads
def wait(self, seconds, real=tonearm_threads.Threads.wait):
    yield from real(self, seconds)
    if any(self.__dict__.setdefault("_seen", [])):
        raise OSError("no more threads")
    self._seen.append(True)
tonearm_threads.Threads.wait = wait
"""
    status, messages, found = run_with(site, mels, "threads", "--jobs", 2, changes=changes)
    assert status == 4
    assert "broken-worker: the executor threads failed: OSError: no more threads" in messages
    assert "Traceback" not in messages
    assert list(found.glob("*.flac"))
    assert not list(found.rglob("*.part"))
    assert run_with(site, mels, "threads")[0] == 3


def test_an_executor_is_listed_with_its_options(site: Path) -> None:
    (line,) = (line for line in tonearm(site, "plugins").stdout.splitlines() if line.startswith("  threads "))
    assert line.split(maxsplit=1)[1] == "Convert in threads of this process. [tonearm_threads 0.3]"
    assert tonearm(site, "plugins", "threads").stdout == (
        "threads: Convert in threads of this process.\n"
        "executor, from tonearm_threads 0.3\n\n"
        '  prefix: text, default "tonearm"\n'
        "      Start of the names of the threads.\n"
    )
    assert json.loads(tonearm(site, "plugins", "threads", "--json").stdout)["role"] == "executor"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--timeout", 5), "usage: the executor threads cannot keep a timeout, because it cannot stop a source"),
        (("--executor-option", "prefx=a"), "unknown-option: threads has no option 'prefx'\n    hint: did you mean"),
        (("--executor-option", "prefix=1"), "bad-option: threads: 'prefix' is 1; expected text"),
    ],
)
def test_a_wrong_use_of_an_executor_is_refused(
    site: Path, mels: Path, arguments: tuple[object, ...], message: str
) -> None:
    status, messages, out = run_with(site, mels, "threads", *arguments)
    assert status == 2
    assert message in messages
    assert not out.exists()
