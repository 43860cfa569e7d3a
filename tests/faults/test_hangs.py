"""Sources at which a plugin hangs, and sources that take long but go on."""

import signal
import time

import numpy as np
import pytest
from cli_runs import add_step, finish, is_held, run, start, wait_until, write_inputs
from invariants import identities, leftover_files

HANGS = "import ctypes; ctypes.PyDLL(None).sleep(600)"  # it holds the interpreter


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("jobs", "hangs"),
    [(0, "time.sleep(600)"), (0, HANGS), pytest.param(1, "time.sleep(600)", marks=pytest.mark.slow), (1, HANGS)],
)
def test_a_source_at_which_a_plugin_hangs_fails_and_the_others_are_converted(tmp_path, jobs, hangs):
    write_inputs(tmp_path, 3)
    np.save(tmp_path / "in" / "0001.npy", np.zeros(8000, np.float32))
    env = add_step(tmp_path, f"if not signal.samples.any():\n    {hangs}")
    status, messages = run(tmp_path, "--jobs", jobs, "--timeout", 1.5, env=env)
    assert status == 3, messages
    assert "0001.npy: timeout: it took longer than 1.5 s, twice\n    hint: set a longer timeout\n" in messages
    assert sorted(identities(tmp_path / "out")) == ["0000.wav", "0002.wav"]
    assert leftover_files(tmp_path / "out") == []


@pytest.mark.parametrize("jobs", [0, 1])
def test_a_source_at_which_a_plugin_crashes_fails_and_the_others_are_converted(tmp_path, jobs):
    write_inputs(tmp_path, 3)
    np.save(tmp_path / "in" / "0001.npy", np.zeros(8000, np.float32))
    env = add_step(tmp_path, "if not signal.samples.any(): os.kill(os.getpid(), signals.SIGSEGV)")
    status, messages = run(tmp_path, "--jobs", jobs, env=env)
    assert status == 3, messages
    assert "0001.npy: worker-died: its process was ended by SIGSEGV, twice\n" in messages
    assert ("a worker process goes on" in messages) == (jobs == 0)
    assert sorted(identities(tmp_path / "out")) == ["0000.wav", "0002.wav"]
    assert leftover_files(tmp_path / "out") == []


@pytest.mark.parametrize("jobs", [0, 1])
def test_a_second_interrupt_ends_a_run_at_which_a_plugin_holds_the_interpreter(tmp_path, jobs):
    write_inputs(tmp_path, 3)
    env = add_step(tmp_path, f"(folder / 'held.x').touch()\n{HANGS}")
    process = start(tmp_path, "--jobs", jobs, env=env)
    wait_until(lambda: is_held(tmp_path))
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    status, messages = finish(process)
    assert status == 130, messages
    assert run(tmp_path, "--jobs", jobs, "in/none*.npy")[0] == 2  # nobody holds the folder


@pytest.mark.slow
def test_a_source_of_many_items_may_take_longer_than_the_timeout(tmp_path):
    """Each finished item is a sign of life."""
    write_inputs(tmp_path, 0)
    np.savez(tmp_path / "in" / "many.npz", **{f"k{number}": np.full(800, 0.5, np.float32) for number in range(8)})
    env = add_step(tmp_path, "time.sleep(0.5)")
    text = (tmp_path / "p.yaml").read_text().replace("npy-reader", "npz-reader").replace("*.npy", "*.npz")
    text = text.replace("sample_rate: 16000", "sample_rate: 16000, key: '*'").replace("{stem}", "{key}")
    (tmp_path / "p.yaml").write_text(text)
    status, messages = run(tmp_path, "--jobs", 1, "--timeout", 3, env=env)
    assert status == 0, messages
    assert len(identities(tmp_path / "out")) == 8
