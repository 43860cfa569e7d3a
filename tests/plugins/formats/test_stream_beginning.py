"""The beginning of a stream of raw samples."""

from tonearm_plugins.formats.stream_beginning import JUDGED, StreamBeginning


def test_it_is_complete_once():
    first = StreamBeginning(2)
    assert not first.add(bytes(JUDGED))
    assert first.is_open
    assert first.add(bytes(JUDGED))
    assert not first.is_open
    assert not first.add(b"ab")
    assert first.take() == bytes(2 * JUDGED)
    assert first.take() == b""


def test_a_short_stream_stays_open():
    first = StreamBeginning(4)
    assert not first.add(b"abcd")
    assert (first.is_open, first.take()) == (True, b"abcd")
