"""A run with a third party's plugin whose option is a plugin of ours: in worker processes, and again after changes."""

import json

import numpy as np
import pytest
from core_toys import third_party, tonearm

CODE = '''
from dataclasses import dataclass
from typing import Any

from tonearm.api import Transform, Waveform, hookimpl


@dataclass(frozen=True, kw_only=True)
class TwiceOptions:
    step: Transform[Waveform, Waveform, Any]


class Twice(Transform[Waveform, Waveform, TwiceOptions]):
    """Apply a transform twice."""

    def apply(self, signal, context):
        return self.options.step.apply(self.options.step.apply(signal, context), context)


@hookimpl
def tonearm_transforms():
    return {"twice": Twice}
'''

PIPELINE = """\
tonearm: 1
input: {use: npy-reader, files: "*.npy", with: {kind: waveform, sample_rate: 8000}}
steps:
  - {use: twice, with: {step: {use: gain, with: {gain_db: -6 dB}}}}
outputs:
  - {use: npy-writer, file: "{stem}.npy"}
"""


@pytest.fixture
def run(tmp_path):
    env = third_party(tmp_path / "site", "twice", CODE)
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", np.ones(100, np.float32))
    (tmp_path / "p.yaml").write_text(PIPELINE)

    def call(*arguments):
        done = tonearm("run", "p.yaml", "--out", "out", "--jobs", "2", "--json", *arguments, env=env, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        level = float(np.load(tmp_path / "out/a.npy").flat[0])
        return level, [json.loads(line)["status"] for line in done.stdout.splitlines()]

    return call


def test_it_runs_in_workers_and_runs_again_when_the_inner_options_change(run):
    level, statuses = run()
    assert (level, statuses) == (pytest.approx(10 ** (-12 / 20), rel=1e-5), ["converted"] * 2)
    assert run()[1] == ["skipped"] * 2
    level, statuses = run("--set", "steps.0.with.step.with.gain_db=-3")
    assert (level, statuses) == (pytest.approx(10 ** (-6 / 20), rel=1e-5), ["converted"] * 2)
