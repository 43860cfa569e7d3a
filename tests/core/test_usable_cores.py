import os

import pytest

from tonearm import usable_cores as module
from tonearm.usable_cores import default_threads, usable_cores


@pytest.fixture
def many(monkeypatch):
    """A machine of 16 cores; what the control groups say comes from a folder."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)

    def groups(text):
        real = module._read
        monkeypatch.setattr(module, "_read", lambda path: text if path == "/proc/self/cgroup" else real(path))

    return groups


def test_affinity_counts(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert usable_cores(str(tmp_path)) == 2


@pytest.mark.parametrize(
    ("own", "above", "found"), [("max 100000", "max 100000", 16), ("150000 100000", "max 100000", 1),
                                ("400000 100000", "300000 100000", 3), ("20000 100000", "max 100000", 1)],
)  # fmt: skip
def test_the_quota_of_any_group_above_counts(many, tmp_path, own, above, found):
    many("0::/a/b\n")
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "cpu.max").write_text(own)
    (tmp_path / "a" / "cpu.max").write_text(above)
    assert usable_cores(str(tmp_path)) == found


def test_the_quota_of_version_1(many, tmp_path):
    many("4:memory:/a\n3:cpu,cpuacct:/a\n")
    (tmp_path / "cpu" / "a").mkdir(parents=True)
    (tmp_path / "cpu" / "a" / "cpu.cfs_quota_us").write_text("250000")
    (tmp_path / "cpu" / "a" / "cpu.cfs_period_us").write_text("100000")
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert usable_cores(str(tmp_path)) == 2


@pytest.mark.parametrize(("given", "found"), [("", 16), ("2", 2), ("64", 16), ("0", 16), ("2,1", 16)])
def test_the_variable_of_the_field_limits_threads(many, monkeypatch, given, found):
    monkeypatch.setattr(module, "_quota", lambda _: 99)
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert default_threads() == found
