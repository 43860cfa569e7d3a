import random

import pytest
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


@pytest.mark.parametrize(("entries", "slots"), [(0, 1024), (682, 1024), (683, 2048), (1364, 2048), (1366, 4096)])
def test_both_double_when_two_thirds_are_full(entries, slots):
    index, found = HashIndex(), HashSet()
    for number in range(entries):
        index.put(str(number), number)
        found.add(str(number))
    assert (len(index._keys), len(index._values), len(index)) == (slots, slots, entries)
    assert (len(found._keys), len(found)) == (slots, entries)


def test_the_text_whose_hash_is_nothing():
    index, found = HashIndex(), HashSet()
    assert ("" in index, "" in found) == (False, False)
    index.put("", 0)
    assert (index.get(""), "" in index, len(index)) == (0, True, 1)
    assert (found.add(""), found.add(""), "" in found, len(found)) == (True, False, True, 1)


def test_a_number_that_is_put_again_replaces_the_first():
    index = HashIndex()
    for number in (1, 2**64 - 1, 0):
        index.put("a", number)
        assert (index.get("a"), len(index)) == (number, 1)
