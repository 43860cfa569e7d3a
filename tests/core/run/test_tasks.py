import numpy as np
from run_toys import task

from tonearm.run.tasks import Task
from tonearm.signals import Waveform


def test_a_task_gives_its_source(folder):
    source = task("a.txt", folder="x").source(b"content")
    assert (source.name, source.path_text, source.relative_dir) == ("a.txt", f"{folder}/a.txt", "x")
    with source.open() as file:  # there is no such file: what was read already is not read again
        assert file.read() == b"content"


def test_a_task_with_a_key_is_known_by_its_name(folder):
    array = np.zeros(3, "f4")
    one = Task(0, "utt1", "", array=array, key="utt1")
    source = one.source()
    assert (one.source_id, source.stem, source.path) == ("utt1", "utt1", None)
    assert source.array is array
    assert one.without_memory().array is None
    assert task("a.txt").source_id == f"{folder}/a.txt"
    keyed = Task(0, "utt2", f"{folder}/a.txt", key="utt2")
    assert (keyed.source_id, keyed.source().stem, keyed.source().path_text) == ("utt2", "utt2", f"{folder}/a.txt")
    assert keyed.without_memory() is keyed


def test_a_task_carries_arrays_by_name_and_signals():
    arrays, signal = {"mel": np.zeros((2, 3))}, Waveform(samples=np.zeros((1, 9), "f4"), sample_rate=8000)
    for one in (Task(0, "utt1", "", arrays=arrays, key="utt1"), Task(0, "utt1", "", signal=signal, key="utt1")):
        source = one.source()
        assert (source.arrays, source.signal) == (one.arrays, one.signal)
        assert source.in_memory
        assert one.without_memory() == Task(0, "utt1", "", key="utt1")
