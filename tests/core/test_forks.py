import functools
import os
import sys
import threading

import pytest

from forked_children import finished, in_child
from tonearm import forks as room
from tonearm.pipeline.converter import Converter

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def status_of(work):
    """Return the exit status of a function in a forked child."""
    return finished(in_child(work), 20)


class Meanwhile:
    """A thread that does something slow while the block runs."""

    def __init__(self, work):
        self.began, self.may_end = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=work, args=(self,))

    def __enter__(self):
        self.thread.start()
        assert self.began.wait(20)
        return self

    def __exit__(self, *_):
        self.may_end.set()
        self.thread.join(20)


@pytest.fixture
def slow_module(tmp_path, monkeypatch):
    """A module that takes a while to import; `__main__` has its events."""
    (tmp_path / "slow_to_import.py").write_text(
        "import sys, time\nsys.slow.began.set()\ntime.sleep(0.3)\nvalue = 3\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("slow_to_import", None)


def test_a_fork_waits_for_imports(slow_module, monkeypatch):
    def work(meanwhile):
        monkeypatch.setattr(sys, "slow", meanwhile, raising=False)
        import slow_to_import  # noqa: F401

    def child():
        import slow_to_import

        assert slow_to_import.value == 3

    with Meanwhile(work):
        assert status_of(child) == 0


def test_a_fork_waits_no_longer_than_it_should(slow_module, monkeypatch):
    monkeypatch.setattr(room, "LONGEST_WAIT", 0.0)

    def work(meanwhile):
        monkeypatch.setattr(sys, "slow", meanwhile, raising=False)
        import slow_to_import  # noqa: F401

    with Meanwhile(work) as meanwhile:
        assert status_of(lambda: None) == 0
        assert meanwhile.thread.is_alive()


def test_a_thread_that_imports_may_fork(tmp_path, monkeypatch):
    (tmp_path / "forks_itself.py").write_text(
        "import os\nchild = os.fork()\nif not child:\n    os._exit(7)\nstatus = os.waitpid(child, 0)[1]\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    import forks_itself

    assert os.waitstatus_to_exitcode(forks_itself.status) == 7
    sys.modules.pop("forks_itself")


def test_imports_go_on_after_a_fork():
    assert status_of(lambda: __import__("this_module_does_not_exist", fromlist=["x"])) == 1
    sys.modules.pop("colorsys", None)
    done = []
    thread = threading.Thread(target=lambda: done.append(__import__("colorsys")))
    thread.start()
    thread.join(20)
    assert done
    assert room._holding == []


def test_a_module_that_is_imported_during_a_fork_releases_nothing():
    room.release_imports()
    assert room._holding == []


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="cached properties have no locks from Python 3.12 on")
def test_a_property_that_another_thread_computes():
    lock = vars(Converter)["_limits"].lock
    assert isinstance(vars(Converter)["_limits"], functools.cached_property)

    def work(meanwhile):
        with lock:
            meanwhile.began.set()
            meanwhile.may_end.wait(20)

    def child():
        assert vars(Converter)["_limits"].lock is not lock
        assert vars(Converter)["_limits"].lock.acquire(timeout=5)

    with Meanwhile(work):
        assert status_of(child) == 0
