import os

import pytest

from tonearm.run.workers import cores
from tonearm.run.workers.cores import pin_threads, usable_cores


@pytest.fixture
def many(monkeypatch):
    """A machine of 16 cores; what the control groups say comes from a folder."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)

    def groups(text):
        real = cores._read
        monkeypatch.setattr(cores, "_read", lambda path: text if path == "/proc/self/cgroup" else real(path))

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


def test_threads_are_pinned_and_fewer_stay_fewer():
    environ = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "64", "NUMBA_NUM_THREADS": "", "BLIS_NUM_THREADS": "0"}
    pin_threads(environ, 4)
    assert environ["OMP_NUM_THREADS"] == "1"
    assert {environ[name] for name in cores.THREAD_VARIABLES if name != "OMP_NUM_THREADS"} == {"4"}


def test_threads_rest_unless_the_user_wants_them_awake():
    environ = {}
    pin_threads(environ, 2)
    assert environ["OPENBLAS_THREAD_TIMEOUT"] == "16"
    environ = {"OPENBLAS_THREAD_TIMEOUT": "26"}
    pin_threads(environ, 2)
    assert environ["OPENBLAS_THREAD_TIMEOUT"] == "26"
