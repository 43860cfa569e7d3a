"""Tests of waiting for workers, by both of the calls that systems have for it."""

import socket

import pytest

from tonearm.run.workers import polling
from tonearm.run.workers.polling import Polling


@pytest.fixture(params=[True, False])
def polled(request, monkeypatch):
    monkeypatch.setattr(polling, "HAS_POSIX", request.param)
    found = Polling()
    assert (found._poll is not None) is request.param
    return found


@pytest.fixture
def ends():
    found = [socket.socketpair() for _ in range(3)]
    yield found
    for pair in found:
        for end in pair:
            end.close()


def test_whoever_has_something_is_found(polled, ends):
    for ours, _ in ends:
        polled.add(ours)
    assert polled.wait(0) == []
    ends[1][1].sendall(b".")
    ends[2][1].close()  # its end counts, too
    assert sorted(polled.wait(1000)) == sorted([ends[1][0].fileno(), ends[2][0].fileno()])
    polled.remove(ends[1][0])
    assert polled.wait(1000) == [ends[2][0].fileno()]


def test_nobody_is_there(polled, ends):
    assert polled.wait(1) == []
    polled.add(ends[0][0])
    polled.remove(ends[0][0])
    assert polled.wait(1) == []
