import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import xxhash

from tonearm.run.sources import content_hash
from tonearm.run.sources.content_hash import file_state, hash_descriptor, hash_path, take_snapshot


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


def test_a_source_is_read_once(data, tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(data)
    found = take_snapshot(path)
    assert found.data == data
    assert found.hash == xxhash.xxh3_128_hexdigest(data)
    assert found.state == file_state(path) == (len(data), path.stat().st_mtime_ns)
    monkeypatch.setattr(content_hash, "MAX_WHOLE_READ", 999)  # what is large is hashed and not kept
    large = take_snapshot(path)
    assert (large.state, large.hash) == (found.state, found.hash)
    assert (large.data is None) == (len(data) > 999)


def test_what_is_read_in_pieces(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"abcdefgh")
    real = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, size: real(descriptor, min(size, 3)))
    assert take_snapshot(path).data == b"abcdefgh"


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
    os.symlink("loop", tmp_path / "loop")
    found = take_snapshot(tmp_path / "pipe")  # which would wait for ever
    assert (found.hash, found.data) == ("", None)
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

    def test_the_hash_is_that_of_all_in_it(self, store):
        found = take_snapshot(store)
        assert found.data is None
        assert found.state == file_state(store)
        before = hash_path(store)
        assert found.hash == before != ""
        os.utime(store / "2", ns=(1, 1))
        assert hash_path(store) == before
        (store / "2").rename(store / "3")
        assert hash_path(store) != before
        (store / "3").rename(store / "2")
        (store / "x" / "1").write_text("ONE")
        assert hash_path(store) != before
