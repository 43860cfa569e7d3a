import os

import pytest
import xxhash

from tonearm.run.sources import content_hash
from tonearm.run.sources.content_hash import hash_of, hash_of_file, read_content, state_of


@pytest.fixture(params=[0, 1, 1000, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 700_000])
def data(request):
    return os.urandom(request.param)


def test_the_hash_is_xxh3_of_128_bits(data, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(data)
    expected = xxhash.xxh3_128_hexdigest(data)
    assert hash_of_file(path) == expected
    with path.open("rb") as file:
        file.seek(3)
        assert hash_of(file.fileno()) == hash_of(file.fileno(), len(data)) == expected
        assert file.tell() == 3


def test_a_source_is_read_once(data, tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(data)
    found = read_content(path)
    assert found.data == data
    assert found.hash == xxhash.xxh3_128_hexdigest(data)
    assert found.state == state_of(path) == (len(data), path.stat().st_mtime_ns)
    monkeypatch.setattr(content_hash, "KEPT", 999)  # what is large is hashed and not kept
    large = read_content(path)
    assert (large.state, large.hash) == (found.state, found.hash)
    assert (large.data is None) == (len(data) > 999)


def test_what_is_read_in_pieces(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"abcdefgh")
    real = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, size: real(descriptor, min(size, 3)))
    assert read_content(path).data == b"abcdefgh"


def test_what_is_no_file(tmp_path):
    assert read_content(tmp_path / "none") == content_hash.Content()
    assert read_content("a\0b") == content_hash.Content()
    os.mkfifo(tmp_path / "pipe")
    os.symlink("loop", tmp_path / "loop")
    found = read_content(tmp_path / "pipe")  # which would wait for ever
    assert (found.hash, found.data) == ("", None)
    assert hash_of_file(tmp_path / "pipe") == hash_of_file(tmp_path / "none") == hash_of_file(tmp_path / "loop") == ""
    assert state_of(tmp_path / "loop") is None


class TestFolders:
    @pytest.fixture
    def store(self, tmp_path):
        (tmp_path / "s" / "x").mkdir(parents=True)
        (tmp_path / "s" / "x" / "1").write_text("one")
        (tmp_path / "s" / "2").write_text("two")
        return tmp_path / "s"

    def test_the_state_is_that_of_all_in_it(self, store):
        before = state_of(store)
        assert before[0] == 6
        (store / "x" / "1").write_text("ONE")
        os.utime(store / "x" / "1", ns=(1, before[1] + 5))
        assert state_of(store) == (6, before[1] + 5)

    def test_the_hash_is_that_of_all_in_it(self, store):
        found = read_content(store)
        assert found.data is None
        assert found.state == state_of(store)
        before = hash_of_file(store)
        assert found.hash == before != ""
        os.utime(store / "2", ns=(1, 1))
        assert hash_of_file(store) == before
        (store / "2").rename(store / "3")
        assert hash_of_file(store) != before
        (store / "3").rename(store / "2")
        (store / "x" / "1").write_text("ONE")
        assert hash_of_file(store) != before
