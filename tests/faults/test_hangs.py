"""Sources at which a plugin hangs, and sources that take long but go on."""

import numpy as np
import pytest
from cli_runs import add_step, run, write_inputs
from invariants import identities, leftover_files


@pytest.mark.parametrize("jobs", [0, 1])
def test_a_source_at_which_a_plugin_hangs_fails_and_the_others_are_converted(tmp_path, jobs):
    write_inputs(tmp_path, 3)
    np.save(tmp_path / "in" / "0001.npy", np.zeros(8000, np.float32))
    env = add_step(tmp_path, "if not signal.samples.any(): time.sleep(600)")
    status, messages = run(tmp_path, "--jobs", jobs, "--timeout", 1.5, env=env)
    assert status == 3, messages
    assert "0001.npy: timeout: it took longer than 1.5 s, twice\n    hint: set a longer timeout\n" in messages
    assert sorted(identities(tmp_path / "out")) == ["0000.wav", "0002.wav"]
    assert leftover_files(tmp_path / "out") == []


def test_a_source_of_many_items_may_take_longer_than_the_timeout(tmp_path):
    """Each finished item is a sign of life."""
    write_inputs(tmp_path, 0)
    np.savez(tmp_path / "in" / "many.npz", **{f"k{number}": np.full(800, 0.5, np.float32) for number in range(12)})
    env = add_step(tmp_path, "time.sleep(0.5)")
    text = (tmp_path / "p.yaml").read_text().replace("npy-reader", "npz-reader").replace("*.npy", "*.npz")
    text = text.replace("sample_rate: 16000", "sample_rate: 16000, key: '*'").replace("{stem}", "{key}")
    (tmp_path / "p.yaml").write_text(text)
    status, messages = run(tmp_path, "--jobs", 1, "--timeout", 4, env=env)
    assert status == 0, messages
    assert len(identities(tmp_path / "out")) == 12
