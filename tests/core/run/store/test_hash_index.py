import random

from hypothesis import given
from hypothesis import strategies as st

from tonearm.run.store.hash_index import HashIndex, HashSet


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(0, 2**64 - 1)), max_size=50))
def test_an_index_is_a_dictionary(pairs):
    index, expected = HashIndex(), {}
    for text, number in pairs:
        index.put(text, number)
        expected[text] = number
    assert len(index) == len(expected)
    assert all(index.get(text) == number for text, number in expected.items())
    assert "no such text" not in index


def test_an_index_grows():
    index = HashIndex()
    names = [f"name {random.Random(number).random()}" for number in range(50_000)]
    for number, name in enumerate(names):
        index.put(name, number)
    assert len(index) == 50_000
    assert [index.get(name) for name in names] == list(range(50_000))
    assert index.get("else") is None


def test_an_index_takes_little_memory():
    index = HashIndex()
    for number in range(100_000):
        index.put(str(number), number)
    assert len(index._keys) * 16 < 100_000 * 50


def test_a_set_of_many_names():
    found = HashSet()
    names = [f"folder/{number}.wav" for number in range(5000)]
    assert all(found.add(name) for name in names)
    assert not any(found.add(name) for name in names)
    assert len(found) == 5000
    assert all(name in found for name in names)
    assert not any(f"other/{number}.wav" in found for number in range(5000))
