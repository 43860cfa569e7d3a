"""`save` over an old file, killed at every system call, from several processes, and from threads with forks in between.

Under the name there is always the old file or the new one, whole.
"""

import itertools
import multiprocessing
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from system_calls import can_be_traced, kill_at

import tonearm
from forked_children import finished, in_child
from tonearm.run import convert_one as convert_one_module

traced = pytest.mark.skipif(not can_be_traced(), reason="this system lets no process trace its child")

RATE = 24000
FORMATS = ("wav", "mp3", "flac", "npy")


def sound(level, seconds=0.05):
    return (level * np.sin(np.arange(int(RATE * seconds)) / 9)).astype(np.float32)


def names(folder):
    return sorted(os.listdir(folder))


def encoded(level, form):
    return tonearm.encode(sound(level), form, sample_rate=RATE)


def places(work):
    """Yield the number of each place where the function can be killed, after it was."""
    for when in itertools.count():
        if not kill_at(work, when):
            return
        yield when


@pytest.mark.slow
@traced
@pytest.mark.parametrize(
    ("form", "durable"),
    [
        ("wav", False),
        *[pytest.param(*one, marks=pytest.mark.slow) for one in (("wav", True), ("mp3", False), ("mp3", True))],
    ],
)
def test_killed_at_every_system_call(tmp_path, monkeypatch, form, durable):
    monkeypatch.setattr(convert_one_module, "_swept", set())  # a child looks for leftovers, as a new program does
    path = tmp_path / f"a.{form}"
    old, new = encoded(0.2, form), encoded(0.4, form)
    path.write_bytes(old)
    seen = []
    for _ in places(lambda: tonearm.save(sound(0.4), path, sample_rate=RATE, durable=durable)):
        seen.append(path.read_bytes())
        path.write_bytes(old)
    assert len(seen) > 40
    assert set(seen) == {old, new}
    assert seen == sorted(seen, key=[old, new].index)
    tonearm.save(sound(0.4), path, sample_rate=RATE)
    assert names(tmp_path) == [path.name]
    assert path.read_bytes() == new


@pytest.mark.slow
@traced
def test_what_is_left_of_many_kills_is_cleared_by_the_next_program(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    monkeypatch.setattr(convert_one_module, "_swept", {str(tmp_path)})
    left = [names(tmp_path) for _ in places(lambda: tonearm.save(sound(0.4), path, sample_rate=RATE))][-1]
    assert len(left) > 10
    tonearm.save(sound(0.2), path, sample_rate=RATE)
    assert len(names(tmp_path)) == len(left), "this process has looked there"
    convert_one_module._swept.clear()
    tonearm.save(sound(0.2), path, sample_rate=RATE)
    assert names(tmp_path) == ["a.wav"]


@traced
@pytest.mark.slow
def test_killed_while_a_new_folder_is_made(tmp_path):
    def work():
        tonearm.save(sound(0.4), tmp_path / "x" / "y" / "a.wav", sample_rate=RATE)

    for _ in places(work):
        found = [path for path in tmp_path.rglob("*.wav") if path.suffix == ".wav"]
        assert [path.read_bytes() for path in found] in ([], [encoded(0.4, "wav")])


def test_two_processes_save_the_same_target(tmp_path):
    path = tmp_path / "a.wav"
    levels = (0.2, 0.4)
    whole = {encoded(level, "wav") for level in levels}
    path.write_bytes(encoded(0.2, "wav"))

    def work(level):
        for _ in range(100):
            tonearm.save(sound(level), path, sample_rate=RATE)

    children = [in_child(lambda level=level: work(level)) for level in levels]
    seen = {path.read_bytes() for _ in range(300)}
    assert [finished(child) for child in children] == [0, 0]
    assert seen <= whole
    assert path.read_bytes() in whole
    assert names(tmp_path) == ["a.wav"]


class Savers:
    """Threads that save until they are told to stop; half of them share a target."""

    def __init__(self, folder, count=20):
        self.folder = folder
        self.errors = []
        self.saved = 0
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(number,)) for number in range(count)]

    def target(self, number, form):
        return self.folder / (f"{number}.{form}" if number % 2 else f"shared.{form}")

    def work(self, number):
        level = 0.2 + 0.02 * number
        try:
            for form in itertools.cycle(FORMATS):
                target = self.target(number, form)
                tonearm.save(sound(level), target, sample_rate=RATE)
                if number % 2:
                    assert target.read_bytes() == encoded(level, form)
                self.saved += 1
                if self.stop.is_set():
                    return
        except BaseException as error:
            self.errors.append(error)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads)


@pytest.fixture
def whole():
    """What the shared files of `Savers` may hold."""
    return {form: {encoded(0.2 + 0.02 * number, form) for number in range(0, 20, 2)} for form in FORMATS}


def test_twenty_threads_save_at_once(tmp_path, whole):
    with Savers(tmp_path) as savers:
        while savers.saved < 200 and not savers.errors:
            for form in FORMATS:
                path = tmp_path / f"shared.{form}"
                assert not path.exists() or path.read_bytes() in whole[form]
    assert savers.errors == []
    assert not [name for name in names(tmp_path) if name.startswith(".")]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forks_while_threads_save(tmp_path, whole):
    """Each child saves by what the thread that forked it knows, and in threads of its own."""

    def child(number):
        for form in FORMATS:
            path = tmp_path / f"child-{number}.{form}"
            tonearm.save(sound(0.3), path, sample_rate=RATE)
            assert path.read_bytes() == encoded(0.3, form)
        with Savers(tmp_path, count=3) as savers:
            pass
        assert savers.errors == []

    with Savers(tmp_path) as savers:
        states = [finished(in_child(lambda number=number: child(number))) for number in range(20)]
    assert savers.errors == []
    assert states == [0] * 20
    assert all((tmp_path / f"shared.{form}").read_bytes() in whole[form] for form in FORMATS)
    assert not [name for name in names(tmp_path) if name.startswith(".")]


def _save_in_worker(path):
    tonearm.save(sound(0.3), path, sample_rate=RATE)
    return Path(path).read_bytes() == encoded(0.3, Path(path).suffix[1:])


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_pool_of_forked_processes(tmp_path):
    targets = [str(tmp_path / f"pool-{number}.{FORMATS[number % 4]}") for number in range(20)]
    with Savers(tmp_path, count=4) as savers, multiprocessing.get_context("fork").Pool(2) as pool:
        assert all(pool.map_async(_save_in_worker, targets).get(60))
    assert savers.errors == []
