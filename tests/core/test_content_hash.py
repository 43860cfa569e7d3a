import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xxhash

from tonearm import content_hash
from tonearm.content_hash import (
    file_state,
    hash_array,
    hash_descriptor,
    hash_memory,
    hash_path,
    memory_snapshot,
    take_snapshot,
)
from tonearm.given_arrays import GivenArrays
from tonearm.signals import MagnitudeSpectrogram, Signal, StftGrid, Waveform
from tonearm.source import Source


@pytest.fixture(params=[0, 1, 1000, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 700_000])
def data(request):
    return os.urandom(request.param)


def test_the_hash_is_xxh3_of_128_bits(data, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(data)
    expected = xxhash.xxh3_128_hexdigest(data)
    assert hash_path(path) == expected
    with path.open("rb") as file:
        file.seek(3)
        assert hash_descriptor(file.fileno()) == hash_descriptor(file.fileno(), len(data)) == expected
        assert file.tell() == 3


def test_a_small_source_is_read_and_hashed_at_once(data, tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(data)
    found = take_snapshot(path)
    assert found.content == data
    assert found.hash == xxhash.xxh3_128_hexdigest(data)
    assert found.state == file_state(path) == (len(data), path.stat().st_mtime_ns)
    monkeypatch.setattr(content_hash, "MAX_WHOLE_READ", 999)  # a large one is left to its decoder
    large = take_snapshot(path)
    assert (large.state, large.identity) == (found.state, found.identity)
    assert (large.hash, large.content) == (("", None) if len(data) > 999 else (found.hash, data))


def test_a_source_that_is_read_by_its_path_is_not_read_at_all(data, tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(data)
    expected = take_snapshot(path)
    monkeypatch.setattr(os, "open", None)
    found = take_snapshot(path, read=False)
    assert (found.state, found.identity, found.hash, found.content) == (expected.state, expected.identity, "", None)


def test_a_snapshot_notices_another_file_of_the_same_size_and_time(tmp_path):
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"old")
    other.write_bytes(b"new")
    os.utime(other, ns=(path.stat().st_mtime_ns,) * 2)
    found = take_snapshot(path)
    assert found.is_current(path)
    other.replace(path)
    assert file_state(path) == found.state
    assert not found.is_current(path)
    path.unlink()
    assert not found.is_current(path)


class TestArrays:
    @pytest.mark.parametrize("dtype", ["f4", ">f4", "f2", "c8", "i2", "?", "M8[s]"])
    def test_the_order_in_memory_does_not_matter(self, dtype):
        array = np.arange(6).astype("i8").astype(dtype).reshape(2, 3)
        assert hash_array(array) == hash_array(np.asfortranarray(array)) == hash_array(np.repeat(array, 2, 1)[:, ::2])

    def test_type_shape_and_values_matter(self):
        array = np.zeros((2, 3), "f4")
        others = [
            array.reshape(3, 2),
            array.view("i4"),
            array.astype(">f4"),
            array + 1,
            array[:1],
            array[0],
            array[0, 0],
        ]
        assert len({hash_array(np.asarray(one)) for one in [array, *others]}) == 1 + len(others)

    def test_the_state_of_an_array_is_its_hash(self):
        array = np.zeros((2, 3), "f4")
        found = memory_snapshot(Source(name="a", array=array))
        assert found.state == found.hash == hash_array(array)
        assert found.is_current("")
        # The hash of Python objects would be that of their addresses.
        assert memory_snapshot(Source(name="a", array=np.array([None]))) == content_hash.SourceSnapshot()

    def test_names_and_values_of_a_mapping_matter(self):
        def hashed(**given):
            return hash_memory(Source(name="a", arrays=GivenArrays(given)))

        given = {"audio": [0.5, 0.25], "sampling_rate": 8000, "text": "hello", "model": object()}
        others = [{**given, "audio": [0.5, 0.5]}, {**given, "sampling_rate": 16000}, {**given, "text": "hallo"}]
        others += [{"sound": given["audio"]}, {"audio": Waveform(samples=np.zeros((1, 2), "f4"), sample_rate=8000)}]
        assert len({hashed(**one) for one in [given, *others]}) == 1 + len(others)
        # A Python object is no array, and nothing of it is read.
        assert hashed(**given) == hashed(**{**given, "audio": np.array([0.5, 0.25]), "model": object()})
        assert hashed(audio=np.array([None])) == ""

    def test_all_of_a_signal_matters(self):
        def hashed(signal):
            return hash_memory(Source(name="a", signal=signal))

        def spectrogram(values, **more):
            grid = StftGrid(sample_rate=8000, n_fft=4, hop_length=1, win_length=4, **more)
            return MagnitudeSpectrogram(values=values, grid=grid)

        samples, values = np.zeros((1, 9), "f4"), np.ones((1, 3, 5), "f4")
        given = [
            Waveform(samples=samples, sample_rate=8000),
            Waveform(samples=samples, sample_rate=16000),
            Waveform(samples=samples + 1, sample_rate=8000),
            spectrogram(values),
            spectrogram(values * 2),
            spectrogram(values, window=(0.0, 0.5, 1.0, 0.5)),
            spectrogram(values, window=(0.0, 0.25, 1.0, 0.25)),
            MagnitudeSpectrogram(values=values, grid=spectrogram(values).grid, length=7),
        ]
        assert len({hashed(one) for one in given}) == len(given)
        assert hashed(Waveform(samples=samples.copy(), sample_rate=8000)) == hashed(given[0])
        # A class of a third party that is no dataclass may hold anything.
        assert hashed(type("Tape", (Signal,), {})()) == ""


def test_what_is_read_in_pieces(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"abcdefgh")
    real = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, size: real(descriptor, min(size, 3)))
    assert take_snapshot(path).content == b"abcdefgh"


def test_threads_do_not_disturb_each_other(tmp_path):
    paths = [tmp_path / str(number) for number in range(8)]
    for number, path in enumerate(paths):
        path.write_bytes(bytes([number]) * 200_000)
    expected = [hash_path(path) for path in paths]
    with ThreadPoolExecutor(len(paths)) as threads:
        for _ in range(50):
            assert list(threads.map(hash_path, paths)) == expected


def test_what_is_no_file(tmp_path):
    assert take_snapshot(tmp_path / "none") == content_hash.SourceSnapshot()
    assert take_snapshot("a\0b") == content_hash.SourceSnapshot()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    found = take_snapshot(tmp_path / "pipe")  # which would wait for ever
    assert (found.hash, found.content) == ("", None)
    assert hash_path(tmp_path / "pipe") == hash_path(tmp_path / "none") == hash_path(tmp_path / "loop") == ""
    assert file_state(tmp_path / "loop") is None


class TestFolders:
    @pytest.fixture
    def store(self, tmp_path):
        (tmp_path / "s" / "x").mkdir(parents=True)
        (tmp_path / "s" / "x" / "1").write_text("one")
        (tmp_path / "s" / "2").write_text("two")
        return tmp_path / "s"

    def test_the_state_is_that_of_all_in_it(self, store):
        before = file_state(store)
        assert before[0] == 6
        (store / "x" / "1").write_text("ONE")
        os.utime(store / "x" / "1", ns=(1, before[1] + 5))
        assert file_state(store) == (6, before[1] + 5)

    def test_its_hash_is_that_of_all_names_and_contents_in_it(self, store):
        before = hash_path(store)
        (store / "x" / "1").rename(store / "x" / "one")
        renamed = hash_path(store)
        (store / "x" / "one").rename(store / "x" / "1")
        assert hash_path(store) == before != renamed
        (store / "2").write_text("TWO")
        assert hash_path(store) not in (before, renamed)

    def test_nothing_in_it_is_read(self, store):
        found = take_snapshot(store)
        assert (found.content, found.hash) == (None, "")  # its decoder reads it, and nobody else
        assert found.state == file_state(store)
        assert found.is_current(store)
        (store / "3").write_text("three")
        assert not found.is_current(store)
