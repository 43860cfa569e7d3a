"""Start-up tricks do what they promise, and signals end a command in good order."""

import os
import platform
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest

import tonearm
from tonearm import startup
from tonearm.cli import console

PIPELINE = """
tonearm: 1
input: {use: npy-reader, with: {kind: waveform, sample_rate: 22050}}
outputs: [{use: wav-writer, file: "{stem}.wav"}]
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
@pytest.mark.parametrize("jobs", ["0", "1"])
def test_freed_memory_stays_with_the_process_so_that_a_source_takes_few_new_pages(tmp_path, jobs):
    (tmp_path / "p.yaml").write_text(PIPELINE)
    samples = np.sin(np.arange(66150) * 0.01).astype("f4")
    for number in range(44):
        np.save(tmp_path / f"{number:02}.npy", samples)

    def faults(pattern):
        code = "import sys; from tonearm.cli.main import main; sys.exit(main())"
        command = [sys.executable, "-c", code, "run", "p.yaml", pattern, "--out", pattern[0], "--jobs", jobs]
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt - before

    assert (faults("[0-3]?.npy") - faults("4?.npy")) / 36 < 60


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_a_worker_elsewhere_keeps_freed_memory_only_while_it_works_for_a_run(tmp_path):
    """Dask sets the environment so that its workers keep none, which is right for other work than ours."""
    (tmp_path / "p.yaml").write_text(PIPELINE)
    np.save(tmp_path / "a.npy", np.zeros((1, 10), "f4"))
    code = """if True:
        import pickle, resource, threading
        import numpy as np
        import tonearm
        from tonearm.run.prepare import Settings
        from tonearm.run.store.local_store import LocalStore
        from tonearm.run.tasks import Task
        from tonearm.run.workers.work import PipelineWork

        def work_of_others():
            for _ in range(50):
                np.full(66150, 2.0)

        def faults(function):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            thread = threading.Thread(target=function)
            thread.start()
            thread.join()
            return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

        work = PipelineWork(tonearm.load_pipeline("p.yaml"), LocalStore("out"), Settings())
        packed = pickle.dumps(work)
        print(faults(work_of_others))
        assert not pickle.loads(packed)([Task(0, "a.npy", "a.npy")]).error
        print(faults(work_of_others))
        work.leave()()
        print(faults(work_of_others))
    """
    environ = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, env=environ)
    before, during, after = map(int, done.stdout.split())
    assert 10 * during < before
    assert 10 * during < after


def test_msgspec_is_imported_without_typing_extensions():
    code = "import sys; from tonearm import startup; startup.import_msgspec_alone(); import msgspec"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print('typing_extensions' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "False\n"


def test_msgspec_is_imported_without_platform():
    code = "import sys; from tonearm import startup; startup.import_msgspec_alone(); print('platform' in sys.modules)"
    code += "; import platform; print(platform.python_version())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", platform.python_version()]


def test_the_parser_of_yaml_is_imported_alone_and_all_of_yaml_can_follow():
    code = """if True:
        import sys
        from tonearm import startup
        startup.import_yaml_parser_alone()
        from tonearm.pipeline.yaml import reader
        print(*sorted(name for name in sys.modules if name.partition('.')[0] == 'yaml'))
        import yaml
        print(yaml.safe_load('é: [1]'), yaml.reader.ReaderError is reader.ReaderError)
        print(len(yaml.reader.Reader.NON_PRINTABLE.findall('a\x01b\x02')))
    """
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "yaml yaml.error yaml.events yaml.parser yaml.reader yaml.scanner yaml.tokens",
        "{'é': [1]} True",
        "2",
    ]


@pytest.mark.parametrize("pipeline", ["p.yaml", "none.yaml"])
def test_check_ends_with_all_its_output_and_its_status(tmp_path, pipeline):
    (tmp_path / "p.yaml").write_text(PIPELINE)
    command = [sys.executable, "-c", "import sys; from tonearm.cli.main import program; sys.exit(program())"]
    done = subprocess.run([*command, "check", pipeline], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == ((0, 1) if pipeline == "p.yaml" else (2, 2))


@pytest.mark.parametrize(
    ("kind", "imported"),
    [
        ("kind: waveform, sample_rate: 8000", {"waveform", "scale", "grid_options"}),
        (
            "kind: complex, sample_rate: 8000, n_fft: 16, hop_length: 4",
            {"scale", "grid_options", "spectrograms"},
        ),
    ],
)
def test_check_imports_the_kind_that_is_named_alone(tmp_path, kind, imported):
    (tmp_path / "p.yaml").write_text(PIPELINE.replace("kind: waveform, sample_rate: 22050", kind))
    code = (
        "import sys; from tonearm.cli.main import main; main(); "
        "print(*(name for name in sys.modules if name.startswith(('tonearm.kinds.', 'tonearm.recipes.mel.kind')))); "
        "print('numpy' in sys.modules)"
    )
    command = [sys.executable, "-c", code, "check", "p.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    *_, kinds, numpy = done.stdout.splitlines()
    assert {name.rpartition(".")[2] for name in kinds.split()} == imported
    assert numpy == "False"


def test_what_the_user_says_of_blas_threads_stays():
    environ = {"OPENBLAS_THREAD_TIMEOUT": "26"}
    startup.let_blas_threads_sleep(environ)
    assert environ == {"OPENBLAS_THREAD_TIMEOUT": "26"}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can")
def test_a_process_whose_parent_has_ended_already_ends():
    code = "from tonearm.startup import die_with_parent; die_with_parent({}); print('alive')"
    for parent, alive in ((os.getpid(), True), (os.getpid() + 1, False)):
        done = subprocess.run([sys.executable, "-c", code.format(parent)], capture_output=True, text=True)
        assert (done.stdout == "alive\n", done.returncode) == (alive, 0 if alive else 1)


class TestStop:
    def test_the_first_signal_raises_and_the_second_ends_it(self, monkeypatch):
        ended = []
        monkeypatch.setattr(os, "_exit", ended.append)
        monkeypatch.setattr(os, "write", lambda *_: 0)
        stop = startup.StopHandler()
        with pytest.raises(KeyboardInterrupt) as caught:
            stop(signal.SIGINT, None)
        assert not isinstance(caught.value, startup.Terminated)
        with pytest.raises(KeyboardInterrupt):
            stop(signal.SIGTERM, None)
        assert ended == [143]

    def test_the_second_is_ignored_where_another_process_ends_this_one(self, monkeypatch):
        monkeypatch.setattr(os, "_exit", lambda status: pytest.fail(f"ended with {status}"))
        stop = startup.StopHandler(ends_process=False)
        with pytest.raises(KeyboardInterrupt):
            stop(signal.SIGINT, None)
        assert stop(signal.SIGINT, None) is None

    @pytest.mark.parametrize(
        ("number", "said"), [(signal.SIGTERM, "terminated\n"), (signal.SIGHUP, "the terminal is gone\n")]
    )
    def test_what_is_said(self, number, said, capsys, monkeypatch):
        monkeypatch.setattr(signal, "signal", lambda *_: None)
        with pytest.raises(startup.Terminated) as caught:
            startup.StopHandler()(number, None)
        assert console.report_interrupt(caught.value) == 128 + number
        assert capsys.readouterr().err == said


class TestPublicNames:
    """`import tonearm` costs nothing, and a name costs its own module."""

    def test_each_has_its_module(self):
        assert set(tonearm.__all__) == {*tonearm._MODULES, "__version__"}
        for name in tonearm._MODULES:
            assert getattr(tonearm, name) is vars(tonearm)[name]

    def test_what_is_no_name(self):
        with pytest.raises(AttributeError, match="module 'tonearm' has no attribute 'saev'"):
            tonearm.saev  # noqa: B018

    def test_importing_the_package_imports_nothing_else(self):
        code = "import sys; before = set(sys.modules); import tonearm; print(sorted(set(sys.modules) - before))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "['__future__', 'tonearm', 'tonearm.version']\n"

    def test_saving_an_array_imports_no_plugin_that_it_does_not_use(self, tmp_path):
        code = f"""
import sys, numpy as np, tonearm
tonearm.save(np.sin(np.arange(2400) / 9) / 3, {str(tmp_path / "a.wav")!r}, sample_rate=24000)
print(*[name for name in sys.modules if name.startswith(("tonearm_plugins.decoders.", "tonearm_plugins.transforms."))])
print(*[name for name in ("scipy", "librosa", "soundfile", "yaml", "mutagen", "rich") if name in sys.modules])
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "tonearm_plugins.decoders.npy_reader\n\n"
