"""The rates of named workers, and what people read of them."""

import re

import pytest

from tonearm.reporting.worker_rates import (
    IDLE_SECONDS,
    MAX_KNOWN,
    MAX_NAMED,
    RATE_SECONDS,
    SILENT_SECONDS,
    WorkerRates,
    counts_text,
)


class Watched:
    """Rates with a clock that a test turns, and workers that finish sources steadily."""

    def __init__(self):
        self.now = 1000.0
        self.rates = WorkerRates(lambda: self.now)

    def work(self, seconds, **speeds):
        """Have workers with a chunk each finish a number of sources every second."""
        for name in speeds:
            self.rates.hear(name, f"chunk of {name}")
        for _ in range(seconds):
            self.now += 1.0
            for name, speed in speeds.items():
                self.rates.hear(name, f"chunk of {name}", speed)


@pytest.fixture
def watched():
    return Watched()


def test_workers_without_a_name_are_not_counted(watched):
    watched.work(3, **{"": 5})
    assert (watched.rates.describe(), watched.rates.counts()) == ("", {})


@pytest.mark.parametrize("seconds", [1, 3, 100])
def test_a_steady_rate_is_right_from_the_beginning(watched, seconds):
    watched.work(seconds, a=310, b=5)
    found = re.fullmatch(r"2 workers: a (\S+), b (\S+) a second", watched.rates.describe())
    assert [float(rate) for rate in found.groups()] == pytest.approx([310, 5], rel=0.03)
    assert watched.rates.counts() == {"a": 310 * seconds, "b": 5 * seconds}


def test_the_rate_is_that_of_the_last_while(watched):
    watched.work(100, a=1000)
    watched.work(int(5 * RATE_SECONDS), a=10)
    rate = float(watched.rates.describe().split()[3])
    assert 10 <= rate < 20


def test_a_burst_at_once_is_no_endless_rate(watched):
    watched.rates.hear("a", 1, 512)
    assert watched.rates.describe() == "1 worker: a 525 a second"


class TestWhoIsThere:
    def test_a_worker_with_a_chunk_stays_however_long_it_takes(self, watched):
        watched.work(2, a=1)
        watched.now += 10 * IDLE_SECONDS
        assert watched.rates.describe().startswith("1 worker: a ")

    def test_one_without_a_chunk_goes_after_a_while(self, watched):
        watched.work(2, a=1)
        watched.rates.end_chunk("chunk of a")
        assert watched.rates.describe().startswith("1 worker: a ")
        watched.now += IDLE_SECONDS
        assert watched.rates.describe() == ""

    def test_one_that_has_finished_its_chunk_has_none(self, watched):
        watched.rates.hear("a", 1, 4, last=True)
        watched.now += SILENT_SECONDS
        assert watched.rates.describe().endswith(" a second")
        watched.now += IDLE_SECONDS
        assert watched.rates.describe() == ""

    def test_one_that_is_lost_goes_at_once_and_comes_back_when_it_is_heard(self, watched):
        watched.work(2, a=4, b=4)
        watched.rates.end_chunk("chunk of a", lost=True)
        assert watched.rates.describe().startswith("1 worker: b ")
        watched.work(1, a=4)
        assert watched.rates.describe().startswith("2 workers: a ")
        assert watched.rates.counts() == {"a": 12, "b": 8}

    def test_a_chunk_that_another_worker_has_now_is_no_longer_the_first_ones(self, watched):
        watched.rates.hear("a", 1)
        watched.now += IDLE_SECONDS
        watched.rates.hear("b", 1)
        assert watched.rates.describe() == "1 worker: b 0 a second"

    def test_ends_of_chunks_that_nobody_has_begun_are_nothing(self, watched):
        watched.rates.end_chunk(1, lost=True)
        watched.work(1, a=4)
        watched.rates.end_chunk("chunk of a")
        watched.rates.end_chunk("chunk of a", lost=True)
        assert watched.rates.describe().startswith("1 worker: a ")


class TestSilence:
    def test_a_worker_with_a_chunk_and_no_sign_of_life(self, watched):
        watched.work(30, a=4, b=4)
        watched.work(int(SILENT_SECONDS), a=4)
        assert watched.rates.describe().endswith(" a second, b silent for 10 s")
        watched.rates.hear("b", "chunk of b")
        assert "silent" not in watched.rates.describe()

    def test_one_without_a_chunk_has_nothing_to_say(self, watched):
        watched.work(1, a=4)
        watched.rates.end_chunk("chunk of a")
        watched.now += SILENT_SECONDS
        assert "silent" not in watched.rates.describe()


class TestText:
    @pytest.fixture
    def many(self, watched):
        watched.work(100, **{f"tcp://10.0.0.{number}:40000": 1 + number for number in range(1000)})
        return watched

    def test_of_many_the_fastest_and_the_slowest(self, many):
        text = many.rates.describe()
        assert text.startswith("1,000 workers: fastest tcp://10.0.0.999:40000 ")
        assert ", slowest tcp://10.0.0.0:40000 " in text

    def test_the_one_that_is_silent(self, many):
        many.work(12, **{f"tcp://10.0.0.{number}:40000": 1 + number for number in range(1000) if number != 7})
        assert many.rates.describe(200).endswith(", tcp://10.0.0.7:40000 silent for 12 s")
        assert many.rates.describe(120).endswith(", 1 silent")
        assert many.rates.describe(20) == "1,000 workers, 1 silent"[:20]

    @pytest.mark.parametrize("width", [0, 5, 20, 60, 90, 120, 300])
    @pytest.mark.parametrize("number", [1, 2, MAX_NAMED, MAX_NAMED + 1])
    def test_it_is_never_wider_than_there_is_room(self, watched, number, width):
        watched.work(2, **{f"tcp://10.0.0.{one}:40000": 1 for one in range(number)})
        assert len(watched.rates.describe(width)) <= width

    def test_few_are_all_named_and_more_are_not(self, watched):
        names = [f"w{number}" for number in range(MAX_NAMED + 1)]
        watched.work(2, **dict.fromkeys(names[:-1], 2))
        assert all(name in watched.rates.describe() for name in names[:-1])
        watched.work(2, **dict.fromkeys(names, 2))
        assert watched.rates.describe().startswith("9 workers: fastest ")

    def test_rates_have_digits_that_say_something(self, watched):
        watched.work(100, a=0, b=123456)
        watched.rates.hear("a", "chunk of a", 1)
        assert watched.rates.describe().startswith("2 workers: a 0.05, b 1")
        assert "e+" not in watched.rates.describe()

    def test_names_are_escaped_and_cut(self, watched):
        watched.work(1, **{"a\x1b[2Jb" + "c" * 1000: 1})
        text = watched.rates.describe()
        assert "\x1b" not in text
        assert len(text) < 80


def test_no_more_than_so_many_workers_are_known_by_name(watched):
    for number in range(MAX_KNOWN + 1):
        watched.now += 0.001
        watched.rates.hear(str(number), number, 1)
        if number:
            watched.rates.end_chunk(number)
    counts = watched.rates.counts()
    assert len(counts) < MAX_KNOWN
    assert sum(counts.values()) == MAX_KNOWN + 1
    assert {"0", str(MAX_KNOWN)} <= set(counts)  # the one that has a chunk, and the newest
    assert counts_text(counts) == f"more than {len(counts) - 1:,} workers with 1 to 1 sources each"


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({}, ""),
        ({"a": 1, "b": 20}, "a 1 source, b 20 sources"),
        ({str(number): 10 + number for number in range(9)}, "9 workers with 10 to 18 sources each"),
    ],
)
def test_counts_in_words(counts, text):
    assert counts_text(counts) == text
