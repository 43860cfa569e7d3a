import pytest
from run_toys import task

from tonearm.run.prepared import ConvertedItem, PreparedSource
from tonearm.run.workers.chunk_in_flight import ChunkInFlight


def chunk(count=3):
    return ChunkInFlight([task(f"{number}.txt", number) for number in range(count)], is_retry=False)


def prepared(number, *keys, last=True):
    return PreparedSource(
        task=task(f"{number}.txt", number), items=[ConvertedItem(key, 0, 0, []) for key in keys], last=last
    )


def numbers(one):
    return [left.number for left in one.remaining()]


def test_each_task_is_accepted_once():
    one = chunk()
    assert (one.is_begun, one.accept(prepared(1)), one.is_begun) == (False, True, True)
    assert numbers(one) == [0, 2]
    assert not one.accept(prepared(1))
    assert not one.accept(prepared(7))
    assert numbers(one) == [0, 2]


def test_pieces_of_a_large_source_are_accepted_once_and_not_done_again():
    one = chunk(1)
    assert one.accept(prepared(0, "a", "b", last=False))
    assert not one.accept(prepared(0, "b", "c", last=False))
    assert one.accept(prepared(0, "c", last=False))
    assert not one.is_begun
    (left,) = one.remaining()
    assert left.skip == {((key, 0), 0) for key in "abc"}
    assert not one.accept(prepared(0, "a"))
    assert one.accept(prepared(0, "d"))
    assert one.remaining() == []


@pytest.mark.parametrize("is_retry", [True, False])
def test_a_new_one_has_just_been_heard_of(monkeypatch, is_retry):
    monkeypatch.setattr("time.monotonic", lambda: 7.0)
    one = ChunkInFlight([task("a.txt")], is_retry=is_retry)
    assert (one.last_heard, one.cancelled, one.is_retry) == (7.0, None, is_retry)
