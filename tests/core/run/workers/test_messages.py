import itertools
import socket

from hypothesis import given
from hypothesis import strategies as st
from run_toys import task

from tonearm.run.prepared import PreparedSource
from tonearm.run.workers.chunk_results import ChunkResults
from tonearm.run.workers.messages import HEADER, Inbox, send

MESSAGES = [
    ChunkResults(owner="00000001"),
    ChunkResults(sources=[PreparedSource(task=task("a.txt"))]),
    ["x" * 1000],
]


def sent(messages):
    """Return the bytes that arrive."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for message in messages:
            send(ours, message)
        ours.shutdown(socket.SHUT_WR)
        data = b""
        while more := theirs.recv(1 << 16):
            data += more
    return data


BYTES = sent(MESSAGES)


@given(st.lists(st.integers(0, len(BYTES)), max_size=20))
def test_messages_are_complete_however_they_are_cut(cuts):
    inbox, found = Inbox(), []
    places = [0, *sorted(cuts), len(BYTES)]
    for start, end in itertools.pairwise(places):
        found += inbox.feed(BYTES[start:end])
    assert found == MESSAGES


def test_half_a_message_is_none():
    assert list(Inbox().feed(BYTES[: HEADER.size + 1])) == []
